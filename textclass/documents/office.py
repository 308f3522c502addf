"""Word, PowerPoint, OpenDocument and EPUB: paragraphs, tables and notes in document order.

One walk serves all formats: it goes by the names of elements without their namespaces, which no
two of the formats use for different things.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import IO, Any
from urllib.parse import unquote

from textclass.documents.content import Reading, from_member
from textclass.documents.document import Limits
from textclass.documents.plain_text import iso_date, set_apart, spaced
from textclass.documents.web import decoded_page, shown_text
from textclass.errors import DocumentError

_Element = Any  # lxml has no types

_PROSE = 200  # A table cell longer than this is prose, not an entry.

_PARAGRAPHS = {"p", "h", "text"}
_ROWS = {"tr", "table-row"}
_CELLS = {"tc", "table-cell"}
# In OpenDocument words stand in any element of a paragraph, elsewhere in these.
_WORDS = {"t", "text"}
_OPENDOCUMENT = "{urn:oasis"
_SPACE = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "line-break": "\n", "s": " "}
# Fallbacks repeat text boxes; deleted and moved-away text isn't the document's any more; fields of
# a slide are its number and today's date.
_DROPPED = {"Fallback", "del", "moveFrom", "pPr", "rPr", "fld", "tracked-changes", "note-citation"}
# What other parts hold that a document or slide names.
_BESIDE = {"footnotes", "endnotes", "comments", "notesSlide", "diagramData", "chart"}
_EMBEDDED = {"oleObject", "package", "aFChunk"}
# A slide of fewer characters with a picture, and a picture as large as this in a text (in square
# English Metric Units: two fifths of an A4 page), may be scanned.
_FEW = 25
_LARGE = 0.4 * 7_560_000 * 10_692_000

Notes = dict[tuple[str, str], _Element]
"""Footnotes, endnotes, comments and the like, by kind and number."""

Page = tuple[list[str], list[str]]
"""The paragraphs of a slide, a chapter or a whole text, and what isn't read of it."""


@dataclass(frozen=True)
class Relation:
    """A part that another part names."""

    id: str
    kind: str
    target: str


class Package(zipfile.ZipFile):
    """A zipped office file; a part that costs too much, or brings entities, is refused."""

    def __init__(self, stream: IO[bytes], limits: Limits) -> None:
        super().__init__(stream)
        self.limits = limits

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
        if b"<!ENTITY" in data.replace(b"\0", b""):  # without zeros UTF-16 reads as ASCII
            raise DocumentError("it declares XML entities, as no honest office file does")
        if data.count(b"<") > self.limits.tags:
            raise DocumentError(f"it has more than {self.limits.tags:,} XML tags")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        return etree.fromstring(data or b"<none/>", parser)

    def relations(self, part: str = "") -> list[Relation]:
        """Return what a part names; the package itself, if none is given."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        return [
            Relation(
                node.get("Id", ""),
                posixpath.basename(node.get("Type", "")),
                _named_by(part, node.get("Target", "")),
            )
            for node in root.iterchildren("{*}Relationship")
            if node.get("TargetMode") != "External"
        ]

    def target(self, kind: str) -> str:
        """Return the first part of this kind that the package names, or nothing."""
        return next((r.target for r in self.relations() if r.kind == kind), "")

    def named_in(self, part: str, element: str) -> list[tuple[_Element, str]]:
        """Return the elements of this name in `part`, each with the part that it stands for."""
        targets = {relation.id: relation.target for relation in self.relations(part)}
        nodes = self.xml(part).iter(f"{{*}}{element}")
        return [(node, targets[name]) for node in nodes if (name := _id_of(node)) in targets]

    def date(self, part: str) -> str | None:
        """Return when it was changed, else made."""
        root = self.xml(part)
        found = (root.iter(f"{{*}}{name}") for name in ("modified", "created", "date"))
        return next(filter(None, (iso_date(node.text) for nodes in found for node in nodes)), None)


def read_openxml(data: bytes, limits: Limits) -> Reading:
    """Return the text of a Word file or a presentation, strict ones and templates too.

    Each slide is a page. Notes, comments and text boxes follow the paragraph that they hang on.
    Headers and footers are left out, as in other formats with pages.
    """
    with Package(io.BytesIO(data), limits) as package:
        main = package.target("officeDocument")
        slides = [part for _, part in package.named_in(main, "sldId")]
        pages = [_openxml_page(package, part, is_slide=bool(slides)) for part in slides or [main]]
        date = package.date(package.target("core-properties"))
    return _reading(pages, date, are_slides=bool(slides))


def _openxml_page(package: Package, part: str, *, is_slide: bool) -> Page:
    root, notes, told = package.xml(part), Notes(), []
    for relation in package.relations(part):
        if relation.kind in _BESIDE:
            for node in package.xml(relation.target).iterchildren("*"):
                notes[relation.kind, _id_of(node) or f"{len(notes)} of {relation.target}"] = node
        elif relation.kind in _EMBEDDED:
            told.append(f"embedded file {posixpath.basename(relation.target)}: not read")
    blocks = [*_blocks(root, notes)]
    told += _pictures(root, blocks) if is_slide else _large_pictures(root)
    for uncalled in list(notes.values()):
        blocks += _blocks(uncalled, {})
    return blocks, told


def _pictures(slide: _Element, blocks: list[str]) -> list[str]:
    """Tell of pictures that a slide shows in place of a text."""
    shown = next(slide.iter("{*}pic", "{*}image"), None) is not None
    return ["a picture without text"] if shown and sum(map(len, blocks)) < _FEW else []


def _large_pictures(text: _Element) -> list[str]:
    """Tell of pictures that fill most of a page, as scanned ones do."""
    sizes = [picture.find("{*}spPr/{*}xfrm/{*}ext") for picture in text.iter("{*}pic")]
    areas = [float(s.get("cx", 0)) * float(s.get("cy", 0)) for s in sizes if s is not None]
    large = sum(area > _LARGE for area in areas)
    return [f"pictures as large as pages: {large}"] if large else []


def _reading(pages: Sequence[Page], date: str | None, *, are_slides: bool) -> Reading:
    """Return pages as one text; where each slide begins and what isn't read of it."""
    texts = [set_apart("\n\n".join(blocks)) for blocks, _ in pages]
    border = "\n\n\f" if are_slides else "\n\n"
    lengths = (len(text) + len(border) if text else 0 for text in texts)
    text = border.join(filter(None, texts))
    starts = [min(start, len(text)) for start in accumulate(lengths, initial=0)][:-1]
    unread = tuple(
        f"slide {number}: {what}" if are_slides else what
        for number, (_, told) in enumerate(pages, 1)
        for what in told
    )
    return Reading(text, tuple(starts) if are_slides else (), date, unread)


def read_opendocument(data: bytes, limits: Limits) -> Reading:
    """Return the text of an OpenDocument text or presentation, of which each slide is a page."""
    with Package(io.BytesIO(data), limits) as package:
        if b"encryption-data" in package.bytes_of("META-INF/manifest.xml"):
            raise DocumentError("it is encrypted", hint="save it without a password")
        bodies = package.xml("content.xml").findall("{*}body/*")
        slides = [page for body in bodies for page in body.iterfind("{*}page")]
        pages = [_opendocument_page(package, page) for page in slides or bodies]
        return _reading(pages, package.date("meta.xml"), are_slides=bool(slides))


def _opendocument_page(package: Package, page: _Element) -> Page:
    blocks = [*_blocks(page, {})]
    told = _pictures(page, blocks) if _name(page) == "page" else []
    for node in page.iter("{*}object", "{*}object-ole"):
        part = _named_by("", next(iter(node.xpath("@*[local-name() = 'href']")), ""))
        if _name(node) == "object":  # a table, chart or formula
            blocks += _blocks(package.xml(f"{part}/content.xml"), {})
        else:
            told.append(f"embedded file {part}: not read")
    return blocks, told


def read_epub(data: bytes, limits: Limits) -> Reading:
    """Return the text of a book's chapters in reading order."""
    with Package(io.BytesIO(data), limits) as package:
        root = package.xml("META-INF/container.xml").find(".//{*}rootfile")
        main = "" if root is None else root.get("full-path", "")
        book = package.xml(main)
        parts = {
            node.get("id"): _named_by(main, unquote(node.get("href", "")))
            for node in book.iterfind("{*}manifest/{*}item")
        }
        encryption = package.xml("META-INF/encryption.xml")
        locked = {unquote(node.get("URI", "")) for node in encryption.iter("{*}CipherReference")}
        pages: list[Page] = []
        spine = [node.get("idref") for node in book.iterfind("{*}spine/{*}itemref")]
        for name in spine or [key for key, part in parts.items() if part.endswith("html")]:
            part = parts.get(name, "")
            chapter = b"" if part in locked else package.bytes_of(part)
            text = shown_text(decoded_page(chapter, limits), limits) if chapter else ""
            what = ""
            if not chapter:
                what = "encrypted" if part in locked else "missing"
            elif not text and pages and b"<im" in chapter:  # the first is a cover
                what = "pictures without text"
            told = [f"chapter {posixpath.basename(part) or name}: {what}"] if what else []
            pages.append(([text], told))
        if locked and not any(text for (text,), _ in pages):
            raise DocumentError("it is encrypted", hint="get it without copy protection")
        return _reading(pages, package.date(main), are_slides=False)


def _named_by(part: str, address: str) -> str:
    """Return the part whose address stands in `part`."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(part), address))[1:]


def _id_of(node: _Element) -> str:
    """Return what a node is called by, or calls; its plain `id` is only its number."""
    return next((value for key, value in node.attrib.items() if key.endswith("}id")), "")


def _name(node: _Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _blocks(node: _Element, notes: Notes) -> Iterator[str]:
    """Yield the paragraphs and table rows below `node` in order, but no blank ones."""
    for child in node.iterchildren("*"):
        name = _name(child)
        if name in _PARAGRAPHS:
            nested: list[_Element] = []
            if (block := "".join(_pieces(child, nested, notes))).strip():
                yield block
            for inner in nested:  # text boxes and notes follow the paragraph they hang on
                yield from _blocks(inner, notes)
        elif name in _ROWS:
            yield from _row(child, notes)
        elif name not in _DROPPED:
            yield from _blocks(child, notes)


def _pieces(node: _Element, nested: list[_Element], notes: Notes) -> Iterator[str]:
    """Yield the text of one paragraph; what holds paragraphs of its own is put into `nested`."""
    anywhere = node.tag.startswith(_OPENDOCUMENT)
    if anywhere or _name(node) in _WORDS:
        yield spaced(node.text) if anywhere else node.text or ""
    for child in node.iterchildren("*"):
        name = _name(child)
        if name in _SPACE:
            yield _SPACE[name]
        elif (called := (name.removesuffix("Reference") + "s", _id_of(child))) in notes:
            nested.append(notes.pop(called))
        elif any(_name(inner) in _PARAGRAPHS for inner in child.iterchildren("*")):
            nested.append(child)
        elif name not in _DROPPED and not _is_hidden(child):
            yield from _pieces(child, nested, notes)
        if anywhere:
            yield spaced(child.tail)


def _is_hidden(run: _Element) -> bool:
    mark = run.find("{*}rPr/{*}vanish")
    return mark is not None and not {"0", "false", "off"}.intersection(mark.values())


def _row(row: _Element, notes: Notes) -> Iterator[str]:
    """Yield a table row in one line, or, where cells hold prose, as paragraphs, then a border."""
    cells = [[*_blocks(cell, notes)] for cell in _cells_of(row)]
    if any(len(blocks) > 1 or sum(map(len, blocks)) > _PROSE for blocks in cells):
        yield from chain(*cells, ["\f"])
    elif line := " | ".join(" ".join(blocks[0].split()) for blocks in cells if blocks):
        yield line


def _cells_of(row: _Element) -> Iterator[_Element]:
    """Yield the cells of a row, not those of tables inside them."""
    for child in row.iterchildren("*"):
        if _name(child) in _CELLS:
            yield child
        elif _name(child) not in _DROPPED:
            yield from _cells_of(child)
