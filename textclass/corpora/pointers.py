"""Labels on public texts without the texts: each row points to a passage by source, path and hash.

Third-party sentences stay out of version control; `textclass corpus fetch` brings them.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from textclass.corpora.files import corpus_files, raise_bad_rows, scan_records
from textclass.corpora.read import is_pointer
from textclass.corpora.rows import Corpus, Row, text_id
from textclass.errors import CorpusError

_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Pointer:
    """A passage of a public text.

    Attributes
    ----------
    id : str
        First 16 hex digits of the SHA-256 of its text in UTF-8.
    source : str
        A name of `sources.yaml`.
    path : str
        The file in that source, with `/`.
    """

    id: str
    source: str
    path: str


def point(corpus: Corpus, *, labelled: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus without their texts.

    Parameters
    ----------
    corpus : Corpus
        Rows with the columns `source` and `path`.
    labelled : str, keyword-only
        How the labels came about, such as "gold" or "silver".

    Raises
    ------
    CorpusError
        If a row doesn't say where its text is from, or its id isn't the hash of its text.
    """
    for row in corpus.rows:
        source, path = (str(row.columns.get(name) or "") for name in ("source", "path"))
        if not source or not is_safe_path(path):
            raise CorpusError("a row needs the source and path of its text", where=row.where)
        if row.id != text_id(row.text):
            raise CorpusError(f"the id {row.id!r} isn't the hash of the text", where=row.where)
        pointer: dict[str, Any] = {"id": row.id, "source": source, "path": path}
        if row.group != f"{source}:{path}":
            pointer["group"] = row.group
        yield {**pointer, **_teaching(row, corpus), "labelled": labelled}


def _teaching(row: Row, corpus: Corpus) -> dict[str, Any]:
    """Return the labels of a row, or its scores to three decimals without the zeros."""
    taxonomy = corpus.taxonomy
    if row.scores is None:
        given = row.labels or frozenset()
        return {f.name: [name for name in f.names if name in given] for f in taxonomy}
    scores = {name: round(score, 3) for name, score in row.scores.items()}
    return {"scores": {f.name: {n: scores[n] for n in f.names if scores[n] > 0} for f in taxonomy}}


def read_pointers(folder: Path, sources: Container[str]) -> dict[str, list[Pointer]]:
    """Return the pointers of a corpus folder by source.

    Raises
    ------
    CorpusError
        Names each bad one by file and line.
    """
    pointers: dict[str, dict[str, Pointer]] = {}
    faults: list[CorpusError] = []
    for _, path in corpus_files([folder]):
        for found in scan_records(path):
            if isinstance(found, CorpusError):
                faults.append(found)
            elif is_pointer(found.values):
                try:
                    pointer = _pointer(found.values, sources, found.where)
                    pointers.setdefault(pointer.source, {})[pointer.id] = pointer
                except CorpusError as error:
                    faults.append(error)
    raise_bad_rows(faults)
    return {source: list(found.values()) for source, found in pointers.items()}


def _pointer(record: Mapping[str, Any], sources: Container[str], where: str) -> Pointer:
    number, source, path = (record.get(name) for name in ("id", "source", "path"))
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise CorpusError(f"the id {number!r} isn't 16 hex digits", where=where)
    if not isinstance(source, str) or source not in sources:
        raise CorpusError(f"sources.yaml has no source {source!r}", where=where)
    if not isinstance(path, str) or not is_safe_path(path):
        raise CorpusError(f"{path!r} isn't a path inside a source", where=where)
    return Pointer(number, source, path)


def is_safe_path(path: str) -> bool:
    """Return whether a path stays inside its folder and can't be taken for an option of git."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith(("/", "-", ":"))
        and ".." not in parts
        and not any(character in path for character in "\0\n\r\\")
    )


def by_path(pointers: Iterable[Pointer]) -> dict[str, set[str]]:
    """Return the ids wanted of each file."""
    wanted: dict[str, set[str]] = {}
    for pointer in pointers:
        wanted.setdefault(pointer.path, set()).add(pointer.id)
    return wanted
