"""Corpus files found and read; every bad row is told with file and line, all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from textclass.atomic import write_atomically
from textclass.corpora.public_texts import load_sources
from textclass.corpora.rows import Corpus, Row, is_pointer, make_row
from textclass.documents import read_rows
from textclass.errors import CorpusError, DocumentError
from textclass.results import text_id
from textclass.taxonomy import Taxonomy

Paths = str | Path | Sequence[str | Path]
"""A file or folder, or several."""

SETTLED = "settled"
"""What a row has in `labelled` if its labels count where readers differ."""

SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".parquet", ".xlsx", ".ods")
"""What a folder's corpus files may end in."""

SOURCES = "sources.yaml"
"""The file in a corpus folder that says where public texts come from."""

NO_CORPUS = frozenset({"agreement", "cache", "samples"})
"""Folders inside a corpus that hold something else."""

MOST_FAULTS = 20
"""How many faults an error spells out; the rest are counted."""


@dataclass(frozen=True)
class Scan:
    """What files hold, good and bad.

    Attributes
    ----------
    corpus : Corpus
        The good rows, also several of one text by different readers.
    faults : tuple of CorpusError
        One for each bad row; `UnansweredError` for each without labels, `MissingTextError` for
        each that points to a public text which isn't in the cache.
    """

    corpus: Corpus
    faults: tuple[CorpusError, ...]


def read_corpus(
    paths: Paths, taxonomy: Taxonomy | None = None, *, each_reader: bool = False
) -> Corpus:
    """Read labelled passages.

    Parameters
    ----------
    paths : path or sequence of paths
        Tables of any form that `textclass tag` reads, or folders whose corpus files are read in
        name order. Rows without text point to a passage of a public text; its words come from the
        cache that `textclass corpus fetch` fills. A row carries labels (a list for each facet, `[]`
        for none) or `scores` (for each facet the probability of its labels; a label left out has
        0). Rows with the `level` "document" are whole documents: they are read where their file is
        named itself, not with the passages of a folder.
    taxonomy : Taxonomy, optional
        The labels; those that ship with the package by default.
    each_reader : bool, keyword-only
        Keep several rows of one text, by different readers. Otherwise they become one, and other
        labels than those of a row whose `labelled` is "settled" are left out.

    Raises
    ------
    CorpusError
        Names each bad row by file and line; also rows without labels, and two rows with other
        labels for one text of which none is settled.
    """
    scan = scan_corpus(paths, taxonomy)
    raise_bad_rows(scan.faults)
    if not scan.corpus.rows:
        given = [paths] if isinstance(paths, str | Path) else paths
        raise CorpusError("no labelled passage in it", where=", ".join(map(str, given)))
    return scan.corpus if each_reader else _settle(scan.corpus)


def scan_corpus(paths: Paths, taxonomy: Taxonomy | None = None) -> Scan:
    """Read labelled passages as `read_corpus` does, but give bad rows back instead of raising.

    Raises
    ------
    CorpusError
        If there is no such file, or no corpus file in a folder.
    """
    taxonomy = taxonomy or Taxonomy.load()
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    rows: list[Row] = []
    faults: list[CorpusError] = []
    for where, record in scan_records(given, faults):
        with gathered(faults, where):
            rows.append(make_row(record, taxonomy, where))
    return Scan(Corpus(taxonomy, tuple(rows)), tuple(faults))


def conflicts(corpus: Corpus) -> list[list[Row]]:
    """Return the rows of each text whose labels differ, in settled rows if it has any."""
    deciding = _deciding(corpus).values()
    return [rows for rows in deciding if len({row.labels for row in rows}) > 1]


def _deciding(corpus: Corpus) -> dict[str, list[Row]]:
    """Return the labelled rows of each text: those that are settled, or else all."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in corpus.rows:
        if row.hard:
            found[row.text].append(row)
    return {
        text: [row for row in rows if row.columns.get("labelled") == SETTLED] or rows
        for text, rows in found.items()
    }


def _settle(corpus: Corpus) -> Corpus:
    """Make one row of all that label the same text of the same document."""
    faults = [
        CorpusError(
            f"the same text has other labels in {rows[0].where}",
            where=next(row.where for row in rows if row.labels != rows[0].labels),
            hint=f'settle it in a row whose labelled is "{SETTLED}"',
        )
        for rows in conflicts(corpus)
    ]
    raise_bad_rows(faults)
    labels = {text: rows[0].labels for text, rows in _deciding(corpus).items()}
    kept: dict[tuple[object, ...], Row] = {}
    for row in corpus.rows:
        settled = replace(row, labels=labels[row.text]) if row.hard else row
        kept.setdefault((row.text, row.group, row.hard), settled)
    return replace(corpus, rows=tuple(kept.values()), merged=len(corpus) - len(kept))


def corpus_files(paths: Iterable[Path]) -> list[Path]:
    """Return each corpus file of files and folders once.

    Raises
    ------
    CorpusError
        If a path isn't there or holds no corpus file.
    """
    found: dict[Path, Path] = {}
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
            found.setdefault(file.resolve(), file)
    return list(found.values())


def scan_records(
    paths: Sequence[Path], faults: list[CorpusError]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each record of corpus files after its place, `file, line n`.

    A pointer has its text and licence where the cache knows them. Whole documents are left out
    unless their file is one of `paths` itself. An error is added to `faults` for each row or file
    that can't be read.
    """
    texts_of = cache(_cached_texts)  # read only if there is a pointer: they may be many
    for path in corpus_files(paths):
        homes = (folder for folder in path.absolute().parents if (folder / SOURCES).exists())
        home = next(homes, None)
        for where, record in table_records(path, faults):
            if record.get("level") != "document" or path in paths:
                if home and is_pointer(record):
                    record = {**record, **texts_of(home).get(str(record["id"]), {})}
                yield where, record


def _cached_texts(folder: Path) -> dict[str, dict[str, str]]:
    """Return text and licence of each public text in the cache of a corpus folder, by id."""
    return {
        number: {"text": text, "licence": source.licence}
        for source in load_sources(folder / SOURCES).values()
        for number, text in read_texts(cache_file(folder, source.name)).items()
    }


def cache_file(folder: Path, source: str) -> Path:
    """Return where the texts of one source are kept."""
    return folder / "cache" / f"{source}.jsonl"


def read_texts(path: Path) -> dict[str, str]:
    """Return the texts of a table by the hash that is their id; none if there is no table."""
    texts = (record.get("text") for _, record in table_records(path, [])) if path.exists() else ()
    return {text_id(text): text for text in texts if isinstance(text, str)}


def table_records(path: Path, faults: list[CorpusError]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each record of a table; add an error to `faults` for each that can't be read."""
    unread: list[DocumentError] = []
    try:
        yield from read_rows(path, faults=unread)
    except DocumentError as error:
        unread.append(error)
    faults += [CorpusError(e.message, where=e.where or str(path), hint=e.hint) for e in unread]


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


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records one a line, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json_lines(records))


def json_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return records as JSONL in UTF-8."""
    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
