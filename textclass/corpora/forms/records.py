"""What the forms share: labels without facets, spans in other units, columns kept aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from textclass.corpora.files import Record, parse_json, scan_records
from textclass.corpora.rows import Corpus, Row, folder_of
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

Found = tuple[str, dict[str, Any] | CorpusError | None]
"""A place, and there a row in our form, None for one that nobody labelled, or what is wrong."""


def own_record(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a row in our own form."""
    record = {"id": row.id, "text": row.text}
    if row.scores is None:
        return {**record, **by_facet(given_labels(row, taxonomy), taxonomy), **_rest(row)}
    scores = row.scores
    by_name = {f.name: {name: scores[name] for name in f.names} for f in taxonomy}
    return {**record, "scores": by_name, **_rest(row)}


def _rest(row: Row) -> dict[str, Any]:
    return {"group": row.group, **own_columns(row)}


def given_labels(row: Row, taxonomy: Taxonomy) -> list[str]:
    """Return the labels of a row in taxonomy order."""
    return [name for name in taxonomy.names if name in (row.labels or ())]


def by_facet(labels: Iterable[str], taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Sort labels into facets.

    Raises
    ------
    CorpusError
        For a label that the taxonomy doesn't have.
    """
    given = list(dict.fromkeys(labels))
    for label in given:
        if label not in taxonomy.columns:
            names = ", ".join(taxonomy.names)
            raise CorpusError(f"unknown label {label!r}", hint=f"labels.yaml has {names}")
    return {f.name: [name for name in f.names if name in given] for f in taxonomy}


def spans_of(row: Row) -> list[dict[str, Any]]:
    """Return the evidence spans of a row."""
    return list(row.columns.get("spans") or ())


def meta_of(row: Row) -> dict[str, Any]:
    """Return what annotation tools carry along untouched; ours is `passage`, their `id` isn't."""
    columns = {name: value for name, value in own_columns(row).items() if name != "spans"}
    return {"passage": row.id, "group": row.group, **columns}


def own_columns(row: Row) -> dict[str, Any]:
    """Return the further columns without `collection` where it is but the folder of the file."""
    columns = dict(row.columns)
    if columns.get("collection") == folder_of(row.where):
        del columns["collection"]
    return columns


def make_record(
    text: object,
    labels: Iterable[str],
    spans: Sequence[Mapping[str, Any]],
    meta: object,
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    """Return a row in our form from what a tool's record holds."""
    columns = dict(meta) if isinstance(meta, Mapping) else {}
    record = {"id": columns.pop("passage", None), "text": text, **by_facet(labels, taxonomy)}
    if spans:
        record["spans"] = [dict(span) for span in spans]
    return {**columns, **record}


def triples(spans: object) -> list[dict[str, Any]]:
    """Return spans from lists of start, end and label."""
    try:
        # What can't be iterated over raises the TypeError below.
        given = cast("Iterable[tuple[Any, Any, Any]]", spans)
        return [{"start": s, "end": e, "label": label} for s, e, label in given]
    except (TypeError, ValueError) as error:
        raise CorpusError(f"not a list of [start, end, label]: {spans!r}") from error


def only_hard(corpus: Corpus, form: str) -> None:
    """Raise an error if a row has probabilities, for which a form has no place."""
    for row in corpus.rows:
        if not row.hard:
            raise CorpusError(
                f"{form} has no place for probabilities",
                where=row.where,
                hint="convert the rows with labels, or use spacy or spacy-jsonl",
            )


def scan_json(path: Path) -> Iterator[Record | CorpusError]:
    """Yield the records of a JSONL file, or of a file that is one JSON list."""
    with path.open("rb") as file:
        listed = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if not listed:
        yield from scan_records(path)
        return
    for number, values in enumerate(parse_json(path.read_bytes(), str(path)), 1):
        where = f"{path}, record {number}"
        if isinstance(values, dict):
            yield Record(where, values)
        else:
            yield CorpusError("a JSON object was expected", where=where)


def to_utf16(corpus: Corpus) -> Corpus:
    """Return the corpus with its spans counted in UTF-16 units, as browsers count."""
    return replace(
        corpus,
        rows=tuple(
            replace(row, columns={**row.columns, "spans": _shift(row.text, spans, _units)})
            if (spans := spans_of(row))
            else row
            for row in corpus.rows
        ),
    )


def from_utf16(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its spans counted in code points again."""
    if not record.get("spans") or not isinstance(record.get("text"), str):
        return record
    return {**record, "spans": _shift(record["text"], record["spans"], _points)}


def _shift(text: str, spans: Iterable[Mapping[str, Any]], count: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- one of two functions
    return [
        {**span, "start": count(text, span["start"]), "end": count(text, span["end"])}
        for span in spans
    ]


def _units(text: str, points: int) -> int:
    return len(text[:points].encode("utf-16-le")) // 2


def _points(text: str, units: int) -> int:
    encoded = text.encode("utf-16-le")
    if not isinstance(units, int) or not 0 <= 2 * units <= len(encoded):
        raise CorpusError(f"offset {units!r} is outside the text")
    try:
        return len(encoded[: 2 * units].decode("utf-16-le"))
    except UnicodeDecodeError as error:
        raise CorpusError(f"offset {units} is in the middle of a character") from error
