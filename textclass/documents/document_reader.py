"""`DocumentReader`: files in, documents and set-asides out, whatever the files are."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import orjson

from textclass.documents.document import Document, Limits, Member, SetAside, Source
from textclass.documents.folders import leaves, open_file, visible
from textclass.documents.plain_text import plain
from textclass.documents.reading_process import ReaderDied, ReadingProcess, misunderstood
from textclass.errors import DocumentError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ERROR_CHARS = 500
_UNREAD_PARTS = 100
_STAGES = ("detect", "open", "read", "text")


class DocumentReader:
    """Reads files in one child process, which is replaced when a file kills it.

    Parameters
    ----------
    limits : Limits, optional
        What reading one file may cost.
    text_column, id_column : str, optional
        The columns of tables that hold the text and the row's name; by default those called `text`
        and `id`, and rows are numbered from 1 if there is no `id`. Case counts only between two.
    keep_boilerplate : bool, optional
        Read the advertising, navigation and the like of web pages too, and mark none as such.

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
        keep_boilerplate: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self.options = {
            "text_column": text_column,
            "id_column": id_column,
            "keep_boilerplate": keep_boilerplate,
        }
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
            process = self._process = self._process or ReadingProcess(self.limits, self.options)
            try:
                path = os.fsencode(file.source.path).hex()
                process.send((path, file.start, file.avoid))
                while (parts := process.answer()) is not None:
                    found = file.found(parts)
                    process.used |= bool(found)
                    yield from found
                if not (file.start or file.given):
                    raise misunderstood()
                return
            except ReaderDied as death:
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
            raise misunderstood() from error

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
