"""Label Studio: a JSON list of tasks, choices per facet and labelled regions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from textclass.corpora.forms.records import (
    by_facet,
    given_labels,
    make_record,
    meta_of,
    only_hard,
    spans_of,
)
from textclass.corpora.rows import Corpus, Row
from textclass.taxonomy import Taxonomy


def write(corpus: Corpus) -> bytes:
    """Return the corpus as a JSON list of tasks.

    The labelling set-up needs `Text` named text, `Choices` named as each facet, and `Labels` named
    spans.
    """
    only_hard(corpus, "label-studio")
    tasks = [
        {
            "data": {"text": row.text, "meta": meta_of(row)},
            "annotations": [{"result": _result(row, corpus.taxonomy)}],
        }
        for row in corpus.rows
    ]
    return json.dumps(tasks, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def parse(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a task, or None if nobody finished an annotation.

    The annotation marked as ground truth counts, else the first that wasn't cancelled; what a model
    predicted doesn't.
    """
    done = [a for a in record.get("annotations") or () if not a.get("was_cancelled")]
    if not done:
        return None
    chosen = next((a for a in done if a.get("ground_truth")), done[0])
    labels: list[str] = []
    spans = []
    for item in chosen.get("result") or ():
        value = item.get("value") or {}
        labels += value.get("choices") or ()
        spans += [
            {"start": value.get("start"), "end": value.get("end"), "label": label}
            for label in value.get("labels") or ()
        ]
    data = record.get("data") or {}
    return make_record(data.get("text"), labels, spans, data.get("meta"), taxonomy)


def _result(row: Row, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    result = [
        _item(facet, "choices", {"choices": labels})
        for facet, labels in by_facet(given_labels(row, taxonomy), taxonomy).items()
        if labels
    ]
    for span in spans_of(row):
        place = {"start": span["start"], "end": span["end"], "labels": [span["label"]]}
        result.append(_item("spans", "labels", place))
    return result


def _item(name: str, kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": dict(value)}
