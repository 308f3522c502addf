"""Bytes → characters → clean paragraphs."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from contextlib import suppress

from textclass.documents.wire import make_safe
from textclass.errors import DocumentError

_BOMS = {
    "utf-8-sig": (codecs.BOM_UTF8,),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
_SAMPLE = 256 << 10
_CONTROLS = {point: " " for point in range(1, 32) if chr(point) not in "\t\n"} | {0x7F: " "}


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text that begins with `head`: by BOM, UTF-8, else the likeliest."""
    for name, bom in _BOMS.items():
        if head.startswith(bom):
            return name
    # A UTF-16 text in a Latin script has a zero in every other byte.
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    if max(even, odd) > len(head[:4096]) / 5 and min(even, odd) * 10 < max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    if _nearly_utf8(head[:_SAMPLE]):
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(head[:_SAMPLE]).best()
    return best.encoding if best else "cp1252"


def _nearly_utf8(sample: bytes) -> bool:
    """Whether a few damaged bytes at most keep `sample` from being UTF-8."""
    wrong = sample.decode("utf-8", "replace").count("\ufffd") - sample.count("\ufffd".encode())
    whole = len(re.findall(rb"[\xc2-\xf4][\x80-\xbf]+", sample))
    return wrong <= 1 + whole // 20 if whole else wrong == 0


def decode(data: bytes, chars: int, *, encoding: str | None = None) -> str:
    """Return the text of `data`; more than `chars` characters are refused."""
    refuse_longer(len(data) // 4 - 1, chars)
    text = data.decode(encoding or encoding_of(data), "replace").removeprefix("\ufeff")
    refuse_longer(len(text), chars)
    return text


def refuse_longer(length: int, chars: int) -> None:
    """Raise if a text is longer than it may be."""
    if length > chars:
        raise DocumentError(f"its text is longer than {chars:,} characters", hint="split it")


def cut(text: str, opening: str, closing: str) -> str:
    """Return `text` without what stands between these marks, and without the marks.

    A mark that is never closed stays, with what follows: looking for its end again and again would
    take for ever on a text made of such marks.
    """
    flags = re.IGNORECASE | re.DOTALL | re.ASCII
    last = re.match(f".*{closing}", text, flags)
    end = last.end() if last else 0
    return re.sub(f"(?={opening}).*?{closing}", "", text[:end], flags=flags) + text[end:]


def spaced(text: str | None) -> str:
    """Return a piece of markup's text as it is shown: all white space is one space."""
    return re.sub(r"\s+", " ", text or "")


def tidy(text: str) -> str:
    """Return `text` with one kind of line break, no controls and one blank line at most."""
    text = re.sub(r"\r\n?|[\x85\u2028]", "\n", text)
    text = re.sub(r"[\f\u2029]", "\n\n", text)
    text = make_safe(text).translate(_CONTROLS)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def iso_date(value: object) -> str | None:
    """Return a date or time in ISO 8601, or None if `value` isn't one."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, str):
        for kind in (dt.date, dt.datetime):
            with suppress(ValueError):
                return kind.fromisoformat(value.strip()).isoformat()
    return None
