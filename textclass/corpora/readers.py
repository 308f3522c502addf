"""Source files cut into passages and cleaned, so that a text always gives the same id.

The ids of labelled passages are hashes of what comes out here: a change to any of these rules loses
them.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from textclass.corpora.rows import text_id

FEWEST_WORDS, MOST_WORDS = 22, 160
"""A piece outside these bounds is no passage."""

_LONGEST_PIECE = 20_000
"""No passage is that long; the cleaning patterns are slow on hostile text beyond it."""

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---[^\n]*\n", re.DOTALL)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_PARAGRAPH = re.compile(r"<p[\s>]")
_CLEANING = (
    (re.compile(r"!\[[^\]]{0,1000}\]\([^)]*\)"), " "),
    (re.compile(r"\[([^\]]{0,1000})\]\([^)]*\)"), r"\1"),
    (re.compile(r"<[^>]*>"), " "),
    (re.compile(r"[*_#>|`]+"), " "),
    (re.compile("\u2060"), ""),
    (re.compile("\u00a0"), " "),
    (re.compile(r"\\'"), "'"),
    (re.compile(r"\s+"), " "),
)


def cut_passages(content: bytes, reader: str) -> dict[str, str]:
    """Return the passages of a source file by id.

    Parameters
    ----------
    content : bytes
        The file, UTF-8; its line ends may be of any kind.
    reader : str
        A key of `READERS`.
    """
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    pieces = (clean(piece) for piece in READERS[reader](text) if len(piece) <= _LONGEST_PIECE)
    return {text_id(piece): piece for piece in pieces if _is_passage(piece)}


def clean(piece: str) -> str:
    """Take the marks of Markdown, HTML and TEI out of a piece and fold its white space."""
    piece = html.unescape(piece)
    for pattern, replacement in _CLEANING:
        piece = pattern.sub(replacement, piece)
    return piece.strip(" -•\t")


def _is_passage(piece: str) -> bool:
    letters = sum(character.isalpha() for character in piece)
    return FEWEST_WORDS <= len(piece.split()) <= MOST_WORDS and letters > 0.7 * len(piece)


def _tei(text: str) -> Iterator[str]:
    end = 0
    while opening := _PARAGRAPH.search(text, end):
        start = text.find(">", opening.end() - 1) + 1
        end = text.find("</p>", start)
        if not start or end < 0:
            return
        yield text[start:end]


def _csv_news(text: str) -> Iterator[str]:
    for row in csv.DictReader(io.StringIO(text)):
        message = row.get("message") or ""
        if row.get("genre") == "news" and len(message.split()) < 45:
            yield message


READERS: Mapping[str, Callable[[str], Iterable[str]]] = {
    "front-matter-markdown": lambda text: _EMPTY_LINE.split(_FRONT_MATTER.sub("", text)),
    "lines": lambda text: text.split("\n"),
    "tei-paragraphs": _tei,
    "csv-messages": _csv_news,
}
"""How a file is cut, by the name that `sources.yaml` uses.

`front-matter-markdown`: paragraphs between empty lines, after a `---` block. `lines`: each line.
`tei-paragraphs`: the inside of each `<p>`. `csv-messages`: the column `message` of rows whose
`genre` is news, under 45 words.
"""
