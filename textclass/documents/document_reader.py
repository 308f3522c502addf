"""`DocumentReader`: files in, documents and set-asides out, whatever the files are."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Timer
from typing import Annotated

import orjson
from pydantic import Field, TypeAdapter

from textclass.documents.document import (
    OUT_OF_MEMORY,
    Document,
    Fault,
    Found,
    Limits,
    Member,
    Part,
    Row,
    Rows,
    Said,
    SetAside,
    Source,
    TableOptions,
)
from textclass.documents.folders import leaves, open_file, visible
from textclass.documents.plain_text import plain
from textclass.errors import DocumentError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ERROR_CHARS = 500
_UNREAD_PARTS = 100
_STAGES = ("detect", "open", "read", "text")
_START_SECONDS = 60
_SPARE_BYTES = 64 << 20  # What a message may hold beside the text of one document.
_SIGNALS = {number.value: number.name for number in signal.Signals}
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHOME")
_MESSAGE: TypeAdapter[Part | Said] = TypeAdapter(
    Annotated[Member | Found | Fault | Rows | Said, Field(discriminator="kind")]
)


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
        place = _Place(source)
        try:
            place.sha256 = self._checked(source)
        except DocumentError as error:
            yield place.set_aside("open", str(error))
            return
        except OSError as error:
            yield place.set_aside("open", f"it can't be opened: {error.strerror or error}")
            return
        self._reading = True
        try:
            yield from self._exchange(place)
        except BaseException:
            self.close()  # half an answer may still be in the pipe
            raise
        finally:
            self._reading = False

    def _checked(self, source: Source) -> str:
        """Return the hash of a file that may be read."""
        if source.root is not None and leaves(source.path, source.root):
            raise DocumentError(
                "it is a link that leads out of its folder, so it isn't followed",
                hint="name the file itself, if you mean it",
            )
        with open_file(source.path) as stream:
            if os.fstat(stream.fileno()).st_size > self.limits.file_bytes:
                raise DocumentError(
                    f"it is larger than {self.limits.file_bytes / 1e6:,.0f} MB", hint="split it"
                )
            return source.sha256 or hashlib.file_digest(stream, "sha256").hexdigest()

    def _exchange(self, place: _Place) -> Iterator[Document | SetAside]:
        """Read one file, with a new child for each that dies on a member of an archive."""
        deaths = 0
        while True:
            process = self._process = self._process or _ReadingProcess(self.limits, self.options)
            try:
                process.ask(place.source.path, place.start, place.avoid)
                yield from self._answers(process, place)
                return
            except _ReaderDied as death:
                self.close()
                # What a file ends as must not depend on what was read before it.
                if death.may_be_tired and process.answers and not place.given:
                    place.again()
                    continue
                told = f"after {place.given:,} rows {death}" if place.given else str(death)
            place.given_in_all += 1
            yield place.set_aside("read", told)
            deaths += 1
            if place.member is None:
                return
            place.avoid.append(place.start - 1)
            place.member = None
            if deaths >= self.limits.deaths:
                told = f"{deaths} members ended the reading; those after them weren't read"
                yield place.set_aside("read", told)
                return

    def _answers(self, process: _ReadingProcess, place: _Place) -> Iterator[Document | SetAside]:
        while True:
            data = process.answer()
            try:
                # strict: nothing is taken for what it isn't.
                message = _MESSAGE.validate_json(data, strict=True)
                if (
                    isinstance(message, Rows)
                    and b"\\u0000" in data
                    and plain(facts := orjson.loads(data)) != facts
                ):
                    raise ValueError("characters that can't be stored")
                if isinstance(message, Said):
                    if place.given_in_all:
                        return
                    raise ValueError("it says nothing of a file")
                if isinstance(message, Member):
                    place.go_to(message, self.limits)
                    continue
                found = place.found(message, self.limits)
            except ValueError as error:
                raise _ReaderDied("the reading process sent what can't be understood") from error
            process.answers += 1
            yield from found


@dataclass
class _Place:
    """Where the reading of a file stands; names its documents, so that the child can't."""

    source: Source
    sha256: str | None = None
    member: str | None = None
    start: int = 0  # The first member that may still come.
    avoid: list[int] = field(default_factory=list)  # Members that ended the reading.
    given: int = 0  # Rows of this member or file.
    given_in_all: int = 0  # Members that ended the reading count too.

    @cached_property
    def path(self) -> str:
        return visible(str(self.source.path))

    def go_to(self, member: Member, limits: Limits) -> None:
        if not self.start <= member.index < limits.members:
            raise ValueError("members must come in order")
        self.start, self.given = member.index + 1, 0
        self.member = visible(member.name)

    def again(self) -> None:
        """Go back to before the member that is being read."""
        if self.member is not None:
            self.start, self.member = self.start - 1, None

    def found(self, part: Found | Fault | Rows, limits: Limits) -> list[Document | SetAside]:
        parts = part.rows if isinstance(part, Rows) else [part]
        self.given += len(parts)
        self.given_in_all += len(parts)
        if self.given > limits.rows + 1:
            raise ValueError("more rows than the limit allows")
        media_type = part.media_type if isinstance(part, Rows | Found) else ""
        return [
            self._fault(one) if isinstance(one, Fault) else self._document(one, media_type, limits)
            for one in parts
        ]

    def _fault(self, fault: Fault) -> SetAside:
        error = visible(" ".join(fault.error.split()))
        stage = fault.stage if fault.stage in _STAGES else "read"
        return self.set_aside(stage, _short(error), fault.row and visible(fault.row))

    def _document(self, part: Found | Row, media_type: str, limits: Limits) -> Document:
        text = part.text
        if not text.strip() or len(text) > limits.text_chars or "\0" in text:
            raise ValueError("a text that is empty, too long, or unsafe")
        folder = self.source.folder
        unread = tuple(_short(visible(one)) for one in part.unread[:_UNREAD_PARTS])
        if isinstance(part, Row):
            key, sha256 = self.id(visible(part.row)), hashlib.sha256(text.encode()).hexdigest()
            columns = part.columns
            return Document(
                key, self.path, text, media_type, sha256, (), columns, None, folder, unread
            )
        _check_offsets(part)
        sha256 = part.sha256 or self.sha256 or ""
        if not _SHA256.fullmatch(sha256):
            raise ValueError("a wrong hash")
        return Document(
            self.id(None),
            self.path,
            text,
            media_type,
            sha256,
            part.page_starts,
            date=part.date,
            folder=folder,
            unread=unread,
            boilerplate=part.boilerplate,
        )

    def id(self, row: str | None) -> str:
        member = "" if self.member is None else f"!{self.member}"
        return f"{self.source.id}{member}" + ("" if row is None else f"#{row}")

    def set_aside(self, stage: str, error: str, row: str | None = None) -> SetAside:
        return SetAside(self.id(row), self.path, self.sha256, stage, error)


def _short(text: str) -> str:
    return text if len(text) <= _ERROR_CHARS else text[: _ERROR_CHARS - 1] + "…"


def _refuse_unsafe(data: bytes) -> None:
    facts = orjson.loads(data)
    if plain(facts) != facts:
        raise ValueError("characters that can't be stored")


def _check_offsets(part: Found) -> None:
    """Raise if pages or boilerplate don't lie one after another within the text."""
    for places in (part.page_starts, [place for span in part.boilerplate for place in span]):
        within = [0, *places, len(part.text)]
        if within != sorted(within):
            raise ValueError("places that don't lie in the text")


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


class _ReadingProcess:
    """One child process; not to be used again once `_ReaderDied` was raised."""

    def __init__(self, limits: Limits, options: TableOptions) -> None:
        self.limits = limits
        self.answers = 0
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        # The child finds this package wherever the parent found it.
        places = [str(Path(__file__).parents[2]), *map(os.path.abspath, sys.path)]
        environment |= {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "textclass.documents.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            # Ctrl-C on the terminal is the parent's business.
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        self._requests = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._messages = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        try:
            self._send({"limits": asdict(limits), "options": asdict(options)})
            self.answer(_START_SECONDS)
        except _ReaderDied as error:
            self.stop()
            raise DocumentError(
                "the reading process doesn't start",
                hint="to see why, run: python -m textclass.documents.child < /dev/null",
            ) from error

    def ask(self, path: Path, start: int, avoid: list[int]) -> None:
        """Let it read `path`; of an archive, the members from `start` on without some."""
        self._send({"path": os.fsencode(path).hex(), "start": start, "avoid": avoid})

    def answer(self, seconds: int | None = None) -> bytes:
        """Return its next message; raise `_ReaderDied` if none comes in time.

        That is the wall time of the limits, unless `seconds` says another.
        """
        late = Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = Timer(seconds or self.limits.wall_seconds, end)
        timer.start()
        try:
            return self._messages.recv_bytes(8 * self.limits.text_chars + _SPARE_BYTES)
        except EOFError as error:
            timer.cancel()
            if late.is_set():
                raise _ReaderDied(
                    f"reading took longer than {self.limits.wall_seconds} s; it is very large, or"
                    " made to be slow (split it, or raise the limit)",
                    may_be_tired=False,
                ) from error
            raise self._ended() from error
        except OSError as error:
            raise _ReaderDied("the reading process sent more than its limits allow") from error
        finally:
            timer.cancel()

    def stop(self) -> None:
        """End it at once."""
        self._requests.close()
        self._messages.close()
        with self._process:
            self._process.kill()

    def _send(self, request: dict[str, object]) -> None:
        try:
            self._requests.send_bytes(orjson.dumps(request))
        except OSError as error:
            raise self._ended() from error

    def _ended(self) -> _ReaderDied:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return _ReaderDied("the reading process closed its pipe")
        if status == -signal.SIGXCPU:
            return _ReaderDied(
                f"reading took more than {self.limits.cpu_seconds} s of processor time; it is very"
                " large, or made to be slow (split it, or raise the limit)",
                may_be_tired=False,
            )
        if status == OUT_OF_MEMORY:
            return _ReaderDied(
                f"reading needs more than {self.limits.memory_bytes >> 20} MB of memory"
                " (split it, or raise the limit)"
            )
        cause = _SIGNALS.get(-status, f"exit status {status}")
        return _ReaderDied(
            f"the reading process crashed ({cause}): the file is damaged, or needs more than"
            f" {self.limits.memory_bytes >> 20} MB of memory"
        )
