"""PDF: the lines of each page in the order of reading, with its notes and filled forms."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, groupby, pairwise
from typing import TYPE_CHECKING, Any

from textclass.documents.content import Content, Reading
from textclass.documents.document import Limits
from textclass.documents.paragraphs import COLUMN, Line, joined, without_running_heads
from textclass.documents.plain_text import iso_date, refuse_longer
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfAttachment, PdfDocument, PdfPage, PdfTextPage

_Box = tuple[float, float, float, float]  # left, bottom, right, top

_SCANNED = 25  # A page with pictures and fewer characters than this was scanned.
_COVERED = 0.3  # Share of the page.
_CAPTION = 200  # So few characters may be what stands below or on a picture,
_MOSTLY = 0.4  # if this share of the page is one.
_NO_TEXT = "no text layer"
_PICTURE = "mostly a picture"
_LETTERS = 200  # So many paths may be letters that were turned into drawings.
_UNKNOWN = 0.3  # Share of the characters.
_NO_LETTER = re.compile("[\x01-\x08\x0e-\x1f\ufffd\ue000-\uf8ff]")
# pdfium's numbers: forms of Adobe's own; fields for text, and to choose from; notes and marks.
_XFA = 2
_FIELDS = {4, 5, 6}
_NOTES = {1, 3, 9, 10, 11, 12}
# In PDF units: the least gap between columns and width of a column of prose; inaccuracy of places;
# height of a note's letters.
_GUTTER = 12
_PROSE = 90
_SLACK = 5
_NOTE = 12
_ROWS = 4  # So many rows stand side by side in columns.
_ROW = 0.7  # Of a line's height.


def read_pdf(data: bytes, limits: Limits) -> Reading:
    """Return the text of a PDF with the offsets of its pages, and what is attached to it.

    What is filled into forms and what is written on pages belongs to it. Pages that are pictures
    are told as unread.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError("it is encrypted", hint="save it without a password") from error
        raise DocumentError("it is damaged or cut short", hint="fetch the file again") from error
    with document:
        if len(document) > limits.pages:
            raise DocumentError(f"it has {len(document):,} pages, more than {limits.pages:,}")
        if document.get_formtype():
            document.init_forms()
        attached = [*map(document.get_attachment, range(document.count_attachments()))]
        pages = _pages(document, limits, attached)
        kept = without_running_heads(pages)
        named = dict.fromkeys(  # each once, though pages may point to one that the file lists
            (file.get_name() or f"file {number}", bytes(file.get_data()))
            for number, file in enumerate(attached, 1)
        )
        attachments = [Content.of_bytes(name, data) for name, data in named]
        chars = [sum(len(line.text) for line in lines if not line.running) for lines in kept]
        unseen = {
            n: _unseen(document[n], chars[n], has_heads=bool(lines))
            for n, lines in enumerate(pages)
            if chars[n] < _CAPTION
        }
        read = [lines for n, lines in enumerate(pages) if lines and unseen.get(n) != _NO_TEXT]
        if _NO_TEXT in unseen.values() and not read and not attachments:
            raise DocumentError(
                "it is scanned and has no text layer",
                hint="it needs text recognition (OCR) first",
            )
        # Where nothing else is left, what repeats is the document.
        text, starts = joined(kept if any(chars) else pages)
        unread = tuple(_unread(document, pages, unseen))
        return Reading(text, starts, _date(document), unread, attachments)


def _pages(
    document: PdfDocument, limits: Limits, attached: list[PdfAttachment]
) -> list[list[Line]]:
    """Return the lines of each page; adds the files that are attached to places on them."""
    pages, chars = [], 0
    for page in document:
        textpage = page.get_textpage()
        chars += textpage.count_chars()
        refuse_longer(chars, limits.text_chars)
        turn = page.get_rotation()
        lines = _by_columns(textpage, turn) or _lines(textpage, turn)
        pages.append(_with_notes(lines, page, turn, attached))
        textpage.close()
        page.close()
    return pages


def _unseen(page: PdfPage, chars: int, *, has_heads: bool) -> str:
    """Return what a page with few characters is, if pictures or paths may be its text.

    Running heads don't count as characters, but on a page without any each picture counts.
    """
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    area, covered, paths = width * height, 0.0, 0
    for thing in page.get_objects(max_depth=3):
        if thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            covered += (right - left) * (top - bottom)
        paths += thing.type == pdfium.FPDF_PAGEOBJ_PATH
    if chars < _SCANNED and (covered > (_COVERED * area if has_heads else 0) or paths > _LETTERS):
        return _NO_TEXT
    return _PICTURE if covered > _MOSTLY * area else ""


def _unread(
    document: PdfDocument, pages: list[list[Line]], unseen: Mapping[int, str]
) -> Iterator[str]:
    if document.get_formtype() == _XFA:
        yield "form fields: in a form that only Adobe's programs show (print it to PDF)"
    for what in (_NO_TEXT, _PICTURE):
        if where := [number for number, told in unseen.items() if told == what]:
            yield f"{_ranges(where)}: {what}"
    texts = ("".join(line.text for line in lines) for lines in pages)
    garbled = [number for number, text in enumerate(texts) if _is_garbled(text)]
    if garbled:
        yield f"{_ranges(garbled)}: letters whose font doesn't say what they are"


def _ranges(pages: Iterable[int]) -> str:
    """Return page numbers from 0 in words, such as `pages 3-10, 12`."""
    runs = groupby(enumerate(sorted(pages), 1), lambda pair: pair[1] - pair[0])
    ends = [[page + 1 for _, page in run] for _, run in runs]
    shown = ", ".join(f"{run[0]}-{run[-1]}" if run[1:] else f"{run[0]}" for run in ends)
    return f"page {shown}" if shown.isdigit() else f"pages {shown}"


def _is_garbled(text: str) -> bool:
    return len(text) >= _SCANNED and len(_NO_LETTER.findall(text)) > _UNKNOWN * len(text)


def _date(document: PdfDocument) -> str | None:
    info = document.get_metadata_dict(skip_empty=True)
    stamp = info.get("CreationDate", info.get("ModDate", "")).removeprefix("D:").replace("'", "")
    return iso_date(f"{stamp[:8]}T{stamp[8:]}") or iso_date(stamp[:8])


def _lines(page: PdfTextPage, turn: int) -> list[Line]:
    """Return the lines of a page in pdfium's order, which is that of drawing."""
    import pypdfium2.raw as pdfium

    lines, start = [], 0
    for text in page.get_text_range().split("\r\n"):
        shown = text.strip()
        if shown:
            first = start + len(text) - len(text.lstrip())
            (left, low, _, top), (_, bottom, right, _) = (
                _turned(page.get_charbox(max(index, 0), loose=True), turn)
                for place in (first, first + len(shown) - 1)
                for index in [pdfium.FPDFText_GetCharIndexFromTextIndex(page, place)]
            )
            lines.append(Line(left, bottom, right, top, shown, max(top - low, 1.0)))
        start += len(text) + 2
    return lines


def _by_columns(page: PdfTextPage, turn: int) -> list[Line]:
    """Return the lines of columns that were drawn row by row, one column after the other.

    pdfium makes one line of what stands on one height, even over the gap between columns. Nothing
    is returned if there are no such columns.
    """
    pieces: list[tuple[Line, list[_Box]]] = []  # of lines, each with its boxes before turning
    for box in map(page.get_rect, range(page.count_rects())):
        piece, boxes = Line(*_turned(box, turn)), [box]
        last = pieces[-1][0] if pieces else piece
        if pieces and _same_row(last, piece) and abs(piece.left - last.right) < _GUTTER:
            piece, boxes = _around(last, piece), pieces.pop()[1] + boxes
        pieces.append((piece, boxes))
    starts = _column_starts([piece for piece, _ in pieces])
    columns: list[list[Line]] = [[] for _ in range(len(starts) + 1)]
    ordered: list[Line] = []
    for piece, boxes in pieces if starts else ():
        column = sum(start <= piece.left + _SLACK for start in starts)
        if any(start < piece.right - _SLACK for start in starts[column:]):  # it spans columns
            ordered += chain(*columns)
            columns = [[] for _ in columns]
        if text := "".join(page.get_text_bounded(*box) for box in boxes).strip():
            height = max(piece.top - piece.bottom, 1.0)
            columns[column].append(replace(piece, text=text, height=height))
    return ordered + list(chain(*columns))


def _column_starts(pieces: list[Line]) -> list[float]:
    """Return where columns of prose begin that stand right of another one."""
    lefts: dict[int, list[float]] = {}
    for last, piece in pairwise(pieces):
        wide = min(last.right - last.left, piece.right - piece.left) >= _PROSE
        if wide and piece.left - last.right >= _GUTTER and _same_row(last, piece):
            lefts.setdefault(round(piece.left / COLUMN), []).append(piece.left)
    return sorted(min(found) for found in lefts.values() if len(found) >= _ROWS)


def _around(one: Line, other: Line) -> Line:
    return Line(
        min(one.left, other.left),
        min(one.bottom, other.bottom),
        max(one.right, other.right),
        max(one.top, other.top),
    )


def _same_row(one: Line, other: Line) -> bool:
    return abs(one.top - other.top) < _ROW * max(one.top - one.bottom, other.top - other.bottom)


def _with_notes(
    lines: list[Line], page: PdfPage, turn: int, attached: list[PdfAttachment]
) -> list[Line]:
    """Return the lines with what is filled into forms and noted on the page, in its place."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    said = " ".join(" ".join(line.text.split()) for line in lines)
    for place in range(pdfium.FPDFPage_GetAnnotCount(page)):
        note = pdfium.FPDFPage_GetAnnot(page, place)
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        text = ""
        if kind == pdfium.FPDF_ANNOT_WIDGET and page.formenv:
            if pdfium.FPDFAnnot_GetFormFieldType(page.formenv, note) in _FIELDS:
                text = _string(partial(pdfium.FPDFAnnot_GetFormFieldValue, page.formenv, note))
        elif kind == pdfium.FPDF_ANNOT_FILEATTACHMENT:
            if raw := pdfium.FPDFAnnot_GetFileAttachment(note):
                attached.append(pypdfium2.PdfAttachment(raw, page.pdf))
        elif kind in _NOTES:
            text = _string(partial(pdfium.FPDFAnnot_GetStringValue, note, b"Contents"))
        box = pdfium.FS_RECTF()
        pdfium.FPDFAnnot_GetRect(note, box)
        pdfium.FPDFPage_CloseAnnot(note)
        if text and text not in said:  # a marked passage is often its own comment
            left, _, right, top = _turned((box.left, box.bottom, box.right, box.top), turn)
            above = [i for i, other in enumerate(lines) if other.top >= top - _NOTE]
            nearest = min(above, key=lambda i: (lines[i].top, -lines[i].left), default=-1)
            line = Line(left, top - _NOTE, right, top, text, _NOTE, alone=True)
            lines = [*lines[: nearest + 1], line, *lines[nearest + 1 :]]
    return lines


def _string(ask: Callable[[Any, int], int]) -> str:
    """Return in one line a string that pdfium writes into a buffer of the size it asks for."""
    import pypdfium2.raw as pdfium

    buffer = ctypes.create_string_buffer(ask(None, 0))
    ask(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), len(buffer))
    return " ".join(buffer.raw.decode("utf-16-le", "replace").rstrip("\0").split())


def _turned(box: _Box, turn: int) -> _Box:
    """Return a box as it lies on the page as shown, after `turn` degrees to the right."""
    left, bottom, right, top = box
    for _ in range(turn // 90):
        left, bottom, right, top = bottom, -right, top, -left
    return left, bottom, right, top
