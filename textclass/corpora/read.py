"""Labelled rows read and checked; every bad row is told with file and line, all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textclass.corpora.files import (
    corpus_files,
    gathered,
    parse_json,
    raise_bad_rows,
    scan_records,
)
from textclass.corpora.pointers import TextCache, is_pointer
from textclass.corpora.rows import Corpus, Row, folder_of, text_id
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

Paths = str | Path | Sequence[str | Path]
"""A file or folder, or several."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_KNOWN = {"id", "text", "group", "scores"}


@dataclass(frozen=True)
class Scan:
    """What files hold, good and bad.

    Attributes
    ----------
    corpus : Corpus
        The good rows.
    faults : tuple of CorpusError
        One for each bad row.
    missing : int
        Rows that point to a public text which isn't in the cache.
    """

    corpus: Corpus
    faults: tuple[CorpusError, ...]
    missing: int


def read_corpus(paths: Paths, taxonomy: Taxonomy | None = None) -> Corpus:
    """Read labelled passages.

    Parameters
    ----------
    paths : path or sequence of paths
        Files, or folders whose corpus files are read in name order. Rows without text point to a
        passage of a public text; its words come from the cache that `textclass corpus fetch` fills.
        A row carries labels (a list for each facet) or `scores` (for each facet the probability of
        its labels; a label left out has 0). Rows with the `level` "document" are whole documents:
        they are read where their file is named itself, not with the passages of a folder.
    taxonomy : Taxonomy, optional
        The labels; those that ship with the package by default.

    Raises
    ------
    CorpusError
        Names each bad row by file and line.
    """
    scan = scan_corpus(paths, taxonomy)
    raise_bad_rows(scan.faults)
    if scan.missing:
        raise CorpusError(
            f"{scan.missing} labelled passages point to public texts that aren't here",
            hint="textclass corpus fetch brings them",
        )
    if not scan.corpus.rows:
        given = [paths] if isinstance(paths, str | Path) else paths
        raise CorpusError("no labelled passage in it", where=", ".join(map(str, given)))
    return scan.corpus


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
    missing = 0
    caches: dict[Path, TextCache] = {}
    for base, path in corpus_files(given):
        texts = caches.setdefault(base, TextCache.beside(base))
        for where, found in scan_records(path, faults):
            if found.get("level") == "document" and path not in given:
                continue
            with gathered(faults):
                record = texts.complete(found)
                if is_pointer(record):
                    missing += 1
                else:
                    rows.append(make_row(record, taxonomy, where))
    return Scan(Corpus(taxonomy, tuple(rows)), tuple(faults), missing)


def make_row(record: Mapping[str, Any], taxonomy: Taxonomy, where: str) -> Row:
    """Return a checked row.

    Raises
    ------
    CorpusError
        With the place `where`, if the text, a label, a score or a span is wrong.
    """
    text = record.get("text")
    if "text" not in record:
        keys = ", ".join(map(str, record))
        raise CorpusError(f"there is no 'text', only {keys or 'nothing'}", where=where)
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("the text is missing or empty", where=where)
    if _SURROGATE.search(text):
        raise CorpusError("the text has half a surrogate pair in it", where=where)
    number = str(record.get("id") or text_id(text))
    scores = _parsed(record.get("scores"), where)
    columns = {k: v for k, v in record.items() if k not in _KNOWN | set(taxonomy.slices)}
    columns.setdefault("collection", folder_of(where))
    if columns.get("spans"):
        columns["spans"] = _spans(_parsed(columns["spans"], where), text, taxonomy, where)
    document = f"{columns.get('source')}:{columns['path']}" if columns.get("path") else number
    return Row(
        id=number,
        text=text,
        labels=None if scores else _labels(record, taxonomy, where),
        scores=_scores(scores, taxonomy, where) if scores else None,
        group=str(record.get("group") or document),
        columns=columns,
        where=where,
    )


def _parsed(value: object, where: str) -> Any:  # noqa: ANN401 -- JSON holds anything
    """Return a value, or what the JSON in a CSV cell says."""
    return parse_json(value, where) if isinstance(value, str) and value else value


def _labels(record: Mapping[str, Any], taxonomy: Taxonomy, where: str) -> frozenset[str]:
    labels: list[str] = []
    for facet in taxonomy:
        if record.get(facet.name) is None:
            raise CorpusError(
                f"no labels for {facet.name!r}", where=where, hint="write [] for none of them"
            )
        between = "; in a cell put ; between labels" if isinstance(record[facet.name], str) else ""
        for label in _label_list(record[facet.name], where):
            if label not in facet.names:
                raise CorpusError(
                    f"unknown {facet.name} {label!r}",
                    where=where,
                    hint=f"labels.yaml has {', '.join(facet.names)}{between}",
                )
            labels.append(label)
    return frozenset(labels)


def _label_list(value: object, where: str) -> list[str]:
    """Read a list of labels; in a CSV cell it is JSON or separated by semicolons."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(";") if part.strip()]
    value = _parsed(value, where)
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise CorpusError(f"a list of labels was expected, not {value!r}", where=where)
    return value


def _scores(value: object, taxonomy: Taxonomy, where: str) -> dict[str, float]:
    names = list(taxonomy.slices)
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise CorpusError(f"scores need {', '.join(names)} and no other key", where=where)
    scores = dict.fromkeys(taxonomy.names, 0.0)
    for facet in taxonomy:
        given = value[facet.name]
        if not isinstance(given, Mapping) or not set(given) <= set(facet.names):
            raise CorpusError(f"scores of unknown labels in {facet.name!r}", where=where)
        for label, score in given.items():
            if score is None:  # Parquet fills the labels that a row leaves out
                continue
            if type(score) not in (int, float) or not 0 <= score <= 1:
                raise CorpusError(f"score {score!r} of {label!r} isn't in 0 to 1", where=where)
            scores[label] = float(score)
    return scores


def _spans(value: Any, text: str, taxonomy: Taxonomy, where: str) -> list[dict[str, Any]]:  # noqa: ANN401 -- JSON holds anything
    """Check evidence spans: code-point offsets into the text, and the label they speak for."""
    spans = []
    for span in value if isinstance(value, list) else [value]:
        try:
            start, end, label = span["start"], span["end"], span["label"]
            good = type(start) is type(end) is int and 0 <= start < end <= len(text)
        except (TypeError, KeyError):
            good = False
        if not good:
            raise CorpusError(f"not a span of the text: {span!r}", where=where)
        if label not in taxonomy.names:
            raise CorpusError(f"span with the unknown label {label!r}", where=where)
        spans.append({"start": start, "end": end, "label": label})
    return spans
