"""PDF: the text of each page, put back into paragraphs.

Lines become paragraphs by the gaps between them, by their ends, and by their size.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from textclass.documents.document import Limits
from textclass.documents.plain_text import iso_date, refuse_longer, tidy
from textclass.documents.content import Reading
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage

_SCANNED = 25  # A page with a picture and fewer characters than this was scanned.
_DATE = re.compile(r"D:(\d{4}(?:\d\d){0,5})(Z|[+-]\d\d'?(?:\d\d)?)?")
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
# Lines whose left edges round to the same multiple of this (PDF units) share a column.
_COLUMN = 40

_WORD = re.compile(r"\w+(?:-\w+)*")
# pdfium puts U+0002 or U+FFFE for a hyphen at a line's end, where it has joined the next line.
_DIVIDED = re.compile(r"(\w+)[\x02\ufffe](\w+)")
_DIVIDED_END = re.compile(r"(\w+)[-\x02\ufffe]$")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”\u2019)\]\d]*$")
_BULLET = re.compile(r"[•▪◦‣·]")
_ITEM = re.compile(r"(?:[\u2013-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\([ivx]+\))\s")
_ROMAN = re.compile(r"\b[ivxlc]+\b")


def read_pdf(data: bytes, limits: Limits) -> Reading:
    """Return the text of a PDF with the offsets of its pages."""
    document = _open(data)
    try:
        if len(document) > limits.pages:
            raise DocumentError(f"it has {len(document):,} pages, more than {limits.pages:,}")
        pages = _pages(document, limits)
        text, starts = _joined(_without_running_heads(pages))
        _refuse_scanned(document, text)
        return Reading(text, starts, _date(document))
    finally:
        document.close()


def _open(data: bytes) -> PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError("it is encrypted", hint="save it without a password") from error
        raise DocumentError(
            f"it is damaged or cut short: {error}", hint="fetch the file again"
        ) from error


def _pages(document: PdfDocument, limits: Limits) -> list[list[_Line]]:
    pages, chars = [], 0
    for page in document:
        textpage = page.get_textpage()
        chars += textpage.count_chars()
        refuse_longer(chars, limits.text_chars)
        pages.append(_lines(textpage))
        textpage.close()
        page.close()
    return pages


def _refuse_scanned(document: PdfDocument, text: str) -> None:
    import pypdfium2.raw as pdfium

    if len(text) >= _SCANNED * len(document):
        return
    pictures = sum(
        any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        for page in document
    )
    if pictures * 2 > len(document):
        raise DocumentError("it is scanned and has no text layer", hint="it needs OCR first")


def _date(document: PdfDocument) -> str | None:
    info = document.get_metadata_dict(skip_empty=True)
    found = _DATE.match(info.get("CreationDate", info.get("ModDate", "")))
    if not found:
        return None
    digits = found[1] + "00000101000000"[len(found[1]) :]
    zone = (found[2] or "").replace("'", "")
    return iso_date(f"{digits[:8]}T{digits[8:]}{zone}")


@dataclass(frozen=True)
class _Line:
    """A line of text on its page, in PDF units from the lower left corner.

    `top` and `left` are of its first character; `bottom` and `right` of its last, which lies lower
    where pdfium has joined a hyphenated line to the next.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    height: float


def _lines(page: PdfTextPage) -> list[_Line]:
    """Return the lines of a page in pdfium's order, which follows columns as they were set."""
    import pypdfium2.raw as pdfium

    lines, start = [], 0
    for text in page.get_text_range().split("\r\n"):
        shown = text.strip()
        if shown:
            first = start + len(text) - len(text.lstrip())
            index = [
                max(pdfium.FPDFText_GetCharIndexFromTextIndex(page, place), 0)
                for place in (first, first + len(shown) - 1)
            ]
            left, low, _, top = page.get_charbox(index[0], loose=True)
            _, bottom, right, _ = page.get_charbox(index[1], loose=True)
            lines.append(_Line(shown, left, top, right, bottom, max(top - low, 1.0)))
        start += len(text) + 2
    return lines


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without the headers and footers that most of them repeat.

    Left and right pages may differ, and numbers may change.
    """
    seen: list[Counter[str]] = [Counter(), Counter()]
    for number, page in enumerate(pages):
        seen[number % 2].update({_pattern(line) for line in _edges(page)})
    sides = [(len(pages) + 1) // 2, len(pages) // 2]

    def repeated(line: _Line, side: int) -> bool:
        here, there = (seen[i][_pattern(line)] for i in (side, 1 - side))
        everywhere = here + there >= _MOST_PAGES * len(pages)
        return here + there >= _FEWEST_PAGES and (everywhere or here >= _MOST_PAGES * sides[side])

    kept = []
    for number, page in enumerate(pages):
        heads = {line for line in _edges(page) if repeated(line, number % 2)}
        kept.append([line for line in page if line not in heads])
    # Where nothing else is left, what repeats is the document.
    return kept if any(kept) else pages


def _edges(page: list[_Line]) -> list[_Line]:
    """Return the highest and the lowest lines."""
    ordered = sorted(page, key=lambda line: -line.top)
    return ordered[:_EDGE_LINES] + ordered[-_EDGE_LINES:]


def _pattern(line: _Line) -> str:
    """Return the line with its numbers made alike."""
    return _ROMAN.sub("#", re.sub(r"\d+", "#", " ".join(line.text.casefold().split())))


def _joined(pages: Sequence[list[_Line]]) -> tuple[str, tuple[int, ...]]:
    """Return the text of all pages, paragraphs separated by a blank line, and each page's offset.

    A paragraph that goes on over a page's end is one paragraph; its second page begins inside it.
    """
    words = _Words(
        word for page in pages for line in page for word in _WORD.findall(line.text.casefold())
    )
    parts: list[str] = []
    starts = []  # as places in `parts`
    last: _Line | None = None
    for page in pages:
        starts.append(len(parts))
        ends, new_page = _paragraph_ends(page), True
        for line in page:
            shown = " ".join(tidy(_DIVIDED.sub(words.undivided, line.text)).split())
            if not shown:
                continue
            if last:
                divided, word = _DIVIDED_END.search(parts[-1]), _WORD.match(shown)
                if divided and word and shown[0].islower():
                    if not words.keep_hyphen(divided[1], word[0]):
                        parts[-1] = parts[-1][:-1]
                else:
                    ended = _sentence_ends(last, line) if new_page else ends(last, line)
                    parts.append("\n\n" if ended else " ")
            if new_page:
                starts[-1], new_page = len(parts), False
            parts.append(shown)
            last = line
    offsets = list(accumulate(map(len, parts), initial=0))
    return "".join(parts), tuple(offsets[start] for start in starts)


class _Words(set[str]):
    """The words of a document; they tell which hyphens at a line's end are their own."""

    def undivided(self, match: re.Match[str]) -> str:
        before, after = match.groups()
        return f"{before}-{after}" if self.keep_hyphen(before, after) else before + after

    def keep_hyphen(self, before: str, after: str) -> bool:
        whole, hyphened = f"{before}{after}".casefold(), f"{before}-{after}".casefold()
        own = hyphened in self and whole not in self
        return own or not after[0].islower() or not before[-1].isalpha()


def _sentence_ends(last: _Line, line: _Line) -> bool:
    """Whether no sentence goes on from `last`; all there is to go by between pages and columns."""
    return bool(_SENTENCE_END.search(last.text)) or not line.text[0].islower()


def _paragraph_ends(page: list[_Line]) -> Callable[[_Line, _Line], bool]:
    """Return a function that says whether a paragraph ends between two lines of `page`."""
    pitches: dict[int, list[float]] = {}
    for last, line in pairwise(page):
        if 0 < _pitch(last, line) < _FAR * line.height:
            pitches.setdefault(round(line.height), []).append(_pitch(last, line))
    # Most lines don't end a paragraph, so a low quantile is the pitch inside one, for each size.
    usual = {size: sorted(found)[len(found) // 3] for size, found in pitches.items()}
    widest: dict[int, float] = {}
    for line in page:
        column = round(line.left / _COLUMN)
        widest[column] = max(widest.get(column, 0.0), line.right)

    def ends(last: _Line, line: _Line) -> bool:
        pitch = _pitch(last, line)
        if pitch < -last.height:
            return _sentence_ends(last, line)
        if not _sentence_ends(last, line):
            # In the middle of a sentence a change of font may shift a line, but not far.
            return pitch > _WIDE * max(last.height, line.height)
        gap = pitch > _GAP * usual.get(round(line.height), pitch)
        if gap or not 1 / _SIZE < line.height / last.height < _SIZE:
            return True
        if not _SENTENCE_END.search(last.text):
            return bool(_BULLET.match(line.text))
        full = widest.get(round(last.left / _COLUMN), last.right)
        short = last.right < last.left + _SHORT * (full - last.left)
        return (
            short or line.left > last.left + _INDENT * line.height or bool(_ITEM.match(line.text))
        )

    return ends


def _pitch(last: _Line, line: _Line) -> float:
    return last.bottom - (line.top - line.height)
