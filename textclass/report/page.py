"""Templates rendered into whole HTML files, and what they print numbers with."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from textclass import __version__
from textclass.atomic import write_atomically
from textclass.documents import refuse_stranger

DASH = "\u2013"
"""What stands where there is no figure."""

MINUS = "\u2212"

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def write_page(
    path: Path, template: str, context: Mapping[str, Any], *, script: str | None = None
) -> None:
    """Render a template of this package into a page, written in full or not at all.

    A page of ours may stand in its place, no other file.

    Its policy lets nothing load, and only our own style and script run. What HTML or UTF-8 can't
    carry (control characters, lone surrogates) is replaced by U+FFFD.

    Parameters
    ----------
    path : Path
    template : str
        File name of a template that extends `base.jinja`.
    context : Mapping
        What the template names; `title` at least. Text is escaped, `Markup` is not.
    script : str, keyword-only, optional
        File name of the JavaScript, without which the page can be read, too.

    Raises
    ------
    TextclassError
        If the file can't be written, would overwrite one that isn't ours, or isn't called `.html`.
    """
    refuse_stranger(path, "report")
    folder = Path(__file__).parent / "templates"
    policy, inline = ["default-src 'none'"], {"script": ""}
    for kind, name in {"style": "style.css", "script": script}.items():
        if name:
            text = (folder / name).read_text(encoding="utf-8")
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            policy.append(f"{kind}-src 'sha256-{digest}'")
            inline[kind] = Markup(text)  # noqa: S704 -- our own files, hashed in the policy
    own = {"policy": "; ".join([*policy, "base-uri 'none'", "form-action 'none'"])}
    page = templates_of("textclass.report").get_template(template)
    parts = page.generate({**context, **inline, **own, "version": __version__})
    write_atomically(path, (_UNPRINTABLE.sub("\ufffd", part).encode() for part in parts))


@cache
def templates_of(package: str) -> Environment:
    """Return the templates of a package, with escaping on and unknown names refused."""
    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        count="{:,}".format,
        figure=as_figure,
        line=as_line,
        percent=as_percent,
        plural=as_plural,
        signed=partial(as_figure, digits=2, sign="+"),
    )
    return made


def as_plural(value: int, one: str, many: str = "") -> str:
    """Return a count with its noun: `1 document`, `2 documents`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def as_percent(value: float | None) -> str:
    """Return a share as a percentage that never rounds something to nothing or to all."""
    if value is None:
        return DASH
    if 0 < value < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= value < 1 else f"{value:.0%}"


def as_figure(value: float | None, digits: int = 3, sign: str = "-") -> str:
    """Return a number with fixed digits, or a dash where there is none."""
    return DASH if value is None else f"{value:{sign}.{digits}f}".replace("-", MINUS)


def as_line(records: Iterable[Mapping[str, Any]], x: str, y: str) -> str:
    """Return the points of an SVG line, 100 units wide and high, leaving out unknown values."""
    known = [(one[x], one[y]) for one in records if one[x] is not None and one[y] is not None]
    return " ".join(f"{100 * across:.1f},{100 - 100 * up:.1f}" for across, up in known)
