"""What a run is asked to tag, found and read: paths, standard input, and addresses.

Addresses are those that fsspec knows: `s3://`, `gs://`, `https://`, `file://` and others.
"""

from __future__ import annotations

import glob
import hashlib
import os
import posixpath
import re
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from textclass.batch.jobs import Cut, Input
from textclass.documents import (
    Document,
    DocumentReader,
    SetAside,
    Source,
    find_inputs,
    is_junk,
    is_own_output,
    open_file,
    visible,
)
from textclass.errors import BatchError, DocumentError, missing_extra

MOST_DOCUMENTS = 256
MOST_CHARS = 1_000_000
"""No cut is larger, so that memory doesn't grow with the input."""


def list_inputs(
    paths: Sequence[str],
    *,
    own: Iterable[Path],
    left_out: Counter[str],
    stdin: Path | None = None,
) -> Iterator[Input]:
    """Yield the inputs of a run in their order, which never changes.

    Parameters
    ----------
    paths : sequence of str
        Files, folders, globs and fsspec addresses.
    own : iterable of Path, keyword-only
        Files that the run itself writes; they are left out of folders.
    left_out : Counter, keyword-only
        Counts what else is passed over, such as results of earlier runs, by its kind.
    stdin : Path, keyword-only, optional
        Where standard input was put.

    Raises
    ------
    BatchError
        If an input is named that the run would write over, or a store doesn't answer.
    DocumentError
        If a path doesn't exist.
    """
    local = [path for path in paths if "://" not in path]
    written = {path.resolve() for path in own}
    for path in local:
        if Path(os.path.realpath(path)) in written:
            raise BatchError(
                "it is both an input and an output", where=path, hint="give another -o"
            )

    def is_own(path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return not written.isdisjoint([real, *real.parents])

    def note(path: Path, what: str) -> None:
        left_out[what] += not is_own(path)

    if stdin:
        yield _local(Source(stdin, "-"))
    for source in find_inputs(local, on_left_out=note):
        if not is_own(source.path):
            # Standard input has this name already.
            yield _local(replace(source, id="./-") if stdin and source.id == "-" else source)
    for address in paths:
        if address not in local:
            yield from _find_remote(address, left_out, full_ids=len(paths) > 1)


def _local(source: Source) -> Input:
    """Return the input with its size and hash; without for what isn't a file that can be read."""
    try:
        with open_file(source.path) as stream:
            size = os.fstat(stream.fileno()).st_size
            return Input(source, hashlib.file_digest(stream, "sha256").hexdigest(), size)
    except (OSError, DocumentError):
        return Input(source, "")


def _find_remote(url: str, left_out: Counter[str], *, full_ids: bool) -> Iterator[Input]:
    """Yield the files at an address: one file, a folder with all below it, or a glob."""
    store, path = _store(url)
    try:
        tops = store.glob(path) if glob.has_magic(path) else [path]
        names = sorted({name for top in tops for name in store.find(top)})
    except Exception as error:
        raise BatchError(f"the store doesn't answer: {error}", where=url) from error
    if not names:
        raise BatchError("no file is there", where=url)
    is_folder = path == tops[0] != names[0]
    base = path if is_folder else posixpath.dirname(re.split(r"[*?[]", path)[0])
    for name in names:
        address, below = store.unstrip_protocol(name), name.removeprefix(base).lstrip("/")
        if is_junk(name):
            left_out["system file"] += 1
        elif any(part.startswith(".") for part in below.split("/")):
            left_out["hidden file or folder"] += 1
        else:
            source = Source(Path(name), visible(address if full_ids else below))
            yield Input(source, *_version(store, name), address)


def _version(store: Any, name: str) -> tuple[str, int]:  # noqa: ANN401 - fsspec carries no types
    """Return what a store says of a file's version, and its size."""
    try:
        return f"remote-{store.ukey(name)}", store.size(name) or 0
    except Exception:  # noqa: BLE001 - a store that can't tell is asked anew in each run
        return "", 0


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


def read_cuts(origin: Input, reader: DocumentReader) -> Generator[Cut]:
    """Read an input in cuts; give documents with one id different ones.

    The same content is always cut at the same places, so that a run can be taken up at any cut.
    """
    part: list[Document | SetAside] = []
    first = chars = repeated = 0
    again: Counter[str] = Counter()
    # Millions of names would fill the memory; of these what is too much lies in a temporary file.
    with closing(sqlite3.connect("")) as seen, closing(_read(origin, reader)) as documents:
        seen.execute("CREATE TABLE names (hash INTEGER PRIMARY KEY)")
        for document in documents:
            if len(part) >= MOST_DOCUMENTS or chars >= MOST_CHARS:
                yield Cut(origin, tuple(part), first, True, repeated)
                first += len(part)
                part, chars, repeated = [], 0, 0
            name = document.id
            while not seen.execute("INSERT OR IGNORE INTO names VALUES (?)", [hash(name)]).rowcount:
                again[document.id] += 1
                name = f"{document.id}~{again[document.id] + 1}"
            repeated += name != document.id
            part.append(document if name == document.id else replace(document, id=name))
            chars += len(document.text) if isinstance(document, Document) else 0
    yield Cut(origin, tuple(part), first, False, repeated)


def _read(origin: Input, reader: DocumentReader) -> Generator[Document | SetAside]:
    """Yield what an input holds; one at an address is fetched for as long as it is read."""
    source = origin.source
    if origin.url is None:
        yield from reader.read(replace(source, sha256=origin.content or None))
        return
    with TemporaryDirectory(prefix="textclass-") as folder:
        # The ending of the name is a hint for formats that bytes alone don't tell.
        path = Path(folder, "fetched" + "".join(PurePosixPath(source.id).suffixes[-2:])[-20:])
        if fault := _fetch(origin.url, path, reader.limits.file_bytes):
            yield SetAside(source.id, origin.url, None, "open", fault)
        elif what := is_own_output(path):
            fault = f"it is a {what} that textclass wrote, not a document"
            yield SetAside(source.id, origin.url, None, "detect", fault)
        else:
            yield from reader.read(replace(source, path=path, root=None))


def _fetch(url: str, target: Path, limit: int) -> str | None:
    """Copy the file at `url` to `target`; return why it can't be, if so."""
    try:
        store, path = _store(url)
        with store.open(path, "rb") as stream, target.open("wb") as copy:
            while chunk := stream.read(1 << 20):
                if copy.tell() + len(chunk) > limit:
                    return f"it is larger than {limit / 1e6:,.0f} MB (split it)"
                copy.write(chunk)
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        return f"it can't be fetched: {fault}"
    return None
