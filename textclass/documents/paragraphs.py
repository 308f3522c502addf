"""Lines on pages → one text of paragraphs, without running heads.

Lines become paragraphs by the gaps between them, by their ends, and by their size.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain, pairwise

from textclass.documents.plain_text import tidy

_EDGE_LINES = 3
_MOST_PAGES = 0.6
_FEWEST_PAGES = 3

# In line heights, or as shares.
_FAR = 4.0
_GAP = 1.4
_WIDE = 2.0
_SIZE = 1.25
_SHORT = 0.85
_INDENT = 0.8
COLUMN = 40
"""Lines whose left edges round to the same multiple of this (PDF units) share a column."""

_WORD = re.compile(r"\w+(?:-\w+)*")
_PAGE = "\ufdd0"  # Marks where a page begins; no text holds it.
# pdfium puts U+0002 or U+FFFE for a hyphen at a line's end, where it has joined the next line.
_DIVIDED = re.compile(f"(\\w+)([\x02\ufffe]|-(?=[\n{_PAGE}]))([\n{_PAGE}]*)(\\w+)")
_WRAPPED = re.compile("(?<!\n)\n(?!\n)")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”\u2019)\]\d]*$")
_BULLET = re.compile(r"[•▪◦‣·]")
_ITEM = re.compile(r"(?:[\u2013-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\([ivx]+\))\s")
_ROMAN = re.compile(r"\b[ivxlc]+\b")


@dataclass(frozen=True)
class Line:
    """A line of text on its page, in PDF units from the lower left corner.

    `top` and `left` are of its first character; `bottom` and `right` of its last, which lies lower
    where pdfium has joined a hyphenated line to the next. What stands `alone` is a paragraph.
    """

    left: float
    bottom: float
    right: float
    top: float
    text: str = ""
    height: float = 1.0
    alone: bool = False


def without_running_heads(pages: list[list[Line]]) -> list[list[Line]]:
    """Return the pages without the headers and footers that most of them repeat.

    Left and right pages may differ, and numbers may change.
    """
    edges = [{line: _pattern(line) for line in _edges(page)} for page in pages]
    heads: set[str] = set()
    for some in (edges, edges[::2], edges[1::2]):
        counted = Counter(chain(*(set(found.values()) for found in some)))
        fewest = max(_FEWEST_PAGES, _MOST_PAGES * len(some))
        heads |= {pattern for pattern, count in counted.items() if count >= fewest}
    return [
        [line for line in page if found.get(line) not in heads]
        for page, found in zip(pages, edges, strict=True)
    ]


def _edges(page: list[Line]) -> list[Line]:
    """Return the highest and the lowest lines."""
    ordered = sorted(page, key=lambda line: -line.top)
    return ordered[:_EDGE_LINES] + ordered[-_EDGE_LINES:]


def _pattern(line: Line) -> str:
    """Return the line with its numbers made alike."""
    return _ROMAN.sub("#", re.sub(r"\d+", "#", " ".join(line.text.casefold().split())))


def joined(pages: Sequence[list[Line]]) -> tuple[str, tuple[int, ...]]:
    """Return the text of all pages, paragraphs separated by a blank line, and each page's offset.

    A paragraph that goes on over a page's end is one paragraph; its second page begins inside it.
    """
    pieces: list[str] = []
    last: Line | None = None
    for page in pages:
        ends, mark = _paragraph_ends(page), _PAGE
        for line in page:
            if last:
                ended = (_sentence_ends if mark else ends)(last, line) or last.alone or line.alone
                pieces.append("\n\n" if ended else "\n")
            pieces += [mark, line.text.replace(_PAGE, "")]
            last, mark = line, ""
        pieces.append(mark)  # an empty page begins where the one before it ends
    raw = "".join(pieces)
    words = set(_WORD.findall(raw.casefold()))
    text = tidy(_DIVIDED.sub(partial(_undivided, words), raw))
    parts = _WRAPPED.sub(" ", re.sub(r"[^\S\n]+", " ", text)).split(_PAGE)
    return "".join(parts), tuple(accumulate(map(len, parts[:-1])))


def _undivided(words: set[str], match: re.Match[str]) -> str:
    """Return a divided word in one piece; its own hyphen is kept, as the other words tell."""
    before, hyphen, gap, after = match.groups()
    whole, hyphened = f"{before}{after}".casefold(), f"{before}-{after}".casefold()
    if gap and not after[0].islower():  # the next line goes on with a word of its own
        return f"{before}{hyphen}{gap}{after}"
    own = hyphened in words and whole not in words
    keep = own or not after[0].islower() or not before[-1].isalpha()
    return f"{before}{'-' if keep else ''}{gap.replace(chr(10), '')}{after}"


def _sentence_ends(last: Line, line: Line) -> bool:
    """Whether no sentence goes on from `last`; all there is to go by between pages and columns."""
    return bool(_SENTENCE_END.search(last.text)) or not line.text[0].islower()


def _paragraph_ends(page: list[Line]) -> Callable[[Line, Line], bool]:
    """Return a function that says whether a paragraph ends between two lines of `page`."""
    pitches: dict[int, list[float]] = {}
    for last, line in pairwise(page):
        if 0 < _pitch(last, line) < _FAR * line.height:
            pitches.setdefault(round(line.height), []).append(_pitch(last, line))
    # Most lines don't end a paragraph, so a low quantile is the pitch inside one, for each size.
    usual = {size: sorted(found)[len(found) // 3] for size, found in pitches.items()}
    widest: dict[int, float] = {}
    for line in page:
        column = round(line.left / COLUMN)
        widest[column] = max(widest.get(column, 0.0), line.right)

    def ends(last: Line, line: Line) -> bool:
        pitch = _pitch(last, line)
        if pitch < -last.height:  # in the next column
            return _sentence_ends(last, line)
        if not _sentence_ends(last, line):
            # In the middle of a sentence a change of font may shift a line, but not far.
            return pitch > _WIDE * max(last.height, line.height)
        gap = pitch > _GAP * usual.get(round(line.height), pitch)
        if gap or not 1 / _SIZE < line.height / last.height < _SIZE:
            return True
        if not _SENTENCE_END.search(last.text):
            return bool(_BULLET.match(line.text))
        full = widest[round(last.left / COLUMN)]
        short = last.right < last.left + _SHORT * (full - last.left)
        indented = line.left > last.left + _INDENT * line.height
        return short or indented or bool(_ITEM.match(line.text))

    return ends


def _pitch(last: Line, line: Line) -> float:
    return last.bottom - (line.top - line.height)
