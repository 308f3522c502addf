"""What the forms share: labels without facets, spans in other units, columns kept aside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from textclass.corpora.files import Placed, gathered, json_object, parse_json, scan_records
from textclass.corpora.rows import Row, folder_of, teaching
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy


def own_record(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a row in our own form."""
    taught = teaching(row, taxonomy)
    return {"id": row.id, "text": row.text, **taught, "group": row.group, **_columns(row)}


def given_labels(row: Row, taxonomy: Taxonomy) -> list[str]:
    """Return the labels of a row in taxonomy order."""
    return [name for name in taxonomy.names if name in (row.labels or ())]


def spans_of(row: Row) -> list[dict[str, Any]]:
    """Return the evidence spans of a row."""
    return list(row.columns.get("spans") or ())


def spans_under(key: str, row: Row) -> dict[str, Any]:
    """Return the evidence spans of a row under a key, or nothing where it has none."""
    return {key: spans} if (spans := spans_of(row)) else {}


def triples_of(row: Row) -> list[list[Any]]:
    """Return the evidence spans of a row as lists of start, end and label."""
    return [[span["start"], span["end"], span["label"]] for span in spans_of(row)]


def meta_of(row: Row) -> dict[str, Any]:
    """Return what annotation tools carry along untouched; ours is `passage`, their `id` isn't."""
    columns = {name: value for name, value in _columns(row).items() if name != "spans"}
    return {"passage": row.id, "group": row.group, **columns}


def _columns(row: Row) -> dict[str, Any]:
    """Return the further columns without `collection` where it is but the folder of the file."""
    columns = dict(row.columns)
    if columns.get("collection") == folder_of(row.where):
        del columns["collection"]
    return columns


def make_record(
    record: Mapping[str, Any], labels: Iterable[str], spans: Iterable[Any], taxonomy: Taxonomy
) -> dict[str, Any]:
    """Return a row in our form from the `text` and `meta` of a tool's record and what it labels.

    Raises
    ------
    CorpusError
        For a label that the taxonomy doesn't have.
    """
    given = list(labels)
    for label in given:
        if label not in taxonomy.names:
            names = ", ".join(taxonomy.names)
            raise CorpusError(f"unknown label {label!r}", hint=f"labels.yaml has {names}")
    meta = record.get("meta")
    made = dict(meta) if isinstance(meta, Mapping) else {}
    made |= {"id": made.pop("passage", None), "text": record.get("text")}
    made |= {facet.name: [name for name in facet.names if name in given] for facet in taxonomy}
    return made | ({"spans": list(spans)} if spans else {})


def from_triples(spans: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- what a tool's record holds
    """Return spans from lists of start, end and label."""
    try:
        return [{"start": s, "end": e, "label": label} for s, e, label in spans]
    except (TypeError, ValueError) as error:
        raise CorpusError(f"not a list of [start, end, label]: {spans!r}") from error


def scan_json(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield the records of a JSONL file, or of a file that is one JSON list."""
    try:
        with path.open("rb") as file:
            listed = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except OSError as error:
        raise CorpusError(f"can't be read: {error}", where=str(path)) from error
    if not listed:
        yield from scan_records(path, faults)
        return
    for number, value in enumerate(parse_json(path.read_bytes(), str(path)), 1):
        where = f"{path}, record {number}"
        with gathered(faults):
            yield where, json_object(value, where)


def json_list(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return records as one JSON list in UTF-8."""
    listed = json.dumps(list(records), ensure_ascii=False, allow_nan=False, indent=1)
    return listed.encode() + b"\n"


def to_utf16(row: Row) -> Row:
    """Return the row with its spans counted in UTF-16 units, as browsers count."""
    spans = _move(spans_of(row), dict(enumerate(_units(row.text))))
    return replace(row, columns={**row.columns, "spans": spans})


def from_utf16(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its spans counted in code points again."""
    if not record.get("spans") or not isinstance(record["text"], str):
        return record
    points = {unit: point for point, unit in enumerate(_units(record["text"]))}
    return {**record, "spans": _move(record["spans"], points)}


def _units(text: str) -> Iterator[int]:
    """Yield how many UTF-16 units stand before each character, and in all."""
    return accumulate((1 + (character > "\uffff") for character in text), initial=0)


def _move(spans: Iterable[Any], places: Mapping[int, int]) -> list[dict[str, Any]]:
    moved = []
    for span in spans:
        try:
            place = {side: places[span[side]] for side in ("start", "end")}
        except (KeyError, TypeError) as error:
            raise CorpusError(
                f"the span {span!r} begins or ends outside the text or inside a character"
            ) from error
        moved.append({**span, **place})
    return moved
