"""Lines on pages → one text of paragraphs, without running heads.

Lines become paragraphs by the gaps between them, by their ends, and by their size.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, chain, islice, pairwise

from textclass.documents.plain_text import tidy

_EDGE_LINES = 3
_MOST_PAGES = 0.6
_FEWEST_PAGES = 3
_MOST_NUMBERS = 20  # So many in a line are tried for the page's.
_PAGE_NUMBERS = 2  # As in 3/12; more are a table's.
_PLACE = 10  # In PDF units; heights half as far apart are one.

# In line heights, or as shares.
_FAR = 4.0
_GAP = 1.4
_APART = 1.25
_WIDE = 2.0
_SIZE = 1.25
_SHORT = 0.85
_INDENT = 0.8
COLUMN = 40
"""Lines whose left edges round to the same multiple of this (PDF units) share a column."""

_WORD = re.compile(r"\w+(?:-\w+)*")
_PAGE = "\ufdd0"  # Marks where a page begins; no text holds it.
# pdfium puts U+0002 or U+FFFE for a hyphen at a line's end, where it has joined the next line.
_DIVIDED = re.compile(f"(\\w+)([\x02\ufffe]|[-\u2010](?=[\n{_PAGE}]))([\n{_PAGE}]*)(\\w+)")
_WRAPPED = re.compile("(?<!\n)\n(?!\n)")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”\u2019)\]\d]*$")
_BULLET = re.compile(r"[•▪◦‣·]")
_ITEM = re.compile(r"(?:[\u2013-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\([ivx]+\))\s")
_NUMBER = re.compile(r"(?<!\d)\d{1,6}(?!\d)")
_WORDLESS = re.compile(r"(?:[\W\d_]+|\b[ivxlc]+\b)++", re.IGNORECASE)
_COUNTED = re.compile(r"(?:two|three|four|five|six|seven|eight|nine)-(?!t?een|ty|fold)")


@dataclass(frozen=True)
class Line:
    """A line of text on its page, in PDF units from the lower left corner.

    `top` and `left` are of its first character; `bottom` and `right` of its last, which lies lower
    where pdfium has joined a hyphenated line to the next. What stands `alone` is a paragraph; so is
    a `running` head, which waits for the end of another.
    """

    left: float
    bottom: float
    right: float
    top: float
    text: str = ""
    height: float = 1.0
    alone: bool = False
    running: bool = False


def without_running_heads(pages: list[list[Line]]) -> list[list[Line]]:
    """Return the pages without the headers and footers that most of them repeat.

    Left and right pages may differ, and page numbers run. The first of each is kept as `running`,
    so that nothing is lost that may be content; bare page numbers are not.
    """
    edges = [{line: _patterns(line, n) for line in _edges(page)} for n, page in enumerate(pages)]
    heads: set[str] = set()
    for some in (edges, edges[::2], edges[1::2]):
        counted = Counter(chain(*(set(chain(*found.values())) for found in some)))
        fewest = max(_FEWEST_PAGES, _MOST_PAGES * len(some))
        heads |= {pattern for pattern, count in counted.items() if count >= fewest}
    seen = set(filter(_WORDLESS.fullmatch, heads))
    kept: list[list[Line]] = []
    for page, found in zip(pages, edges, strict=True):
        kept.append([])
        for line in page:
            repeated = heads & found.get(line, set())
            if seen.isdisjoint(repeated):
                kept[-1].append(replace(line, running=bool(repeated)))
                seen |= repeated
    return kept


def _edges(page: list[Line]) -> list[Line]:
    """Return the highest and the lowest lines that stand apart from the text between them."""
    ordered = sorted(page, key=lambda line: -line.top)
    most = min(_EDGE_LINES, (len(page) - 1) // 2)  # The larger part of a page is its text.
    edges = ordered if most < 1 else []
    for lines in (ordered, ordered[::-1]):
        pairs = enumerate(pairwise(lines[: most + 1]), 1)
        ends = [n for n, (line, after) in pairs if _is_apart(line, after)]
        edges += lines[: max(ends, default=0)]
    return edges


def _is_apart(line: Line, other: Line) -> bool:
    """Whether a gap lies between two lines, larger than between paragraphs; numbers need none."""
    gap = max(line.bottom - other.top, other.bottom - line.top)
    return gap > _APART * max(line.height, other.height) or bool(_WORDLESS.fullmatch(line.text))


def _patterns(line: Line, page: int) -> set[str]:
    """Return what of a line is the same on each page, if it is a running head.

    The line itself; or the line with one number as its distance from the page's; or, of bare page
    numbers, the height at which they stand.
    """
    text = " ".join(line.text.casefold().split())
    patterns = {text}
    for one in islice(_NUMBER.finditer(text), _MOST_NUMBERS):
        patterns.add(f"{text[: one.start()]}#{int(one[0]) - page}{text[one.end() :]}")
    alike = re.sub(r"\w+", "#", text)
    if _WORDLESS.fullmatch(text) and alike.count("#") <= _PAGE_NUMBERS:
        patterns |= {f"{alike}@{round(line.bottom / _PLACE + by)}+{by}" for by in (0, 0.5)}
    return patterns


def joined(pages: Sequence[list[Line]]) -> tuple[str, tuple[int, ...]]:
    """Return the text of all pages, paragraphs separated by a blank line, and each page's offset.

    A paragraph that goes on over a page's end is one paragraph; its second page begins inside it.
    """
    pieces: list[str] = []
    last: Line | None = None
    heads: list[str] = []
    for page in pages:
        heads += [line.text.replace(_PAGE, "") + "\n\n" for line in page if line.running]
        lines = [line for line in page if not line.running]
        inside, mark = _paragraph_ends(lines), _PAGE
        for line in lines:
            if last and not mark and _is_note_mark(last, line):
                pieces += [" ", line.text]
                continue
            ends = _sentence_ends if mark else inside
            ended = not last or last.alone or line.alone or ends(last, line)
            pieces.append(("\n\n" if ended else "\n") * bool(last))
            pieces += [mark, *(heads if ended else ()), line.text.replace(_PAGE, "")]
            heads = [] if ended else heads
            last, mark = line, ""
        pieces.append(mark)  # an empty page begins where the one before it ends
    raw = "".join([*pieces, "\n\n", *heads])
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
    own = (hyphened in words or _COUNTED.match(hyphened)) and whole not in words
    keep = own or not after[0].islower() or not before[-1].isalpha()
    return f"{before}{'-' if keep else ''}{gap.replace(chr(10), '')}{after}"


def _is_note_mark(last: Line, line: Line) -> bool:
    """Whether `line` is the number of a note, raised at the end of `last`."""
    beside = abs(line.left - last.right) < line.height and line.top > last.bottom
    return beside and line.height < last.height and line.text.isdigit()


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
