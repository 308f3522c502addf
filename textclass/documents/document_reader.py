"""`DocumentReader`: files in, documents and set-asides out, whatever the files are."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson

from textclass.documents.document import (
    OUT_OF_MEMORY,
    Document,
    Limits,
    Member,
    SetAside,
    Source,
    TableOptions,
)
from textclass.documents.folders import leaves, open_file, visible
from textclass.documents.plain_text import plain
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ERROR_CHARS = 500
_UNREAD_PARTS = 100
_STAGES = ("detect", "open", "read", "text")
_START_SECONDS = 60
_SPARE_BYTES = 64 << 20  # What a message may hold beside the text of one document.
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHOME")


class DocumentReader:
    """Reads files in one child process, which is replaced when a file kills it.

    Parameters
    ----------
    limits : Limits, optional
        What reading one file may cost.
    text_column, id_column : str, optional
        The columns of tables that hold the text and the row's name; by default those called `text`
        and `id`, and rows are numbered from 1 if there is no `id`.

    Notes
    -----
    Nothing that a file brings runs in this process: the child sends JSON and UTF-8 text, checked
    for size and form. One reader belongs to one thread.

    Examples
    --------
    >>> with DocumentReader() as reader:
    ...     for source in find_inputs(["inbox"]):
    ...         for found in reader.read(source):
    ...             ...
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        text_column: str | None = None,
        id_column: str | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.options = TableOptions(text_column, id_column)
        self._process: _ReadingProcess | None = None
        self._reading = False

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child process; the next `read` starts another."""
        if self._process:
            self._process.stop()
            self._process = None

    def read(self, source: Source) -> Iterator[Document | SetAside]:
        """Yield what a file holds: at least one document or set-aside, in a fixed order.

        Raises
        ------
        RuntimeError
            If the file before hasn't been read to its end.
        DocumentError
            If the child process can't start.
        """
        if self._reading:
            raise RuntimeError("read() was called again before the last file was read to its end")
        file = _File(source, visible(str(source.path)), self.limits)
        try:
            file.sha256 = _hash_of_readable(source, self.limits.file_bytes)
        except (DocumentError, OSError) as error:
            told = str(error)
            if isinstance(error, OSError):
                told = f"it can't be opened: {error.strerror or error}"
            yield file.set_aside("open", told)
            return
        self._reading = True
        try:
            yield from self._exchange(file)
        except BaseException:
            self.close()  # half an answer may still be on its way
            raise
        finally:
            self._reading = False

    def _exchange(self, file: _File) -> Iterator[Document | SetAside]:
        """Read one file, with a new child for each that dies on a member of an archive."""
        while True:
            process = self._process = self._process or _ReadingProcess(self.limits, self.options)
            try:
                path = os.fsencode(file.source.path).hex()
                process.send((path, file.start, file.avoid))
                while (parts := process.answer()) is not None:
                    found = file.found(parts)
                    process.used |= bool(found)
                    yield from found
                if not (file.start or file.given):
                    raise _misunderstood()
                return
            except _ReaderDied as death:
                self.close()
                # What a file ends as must not depend on what was read before it.
                if death.may_be_tired and process.used and not file.given:
                    file.go_back()
                    continue
                told = f"after {file.given:,} rows {death}" if file.given else str(death)
            yield file.set_aside("read", told)
            if file.member is None:
                return
            file.avoid.append(file.start - 1)
            if len(file.avoid) >= self.limits.deaths:
                file.member = None
                told = f"{len(file.avoid)} members ended the reading; those after them weren't read"
                yield file.set_aside("read", told)
                return


def _hash_of_readable(source: Source, most: int) -> str:
    """Return the hash of a file that may be read."""
    if source.root is not None and leaves(source.path, source.root):
        raise DocumentError(
            "it is a link that leads out of its folder, so it isn't followed",
            hint="name the file itself, if you mean it",
        )
    with open_file(source.path) as stream:
        if os.fstat(stream.fileno()).st_size > most:
            raise DocumentError(f"it is larger than {most / 1e6:,.0f} MB", hint="split it")
        return source.sha256 or hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass
class _File:
    """A file and where its reading stands; names its documents, so that the child can't."""

    source: Source
    path: str
    limits: Limits
    sha256: str | None = None
    member: str | None = None
    start: int = 0  # The first member that may still come.
    avoid: list[int] = field(default_factory=list)  # Members that ended the reading.
    given: int = 0  # Parts of this member or file.

    def go_back(self) -> None:
        """Go back to before the member that is being read."""
        if self.member is not None:
            self.start, self.member = self.start - 1, None

    def found(self, parts: list[Document | SetAside | Member]) -> list[Document | SetAside]:
        try:
            return [one for part in parts if (one := self._named(part))]
        except (ValueError, DocumentError) as error:
            raise _misunderstood() from error

    def _named(self, part: Document | SetAside | Member) -> Document | SetAside | None:
        if isinstance(part, Member):
            if not self.start <= part.index < self.limits.members:
                raise ValueError("members must come in order")
            self.start, self.given, self.member = part.index + 1, 0, part.name
            return None
        self.given += 1
        if self.given > self.limits.rows + 1:
            raise ValueError("more rows than the limit allows")
        if isinstance(part, SetAside):
            stage = part.stage if part.stage in _STAGES else "read"
            return self.set_aside(stage, " ".join(part.error.split()), part.id)
        _check(part, self.limits)
        return replace(
            part,
            id=self._id(part.id),
            path=self.path,
            sha256=part.sha256 or self.sha256 or "",
            folder=self.source.folder,
            unread=tuple(map(_shown, part.unread[:_UNREAD_PARTS])),
        )

    def set_aside(self, stage: str, error: str, row: str = "") -> SetAside:
        return SetAside(self._id(row), self.path, self.sha256, stage, _shown(error))

    def _id(self, row: str) -> str:
        member = "" if self.member is None else f"!{self.member}"
        return self.source.id + visible(member + (row and f"#{row}"))


def _shown(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _ERROR_CHARS else text[: _ERROR_CHARS - 1] + "…"


def _check(part: Document, limits: Limits) -> None:
    """Raise ValueError if the child can't honestly have sent this."""
    if not part.text.strip() or len(part.text) > limits.text_chars or "\0" in part.text:
        raise ValueError("a text that is empty, too long, or holds what can't be stored")
    if b"\\u0000" in orjson.dumps(part.columns) and plain(part.columns) != part.columns:
        raise ValueError("a column that holds what can't be stored")
    if part.sha256 and not _SHA256.fullmatch(part.sha256):
        raise ValueError("a wrong hash")
    for places in (part.page_starts, [place for span in part.boilerplate for place in span]):
        within = [0, *places, len(part.text)]
        if within != sorted(within):
            raise ValueError("places that don't lie in the text")


@cache
def _form() -> TypeAdapter[list[Document | SetAside | Member] | None]:
    """Return the form of a message; None says that the child is ready, or done with a file."""
    from pydantic import Field, TypeAdapter  # not loaded by the child

    part = Annotated[Document | SetAside | Member, Field(union_mode="left_to_right")]
    return TypeAdapter(list[part] | None)


class _ReaderDied(Exception):  # noqa: N818 - it says what happened, and never leaves the package
    """The reading process ended, or had to be ended.

    Parameters
    ----------
    message : str
        Why, in one line.
    may_be_tired : bool
        Whether what it read before may have been part of the cause.
    """

    def __init__(self, message: str, *, may_be_tired: bool = True) -> None:
        super().__init__(message)
        self.may_be_tired = may_be_tired


def _misunderstood() -> _ReaderDied:
    return _ReaderDied("the reading process sent what can't be understood")


class _ReadingProcess:
    """One child process; not to be used again once `_ReaderDied` was raised.

    Attributes
    ----------
    used : bool
        Whether it has read anything yet.
    """

    def __init__(self, limits: Limits, options: TableOptions) -> None:
        self.limits = limits
        self.used = False
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        # The child finds this package wherever the parent found it.
        places = [str(Path(__file__).parents[2]), *map(os.path.abspath, sys.path)]
        environment |= {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
        ours, theirs = socket.socketpair()
        # The kernel's own clock, also for a message that stops half-way.
        wait = struct.pack("ll", limits.wall_seconds, 0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        self._connection = Connection(ours.detach())
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "textclass.documents.child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                # Ctrl-C on the terminal is the parent's business.
                start_new_session=True,
            )
        try:
            self.send({"limits": asdict(limits), "options": asdict(options)})
            self._connection.poll(_START_SECONDS)
            self.answer()
        except _ReaderDied as error:
            self.stop()
            raise DocumentError(
                "the reading process doesn't start",
                hint="to see why, run: python -m textclass.documents.child < /dev/null",
            ) from error

    def send(self, request: object) -> None:
        """Tell it what to do."""
        try:
            self._connection.send_bytes(orjson.dumps(request))
        except OSError as error:
            raise self._ended() from error

    def answer(self) -> list[Document | SetAside | Member] | None:
        """Return its next message; raise `_ReaderDied` if none comes in time."""
        try:
            data = self._connection.recv_bytes(8 * self.limits.text_chars + _SPARE_BYTES)
        except BlockingIOError as error:
            raise _ReaderDied(
                f"reading took longer than {self.limits.wall_seconds} s; it is very large, or"
                " made to be slow (split it, or raise the limit)",
                may_be_tired=False,
            ) from error
        except (EOFError, ConnectionError) as error:
            raise self._ended() from error
        except OSError as error:
            raise _ReaderDied("the reading process sent more than its limits allow") from error
        try:
            # strict: nothing is taken for what it isn't.
            return _form().validate_json(data, strict=True)
        except ValueError as error:
            raise _misunderstood() from error

    def stop(self) -> None:
        """End it at once."""
        self._connection.close()
        with self._process:
            self._process.kill()

    def _ended(self) -> _ReaderDied:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return _ReaderDied("the reading process closed its connection")
        if status == -signal.SIGXCPU:
            return _ReaderDied(
                f"reading took more than {self.limits.cpu_seconds} s of processor time; it is very"
                " large, or made to be slow (split it, or raise the limit)",
                may_be_tired=False,
            )
        memory = f"{self.limits.memory_bytes >> 20} MB of memory"
        if status == OUT_OF_MEMORY:
            return _ReaderDied(f"reading needs more than {memory} (split it, or raise the limit)")
        cause = f"exit status {status}"
        with suppress(ValueError):
            cause = signal.Signals(-status).name
        return _ReaderDied(
            f"the reading process crashed ({cause}): the file is damaged, or needs more than"
            f" {memory}"
        )
