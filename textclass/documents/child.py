"""The child process: sets its own limits, then reads one file after another.

Of each file it tells its kind, chooses the reader for it, and walks through what lies inside
archives and mails.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

import orjson

from textclass.documents import detect as kinds
from textclass.documents.boilerplate import boilerplate_spans
from textclass.documents.content import Content, Reading, from_member, refuse_bomb
from textclass.documents.document import (
    OUT_OF_MEMORY,
    Document,
    Fault,
    Limits,
    Member,
    SetAside,
    TableOptions,
)
from textclass.documents.folders import is_junk, name_fault
from textclass.documents.mail import read_mail, read_msg, split_mbox
from textclass.documents.office import read_epub, read_opendocument, read_openxml
from textclass.documents.pdf import read_pdf
from textclass.documents.plain_text import plain, read_markdown, read_rtf, read_text, refuse_longer
from textclass.documents.tables import TABLES, read_table
from textclass.documents.web import read_html
from textclass.errors import DocumentError, TextclassError

Part = Document | SetAside | Member

_DOCUMENTS: dict[str, Callable[[bytes, Limits], Reading]] = {
    kinds.PDF: read_pdf,
    kinds.DOCX: read_openxml,
    kinds.PPTX: read_openxml,
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
_WITH_ATTACHMENTS = {kinds.EML, kinds.MSG, kinds.PDF}
_WITH_BOILERPLATE = {kinds.HTML, kinds.MHTML, kinds.TEXT}
_DAMAGE = (zipfile.BadZipFile, EOFError, tarfile.TarError)
_REST = "(the rest)"  # Stands for members that damage hides.
_OPEN_FILES = 64
_PARTS_AT_ONCE = 1024
_CHARS_AT_ONCE = 1 << 20


def main() -> None:
    """Serve requests from the socket that stands in for standard input, until it ends."""
    connection = Connection(os.dup(0))
    # A library that reads or prints must not get between the messages.
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    with suppress(EOFError, ConnectionError):
        setup = orjson.loads(connection.recv_bytes())
        limits, options = Limits(**setup["limits"]), TableOptions(**setup["options"])
        _confine(limits)
        _send(None, connection)
        try:
            while True:
                path, start, avoid = orjson.loads(connection.recv_bytes())
                content = Content.of_file(Path(os.fsdecode(bytes.fromhex(path))))
                walk = _Walk(limits, options, start, avoid)
                _answer(walk.parts(content), limits, connection)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)


def _answer(parts: Iterator[Part], limits: Limits, connection: Connection) -> None:
    """Send the parts of a file, many together; a member is told before it is opened."""
    waiting: list[Part] = []
    chars = 0
    _allow_cpu(limits.cpu_seconds)
    for part in parts:
        waiting.append(part)
        chars += len(part.text) if isinstance(part, Document) else 0
        if isinstance(part, Member) or len(waiting) >= _PARTS_AT_ONCE or chars >= _CHARS_AT_ONCE:
            _send(waiting, connection)
            waiting, chars = [], 0
            _allow_cpu(limits.cpu_seconds)
    if waiting:
        _send(waiting, connection)
    _send(None, connection)


def _send(parts: list[Part] | None, connection: Connection) -> None:
    try:
        data = orjson.dumps(parts)
    except TypeError:  # half a character, as in a name that isn't UTF-8
        data = orjson.dumps([plain(asdict(part)) for part in parts or ()])
    connection.send_bytes(data)


def _confine(limits: Limits) -> None:
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_DATA, limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(which)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # Some systems don't have them all; the parent's clock always counts.
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (most, most))


def _allow_cpu(seconds: int) -> None:
    """Give the next document its share of processor time, counted from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


@dataclass
class _Walk:
    """The way through one file; a member's index is its place among all, whatever holds it.

    Parameters
    ----------
    limits : Limits
    options : TableOptions
    start : int
        The first member that is still wanted.
    avoid : collection of int
        Members that mustn't be opened.
    index : int
        Of the member that is open; -1 is the file itself.
    inflated : int
        Bytes of the archives that were opened.
    """

    limits: Limits
    options: TableOptions
    start: int
    avoid: Collection[int]
    index: int = -1
    inflated: int = 0

    @property
    def _wanted(self) -> bool:
        """Whether what is being opened wasn't read before."""
        return self.start == 0 or self.index >= self.start

    def parts(self, content: Content, name: str = "", layer: int = 0) -> Iterator[Part]:
        """Yield what a file or member holds."""
        stage, wanted = "detect", self._wanted
        try:
            kind, content = kinds.unpacked(content, self.limits)
            stage = "read"
            if layer > self.limits.layers:
                raise DocumentError(
                    f"it is packed more than {self.limits.layers} layers deep",
                    hint="unpack the outer ones",
                )
            if kind in _CONTAINERS:
                yield from self._members(_CONTAINERS[kind](self, content), name, layer)
            elif kind in TABLES:
                if wanted:
                    yield from self._rows(content, kind)
            elif wanted or kind in _WITH_ATTACHMENTS:
                yield from self._document(content, kind, name, layer)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a parser may raise anything on hostile bytes
            if wanted:
                yield _set_aside(stage, _told(error))

    def _members(
        self, members: Iterable[tuple[str, Content | str]], outer: str, layer: int
    ) -> Iterator[Part]:
        """Yield what members hold, each given by its name and its content or fault."""
        seen: set[str] = set()
        try:
            for name, member in members:
                if not is_junk(name):
                    yield from self._member(name, member, outer, layer, again=name in seen)
                    seen.add(name)
        except (DocumentError, *_DAMAGE):
            if seen and self.index + 1 < self.limits.members:
                self.index += 1
                yield Member(self.index, _inside(outer, _REST))
            raise
        if not seen:
            raise DocumentError("the archive holds no files")

    def _member(
        self, name: str, member: Content | str, outer: str, layer: int, *, again: bool
    ) -> Iterator[Part]:
        self.index += 1
        if self.index >= self.limits.members:
            raise self._too_many()
        fault = member if isinstance(member, str) else name_fault(name)
        if again:
            fault = "another member has the same name"
        inner = _inside(outer, name)
        if self._wanted:
            yield Member(self.index, inner)
            if fault:
                yield _set_aside("open", fault)
        if isinstance(member, Content) and not fault and self.index not in self.avoid:
            yield from self.parts(member, inner, layer + 1)

    def _too_many(self) -> DocumentError:
        return DocumentError(f"it has more than {self.limits.members:,} members", hint="split it")

    def _rows(self, content: Content, kind: str) -> Iterator[Part]:
        number = 0
        for number, row in enumerate(read_table(content, kind, self.limits, self.options), 1):
            if number > self.limits.rows:
                raise DocumentError(f"it has more than {self.limits.rows:,} rows", hint="split it")
            if isinstance(row, Fault):
                yield _set_aside(row.stage, row.error, row.row or "")
            else:
                sha256 = hashlib.sha256(row.text.encode()).hexdigest()
                yield Document(
                    row.row, "", row.text, kind, sha256, columns=row.columns, unread=row.unread
                )
        if not number:
            yield _set_aside("text", "the table has no rows")

    def _document(self, content: Content, kind: str, name: str, layer: int) -> Iterator[Part]:
        data = content.whole(self.limits.document_bytes)
        reading = _DOCUMENTS[kind](data, self.limits)
        text, unread = reading.text, list(reading.unread)
        attachments = []
        for attached in reading.attachments:
            try:
                kinds.detect(attached, self.limits)
                attachments.append((attached.name, attached))
            except (DocumentError, zipfile.BadZipFile) as error:
                unread.append(f"attachment {attached.name}: {_shortly(error)}")
        if self._wanted:
            refuse_longer(len(text), self.limits.text_chars)
            if text.strip():
                yield Document(
                    id="",
                    path="",
                    text=text,
                    media_type=kind,
                    # Of a file on disk the parent knows it.
                    sha256="" if content.path else hashlib.sha256(data).hexdigest(),
                    page_starts=reading.page_starts,
                    date=reading.date,
                    unread=tuple(unread),
                    boilerplate=boilerplate_spans(text) if kind in _WITH_BOILERPLATE else (),
                )
            elif unread:
                yield _set_aside("read", f"it can't be read: {'; '.join(unread)}")
            elif not attachments:
                fault = f"no text was found in it, though it holds {len(data):,} bytes ({kind})"
                yield _set_aside("text", fault)
        if attachments:
            yield from self._members(attachments, name, layer)

    def _in_mbox(self, content: Content) -> Iterator[tuple[str, Content | str]]:
        for number, mail in enumerate(split_mbox(content, self.limits), 1):
            name = f"{number}.eml"
            yield name, mail if isinstance(mail, str) else Content.of_bytes(name, mail)

    def _in_zip(self, content: Content) -> Iterator[tuple[str, Content | str]]:
        with (
            content.searchable(self.limits.document_bytes) as stream,
            zipfile.ZipFile(stream) as archive,
        ):
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if len(infos) > self.limits.members:
                raise self._too_many()
            inflated = sum(info.file_size for info in infos)
            self.inflated += inflated
            refuse_bomb(inflated, sum(info.compress_size for info in infos), self.limits)
            refuse_bomb(self.inflated, self.inflated, self.limits)
            for info in infos:
                if stat.S_ISLNK(info.external_attr >> 16):
                    yield info.orig_filename, "it is a link, not a file"
                else:
                    yield info.orig_filename, from_member(archive, info, self.limits)

    def _in_tar(self, content: Content) -> Iterator[tuple[str, Content | str]]:
        most = self.limits.document_bytes
        with (
            content.open() as stream,
            tarfile.open(fileobj=stream, mode="r|", errors="replace", tarinfo=_Header) as archive,
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


class _Header(tarfile.TarInfo):
    """A header; one that is damaged or missing isn't taken for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf == bytes(tarfile.BLOCKSIZE):
                raise  # this is the end
            raise tarfile.ReadError(str(error)) from error


_CONTAINERS = {kinds.ZIP: _Walk._in_zip, kinds.TAR: _Walk._in_tar, kinds.MBOX: _Walk._in_mbox}


def _inside(outer: str, name: str) -> str:
    return f"{outer}!{name}" if outer else name


def _set_aside(stage: str, error: str, row: str = "") -> SetAside:
    return SetAside(row, "", None, stage, error)


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
    if isinstance(error, _DAMAGE):
        return "its container is damaged or cut short (fetch the file again)"
    return (
        "it can't be read: it is damaged, or doesn't keep to its format (open it in the program it"
        " is for, and save it again)"
    )


if __name__ == "__main__":
    main()
