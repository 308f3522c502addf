"""Word, PowerPoint, OpenDocument and EPUB: paragraphs, tables and notes in document order."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import IO, Any
from urllib.parse import unquote

from textclass.documents.content import Reading, from_member, refuse_bomb
from textclass.documents.document import Limits
from textclass.documents.plain_text import iso_date, spaced, tidy
from textclass.documents.web import decoded_page, shown_text
from textclass.errors import DocumentError

_Element = Any  # lxml has no types

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
# Strict files differ from others in these names only.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_DATES = (
    "{http://purl.org/dc/terms/}modified",
    "{http://purl.org/dc/terms/}created",
    "{http://purl.org/dc/elements/1.1/}date",
)
_PARAGRAPH = re.compile(rb"<(?:[\w.-]+:)?(?:p|h)[ />]")
_PROSE = 200  # A table cell longer than this is prose, not an entry.

# The elements that matter, of all formats.
_PARAGRAPHS = {f"{_W}p", f"{_A}p", f"{_P}text", f"{_TEXT}p", f"{_TEXT}h"}
_ROWS = {f"{_W}tr", f"{_A}tr", f"{_TABLE}table-row"}
_CELLS = {f"{_W}tc", f"{_A}tc", f"{_TABLE}table-cell"}
_WORDS = {f"{_W}t", f"{_A}t"}
_SPACE = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_SPACE |= {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " ", f"{_A}br": "\n"}
# Fallbacks repeat text boxes; deleted and moved-away text isn't the document's any more; fields of
# a slide are its number and today's date.
_DROPPED = {_FALLBACK, f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", f"{_A}fld"}
_DROPPED |= {f"{_TEXT}tracked-changes", f"{_TEXT}note-citation"}

_EMBEDDED = {
    "oleObject": "embedded file",
    "package": "embedded file",
    "aFChunk": "inserted file",
}
_BESIDE_SLIDES = {"diagramData", "notesSlide", "comments"}

Notes = dict[tuple[str, str], _Element]
"""Footnotes, endnotes and comments, by kind and number."""


@dataclass(frozen=True)
class Relation:
    """A part that another part names."""

    id: str
    kind: str
    target: str


class Package(zipfile.ZipFile):
    """A zipped office file; one that costs too much, or brings entities of its own, is refused."""

    def __init__(self, stream: IO[bytes], limits: Limits) -> None:
        super().__init__(stream)
        self.limits = limits
        parts = self.infolist()
        inflated = sum(part.file_size for part in parts)
        if inflated > limits.document_bytes:
            raise DocumentError(
                f"it inflates to {inflated / 1e6:,.0f} MB, more than"
                f" {limits.document_bytes / 1e6:,.0f} MB",
                hint="split it or take the pictures out",
            )
        refuse_bomb(inflated, sum(part.compress_size for part in parts), limits)

    def bytes_of(self, name: str) -> bytes:
        """Return a part; nothing if it isn't there."""
        try:
            info = self.getinfo(name)
        except KeyError:
            return b""
        return from_member(self, info, self.limits).whole(self.limits.document_bytes)

    def xml(self, name: str) -> _Element:
        """Return the root of a part; an empty element if it isn't there."""
        from lxml import etree  # type: ignore[import-untyped]  # it has no types

        data = self.bytes_of(name)
        self._refuse_hostile(data.replace(b"\0", b""))  # without zeros UTF-16 reads as ASCII
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        if b"purl.oclc.org/ooxml" in data[:20_000]:
            data = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", data)
        return etree.fromstring(data or b"<none/>", parser)

    def _refuse_hostile(self, data: bytes) -> None:
        if b"<!ENTITY" in data:
            raise DocumentError("it declares XML entities, as no honest office file does")
        if data.count(b"<") > self.limits.tags:
            raise DocumentError(f"it has more than {self.limits.tags:,} XML tags")
        if len(_PARAGRAPH.findall(data)) > self.limits.paragraphs:
            raise DocumentError(f"it has more than {self.limits.paragraphs:,} paragraphs")

    def relations(self, part: str = "") -> list[Relation]:
        """Return what a part names; the package itself, if none is given."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        return [
            Relation(
                node.get("Id", ""),
                posixpath.basename(node.get("Type", "")),
                posixpath.normpath(posixpath.join("/", folder, node.get("Target", "")))[1:],
            )
            for node in root.iterchildren("{*}Relationship")
            if node.get("TargetMode") != "External"
        ]

    def target(self, kind: str, part: str = "") -> str:
        """Return the first part of this kind that `part` names, or nothing."""
        return next((r.target for r in self.relations(part) if r.kind == kind), "")

    def date(self, part: str) -> str | None:
        """Return when it was changed, else made."""
        root = self.xml(part)
        found = (iso_date(node.text) for tag in _DATES for node in root.iter(tag))
        return next(filter(None, found), None)


def read_docx(data: bytes, limits: Limits) -> Reading:
    """Return the text of a Word file, strict ones, templates and those with macros too.

    Notes, comments and text boxes follow the paragraph that they hang on. Headers and footers are
    left out, as in other formats with pages.
    """
    with Package(io.BytesIO(data), limits) as package:
        main = package.target("officeDocument")
        related = package.relations(main)
        notes: Notes = {}
        for relation in related:
            if relation.kind in {"footnotes", "endnotes", "comments"}:
                for node in package.xml(relation.target).iterchildren("*"):
                    notes[relation.kind[:-1], node.get(f"{_W}id", "")] = node
        blocks = [*_blocks(package.xml(main), notes)]
        for rest in list(notes.values()):
            blocks += _blocks(rest, {})
        for relation in related:
            if relation.kind == "diagramData":
                blocks += _blocks(package.xml(relation.target), {})
        text = tidy(_joined(blocks))
        return Reading(
            text, (), package.date(package.target("core-properties")), _not_read(related)
        )


def _not_read(related: list[Relation]) -> tuple[str, ...]:
    return tuple(
        f"{_EMBEDDED[relation.kind]} {posixpath.basename(relation.target)}: not read"
        for relation in related
        if relation.kind in _EMBEDDED
    )


def read_pptx(data: bytes, limits: Limits) -> Reading:
    """Return the text of a presentation; each slide is a page, with its notes and comments."""
    with Package(io.BytesIO(data), limits) as package:
        main = package.target("officeDocument")
        parts = {relation.id: relation.target for relation in package.relations(main)}
        slides, unread = [], []
        for number, node in enumerate(package.xml(main).iter(f"{_P}sldId"), 1):
            part = parts.get(node.get(f"{RELATION}id", ""), "")
            related = package.relations(part)
            wanted = [part, *(r.target for r in related if r.kind in _BESIDE_SLIDES)]
            blocks = (block for name in wanted for block in _blocks(package.xml(name), {}))
            slides.append(_joined(blocks))
            unread += [f"slide {number}: {fault}" for fault in _not_read(related)]
        text, starts = _paged(slides)
        date = package.date(package.target("core-properties"))
    return Reading(text, starts, date, tuple(unread))


def _paged(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """Return pages as one text, and where each begins."""
    pages = [tidy(page) for page in pages]
    lengths = (len(page) + 2 if page else 0 for page in pages)
    text = "\n\n".join(filter(None, pages))
    return text, tuple(min(start, len(text)) for start in accumulate(lengths, initial=0))[:-1]


def read_opendocument(data: bytes, limits: Limits) -> Reading:
    """Return the text of an OpenDocument text or presentation, of which each slide is a page."""
    with Package(io.BytesIO(data), limits) as package:
        if b"encryption-data" in package.bytes_of("META-INF/manifest.xml"):
            raise DocumentError("it is encrypted", hint="save it without a password")
        body = package.xml("content.xml").find(f"{_OFFICE}body")
        pages = [] if body is None else list(body.iterfind(f"*/{_DRAW}page"))
        date = package.date("meta.xml")
    if pages:
        text, starts = _paged([_joined(_blocks(page, {})) for page in pages])
        return Reading(text, starts, date)
    return Reading("" if body is None else tidy(_joined(_blocks(body, {}))), date=date)


def read_epub(data: bytes, limits: Limits) -> Reading:
    """Return the text of a book's chapters in reading order."""
    with Package(io.BytesIO(data), limits) as package:
        root = package.xml("META-INF/container.xml").find(".//{*}rootfile")
        main = "" if root is None else root.get("full-path", "")
        book = package.xml(main)
        parts = {
            node.get("id"): posixpath.normpath(
                posixpath.join(posixpath.dirname(main), unquote(node.get("href", "")))
            )
            for node in book.iterfind("{*}manifest/{*}item")
        }
        locked = {
            unquote(node.get("URI", ""))
            for node in package.xml("META-INF/encryption.xml").iter("{*}CipherReference")
        }
        chapters, unread = [], []
        for node in book.iterfind("{*}spine/{*}itemref"):
            part = parts.get(node.get("idref"), "")
            if part in locked or not (chapter := package.bytes_of(part)):
                why = "encrypted" if part in locked else "missing"
                unread.append(f"chapter {posixpath.basename(part) or node.get('idref')}: {why}")
            else:
                chapters.append(shown_text(decoded_page(chapter, limits), limits))
        if not chapters and locked:
            raise DocumentError("it is encrypted", hint="get it without copy protection")
        return Reading(tidy("\n\n".join(chapters)), (), package.date(main), tuple(unread))


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block.strip())


def _blocks(node: _Element, notes: Notes) -> Iterator[str]:
    """Yield the paragraphs and table rows below `node` in order."""
    for child in node.iterchildren("*"):
        if child.tag in _DROPPED:
            continue
        if child.tag in _PARAGRAPHS:
            nested: list[_Element] = []
            # In Word and PowerPoint certain elements hold the text, in ODT it stands anywhere.
            anywhere = not child.tag.startswith((_W, _A))
            yield "".join(_pieces(child, nested, notes, anywhere=anywhere))
            for inner in nested:  # text boxes and notes follow the paragraph they hang on
                yield from _blocks(inner, notes)
        elif child.tag in _ROWS:
            yield _row(child, notes)
        else:
            yield from _blocks(child, notes)


def _pieces(
    node: _Element, nested: list[_Element], notes: Notes, *, anywhere: bool
) -> Iterator[str]:
    """Yield the text of one paragraph; what holds paragraphs of its own is put into `nested`."""
    if anywhere:
        yield spaced(node.text)
    for child in node.iterchildren("*"):
        if child.tag in _SPACE:
            yield _SPACE[child.tag]
        elif child.tag in _WORDS:
            yield child.text or ""
        elif child.tag.endswith("Reference") and (note := _note(child, notes)) is not None:
            nested.append(note)
        elif any(inner.tag in _PARAGRAPHS for inner in child.iterchildren("*")):
            nested.append(child)
        elif child.tag not in _DROPPED:
            yield from _pieces(child, nested, notes, anywhere=anywhere)
        if anywhere:
            yield spaced(child.tail)


def _note(reference: _Element, notes: Notes) -> _Element | None:
    kind = reference.tag.removeprefix(_W).removesuffix("Reference")
    return notes.pop((kind, reference.get(f"{_W}id", "")), None)


def _row(row: _Element, notes: Notes) -> str:
    """Return a table row in one line, or its cells as paragraphs where they hold prose."""
    cells = [[block for block in _blocks(cell, notes) if block.strip()] for cell in _cells_of(row)]
    if all(len(blocks) < 2 and sum(map(len, blocks)) <= _PROSE for blocks in cells):
        return " | ".join(" ".join(blocks[0].split()) for blocks in cells if blocks)
    return "\n\n".join(block for blocks in cells for block in blocks)


def _cells_of(row: _Element) -> Iterator[_Element]:
    """Yield the cells of a row, not those of tables inside them."""
    for child in row.iterchildren("*"):
        if child.tag in _CELLS:
            yield child
        elif child.tag not in _DROPPED:
            yield from _cells_of(child)
