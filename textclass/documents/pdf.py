"""PDF: the text of each page, put back into paragraphs.

Lines become paragraphs by the gaps between them, by their ends, and by their size.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Any

from textclass.documents.content import Content, Reading
from textclass.documents.document import Limits
from textclass.documents.plain_text import iso_date, refuse_longer, tidy
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfAttachment, PdfDocument, PdfPage, PdfTextPage

_Box = tuple[float, float, float, float]  # left, bottom, right, top

_SCANNED = 25  # A page with pictures and fewer characters than this was scanned.
_COVERED = 0.3  # Share of the page.
_LETTERS = 200  # So many paths may be letters that were turned into drawings.
_UNKNOWN = 0.3  # Share of the characters.
_NO_LETTER = re.compile("[\ufffd\ue000-\uf8ff]")
# pdfium's numbers: forms of Adobe's own; fields for text, and to choose from; notes and marks.
_XFA = 2
_FIELDS = {4, 5, 6}
_NOTES = {1, 3, 9, 10, 11, 12}
_QUARTER = 90
# In PDF units: the least gap between columns and width of a column of prose; inaccuracy of places;
# height of a note's letters.
_GUTTER = 12
_PROSE = 90
_SLACK = 5
_NOTE = 12
_ROWS = 4  # So many rows stand side by side in columns.
_ROW = 0.7  # Of a line's height.
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
_PAGE = "\ufdd0"  # Marks where a page begins; no text holds it.
# pdfium puts U+0002 or U+FFFE for a hyphen at a line's end, where it has joined the next line.
_DIVIDED = re.compile(f"(\\w+)([\x02\ufffe]|-(?=[\n{_PAGE}]))([\n{_PAGE}]*)(\\w+)")
_WRAPPED = re.compile("(?<!\n)\n(?!\n)")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”\u2019)\]\d]*$")
_BULLET = re.compile(r"[•▪◦‣·]")
_ITEM = re.compile(r"(?:[\u2013-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\([ivx]+\))\s")
_ROMAN = re.compile(r"\b[ivxlc]+\b")


def read_pdf(data: bytes, limits: Limits) -> Reading:
    """Return the text of a PDF with the offsets of its pages.

    What is filled into forms and what is written on pages belongs to it. Pages that are pictures
    are told as unread.
    """
    document = _open(data)
    try:
        if len(document) > limits.pages:
            raise DocumentError(f"it has {len(document):,} pages, more than {limits.pages:,}")
        kind, unread = document.get_formtype(), []
        if kind:
            document.init_forms()
        if kind == _XFA:
            unread.append(
                "form fields: in a form that only Adobe's programs show (print it to PDF)"
            )
        pages = _pages(document, limits)
        kept = _without_running_heads(pages)
        unread += _without_text(document, kept, pages)
        # Where nothing else is left, what repeats is the document.
        text, starts = _joined(kept if any(kept) else pages)
        attachments = [
            Content.of_bytes(file.get_name() or f"file {number}", bytes(file.get_data()))
            for number, file in enumerate(_attached(document), 1)
        ]
        return Reading(text, starts, _date(document), tuple(unread), attachments)
    finally:
        document.close()


def _open(data: bytes) -> PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError("it is encrypted", hint="save it without a password") from error
        raise DocumentError("it is damaged or cut short", hint="fetch the file again") from error


def _attached(document: PdfDocument) -> Iterator[PdfAttachment]:
    for place in range(document.count_attachments()):
        yield document.get_attachment(place)


def _pages(document: PdfDocument, limits: Limits) -> list[list[_Line]]:
    pages, chars = [], 0
    for page in document:
        textpage = page.get_textpage()
        chars += textpage.count_chars()
        refuse_longer(chars, limits.text_chars)
        turn = page.get_rotation()
        pages.append(_with_notes(_lines(textpage, turn), page, turn))
        textpage.close()
        page.close()
    return pages


def _without_text(
    document: PdfDocument, kept: list[list[_Line]], pages: list[list[_Line]]
) -> list[str]:
    """Return which pages hold pictures, or drawn letters, in place of text."""
    scanned = [
        number
        for number, lines in enumerate(kept)
        if sum(len(line.text) for line in lines) < _SCANNED and _is_picture(document[number])
    ]
    if scanned and not any(lines for n, lines in enumerate(pages) if n not in set(scanned)):
        raise DocumentError("it is scanned and has no text layer", hint="it needs OCR first")
    garbled = [n for n, lines in enumerate(pages) if _is_garbled("".join(x.text for x in lines))]
    return [
        f"{ranges}: {why}"
        for found, why in (
            (scanned, "no text layer"),
            (garbled, "letters whose font doesn't say what they are"),
        )
        if (ranges := _ranges(found))
    ]


def _ranges(pages: list[int]) -> str:
    """Return page numbers from 0 in words, such as `pages 3-10, 12`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and runs[-1][1] == page:
            runs[-1][1] += 1
        else:
            runs.append([page + 1, page + 1])
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
    return shown and f"page{'s' if len(pages) > 1 else ''} {shown}"


def _is_picture(page: PdfPage) -> bool:
    """Whether pictures cover much of a page, or so many lines that they may be letters."""
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    covered = paths = 0.0
    for thing in page.get_objects(max_depth=3):
        if thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            covered += (right - left) * (top - bottom)
        paths += thing.type == pdfium.FPDF_PAGEOBJ_PATH
    return covered > _COVERED * width * height or paths > _LETTERS


def _is_garbled(text: str) -> bool:
    if text.isascii() or len(text) < _SCANNED:
        return False
    return len(_NO_LETTER.findall(text)) > _UNKNOWN * len(text)


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
    where pdfium has joined a hyphenated line to the next. What stands `alone` is a paragraph.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    height: float
    alone: bool = False


def _lines(page: PdfTextPage, turn: int) -> list[_Line]:
    """Return the lines of a page in pdfium's order, which is that of drawing."""
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
            left, low, _, top = _turned(page.get_charbox(index[0], loose=True), turn)
            _, bottom, right, _ = _turned(page.get_charbox(index[1], loose=True), turn)
            lines.append(_Line(shown, left, top, right, bottom, max(top - low, 1.0)))
        start += len(text) + 2
    if page.count_rects() < len(lines) + _ROWS and not _side_by_side(pairwise(map(_box, lines))):
        return lines
    return _by_columns(page, turn) or lines


def _by_columns(page: PdfTextPage, turn: int) -> list[_Line]:
    """Return the lines of columns that were drawn row by row, one column after the other.

    pdfium makes one line of what stands on one height, even over the gap between columns. Nothing
    is returned if there are no such columns.
    """
    pieces: list[tuple[_Box, int]] = []  # as shown, and the first of its boxes
    boxes = [page.get_rect(place) for place in range(page.count_rects())]
    for place, box in enumerate(boxes):
        shown = _turned(box, turn)
        if pieces and _same_row(last := pieces[-1][0], shown) and abs(shown[0] - last[2]) < _GUTTER:
            pieces[-1] = _around(last, shown), pieces[-1][1]
        else:
            pieces.append((shown, place))
    lefts = _side_by_side(pairwise(piece for piece, _ in pieces))
    starts = sorted(min(found) for found in lefts.values())
    if not starts:
        return []
    columns: list[list[_Line]] = [[] for _ in range(len(starts) + 1)]
    ordered: list[_Line] = []
    ends = [place for _, place in pieces[1:]] + [len(boxes)]
    for (piece, first), end in zip(pieces, ends, strict=True):
        text = "".join(page.get_text_bounded(*box) for box in boxes[first:end]).strip()
        column = sum(start <= piece[0] + _SLACK for start in starts)
        if any(start < piece[2] - _SLACK for start in starts[column:]):  # it spans columns
            ordered += chain(*columns)
            columns = [[] for _ in columns]
        line = _Line(text, piece[0], piece[3], piece[2], piece[1], max(piece[3] - piece[1], 1.0))
        before = columns[column][-1:]
        if before and _same_row(_box(before[0]), piece):
            whole = _around(_box(before[0]), piece)
            text = f"{before[0].text} {text}"
            line = _Line(text, whole[0], whole[3], whole[2], whole[1], line.height)
            columns[column].pop()
        if text:
            columns[column].append(line)
    return ordered + list(chain(*columns))


def _side_by_side(pairs: Iterable[tuple[_Box, _Box]]) -> dict[int, list[float]]:
    """Return where columns of prose begin that stand right of another one, by rounded place."""
    lefts: dict[int, list[float]] = {}
    for last, box in pairs:
        wide = min(last[2] - last[0], box[2] - box[0]) >= _PROSE
        if wide and box[0] - last[2] >= _GUTTER and _same_row(last, box):
            lefts.setdefault(round(box[0] / _COLUMN), []).append(box[0])
    return {place: found for place, found in lefts.items() if len(found) >= _ROWS}


def _box(line: _Line) -> _Box:
    return line.left, line.top - line.height, line.right, line.top


def _around(one: _Box, other: _Box) -> _Box:
    return (
        min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
    )  # fmt: skip


def _same_row(one: _Box, other: _Box) -> bool:
    return abs(one[3] - other[3]) < _ROW * max(one[3] - one[1], other[3] - other[1])


def _with_notes(lines: list[_Line], page: PdfPage, turn: int) -> list[_Line]:
    """Return the lines with what is filled into forms and noted on the page, in its place."""
    import pypdfium2.raw as pdfium

    said = " ".join(" ".join(line.text.split()) for line in lines)
    for place in range(pdfium.FPDFPage_GetAnnotCount(page)):
        note = pdfium.FPDFPage_GetAnnot(page, place)
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        text = ""
        if kind == pdfium.FPDF_ANNOT_WIDGET and page.formenv:
            field = pdfium.FPDFAnnot_GetFormFieldType(page.formenv, note)
            if field in _FIELDS:
                text = _string(partial(pdfium.FPDFAnnot_GetFormFieldValue, page.formenv, note))
        elif kind in _NOTES:
            text = _string(partial(pdfium.FPDFAnnot_GetStringValue, note, b"Contents"))
        rectangle = pdfium.FS_RECTF()
        pdfium.FPDFAnnot_GetRect(note, rectangle)
        pdfium.FPDFPage_CloseAnnot(note)
        text = " ".join(text.split())
        if text and text not in said:  # a marked passage is often its own comment
            box = rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
            left, _, right, top = _turned(box, turn)
            line = _Line(text, left, top, right, top - _NOTE, _NOTE, alone=True)
            above = [i for i, other in enumerate(lines) if other.top >= top - _NOTE]
            nearest = min(above, key=lambda i: (lines[i].top, -lines[i].left), default=-1)
            lines = [*lines[: nearest + 1], line, *lines[nearest + 1 :]]
    return lines


def _string(ask: Callable[[Any, int], int]) -> str:
    """Return a string that pdfium writes into a buffer of the size it asks for."""
    import pypdfium2.raw as pdfium

    buffer = ctypes.create_string_buffer(ask(None, 0))
    ask(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), len(buffer))
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")


def _turned(box: _Box, turn: int) -> _Box:
    """Return a box (left, bottom, right, top) as it lies on the page as shown."""
    left, bottom, right, top = box
    if turn == _QUARTER:
        return bottom, -right, top, -left
    if turn == 2 * _QUARTER:
        return -right, -top, -left, -bottom
    return (-top, left, -bottom, right) if turn == 3 * _QUARTER else box


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without the headers and footers that most of them repeat.

    Left and right pages may differ, and numbers may change.
    """
    if len(pages) < _FEWEST_PAGES:
        return pages
    edges = [{line: _pattern(line) for line in _edges(page)} for page in pages]
    sides = [Counter(chain(*(set(found.values()) for found in edges[i::2]))) for i in (0, 1)]
    everywhere = sides[0] + sides[1]

    def repeated(line: _Line, number: int) -> bool:
        pattern, side = edges[number].get(line, ""), number % 2
        most = max(everywhere[pattern] / len(pages), sides[side][pattern] / len(edges[side::2]))
        return everywhere[pattern] >= _FEWEST_PAGES and most >= _MOST_PAGES

    return [
        [line for line in page if not repeated(line, number)] for number, page in enumerate(pages)
    ]


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
    pieces: list[str] = []
    last: _Line | None = None
    for page in pages:
        ends, mark = _paragraph_ends(page), _PAGE
        for line in page:
            ended = last and (
                (_sentence_ends if mark else ends)(last, line) or last.alone or line.alone
            )
            border = ("\n\n" if ended else "\n") if last else ""
            pieces += [border, mark, line.text.replace(_PAGE, "")]
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
