"""The records of annotation tools: doccano, Label Studio, Prodigy and Argilla, both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from textclass.corpora.forms.records import (
    from_triples,
    given_labels,
    make_record,
    meta_of,
    spans_of,
    spans_under,
    triples_of,
)
from textclass.corpora.rows import Corpus, teaching
from textclass.taxonomy import Taxonomy

_ARGILLAS = frozenset({"id", "text", "status", "_server_id", "metadata"})


def to_doccano(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield `label` for categories; with spans in any row every row has `entities` and `cats`."""
    spanned = any(spans_of(row) for row in corpus.rows)
    for row in corpus.rows:
        labels = given_labels(row, corpus.taxonomy)
        body = {"entities": triples_of(row), "cats": labels} if spanned else {"label": labels}
        yield {"text": row.text, **body, "meta": meta_of(row)}


def from_doccano(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return our form of a record; spans alone give the passage their labels."""
    label = record.get("label", record.get("labels", [])) or []
    listed = [item for item in label if isinstance(item, list)]
    spans = from_triples(record.get("entities") or listed)
    categories = record.get("cats", [item for item in label if not isinstance(item, list)])
    if not categories and "cats" not in record:
        categories = [span["label"] for span in spans]
    return make_record(record, categories, spans, taxonomy)


def to_label_studio(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield tasks with choices for each facet and labelled regions.

    The labelling set-up needs `Text` named text, `Choices` named as each facet, and `Labels` named
    spans.
    """
    for row in corpus.rows:
        items = [
            (facet, "choices", {"choices": labels})
            for facet, labels in teaching(row, corpus.taxonomy).items()
            if labels
        ]
        for start, end, label in triples_of(row):
            items.append(("spans", "labels", {"start": start, "end": end, "labels": [label]}))
        result = [
            {"from_name": name, "to_name": "text", "type": kind, "value": value}
            for name, kind, value in items
        ]
        data = {"text": row.text, "meta": meta_of(row)}
        yield {"data": data, "annotations": [{"result": result}]}


def from_label_studio(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a task, or None if nobody finished an annotation.

    The annotation marked as ground truth counts, else the first that wasn't cancelled; what a model
    predicted doesn't.
    """
    done = [a for a in record.get("annotations") or () if not a.get("was_cancelled")]
    if not done:
        return None
    chosen = next((a for a in done if a.get("ground_truth")), done[0])
    values = [item.get("value") or {} for item in chosen.get("result") or ()]
    labels = [label for value in values for label in value.get("choices") or ()]
    spans = [
        {"start": value.get("start"), "end": value.get("end"), "label": label}
        for value in values
        for label in value.get("labels") or ()
    ]
    return make_record(record.get("data") or {}, labels, spans, taxonomy)


def to_prodigy(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield all labels as options, those given in `accept`, spans, and the answer."""
    options = [{"id": name, "text": name} for name in corpus.taxonomy.names]
    for row in corpus.rows:
        accepted = {"accept": given_labels(row, corpus.taxonomy), "answer": "accept"}
        spans = spans_under("spans", row)
        yield {"text": row.text, "options": options, **accepted, **spans, "meta": meta_of(row)}


def from_prodigy(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a record, or None if its answer isn't `accept`.

    Options that weren't accepted are negatives; spans alone give the passage their labels.
    """
    if record.get("answer") != "accept":
        return None
    spans = record.get("spans") or ()
    accepted = record.get("accept", [span.get("label") for span in spans])
    return make_record(record, accepted, spans, taxonomy)


def to_argilla(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield flat keys: a response to a question for each facet and to one for spans, metadata."""
    for row in corpus.rows:
        meta = meta_of(row)
        record = {"id": meta.pop("passage"), "text": row.text}
        taught = teaching(row, corpus.taxonomy).items()
        responses = {f"{facet}.response": labels for facet, labels in taught}
        yield {**meta, **record, **responses, **spans_under("spans.response", row)}


def from_argilla(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Return our form of a record, or None if nobody responded; suggestions don't count.

    Of several submitted responses to a question a label counts that more than half of them give,
    and the spans of the first.
    """
    answers = {facet.name: _responses(record, facet.name) for facet in taxonomy}
    if not any(answers.values()):
        return None
    labels = [label for given in answers.values() for label in _majority(given)]
    spans: list[Any] = next(iter(_responses(record, "spans")), [])
    questions = tuple(f"{question}." for question in (*answers, "spans"))
    meta = {
        name: value
        for name, value in {**record, **(record.get("metadata") or {})}.items()
        if name not in _ARGILLAS and not name.startswith(questions)
    }
    meta["passage"] = record.get("id")
    return make_record({"text": record.get("text"), "meta": meta}, labels, spans, taxonomy)


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
