"""Templates rendered into whole HTML files under a content security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from textclass import __version__
from textclass.atomic import write_atomically

GENERATOR = b'<meta name="generator" content="textclass '
"""Stands near the top of every page, so that a page of ours is told from a user's own file."""

DASH = "\u2013"
"""What stands where there is no figure."""

MINUS = "\u2212"

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def render_page(
    template: str, context: Mapping[str, Any], *, style: str = "", script: str = ""
) -> Iterator[str]:
    """Render a template of this package into a whole page, piece by piece.

    Parameters
    ----------
    template : str
        File name of a template that extends `base.jinja`.
    context : Mapping
        What the template names; `title` at least. Text is escaped, `Markup` is not.
    style : str, keyword-only
        CSS to follow the shared style sheet. It must not hold text of a user.
    script : str, keyword-only
        JavaScript that the page can be read without. It must not hold text of a user.

    Returns
    -------
    iterator of str
        The page. Its policy lets nothing load and only this very style and script run.
    """
    style = template_text("style.css") + style
    for name, text in (("style", style), ("script", script)):
        if f"</{name}" in text.lower():
            raise ValueError(f"the {name} would end its own element")
    own = {
        "version": __version__,
        "policy": content_policy(style, script),
        "style": Markup(style),  # noqa: S704 -- our own files and numbers, hashed in the policy
        "script": Markup(script),  # noqa: S704 -- as above
    }
    return templates_of("textclass.report").get_template(template).generate({**context, **own})


def content_policy(style: str, script: str) -> str:
    """Return the content security policy that allows just this inline style and script."""

    def digest(text: str) -> str:
        return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    parts = ["default-src 'none'", f"style-src '{digest(style)}'"]
    parts += [f"script-src '{digest(script)}'"] if script else []
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def printable(text: str) -> str:
    """Replace what HTML or UTF-8 can't carry (control characters, lone surrogates) by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def write_page(path: Path, chunks: Iterable[str]) -> None:
    """Write a page in full or not at all.

    Raises
    ------
    TextclassError
        If the file can't be written.
    """
    write_atomically(path, (printable(chunk).encode() for chunk in chunks))


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


def template_text(name: str) -> str:
    """Return the text of a file that stands beside the templates."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


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
