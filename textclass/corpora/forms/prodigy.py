"""Prodigy: all labels as options, those given in `accept`, spans, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textclass.corpora.files import json_line
from textclass.corpora.forms.records import (
    given_labels,
    make_record,
    meta_of,
    only_hard,
    spans_of,
)
from textclass.corpora.rows import Corpus
from textclass.taxonomy import Taxonomy


def write(corpus: Corpus) -> bytes:
    """Return the corpus as JSONL."""
    only_hard(corpus, "prodigy")
    options = [{"id": name, "text": name} for name in corpus.taxonomy.names]
    lines = []
    for row in corpus.rows:
        record: dict[str, Any] = {"text": row.text, "options": options}
        record |= {"accept": given_labels(row, corpus.taxonomy), "answer": "accept"}
        if spans := spans_of(row):
            record["spans"] = spans
        lines.append(json_line({**record, "meta": meta_of(row)}))
    return b"".join(lines)


def parse(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a record, or None if its answer isn't `accept`.

    Options that weren't accepted are negatives; spans alone give the passage their labels.
    """
    if record.get("answer") != "accept":
        return None
    spans = [
        {name: span.get(name) for name in ("start", "end", "label")}
        for span in record.get("spans") or ()
    ]
    accepted = record.get("accept", [span["label"] for span in spans])
    return make_record(record.get("text"), accepted, spans, record.get("meta"), taxonomy)
