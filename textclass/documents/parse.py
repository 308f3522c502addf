"""What a file holds: its kind, the reader for it, and what lies inside archives and mails.

Runs in the child process.
"""

from __future__ import annotations

import hashlib
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from textclass.documents import detect as kinds
from textclass.documents.boilerplate import boilerplate_spans
from textclass.documents.content import Content, Reading, from_gzip, from_member, refuse_bomb
from textclass.documents.document import (
    Fault,
    Found,
    Limits,
    Member,
    Part,
    Row,
    Rows,
    TableOptions,
)
from textclass.documents.folders import is_junk, name_fault
from textclass.documents.mail import read_mail, read_msg, split_mbox
from textclass.documents.office import read_docx, read_epub, read_opendocument, read_pptx
from textclass.documents.pdf import read_pdf
from textclass.documents.plain_text import read_markdown, read_rtf, read_text, refuse_longer
from textclass.documents.tables import TABLES, read_table
from textclass.documents.web import read_html
from textclass.errors import DocumentError, TextclassError

_DOCUMENTS: dict[str, Callable[[bytes, Limits], Reading]] = {
    kinds.PDF: read_pdf,
    kinds.DOCX: read_docx,
    kinds.PPTX: read_pptx,
    kinds.ODT: read_opendocument,
    kinds.ODP: read_opendocument,
    kinds.EPUB: read_epub,
    kinds.RTF: read_rtf,
    kinds.HTML: read_html,
    kinds.EML: read_mail,
    kinds.MHTML: read_mail,
    kinds.MSG: read_msg,
    kinds.MARKDOWN: read_markdown,
    kinds.TEXT: read_text,
}
_WITH_BOILERPLATE = {kinds.HTML, kinds.MHTML, kinds.TEXT}
_ROWS_AT_ONCE = 1024
_CHARS_AT_ONCE = 1 << 20

Members = Iterable[tuple[str, Content | str]]
"""The name of each member, with its content or why it can't be read."""


class FileParser:
    """Walks through one file; a member's index is its place among all, whatever holds it.

    Parameters
    ----------
    limits : Limits
    options : TableOptions
    start : int
        The first member that is still wanted.
    avoid : collection of int
        Members that mustn't be opened.
    """

    def __init__(
        self, limits: Limits, options: TableOptions, start: int, avoid: Collection[int]
    ) -> None:
        self.limits = limits
        self.options = options
        self.start = start
        self.avoid = avoid
        self._index = -1
        self._inflated = 0

    def parse(self, path: Path) -> Iterator[Part]:
        """Yield what a file holds."""
        yield from self._parts(Content.of_file(path), "", 0, wanted=self.start == 0)

    def _parts(self, content: Content, name: str, layer: int, *, wanted: bool) -> Iterator[Part]:
        stage = "detect"
        try:
            kind, content = self._kind(content)
            stage = "read"
            if layer > self.limits.layers:
                raise DocumentError(
                    f"it is packed more than {self.limits.layers} layers deep",
                    hint="unpack the outer ones",
                )
            if kind in _CONTAINERS:
                members = _CONTAINERS[kind](self, content)
                yield from self._members(members, name, layer)
            elif kind in TABLES:
                if wanted:
                    yield from self._rows(content, kind)
            elif wanted or kind in {kinds.EML, kinds.MSG, kinds.PDF}:
                yield from self._document(content, kind, name, layer, wanted=wanted)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a parser may raise anything on hostile bytes
            if wanted:
                yield Fault(stage, _told(error))

    def _kind(self, content: Content) -> tuple[str, Content]:
        kind = kinds.detect(content, self.limits)
        if kind == kinds.GZIP:
            content = from_gzip(content, self.limits)
            kind = kinds.detect(content, self.limits)
            if kind == kinds.GZIP:
                raise DocumentError("it is packed twice with gzip", hint="unpack it once")
        return kind, content

    def _members(self, members: Members, outer: str, layer: int) -> Iterator[Part]:
        seen: set[str] = set()
        for name, member in members:
            if is_junk(name):
                continue
            self._index += 1
            index = self._index
            if index >= self.limits.members:
                raise self._too_many()
            wanted = index >= self.start
            fault = member if isinstance(member, str) else name_fault(name)
            if name in seen:
                fault = "another member has the same name"
            seen.add(name)
            inner = f"{outer}!{name}" if outer else name
            if wanted:
                yield Member(index, inner)
            if fault and wanted:
                yield Fault("open", fault)
            elif isinstance(member, Content) and not fault and index not in self.avoid:
                yield from self._parts(member, inner, layer + 1, wanted=wanted)
        if not seen:
            raise DocumentError("the archive holds no files")

    def _too_many(self) -> DocumentError:
        return DocumentError(f"it has more than {self.limits.members:,} members", hint="split it")

    def _rows(self, content: Content, kind: str) -> Iterator[Part]:
        batch: list[Row | Fault] = []
        count = chars = 0
        for count, row in enumerate(read_table(content, kind, self.limits, self.options), 1):
            if count > self.limits.rows:
                if batch:
                    yield Rows(kind, batch)
                raise DocumentError(f"it has more than {self.limits.rows:,} rows", hint="split it")
            batch.append(row)
            chars += len(row.text) if isinstance(row, Row) else 0
            if len(batch) >= _ROWS_AT_ONCE or chars >= _CHARS_AT_ONCE:
                yield Rows(kind, batch)
                batch, chars = [], 0
        if batch:
            yield Rows(kind, batch)
        if not count:
            yield Fault("text", "the table has no rows")

    def _document(
        self, content: Content, kind: str, name: str, layer: int, *, wanted: bool
    ) -> Iterator[Part]:
        data = content.whole(self.limits.document_bytes)
        reading = _DOCUMENTS[kind](data, self.limits)
        attachments, unread = [], list(reading.unread)
        for attached in reading.attachments:
            try:
                kinds.detect(attached, self.limits)
                attachments.append((attached.name, attached))
            except (DocumentError, zipfile.BadZipFile) as error:
                unread.append(f"attachment {attached.name}: {_shortly(error)}")
        if wanted:
            text = reading.text
            refuse_longer(len(text), self.limits.text_chars)
            if text.strip():
                yield Found(
                    text,
                    reading.page_starts,
                    reading.date,
                    tuple(unread),
                    boilerplate_spans(text) if kind in _WITH_BOILERPLATE else (),
                    kind,
                    "" if content.path else hashlib.sha256(data).hexdigest(),
                )
            elif unread:
                yield Fault("read", f"it can't be read: {'; '.join(unread)}")
            elif not attachments:
                fault = f"no text was found in it, though it holds {len(data):,} bytes ({kind})"
                yield Fault("text", fault)
        if attachments:
            yield from self._members(attachments, name, layer)

    def _zip(self, content: Content) -> Members:
        with (
            content.searchable(self.limits.document_bytes) as stream,
            zipfile.ZipFile(stream) as archive,
        ):
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if len(infos) > self.limits.members:
                raise self._too_many()
            inflated = sum(info.file_size for info in infos)
            self._inflated += inflated
            refuse_bomb(inflated, sum(info.compress_size for info in infos), self.limits)
            refuse_bomb(self._inflated, self._inflated, self.limits)
            for info in infos:
                is_link = stat.S_ISLNK(info.external_attr >> 16)
                yield (
                    info.orig_filename,
                    "it is a link, not a file"
                    if is_link
                    else from_member(archive, info, self.limits),
                )

    def _tar(self, content: Content) -> Members:
        most = self.limits.document_bytes
        with (
            content.open() as stream,
            tarfile.open(fileobj=stream, mode="r|", errors="replace") as archive,
        ):
            for info in archive:
                if info.isdir():
                    continue
                name = info.name.removeprefix("./")
                taken = archive.extractfile(info) if info.isfile() else None
                if taken is None:
                    yield name, "it is a link or a device, not a file"
                elif info.size > most:
                    yield name, f"it is larger than {most / 1e6:,.0f} MB (unpack the archive)"
                else:
                    yield name, Content.of_bytes(name, taken.read())

    def _mbox(self, content: Content) -> Members:
        for number, mail in enumerate(split_mbox(content, self.limits), 1):
            name = f"{number}.eml"
            yield name, mail if isinstance(mail, str) else Content.of_bytes(name, mail)


_CONTAINERS: dict[str, Callable[[FileParser, Content], Members]] = {
    kinds.ZIP: FileParser._zip,
    kinds.TAR: FileParser._tar,
    kinds.MBOX: FileParser._mbox,
}


def _shortly(error: Exception) -> str:
    """Return what an attachment is, from the error that says it."""
    if not isinstance(error, DocumentError):
        return "damaged or cut short"
    return re.sub(r"^it is |, which holds no text.*", "", error.message)


def _told(error: Exception) -> str:
    """Return what happened, in words where the library's own say little."""
    if isinstance(error, TextclassError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, zipfile.BadZipFile | EOFError | tarfile.TarError):
        return "its container is damaged or cut short (fetch the file again)"
    return (
        "it can't be read: it is damaged, or doesn't keep to its format (open it in the program it"
        " is for, and save it again)"
    )
