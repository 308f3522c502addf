"""The child process: sets its own limits, then reads one file after another.

Of each file it tells its kind, chooses the reader for it, and walks through what lies inside
archives and mails.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import tarfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson

from textclass.documents.boilerplate import boilerplate_spans
from textclass.documents.content import Content, Table, refuse_bomb, refuse_more
from textclass.documents.document import OUT_OF_MEMORY, Document, Limits, Member, SetAside
from textclass.documents.file_formats import Format, ReadDocument, recognised
from textclass.documents.folders import is_junk, name_fault
from textclass.documents.plain_text import plain, refuse_longer, undecoded
from textclass.documents.table_rows import read_table
from textclass.errors import DocumentError, TextclassError

Part = Document | SetAside | Member

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
        limits, options = Limits(**setup["limits"]), setup["options"]
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
        if isinstance(part, Document):
            chars += len(part.text) + sum(len(str(cell)) for cell in part.columns.values())
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
    options : mapping
        As `DocumentReader` has them, by name.
    start : int
        The first member that is still wanted.
    avoid : collection of int
        Members that mustn't be opened.
    index : int
        Of the member that is open; -1 is the file itself.
    inflated : int
        Bytes of the members that were met.
    """

    limits: Limits
    options: Mapping[str, Any]
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
            form, content = recognised(content, self.limits)
            stage = "read"
            read = form.whole if form.whole and self.options["keep_boilerplate"] else form.document
            if layer > self.limits.layers:
                raise DocumentError(
                    f"it is packed more than {self.limits.layers} layers deep",
                    hint="unpack the outer ones",
                )
            if form.members:
                yield from self._members(form.members(content, self.limits), name, layer)
            elif form.table and wanted:
                text_column = self.options["text_column"] or "text"
                yield from self._rows(
                    form.table(content, self.limits, text_column), form.media_type
                )
            elif read and (wanted or form.attaches):
                yield from self._document(read, form, content, name, layer)
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
        refuse_more(self.index + 1, self.limits)
        fault = member if isinstance(member, str) else name_fault(name)
        if again:
            fault = "another member has the same name"
        inner = _inside(outer, name)
        if self._wanted:
            yield Member(self.index, inner)
            if fault:
                yield _set_aside("open", fault)
        if isinstance(member, Content) and not fault and self.index not in self.avoid:
            self.inflated += member.size
            refuse_bomb(self.inflated, self.inflated, self.limits)
            yield from self.parts(member, inner, layer + 1)

    def _rows(self, tables: Iterable[Table], media_type: str) -> Iterator[Part]:
        number = 0
        columns = {name: self.options[name] for name in ("text_column", "id_column")}
        rows = read_table(tables, media_type, self.limits, **columns)
        for number, row in enumerate(rows, 1):
            if number > self.limits.rows:
                raise DocumentError(f"it has more than {self.limits.rows:,} rows", hint="split it")
            yield row
        if not number:
            yield _set_aside("text", "the table has no rows")

    def _document(
        self, read: ReadDocument, form: Format, content: Content, name: str, layer: int
    ) -> Iterator[Part]:
        data = content.whole(self.limits.document_bytes)
        reading = read(data, self.limits)
        text = reading.text
        unread = [*reading.unread, *undecoded(text)]
        attachments = []
        for attached in reading.attachments:
            try:
                recognised(attached, self.limits)
                attachments.append((attached.name, attached))
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - it must not take the mail with it
                unread.append(f"attachment {attached.name}: {_shortly(error)}")
        if self._wanted:
            refuse_longer(len(text), self.limits.text_chars)
            marked = form.with_boilerplate and not self.options["keep_boilerplate"]
            if text.strip():
                yield Document(
                    id="",
                    path="",
                    text=text,
                    media_type=form.media_type,
                    # Of a file on disk the parent knows it.
                    sha256="" if content.path else hashlib.sha256(data).hexdigest(),
                    page_starts=reading.page_starts,
                    date=reading.date,
                    unread=tuple(unread),
                    boilerplate=boilerplate_spans(text) if marked else (),
                )
            elif unread:
                yield _set_aside("read", f"it can't be read: {'; '.join(unread)}")
            elif not attachments:
                size = f"{len(data):,} bytes ({form.media_type})"
                yield _set_aside("text", f"no text was found in it, though it holds {size}")
        if attachments:
            yield from self._members(attachments, name, layer)


def _inside(outer: str, name: str) -> str:
    return f"{outer}!{name}" if outer else name


def _set_aside(stage: str, error: str) -> SetAside:
    return SetAside("", "", None, stage, error)


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
