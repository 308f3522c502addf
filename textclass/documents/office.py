"""DOCX and ODT: paragraphs, headings and tables in document order."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from textclass.documents.content import Content, from_member, refuse_bomb
from textclass.documents.data import Limits
from textclass.documents.text import iso_date, spaced, tidy
from textclass.documents.wire import Found
from textclass.errors import DocumentError

_Element = Any  # lxml has no types

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DATE = "{http://purl.org/dc/elements/1.1/}date"
_PARAGRAPH = re.compile(rb"<(?:[\w.-]+:)?(?:p|h)[ />]")
_PROSE = 200  # A table cell longer than this is prose, not an entry.

# The elements that matter, of both formats.
_PARAGRAPHS = {f"{_W}p", f"{_TEXT}p", f"{_TEXT}h"}
_ROWS = {f"{_W}tr", f"{_TABLE}table-row"}
_CELLS = (f"{_W}tc", f"{_TABLE}table-cell")
_SPACE = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_SPACE |= {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
# Fallbacks repeat text boxes; deleted and moved-away text isn't the document's any more.
_DROPPED = {_FALLBACK, f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr"}
_DROPPED |= {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}note-citation"}


def read_docx(data: bytes, limits: Limits) -> Found:
    """Return the text of a Word document; also insertions, text boxes and content controls."""
    check_package(io.BytesIO(data), limits)
    import docx
    from docx.opc.constants import RELATIONSHIP_TYPE

    document = docx.Document(io.BytesIO(data))
    text = _joined(_blocks(document.element.body))
    # Asked for properties that aren't there, python-docx makes some up, dated now.
    dated = any(
        link.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES
        for link in document.part.package.rels.values()
    )
    properties = document.core_properties if dated else None
    return Found(text, date=iso_date(properties and (properties.modified or properties.created)))


def read_odt(data: bytes, limits: Limits) -> Found:
    """Return the text of an OpenDocument text."""
    check_package(io.BytesIO(data), limits)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        if b"encryption-data" in _part(package, "META-INF/manifest.xml", limits):
            raise DocumentError("it is encrypted", hint="save it without a password")
        content = _parse(_part(package, "content.xml", limits))
        meta = _parse(_part(package, "meta.xml", limits) or b"<none/>")
    body = content.find(f"{_OFFICE}body")
    text = "" if body is None else _joined(_blocks(body))
    return Found(text, date=iso_date(next((node.text for node in meta.iter(_DATE)), None)))


def check_package(stream: IO[bytes], limits: Limits, *, markup: bool = True) -> None:
    """Refuse a zipped office file that would cost too much, or that brings its own entities.

    Counting is done on the inflated bytes, before any parser builds a tree: a million paragraphs
    cost python-docx 20 s and 1.4 GB.
    """
    with zipfile.ZipFile(stream) as package:
        parts = package.infolist()
        inflated = sum(part.file_size for part in parts)
        if inflated > limits.document_bytes:
            raise DocumentError(
                f"it inflates to {inflated / 1e6:,.0f} MB, more than"
                f" {limits.document_bytes / 1e6:,.0f} MB",
                hint="split it or take the pictures out",
            )
        refuse_bomb(inflated, sum(part.compress_size for part in parts), limits)
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                paragraphs, tags = _count(from_member(package, part, limits))
                if markup and paragraphs > limits.paragraphs:
                    raise DocumentError(f"it has more than {limits.paragraphs:,} paragraphs")
                if markup and tags > limits.tags:
                    raise DocumentError(f"it has more than {limits.tags:,} XML tags")


def _count(part: Content) -> tuple[int, int]:
    """Return the number of paragraphs and tags in an XML part."""
    paragraphs = tags = 0
    rest = b""
    with part.open() as stream:
        while chunk := stream.read(1 << 20):
            # Without its zeros UTF-16 reads as ASCII.
            piece = rest + chunk.replace(b"\0", b"")
            if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                raise DocumentError("it declares XML entities, as no honest office file does")
            last = max(piece.rfind(b"<"), 0)
            paragraphs += len(_PARAGRAPH.findall(piece, 0, last))
            tags += piece.count(b"<", 0, last)
            rest = piece[last : last + 64]
    return paragraphs, tags


def _part(package: zipfile.ZipFile, name: str, limits: Limits) -> bytes:
    try:
        info = package.getinfo(name)
    except KeyError:
        return b""
    return from_member(package, info, limits).whole(limits.document_bytes)


def _parse(data: bytes) -> _Element:
    from lxml import etree  # type: ignore[import-untyped]  # it has no types

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(data, parser)


def _joined(blocks: Iterator[str]) -> str:
    return tidy("\n\n".join(block for block in blocks if block.strip()))


def _blocks(node: _Element) -> Iterator[str]:
    """Yield the paragraphs and table rows below `node` in order."""
    for child in node.iterchildren("*"):
        if child.tag in _DROPPED:
            continue
        if child.tag in _PARAGRAPHS:
            nested: list[_Element] = []
            # In Word's format only one element holds text, in ODT it stands anywhere.
            yield "".join(_pieces(child, nested, anywhere=child.tag != f"{_W}p"))
            for inner in nested:  # text boxes and notes follow the paragraph they hang on
                yield from _blocks(inner)
        elif child.tag in _ROWS:
            yield _row(child)
        else:
            yield from _blocks(child)


def _pieces(node: _Element, nested: list[_Element], *, anywhere: bool) -> Iterator[str]:
    """Yield the text of one paragraph; what holds paragraphs of its own is put into `nested`."""
    if anywhere:
        yield spaced(node.text)
    for child in node.iterchildren("*"):
        if child.tag in _SPACE:
            yield _SPACE[child.tag]
        elif child.tag == f"{_W}t":
            yield child.text or ""
        elif any(inner.tag in _PARAGRAPHS for inner in child.iterchildren("*")):
            nested.append(child)
        elif child.tag not in _DROPPED:
            yield from _pieces(child, nested, anywhere=anywhere)
        if anywhere:
            yield spaced(child.tail)


def _row(row: _Element) -> str:
    """Return a table row in one line, or its cells as paragraphs where they hold prose."""
    cells = [[block for block in _blocks(cell) if block.strip()] for cell in row.iter(*_CELLS)]
    if all(len(blocks) < 2 and sum(map(len, blocks)) <= _PROSE for blocks in cells):
        return " | ".join(" ".join(blocks[0].split()) for blocks in cells if blocks)
    return "\n\n".join(block for blocks in cells for block in blocks)
