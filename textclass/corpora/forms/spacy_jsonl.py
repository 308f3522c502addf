"""spaCy's terms in JSONL: `cats` with every label, spans under the key `sc`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textclass.corpora.files import json_line
from textclass.corpora.forms.records import make_record, meta_of, spans_of, triples
from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

SPANS_KEY = "sc"
"""The key under which spaCy's span categorizer looks for spans."""


def write(corpus: Corpus) -> bytes:
    """Return the corpus as JSONL; probabilities become `cats` between 0 and 1."""
    return b"".join(json_line(to_dict(row, corpus.taxonomy)) for row in corpus.rows)


def to_dict(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a row as `text`, `cats`, `spans` and `meta`."""
    given = row.labels or frozenset()
    cats = {name: float(name in given) for name in taxonomy.names}
    spans = [[span["start"], span["end"], span["label"]] for span in spans_of(row)]
    meta = meta_of(row) | ({} if row.hard else {"soft": True})
    return {
        "text": row.text,
        "cats": dict(row.scores) if row.scores is not None else cats,
        "spans": {SPANS_KEY: spans},
        "meta": meta,
    }


def parse(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a record, or None without `cats`.

    `cats` other than 0 and 1, or `soft` in `meta`, are probabilities.
    """
    cats = record.get("cats")
    if not cats:
        return None
    if not isinstance(cats, Mapping):
        raise CorpusError(f"cats of the form {{label: number}} were expected, not {cats!r}")
    meta = dict(record.get("meta") or {})
    soft = meta.pop("soft", False) or not set(cats.values()) <= {0, 1}
    spans = triples((record.get("spans") or {}).get(SPANS_KEY, []))
    given = [label for label, value in cats.items() if value]
    made = make_record(record.get("text"), given, spans, meta, taxonomy)
    if soft:
        made["scores"] = {
            facet.name: {name: cats.get(name, 0.0) for name in facet.names} for facet in taxonomy
        }
    return made
