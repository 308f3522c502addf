"""The bytes of a file, a gzip or a member of an archive, each read with an eye on its size.

Also what a reader makes of them: a text or a table.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self

from textclass.documents.document import Limits
from textclass.errors import DocumentError

_HEAD = 256 << 10
_CHUNK = 1 << 20
_RATIO_FROM = 16 << 20
_SHOWN = 20

Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Content:
    """Bytes that can be opened again and again.

    Parameters
    ----------
    name : str
        Its name: a hint for formats that the bytes alone don't tell.
    open : callable
        Returns a new binary stream from the start.
    size : int
        How many bytes it has; of a gzip's content, how many the gzip has.
    path : Path, optional
        Where it lies, if that stream is a plain file, so that it can be searched.
    """

    name: str
    open: Callable[[], IO[bytes]]
    size: int
    path: Path | None = None

    @classmethod
    def of_file(cls, path: Path) -> Content:
        """Return what a file holds."""
        return cls(path.name, lambda: path.open("rb"), path.stat().st_size, path)

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> Content:
        """Return bytes that are in memory already."""
        return cls(name, lambda: io.BytesIO(data), len(data))

    @cached_property
    def head(self) -> bytes:
        """The first 256 kB."""
        with self.open() as stream:
            return stream.read(_HEAD)

    def whole(self, limit: int) -> bytes:
        """Return all bytes; more than `limit` are refused."""
        data = io.BytesIO()
        with self.open() as stream:
            # Asked for all at once, a stream would take `limit` bytes of memory for any file.
            while chunk := stream.read(_CHUNK):
                data.write(chunk)
                if data.tell() > limit:
                    raise DocumentError(f"it is larger than {limit / 1e6:,.0f} MB", hint="split it")
        return data.getvalue()

    def searchable(self, limit: int) -> IO[bytes]:
        """Return a stream that can seek; what isn't on disk is held in memory up to `limit`."""
        return self.open() if self.path else io.BytesIO(self.whole(limit))


@dataclass(frozen=True)
class Reading:
    """What a reader made of a document; as in `Document`, with what is attached to it."""

    text: str
    page_starts: tuple[int, ...] = ()
    date: str | None = None
    unread: tuple[str, ...] = ()
    attachments: Sequence[Content] = ()


@dataclass(frozen=True)
class Table:
    """A table, or one sheet of a workbook.

    Parameters
    ----------
    names : sequence of str
        Its columns; of JSON lines, the keys of the first records.
    rows : iterator of (int, mapping or str)
        Each row's number in the file with its cells, or with what is wrong with it.
    unit : str
        What the numbers count: `line` or `row`.
    sheet : str, optional
    beside : sequence of (int, str), optional
        What isn't in its cells, in the order of the rows where it stands.
    """

    names: Sequence[str]
    rows: Iterator[tuple[int, Cells | str]]
    unit: str = "row"
    sheet: str = ""
    beside: Sequence[tuple[int, str]] = ()

    def column(self, usual: str, wanted: str | None = None) -> str | None:
        """Return the column `wanted`, else the one called as usual, in whatever case, if any."""
        name = wanted or usual
        alike = [one for one in self.names if one.casefold() == name.casefold()]
        found = name if name in alike else next(iter(alike), None)
        if found and f"{found} (2)" in self.names:
            raise DocumentError(f"two of its columns are called {found!r}", hint="rename one")
        if not found and (wanted or usual == "text"):
            more = ", …" if len(self.names) > _SHOWN else ""
            shown = (", ".join(filter(None, self.names[:_SHOWN])) + more) or "none"
            raise DocumentError(
                f"there is no column {name!r}; its columns are: {shown}",
                hint=f"name the right one with --{usual}-column",
            )
        return found


def from_gzip(packed: Content, limits: Limits) -> Content:
    """Return what a gzip holds."""
    name = packed.name.removesuffix(".gz")
    size = packed.size
    return _inflated(name, lambda: gzip.GzipFile(fileobj=packed.open()), size, size, limits)


def from_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> Content:
    """Return what a member of an archive holds."""
    packed, size = info.compress_size, info.file_size
    return _inflated(info.orig_filename, lambda: archive.open(info), packed, size, limits)


def zip_members(content: Content, limits: Limits) -> Iterator[tuple[str, Content | str]]:
    """Yield the members of a zip, or what is wrong with one."""
    with content.searchable(limits.document_bytes) as stream, zipfile.ZipFile(stream) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        refuse_more(len(infos), limits)
        packed = sum(info.compress_size for info in infos)
        refuse_bomb(sum(info.file_size for info in infos), packed, limits)
        for info in infos:
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            member = "it is a link, not a file" if is_link else from_member(archive, info, limits)
            yield info.orig_filename, member


def tar_members(content: Content, limits: Limits) -> Iterator[tuple[str, Content | str]]:
    """Yield the members of a tar, or what is wrong with one."""
    most = limits.document_bytes
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


def refuse_more(members: int, limits: Limits) -> None:
    """Raise if an archive has more members than it may have."""
    if members > limits.members:
        raise DocumentError(f"it has more than {limits.members:,} members", hint="split it")


def _inflated(
    name: str,
    opened: Callable[[], IO[bytes] | gzip.GzipFile],
    packed: int,
    size: int,
    limits: Limits,
) -> Content:
    def inflate() -> IO[bytes]:
        with _damage_told():
            return io.BufferedReader(_Counted(opened(), packed, limits))

    return Content(name, inflate, size)


def refuse_bomb(inflated: int, packed: int, limits: Limits) -> None:
    """Raise if something inflates to more than any honest file does."""
    if inflated > limits.inflated_bytes:
        raise DocumentError(f"it inflates to more than {limits.inflated_bytes / 1e6:,.0f} MB")
    if inflated > _RATIO_FROM and inflated > packed * limits.ratio:
        raise DocumentError(
            f"it inflates to more than {limits.ratio} times its size, like a zip bomb"
        )


class _Counted(io.RawIOBase):
    """An inflating stream that stops at the limits, whatever sizes the archive claims."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, packed: int, limits: Limits) -> None:
        self._stream = stream
        self._packed = packed
        self._limits = limits
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer, as io.RawIOBase has it
        with _damage_told():
            data = self._stream.read(len(buffer))
        self._read += len(data)
        refuse_bomb(self._read, self._packed, self._limits)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        packed = getattr(self._stream, "fileobj", None)  # which a GzipFile leaves open
        self._stream.close()
        if packed is not None:
            packed.close()
        super().close()


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise DocumentError(
            "its packed data is damaged or cut short", hint="fetch the file again"
        ) from error
    except (NotImplementedError, RuntimeError) as error:
        # zipfile's errors for a password and for a packing method it doesn't know.
        raise DocumentError(
            "it is packed with a password, or in a way that isn't known", hint="pack it plainly"
        ) from error
