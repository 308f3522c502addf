"""`DocumentReader`: files in, documents and set-asides out, whatever the files are."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from textclass.documents.data import Document, Limits, SetAside, Source, TableOptions
from textclass.documents.inputs import leaves, open_file
from textclass.documents.names import visible
from textclass.documents.process import ReaderDied, ReadingProcess
from textclass.documents.wire import Fault, Found, Member, Part
from textclass.errors import DocumentError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ERROR_CHARS = 500
_STAGES = ("detect", "open", "read", "text")
# strict: nothing is taken for what it isn't.
_FORMS: dict[str, Callable[..., Any]] = {
    form.__name__.lower(): checked(form, frozen=True, config=ConfigDict(strict=True))
    for form in (Member, Found, Fault)
}


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
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _exchange(self, place: _Place) -> Iterator[Document | SetAside]:
        """Read one file, with a new child for each that dies on a member of an archive."""
        deaths = 0
        while True:
            process = self._process = self._process or ReadingProcess(self.limits, self.options)
            try:
                process.ask(place.source.path, place.skip)
                yield from self._answers(process, place)
                return
            except ReaderDied as death:
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
            place.member = None
            if deaths >= self.limits.deaths:
                told = f"{deaths} members ended the reading; those after them weren't read"
                yield place.set_aside("read", told)
                return

    def _answers(self, process: ReadingProcess, place: _Place) -> Iterator[Document | SetAside]:
        while True:
            header, body = process.answer()
            if header.get("kind") == "done" and place.given_in_all:
                return
            try:
                form = _FORMS[str(header["kind"])]
                part: Part = form(**header | {"text": body.decode()})
                if isinstance(part, Member):
                    place.go_to(part, self.limits)
                    continue
                found = place.found(part, self.limits)
            except (KeyError, TypeError, ValueError) as error:
                raise ReaderDied("the reading process sent what can't be understood") from error
            process.answers += 1
            yield found


@dataclass
class _Place:
    """Where the reading of a file stands; names its documents, so that the child can't."""

    source: Source
    sha256: str | None = None
    member: str | None = None
    skip: int = 0  # The first member that may still come.
    given: int = 0  # Rows of this member or file.
    given_in_all: int = 0  # Members that ended the reading count too.

    def go_to(self, member: Member, limits: Limits) -> None:
        if not self.skip <= member.index < limits.members:
            raise ValueError("members must come in order")
        self.skip, self.given = member.index + 1, 0
        self.member = visible(member.name)

    def again(self) -> None:
        """Go back to before the member that is being read."""
        if self.member is not None:
            self.skip, self.member = self.skip - 1, None

    def found(self, part: Found | Fault, limits: Limits) -> Document | SetAside:
        row = None if part.row is None else visible(part.row)
        self.given += 1
        self.given_in_all += 1
        if self.given > limits.rows + 1:
            raise ValueError("more rows than the limit allows")
        if isinstance(part, Fault):
            error = visible(" ".join(part.error.split()))
            if len(error) > _ERROR_CHARS:
                error = error[: _ERROR_CHARS - 1] + "…"
            return self.set_aside(part.stage if part.stage in _STAGES else "read", error, row)
        text, starts = part.text, list(part.page_starts)
        if not text.strip() or len(text) > limits.text_chars or "\0" in text:
            raise ValueError("a text that is empty, too long, or unsafe")
        sha256 = part.sha256 if row is None else hashlib.sha256(text.encode()).hexdigest()
        within = [0, *starts, len(text)]
        if within != sorted(within) or not _SHA256.fullmatch(sha256):
            raise ValueError("a wrong hash or page start")
        return Document(
            id=self.id(row),
            path=visible(str(self.source.path)),
            text=text,
            media_type=part.media_type,
            sha256=sha256,
            page_starts=tuple(starts),
            columns=part.columns,
            date=part.date,
            folder=self.source.folder,
        )

    def id(self, row: str | None) -> str:
        member = "" if self.member is None else f"!{self.member}"
        return f"{self.source.id}{member}" + ("" if row is None else f"#{row}")

    def set_aside(self, stage: str, error: str, row: str | None = None) -> SetAside:
        return SetAside(self.id(row), visible(str(self.source.path)), self.sha256, stage, error)
