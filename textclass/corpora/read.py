"""Labelled rows read and checked; every bad row is told with file and line, all at once."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from textclass.corpora.fetch import TextCache
from textclass.corpora.pointers import is_pointer
from textclass.corpora.records import corpus_files, gathered, raise_bad_rows, scan_records
from textclass.corpora.rows import Corpus, Row, folder_of, text_id
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

Paths = str | Path | Sequence[str | Path]
"""A file or folder, or several."""

SETTLED = "settled"
"""What a row has in `labelled` if its labels count where readers differ."""

_KNOWN = {"id", "text", "group", "scores"}
_LONGEST_LIST = 10_000  # characters of a cell


class UnansweredError(CorpusError):
    """A row that nobody has labelled: that isn't the answer that no label applies."""


@dataclass(frozen=True)
class Scan:
    """What files hold, good and bad.

    Attributes
    ----------
    corpus : Corpus
        The good rows, also several of one text by different readers.
    faults : tuple of CorpusError
        One for each bad row; `UnansweredError` for each without labels.
    missing : int
        Rows that point to a public text which isn't in the cache.
    """

    corpus: Corpus
    faults: tuple[CorpusError, ...]
    missing: int


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
    if scan.missing:
        raise CorpusError(
            f"{scan.missing} labelled passages point to public texts that aren't here",
            hint="textclass corpus fetch brings them",
        )
    if not scan.corpus.rows:
        given = [paths] if isinstance(paths, str | Path) else paths
        raise CorpusError("no labelled passage in it", where=", ".join(map(str, given)))
    return scan.corpus if each_reader else _settle(scan.corpus)


def scan_corpus(
    paths: Paths, taxonomy: Taxonomy | None = None, *, text_column: str | None = None
) -> Scan:
    """Read labelled passages as `read_corpus` does, but give bad rows back instead of raising.

    `text_column` is what holds the texts where that isn't called text.

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
            with gathered(faults, where):
                record = texts.complete(with_text(found, text_column))
                if is_pointer(record):
                    missing += 1
                else:
                    rows.append(make_row(record, taxonomy, where))
    return Scan(Corpus(taxonomy, tuple(rows)), tuple(faults), missing)


def with_text(record: Mapping[str, Any], column: str | None) -> dict[str, Any]:
    """Return a record with its text under `text`, which may stand in a part of it.

    Raises
    ------
    CorpusError
        If there is no such column.
    """
    if column is None:
        usual = {key: key.casefold() for key in record if key.casefold() in _KNOWN}
        return {name: record[key] for key, name in usual.items()} | dict(record)
    for part in ("data", "fields"):
        inner = record.get(part)
        if isinstance(inner, Mapping) and column in inner:
            return {**record, part: {**inner, "text": inner[column]}}
    if column not in record:
        raise CorpusError(f"there is no {column!r}, only {', '.join(record) or 'nothing'}")
    return {**record, "text": record[column]}


def conflicts(corpus: Corpus) -> list[list[Row]]:
    """Return the rows of each text that has other labels in another row, and none is settled."""
    found = defaultdict(list)
    for row in corpus.rows:
        if row.hard:
            found[row.text].append(row)
    return [rows for rows in found.values() if len({row.labels for row in _deciding(rows)}) > 1]


def _deciding(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.columns.get("labelled") == SETTLED] or rows


def _settle(corpus: Corpus) -> Corpus:
    """Make one row of all that label the same text of the same document."""
    faults = [
        CorpusError(
            f"the same text has other labels in {rows[0].where}",
            where=next(row.where for row in rows if row.labels != rows[0].labels),
            hint=f'settle it in a row whose labelled is "{SETTLED}"',
        )
        for rows in map(_deciding, conflicts(corpus))
    ]
    raise_bad_rows(faults)
    settled = {
        row.text: row.labels for row in corpus.rows if row.columns.get("labelled") == SETTLED
    }
    kept: dict[tuple[object, ...], Row] = {}
    for row in corpus.rows:
        if row.hard:
            row = replace(row, labels=settled.get(row.text, row.labels))
        kept.setdefault((row.text, row.group, row.hard), row)
    return replace(corpus, rows=tuple(kept.values()))


def make_row(record: Mapping[str, Any], taxonomy: Taxonomy, where: str) -> Row:
    """Return a checked row.

    Raises
    ------
    CorpusError
        With the place `where`, if the text, a label, a score or a span is wrong; `UnansweredError`
        if a facet has no answer.
    """
    text = record.get("text")
    if "text" not in record:
        keys = ", ".join(map(str, record)) or "nothing"
        raise CorpusError(f"there is no 'text', only {keys}", where=where)
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("the text is missing or empty", where=where)
    given = {name: record.get(name) for name in ("id", "group", "path")}
    number, group, path = (None if v in (None, "") else str(v) for v in given.values())
    number = number or text_id(text)
    columns = {k: v for k, v in record.items() if k not in _KNOWN | set(taxonomy.slices)}
    columns.setdefault("collection", folder_of(where))
    if spans := parsed(columns.get("spans")):
        columns["spans"] = _spans(spans, text, taxonomy)
    scores = parsed(record.get("scores"))
    return Row(
        id=number,
        text=text,
        labels=None if scores else _labels(record, taxonomy),
        scores=_scores(scores, taxonomy) if scores else None,
        group=group or (f"{columns.get('source')}:{path}" if path else number),
        columns=columns,
        where=where,
    )


def _labels(record: Mapping[str, Any], taxonomy: Taxonomy) -> frozenset[str]:
    answers = {facet.name: read_labels(record.get(facet.name), facet.names) for facet in taxonomy}
    lacking = [name for name, labels in answers.items() if labels is None]
    if lacking:
        absent = [name for name in lacking if name not in record]
        has = f"; its columns are {', '.join(record)}" if absent else ""
        raise UnansweredError(
            f"no answer for {', '.join(lacking)}{has}",
            hint="write [] where no label applies; corpus convert leaves such rows out",
        )
    return frozenset(label for labels in answers.values() for label in labels or ())


def read_labels(value: object, names: Sequence[str]) -> list[str] | None:
    """Return the labels that a value gives: none for `[]`, None where it is no answer.

    A list may be one of JSON, or of Python as pandas writes it, in a cell; a cell may also have a
    label, or several with `;`, `,`, `|` or `#` between them.

    Raises
    ------
    CorpusError
        For a label that isn't one of `names`, or a value of another form.
    """
    if value is None or value != value or (isinstance(value, str) and not value.strip(" \t;,|#")):
        return None
    if isinstance(value, bool | int | float):
        value = [value]
    if isinstance(value, str):
        cuts = [[part.strip() for part in value.split(mark) if part.strip()] for mark in ";,|#"]
        known = next((cut for cut in [[value.strip()], *cuts] if set(cut) <= set(names)), None)
        value = known or (parsed(value) if value.strip()[0] in "[({" else cuts[0])
    if isinstance(value, Mapping) and "choices" in value:  # as Label Studio's tables have it
        value = [value["choices"]] if isinstance(value["choices"], str) else value["choices"]
    if not isinstance(value, list | tuple | set):
        raise CorpusError(f"labels were expected, not {value!r}", hint=_names(names))
    for label in value:
        if isinstance(label, bool | int | float):
            raise CorpusError(f"the label {label!r} is a number, not a name", hint=_names(names))
        if label not in names:
            raise CorpusError(f"unknown label {label!r}", hint=_names(names))
    return list(value)


def _names(names: Sequence[str]) -> str:
    return f"labels.yaml has {', '.join(names)}"


def parsed(value: object) -> Any:  # noqa: ANN401 -- JSON holds anything
    """Return a value, or what a cell with JSON or a list of Python says."""
    if not isinstance(value, str) or not value.strip():
        return value or None
    try:
        return orjson.loads(value)
    except ValueError:
        try:
            return ast.literal_eval(value[:_LONGEST_LIST].strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise CorpusError(f"can't read the list {value[:80]!r}") from error


def _scores(value: object, taxonomy: Taxonomy) -> dict[str, float]:
    names = list(taxonomy.slices)
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise CorpusError(f"scores need {', '.join(names)} and no other key")
    scores = dict.fromkeys(taxonomy.names, 0.0)
    for facet in taxonomy:
        given = value[facet.name]
        if not isinstance(given, Mapping) or not set(given) <= set(facet.names):
            raise CorpusError(f"scores of unknown labels in {facet.name!r}")
        for label, score in given.items():
            if score is None:  # Parquet fills the labels that a row leaves out
                continue
            if type(score) not in (int, float) or not 0 <= score <= 1:
                raise CorpusError(f"score {score!r} of {label!r} isn't in 0 to 1")
            scores[label] = float(score)
    return scores


def _spans(value: Any, text: str, taxonomy: Taxonomy) -> list[dict[str, Any]]:  # noqa: ANN401 -- JSON holds anything
    """Check evidence spans: code-point offsets into the text, and the label they speak for."""
    spans = []
    for span in value if isinstance(value, list) else [value]:
        start, end = (span.get(k) if isinstance(span, Mapping) else None for k in ("start", "end"))
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            raise CorpusError(f"not a span of the text: {span!r}")
        if span.get("label") not in taxonomy.names:
            raise CorpusError(f"span with the unknown label {span.get('label')!r}")
        spans.append({key: span[key] for key in ("start", "end", "label")})
    return spans
