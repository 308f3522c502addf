"""Plain text, Markdown and RTF."""

from __future__ import annotations

import re

from textclass.documents.data import Limits
from textclass.documents.text import cut, decode, iso_date, tidy
from textclass.documents.wire import Found

_UNWRAPPED = 120  # A line longer than this wasn't broken by hand: it is a paragraph.

_FRONT_MATTER = re.compile(r"(---|\+\+\+)\n(?P<meta>.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_DATE = re.compile(r"""^date\s*[:=]\s*["']?([^"'\n]+)""", re.MULTILINE | re.IGNORECASE)
_HEX_PICTURE = re.compile(r"[0-9a-fA-F]{60,}")

# Each pattern stays within a line and stops at its own opening mark, so none backtracks far.
_MARKUP = tuple(
    (re.compile(pattern, re.MULTILINE), by)
    for pattern, by in (
        (r"^(?:`{3,}|~{3,})[^\n]*$", ""),
        (r"^ {0,3}\[[^\]\n]+\]:[^\n]*$", ""),
        (r"!?\[([^\[\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)|\[[^\[\]\n]*\])", r"\1"),
        (r"<(https?://[^\s<>]+)>", r"\1"),
        (r"</?[A-Za-z][^<>\n]*>", ""),
        (r"^ {0,3}#{1,6}[ \t]+([^\n]*?)[ \t#]*$", r"\n\1\n"),
        (r"^[ \t]*\|?[-: \t]*-{3}[-:| \t]*$", ""),
        (r"^ {0,3}(?:>[ \t]?)+", ""),
        (r"(?<!\\)(\*\*|__)(?=\S)([^*_\\\n]+)\1", r"\2"),
        (r"(?<![\w*\\])\*(?=\S)([^*\\\n]+)\*(?!\w)", r"\1"),
        (r"(?<![\w\\])_(?=\S)([^_\\\n]+)_(?!\w)", r"\1"),
        (r"`([^`\n]+)`", r"\1"),
        (r"\\([\\`*_{}\[\]()#+.!|<>-])", r"\1"),
    )
)


def read_text(data: bytes, limits: Limits) -> Found:
    """Return a plain text; one paragraph a line where no blank line separates them."""
    text = tidy(decode(data, limits.text_chars))
    if "\n\n" not in text and max(map(len, text.split("\n"))) > _UNWRAPPED:
        text = text.replace("\n", "\n\n")
    return Found(text)


def read_markdown(data: bytes, limits: Limits) -> Found:
    """Return a Markdown text without its front matter and most of its markup."""
    text = tidy(decode(data, limits.text_chars))
    date = None
    front = _FRONT_MATTER.match(text)
    if front:
        text = text[front.end() :]
        named = _DATE.search(front["meta"])
        date = iso_date(named[1]) if named else None
    text = cut(text, "<!--", "-->")
    for pattern, by in _MARKUP:
        text = pattern.sub(by, text)
    return Found(tidy(text), date=date)


def read_rtf(data: bytes, limits: Limits) -> Found:  # noqa: ARG001 - as all readers
    """Return the text of an RTF file."""
    from striprtf.striprtf import rtf_to_text

    # The hexadecimal digits of pictures would be walked one by one, for nothing.
    source = _HEX_PICTURE.sub("", data.decode("latin-1"))
    text = rtf_to_text(source, encoding="cp1252", errors="replace")  # type: ignore[no-untyped-call]  # it has no types
    return Found(re.sub(r"\n+", "\n\n", tidy(text)))
