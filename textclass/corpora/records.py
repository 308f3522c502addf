"""Corpus files found and read; JSONL written byte for byte alike."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textclass.atomic import write_atomically
from textclass.documents import read_rows
from textclass.errors import CorpusError, DocumentError

SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".parquet", ".xlsx", ".ods")
"""What a folder's corpus files may end in."""

NO_CORPUS = frozenset({"agreement", "cache", "samples"})
"""Folders inside a corpus that hold something else."""

MOST_FAULTS = 20
"""How many faults an error spells out; the rest are counted."""

Placed = tuple[str, dict[str, Any]]
"""A record after its place, `file, line n`."""


@contextmanager
def gathered(faults: list[CorpusError], where: str) -> Iterator[None]:
    """Add an error of the block to `faults`, with its place, and go on after it."""
    try:
        yield
    except CorpusError as error:
        error.where = error.where or where
        faults.append(error)


def told_once(faults: Iterable[CorpusError]) -> list[CorpusError]:
    """Return one error for all rows of a file that have the same fault."""
    alike: dict[tuple[object, ...], list[CorpusError]] = defaultdict(list)
    for fault in faults:
        file = (fault.where or "").rpartition(", ")[0] or fault.where
        alike[type(fault), file, fault.message, fault.hint].append(fault)
    return [
        type(first)(
            first.message,
            where=f"{first.where} and {len(rest)} more" if rest else first.where,
            hint=first.hint,
        )
        for first, *rest in alike.values()
    ]


def raise_bad_rows(faults: Sequence[CorpusError]) -> None:
    """Raise one error that tells all of `faults`, if there are any."""
    if faults:
        told = told_once(faults)
        more = f"; and {len(told) - MOST_FAULTS} more" if len(told) > MOST_FAULTS else ""
        bad = f"{len(faults)} bad row{'s' if len(faults) > 1 else ''}"
        raise CorpusError(f"{bad}: {'; '.join(map(str, told[:MOST_FAULTS]))}{more}")


def corpus_files(paths: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Return each corpus file of files and folders once, after the folder whose cache it uses.

    Raises
    ------
    CorpusError
        If a path isn't there or holds no corpus file.
    """
    found: dict[Path, tuple[Path, Path]] = {}
    for path in paths:
        if not path.exists():
            raise CorpusError("there is no such file or folder", where=str(path))
        files = [path]
        if path.is_dir():
            files = [
                file
                for file in sorted(path.rglob("*"))
                if file.name.endswith(SUFFIXES)
                and not NO_CORPUS & set(file.relative_to(path).parts[:-1])
            ]
        if not files:
            raise CorpusError(f"no {', '.join(SUFFIXES)} file in it", where=str(path))
        for file in files:
            found.setdefault(file.resolve(), (path if path.is_dir() else path.parent, file))
    return list(found.values())


def scan_records(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield each record of a table; add an error to `faults` for each that can't be read."""
    unread: list[DocumentError] = []
    try:
        yield from read_rows(path, faults=unread)
    except DocumentError as error:
        unread.append(error)
    faults += [CorpusError(e.message, where=e.where or str(path), hint=e.hint) for e in unread]


def json_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return records as JSONL in UTF-8."""
    import orjson

    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records one a line, whole or not at all; `.gz` compresses, without a time stamp."""
    content = json_lines(records)
    path.parent.mkdir(parents=True, exist_ok=True)
    packs = path.name.endswith(".gz")
    write_atomically(path, gzip.compress(content, mtime=0) if packs else content)
