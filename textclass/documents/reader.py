"""`DocumentReader`: files in, documents and set-asides out, whatever the files are."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from textclass.documents.data import Document, Limits, SetAside, Source
from textclass.documents.inputs import leaves
from textclass.documents.names import visible
from textclass.documents.process import Frame, ReaderDied, ReadingProcess
from textclass.documents.registry import TableOptions
from textclass.errors import DocumentError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ERROR_CHARS = 500
_STAGES = ("detect", "open", "read", "text")


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
        self._process: ReadingProcess | None = None
        self._reading = False

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
        try:
            sha256 = self._checked(source)
        except (DocumentError, OSError) as error:
            yield SetAside(source.id, visible(str(source.path)), None, "open", _open_fault(error))
            return
        self._reading = True
        try:
            yield from self._exchange(_Place(source, sha256))
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
        # Without O_NONBLOCK opening a pipe would wait for someone to write to it.
        descriptor = os.open(source.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - of a descriptor
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise DocumentError("it isn't a regular file")
            if status.st_size > self.limits.file_bytes:
                raise DocumentError(
                    f"it is larger than {self.limits.file_bytes / 1e6:,.0f} MB", hint="split it"
                )
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _exchange(self, place: _Place) -> Iterator[Document | SetAside]:
        """Read one file, with a new child for each that dies on a member of an archive."""
        deaths = 0
        while True:
            self._process = self._process or ReadingProcess(self.limits, self.options)
            process = self._process
            try:
                process.ask(place.source.path, place.skip)
                yield from self._answers(process, place)
            except ReaderDied as death:
                self.close()
                # What a file ends as must not depend on what was read before it.
                if death.may_be_tired and process.answers and not place.given:
                    place.again()
                    continue
                deaths += 1
                yield place.set_aside("read", place.told(str(death)))
                if place.member is None:
                    return
                place.member = None
                if deaths >= self.limits.deaths:
                    yield place.set_aside(
                        "read", f"{deaths} members ended the reading; those after them weren't read"
                    )
                    return
            else:
                return

    def _answers(self, process: ReadingProcess, place: _Place) -> Iterator[Document | SetAside]:
        while True:
            frame = process.answer()
            header, _ = frame
            kind = header.get("kind")
            if kind == "done" and place.answered:
                return
            try:
                if kind == "member":
                    place.go_to(header, self.limits)
                    continue
                found = place.found(frame, self.limits)
            except (KeyError, TypeError, ValueError) as error:
                raise ReaderDied("the reading process sent what can't be understood") from error
            process.answers += 1
            yield found


@dataclass
class _Place:
    """Where the reading of a file stands; names its documents, so that the child can't."""

    source: Source
    sha256: str
    member: str | None = None
    index: int = 0
    skip: int = 0
    """The first member that may still come."""
    given: int = 0
    """Rows of this member or file."""
    answered: bool = False

    def go_to(self, header: dict[str, object], limits: Limits) -> None:
        index, name = header["index"], header["name"]
        if not isinstance(index, int) or not self.skip <= index < limits.members:
            raise ValueError("members must come in order")
        self.index, self.skip = index, index + 1
        self.member, self.given = visible(_string(name)), 0

    def again(self) -> None:
        """Go back to before the member that is being read."""
        if self.member is not None:
            self.skip, self.member = self.index, None

    def found(self, frame: Frame, limits: Limits) -> Document | SetAside:
        header, body = frame
        row = None if header["row"] is None else visible(_string(header["row"]))
        self.given += 1
        self.answered = True
        if self.given > limits.rows + 1:
            raise ValueError("more rows than the limit allows")
        if header["kind"] == "fault":
            stage = _string(header["stage"])
            error = _one_line(_string(header["error"]))
            return self.set_aside(stage if stage in _STAGES else "read", error, row)
        if header["kind"] != "found":
            raise ValueError("unknown kind of frame")
        text = body.decode()
        if not text.strip() or len(text) > limits.text_chars or "\0" in text:
            raise ValueError("a text that is empty, too long, or unsafe")
        return self._document(header, text, row)

    def _document(self, header: dict[str, object], text: str, row: str | None) -> Document:
        sha256 = (
            hashlib.sha256(text.encode()).hexdigest()
            if row is not None
            else _string(header["sha256"])
        )
        columns, starts = header["columns"], header["page_starts"]
        if not isinstance(columns, dict) or not isinstance(starts, list):
            raise TypeError("columns and page starts have the wrong form")
        if not all(type(start) is int for start in starts) or not _SHA256.fullmatch(sha256):
            raise ValueError("a wrong hash or page start")
        if starts != sorted(starts) or (starts and not 0 <= starts[0] <= starts[-1] <= len(text)):
            raise ValueError("page starts that can't be")
        return Document(
            id=self.id(row),
            path=visible(str(self.source.path)),
            text=text,
            media_type=_string(header["media_type"]),
            sha256=sha256,
            page_starts=tuple(starts),
            columns=columns,
            date=None if header["date"] is None else _string(header["date"]),
            folder=self.source.folder,
        )

    def id(self, row: str | None = None) -> str:
        member = "" if self.member is None else f"!{self.member}"
        return f"{self.source.id}{member}" + ("" if row is None else f"#{row}")

    def set_aside(self, stage: str, error: str, row: str | None = None) -> SetAside:
        return SetAside(self.id(row), visible(str(self.source.path)), self.sha256, stage, error)

    def told(self, error: str) -> str:
        return f"after {self.given:,} rows {error}" if self.given else error


def _one_line(text: str) -> str:
    line = visible(" ".join(text.split()))
    return line if len(line) <= _ERROR_CHARS else line[: _ERROR_CHARS - 1] + "…"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a string was expected")
    return value


def _open_fault(error: DocumentError | OSError) -> str:
    if isinstance(error, OSError):
        return f"it can't be opened: {error.strerror or error}"
    return str(error)
