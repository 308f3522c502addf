"""One file → its texts and faults, in the child process."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from textclass.documents import registry
from textclass.documents.content import Content, from_file, from_gzip, from_member, refuse_bomb
from textclass.documents.data import Limits
from textclass.documents.detect import detect
from textclass.documents.names import name_fault
from textclass.errors import DocumentError, TextclassError


@dataclass(frozen=True)
class Member:
    """What follows is about this member of an archive."""

    index: int
    name: str


@dataclass(frozen=True)
class Found:
    """A text."""

    text: str
    media_type: str
    sha256: str | None = None
    row: str | None = None
    page_starts: tuple[int, ...] = ()
    columns: dict[str, object] = field(default_factory=dict)
    date: str | None = None


@dataclass(frozen=True)
class Fault:
    """Why something can't be read."""

    stage: str
    error: str
    row: str | None = None


_Part = Member | Found | Fault


@dataclass(frozen=True)
class _Task:
    limits: Limits
    options: registry.TableOptions
    skip: int


def read_file(
    path: Path, limits: Limits, options: registry.TableOptions, *, skip: int = 0
) -> Iterator[_Part]:
    """Yield what a file holds; of an archive, not the first `skip` members."""
    task = _Task(limits, options, skip)
    content = from_file(path)
    kind = _kind(content, limits)
    if kind == registry.GZIP:
        content = from_gzip(content, path.stat().st_size, limits)
        kind = _kind(content, limits)
    elif kind == registry.ZIP:
        yield from _faults_told(_members(content, task))
        return
    yield from _faults_told(_one(content, kind, task))


def _kind(content: Content, limits: Limits) -> str | Fault:
    try:
        return detect(content, limits)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - hostile bytes may raise anything
        return Fault("detect", _told(error))


def _faults_told(parts: Iterator[_Part]) -> Iterator[_Part]:
    try:
        yield from parts
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a parser may raise anything on hostile bytes
        yield Fault("read", _told(error))


def _one(content: Content, kind: str | Fault, task: _Task) -> Iterator[_Part]:
    """Yield the texts of a content that isn't an archive."""
    if isinstance(kind, Fault):
        yield kind
    elif kind in {registry.GZIP, registry.ZIP}:
        yield Fault("detect", "it is an archive inside an archive (unpack the outer one)")
    elif table := registry.table(kind):
        yield from _rows(table, content, kind, task)
    else:
        yield _document(content, kind, task.limits)


def _document(content: Content, kind: str, limits: Limits) -> Found | Fault:
    reader = registry.whole(kind)
    if reader is None:
        raise DocumentError(f"files of type {kind} aren't read")
    data = content.whole(limits.document_bytes)
    got = reader(data, limits)
    if len(got.text) > limits.text_chars:
        raise DocumentError(f"its text is longer than {limits.text_chars:,} characters")
    if not got.text.strip():
        return Fault(
            "text", f"no text was found in it, though it holds {len(data):,} bytes ({kind})"
        )
    digest = hashlib.sha256(data).hexdigest()
    return Found(got.text, kind, digest, page_starts=got.page_starts, date=got.date)


def _rows(table: registry.ReadTable, content: Content, kind: str, task: _Task) -> Iterator[_Part]:
    count = 0
    for count, row in enumerate(table(content, task.limits, task.options), 1):
        if count > task.limits.rows:
            raise DocumentError(f"it has more than {task.limits.rows:,} rows", hint="split it")
        if isinstance(row, registry.BadRow):
            yield Fault(row.stage, row.error, row.key)
        else:
            yield Found(row.text, kind, row=row.key, columns=row.columns)
    if not count:
        yield Fault("text", "the table has no rows")


def _members(content: Content, task: _Task) -> Iterator[_Part]:
    archive = zipfile.ZipFile(content.open())
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > task.limits.members:
        raise DocumentError(
            f"it has {len(infos):,} members, more than {task.limits.members:,}", hint="split it"
        )
    inflated = sum(info.file_size for info in infos)
    refuse_bomb(inflated, sum(info.compress_size for info in infos), task.limits)
    with archive:
        seen: set[str] = set()
        for index, info in enumerate(infos):
            name = info.orig_filename
            # macOS puts a shadow of each file there; none holds text.
            if index >= task.skip and not name.startswith("__MACOSX/"):
                yield Member(index, name)
                yield from _member(archive, info, task, taken=name in seen)
            seen.add(name)
        if not any(not name.startswith("__MACOSX/") for name in seen):
            yield Fault("text", "the archive holds no files")


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, task: _Task, *, taken: bool
) -> Iterator[_Part]:
    fault = name_fault(info.orig_filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        fault = "it is a link, not a file"
    elif taken:
        fault = "another member has the same name"
    if fault:
        yield Fault("open", fault)
        return
    content = from_member(archive, info, task.limits)
    yield from _faults_told(_one(content, _kind(content, task.limits), task))


def _told(error: Exception) -> str:
    """Return what happened, in words where the library's own say little."""
    if isinstance(error, TextclassError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, zipfile.BadZipFile):
        return f"its zip container is damaged or cut short: {error} (fetch the file again)"
    return f"it can't be read, it may be damaged: {type(error).__name__}: {error}"
