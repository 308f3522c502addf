"""Argilla: flat keys, a multi-label question per facet and a span question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from textclass.corpora.files import json_line
from textclass.corpora.forms.records import (
    by_facet,
    given_labels,
    make_record,
    meta_of,
    only_hard,
    spans_of,
)
from textclass.corpora.rows import Corpus
from textclass.taxonomy import Taxonomy

_THEIRS = frozenset({"id", "text", "status", "_server_id", "metadata"})


def write(corpus: Corpus) -> bytes:
    """Return the corpus as JSONL, labels as responses and further columns as metadata."""
    only_hard(corpus, "argilla")
    lines = []
    for row in corpus.rows:
        record: dict[str, Any] = {"id": row.id, "text": row.text}
        for facet, labels in by_facet(given_labels(row, corpus.taxonomy), corpus.taxonomy).items():
            record[f"{facet}.response"] = labels
        if spans := spans_of(row):
            record["spans.response"] = spans
        meta = meta_of(row)
        del meta["passage"]
        lines.append(json_line({**meta, **record}))
    return b"".join(lines)


def parse(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a record, or None if nobody responded; suggestions don't count.

    Of several submitted responses to a question a label counts that more than half of them give,
    and the spans of the first.
    """
    answers = {facet.name: _responses(record, facet.name) for facet in taxonomy}
    if not any(answers.values()):
        return None
    labels = [label for given in answers.values() for label in _majority(given)]
    spans: list[dict[str, Any]] = next(iter(_responses(record, "spans")), [])
    questions = (*answers, "spans")
    columns = {
        name: value
        for name, value in {**record, **(record.get("metadata") or {})}.items()
        if name not in _THEIRS and not name.startswith(tuple(f"{q}." for q in questions))
    }
    columns["passage"] = record.get("id")
    places = [{name: span.get(name) for name in ("start", "end", "label")} for span in spans]
    return make_record(record.get("text"), labels, places, columns, taxonomy)


def _responses(record: Mapping[str, Any], question: str) -> list[Any]:
    """Return the submitted responses to a question: ours, or one for each person."""
    if record.get(f"{question}.response") is not None:
        return [record[f"{question}.response"]]
    given = record.get(f"{question}.responses") or []
    states = record.get(f"{question}.responses.status") or ["submitted"] * len(given)
    pairs = zip(given, states, strict=True)
    return [answer for answer, state in pairs if answer is not None and state == "submitted"]


def _majority(responses: list[list[str]]) -> list[str]:
    votes = Counter(label for response in responses for label in set(response))
    return [label for label, count in votes.items() if 2 * count > len(responses)]
