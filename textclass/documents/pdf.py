"""PDF: the text of each page, put back into paragraphs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textclass.documents.data import Limits
from textclass.documents.pdf_layout import Line, joined, lines_of, without_running_heads
from textclass.documents.registry import Text
from textclass.documents.text import iso_date
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_SCANNED = 25
"""A page with a picture and fewer characters than this was scanned."""

_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-]\d\d)'?(\d\d)?)?")


def read_pdf(data: bytes, limits: Limits) -> Text:
    """Return the text of a PDF with the offsets of its pages."""
    document = _open(data)
    try:
        if len(document) > limits.pages:
            raise DocumentError(f"it has {len(document):,} pages, more than {limits.pages:,}")
        pages = _pages(document, limits)
        text, starts = joined(without_running_heads(pages))
        _refuse_scanned(document, text)
        return Text(text, starts, _date(document))
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


def _pages(document: PdfDocument, limits: Limits) -> list[list[Line]]:
    pages, chars = [], 0
    for page in document:
        textpage = page.get_textpage()
        chars += textpage.count_chars()
        if chars > limits.text_chars:
            raise DocumentError(
                f"its text is longer than {limits.text_chars:,} characters", hint="split it"
            )
        pages.append(lines_of(textpage))
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
    year, month, day, hour, minute, second, utc, shift, shift_minutes = found.groups()
    zone = "+00:00" if utc else f"{shift}:{shift_minutes or '00'}" if shift else ""
    return iso_date(
        f"{year}-{month or '01'}-{day or '01'}"
        f"T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}"
    )
