"""What a run is asked to tag: paths, addresses and standard input, each with its content's hash."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from textclass.batch.data import Input
from textclass.batch.remote import find_remote, is_remote
from textclass.documents import Source, find_inputs
from textclass.errors import BatchError

STDIN_ID = "-"


def list_inputs(
    paths: Sequence[str], *, own: Iterable[Path], stdin: Path | None = None
) -> Iterator[Input]:
    """Yield the inputs of a run in their order, which never changes.

    Parameters
    ----------
    paths : sequence of str
        Files, folders, globs and fsspec addresses.
    own : iterable of Path, keyword-only
        Files that the run itself writes; they are left out of folders.
    stdin : Path, keyword-only, optional
        Where standard input was put.

    Raises
    ------
    BatchError
        If an input is named that the run would write over.
    DocumentError
        If a path doesn't exist.
    """
    local = [path for path in paths if not is_remote(path)]
    remote = [path for path in paths if is_remote(path)]
    written = {path.resolve() for path in own}
    for path in local:
        if os.path.realpath(path) in map(str, written):
            raise BatchError(
                "it is both an input and an output", where=path, hint="give another -o"
            )
    if stdin:
        yield Input(Source(stdin, STDIN_ID), _content(stdin), url=None)
    for source in find_inputs(local):
        if not _is_own(source.path, written):
            yield Input(source, _content(source.path))
    for address in remote:
        yield from find_remote(address, full_ids=len(paths) > 1)


def _is_own(path: Path, written: set[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return real in written or not written.isdisjoint(real.parents)


def _content(path: Path) -> str:
    """Return the SHA-256 of a file; nothing for what isn't a file that can be read."""
    try:
        # Without O_NONBLOCK opening a pipe would wait for someone to write to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - of a descriptor
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
