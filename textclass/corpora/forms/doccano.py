"""doccano: `label` for categories, `entities` and `cats` for spans and categories together."""

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
    triples,
)
from textclass.corpora.rows import Corpus
from textclass.taxonomy import Taxonomy


def write(corpus: Corpus) -> bytes:
    """Return the corpus as JSONL; with spans in any row, every row has `entities` and `cats`."""
    only_hard(corpus, "doccano")
    spanned = any(spans_of(row) for row in corpus.rows)
    lines = []
    for row in corpus.rows:
        labels = given_labels(row, corpus.taxonomy)
        entities = [[span["start"], span["end"], span["label"]] for span in spans_of(row)]
        body = {"entities": entities, "cats": labels} if spanned else {"label": labels}
        lines.append(json_line({"text": row.text, **body, "meta": meta_of(row)}))
    return b"".join(lines)


def parse(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return our form of a record; spans alone give the passage their labels."""
    label = record.get("label", record.get("labels", [])) or []
    listed = [item for item in label if isinstance(item, list)]
    spans = triples(record.get("entities") or listed)
    categories = record.get("cats", [item for item in label if not isinstance(item, list)])
    if not categories and "cats" not in record:
        categories = [span["label"] for span in spans]
    return make_record(record.get("text"), categories, spans, record.get("meta"), taxonomy)
