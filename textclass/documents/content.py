"""The bytes of a file, a gzip or an archive member, each read with an eye on its size."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from textclass.documents.document import Limits
from textclass.errors import DocumentError

_HEAD = 256 << 10
_CHUNK = 1 << 20
_RATIO_FROM = 16 << 20


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
        How many bytes it has, as far as that is known: of a packed content, of its packed form.
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


def from_gzip(packed: Content, limits: Limits) -> Content:
    """Return what a gzip holds."""
    name = packed.name.removesuffix(".gz")
    return _inflated(name, lambda: gzip.GzipFile(fileobj=packed.open()), packed.size, limits)


def from_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> Content:
    """Return what a member of an archive holds."""
    return _inflated(info.filename, lambda: archive.open(info), info.compress_size, limits)


def _inflated(
    name: str, opened: Callable[[], IO[bytes] | gzip.GzipFile], packed: int, limits: Limits
) -> Content:
    def inflate() -> IO[bytes]:
        with _damage_told():
            return io.BufferedReader(_Counted(opened(), packed, limits))

    return Content(name, inflate, packed)


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
