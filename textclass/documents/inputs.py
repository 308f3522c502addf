"""Files, folders and glob strings → the files to read, in an order that never changes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path

from textclass.documents.data import Source
from textclass.documents.names import visible
from textclass.errors import DocumentError

__all__ = ["find_inputs", "leaves"]


def find_inputs(
    paths: Iterable[str | os.PathLike[str]], *, patterns: Sequence[str] = ("*",)
) -> Iterator[Source]:
    """Yield the files that `paths` name, each once.

    Ids are paths below the one folder given, or below the deepest folder that holds all of `paths`.
    Hidden names are left out of folders. Links inside a folder are not walked: what they point to
    is found under its own name, and what lies outside is set aside by the reader.

    Parameters
    ----------
    paths : iterable of str or path
        Files, folders (walked whole, sorted by name) and glob strings (`reports/**/*.pdf`).
    patterns : sequence of str
        In folders, only files whose name or path below the folder matches one of these.

    Raises
    ------
    DocumentError
        For a path that doesn't exist and a glob that matches nothing, before the first file.
    """
    inputs = [entry for path in paths for entry in _expand(os.fspath(path))]
    if not inputs:
        return
    top = Path(os.path.commonpath([entry.base for entry in inputs]))
    seen: set[Path] = set()
    for entry in inputs:
        for found in _files(entry, patterns):
            # Only several inputs can name a file twice; one folder costs no memory.
            if len(inputs) > 1:
                if found in seen:
                    continue
                seen.add(found)
            yield Source(found, visible(found.relative_to(top).as_posix()), entry.root)


@dataclass(frozen=True)
class _Input:
    path: Path
    base: Path
    """Ids start below this folder."""
    root: Path | None
    """Links may not lead out of this folder; a file named outright may be a link to anywhere."""


def _expand(path: str) -> list[_Input]:
    if "\0" in path:
        raise DocumentError("a path can't hold a NUL character", where=visible(path))
    place = Path(os.path.abspath(path))  # noqa: PTH100 - unlike resolve(), follows no links
    if os.path.lexists(place):
        folder = place if place.is_dir() else None
        return [_Input(place, folder or place.parent, folder)]
    if not glob.has_magic(path):
        raise DocumentError("no such file or folder", where=visible(path))
    base = Path(*takewhile(lambda part: not glob.has_magic(part), place.parts))
    found = sorted(map(Path, glob.iglob(str(place), recursive=True)))  # noqa: PTH207 - absolute
    if not found:
        raise DocumentError("no file matches this pattern", where=visible(path))
    # `**` matches a folder and also what it holds: keep the outermost only.
    every = set(found)
    return [_Input(match, base, base) for match in found if not every.intersection(match.parents)]


def _files(entry: _Input, patterns: Sequence[str]) -> Iterator[Path]:
    """Yield the files at or below an input."""
    if not entry.path.is_dir():
        yield entry.path
        return
    waiting = _listing(entry.path)
    while waiting:
        path = waiting.pop()
        if path.is_symlink():
            if _leads_nowhere(path, entry.path):
                yield path
        elif path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            waiting += _listing(path)
        elif _wanted(path, entry.path, patterns):
            yield path


def _listing(folder: Path) -> list[Path]:
    """Return what lies in a folder, hidden names left out, the last name first."""
    names = sorted(os.listdir(folder), reverse=True)  # noqa: PTH208 - sorted as text, not as paths
    return [folder / name for name in names if not name.startswith(".")]


def _wanted(path: Path, root: Path, patterns: Sequence[str]) -> bool:
    below = path.relative_to(root).as_posix()
    return any(fnmatch(path.name, pattern) or fnmatch(below, pattern) for pattern in patterns)


def leaves(path: Path, root: Path) -> bool:
    """Whether `path`, its links followed, lies outside `root`; OSError if it leads nowhere."""
    # Path.resolve raises another error for links that go round in a circle.
    return not Path(os.path.realpath(path, strict=True)).is_relative_to(root.resolve())


def _leads_nowhere(link: Path, root: Path) -> bool:
    """Whether a link leads nowhere or out of `root`."""
    try:
        return leaves(link, root)
    except OSError:
        return True
