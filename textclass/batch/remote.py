"""Inputs at any address that fsspec knows: `s3://`, `gs://`, `https://`, `file://` and others."""

from __future__ import annotations

import glob
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclass.batch.data import Input
from textclass.documents import Source
from textclass.errors import BatchError, missing_extra

_CHUNK = 1 << 20


def is_remote(path: str) -> bool:
    """Whether `path` is an address and not a path."""
    return "://" in path


def find_remote(url: str, *, full_ids: bool = False) -> Iterator[Input]:
    """Yield the files at an address: one file, a folder with all below it, or a glob.

    Parameters
    ----------
    url : str
    full_ids : bool, keyword-only
        Name inputs by their whole address, where several addresses are given.

    Raises
    ------
    BatchError
        If nothing is there, or the store can't be asked.
    """
    try:
        store, path = _store(url)
        if glob.has_magic(path):
            names, base = store.glob(path), path.split("*")[0].rpartition("/")[0]
        elif store.isdir(path):
            names, base = store.find(path), path
        else:
            names, base = [path] if store.exists(path) else [], posixpath.dirname(path)
        names = [name for name in sorted(names) if not store.isdir(name)]
    except BatchError:
        raise
    except Exception as error:
        raise BatchError(f"the store doesn't answer: {error}", where=url) from error
    if not names:
        raise BatchError("no file is there", where=url)
    for name in names:
        address = store.unstrip_protocol(name)
        short = address if full_ids else name.removeprefix(base.rstrip("/") + "/")
        yield Input(Source(Path(name), _visible(short)), _version(store, name), address)


def fetch(url: str, target: Path, limit: int) -> str | None:
    """Copy the file at `url` to `target`; return why it can't be, if so."""
    try:
        store, path = _store(url)
        with store.open(path, "rb") as stream, target.open("wb") as copy:
            while chunk := stream.read(_CHUNK):
                if copy.tell() + len(chunk) > limit:
                    return f"it is larger than {limit / 1e6:,.0f} MB (split it)"
                copy.write(chunk)
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        return f"it can't be fetched: {fault}"
    return None


def _store(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra("fsspec", "dask") from error
    try:
        store, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise BatchError(f"no such kind of address: {error}", where=url) from error
    return store, str(path)


def _version(store: Any, name: str) -> str:  # noqa: ANN401 - fsspec's classes carry no types
    try:
        return f"remote-{store.ukey(name)}"
    except Exception:  # noqa: BLE001 - a store that can't tell is asked anew in each run
        return ""


def _visible(name: str) -> str:
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in name)
