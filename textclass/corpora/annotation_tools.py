"""Records of annotation tools: where each keeps labels and spans, and how an answer looks.

Whatever a tool writes where nobody answered is no answer. Several annotators of a text give several
answers, each with its `reader`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from textclass.corpora.read import SETTLED, json_lines, scan_records
from textclass.corpora.rows import Row, UnansweredError, read_span, teaching
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

Record = Mapping[str, Any]
Answers = Iterator[dict[str, Any]]
Placed = Iterator[tuple[str, dict[str, Any]]]
"""Records, each after its place."""


def scan_table(path: Path, faults: list[CorpusError]) -> Placed:
    """Yield the records of a table, or of a file that is one JSON list."""
    try:
        content = path.read_bytes().lstrip(b"\xef\xbb\xbf \t\r\n")
        records = orjson.loads(content) if content.startswith(b"[") else None
    except (OSError, ValueError) as error:
        raise CorpusError(f"can't be read: {error}", where=str(path)) from error
    if records is None:
        yield from scan_records([path], faults)
    for number, record in enumerate(records or (), 1):
        where = f"{path}, record {number}"
        if isinstance(record, dict):
            yield where, record
        else:
            faults.append(CorpusError(f"not a record: {str(record)[:80]}", where=where))


@dataclass(frozen=True)
class Form:
    """How a tool writes labelled texts.

    Attributes
    ----------
    write : callable
        A row and the taxonomy to a record.
    read : callable
        A record and the taxonomy to what each reader answered: `labels` of all facets or a key for
        each facet, `spans`, and columns of the row. A value None stands for nothing said.
    scan : callable
        A file to its records.
    pack : callable
        Records to the content of a file.
    """

    write: Callable[[Row, Taxonomy], dict[str, Any]]
    read: Callable[[Record, Taxonomy], Answers]
    scan: Callable[[Path, list[CorpusError]], Placed] = scan_table
    pack: Callable[[Iterable[Record]], bytes] = json_lines


def carried(row: Row) -> dict[str, Any]:
    """Return what tools carry along untouched."""
    columns = {name: value for name, value in row.columns.items() if name != "spans"}
    return {**row.named, **columns}


def triples(row: Row) -> list[list[Any]]:
    """Return the evidence spans of a row, each as `[start, end, label]`."""
    return [[s["start"], s["end"], s["label"]] for s in row.columns.get("spans") or ()]


def _given(row: Row, taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return the labels that a reader gave, by facet."""
    if not row.hard:
        hint = "convert the rows with labels, or use spacy or spacy-jsonl"
        raise CorpusError("the form has no place for probabilities", hint=hint)
    return teaching(row, taxonomy)


def _flat(row: Row, taxonomy: Taxonomy) -> list[str]:
    return [label for labels in _given(row, taxonomy).values() for label in labels]


def _to_doccano(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return `label` for a project on categories, `cats` and `entities` for one on spans too."""
    labels = _flat(row, taxonomy)
    answers = {"label": labels, "cats": labels, "entities": triples(row)}
    return {"text": row.text, **answers, "meta": carried(row)}


def _from_doccano(record: Record, _taxonomy: Taxonomy) -> Answers:
    """Yield the answer of a record; spans alone give the passage their labels."""
    given = [record[key] for key in ("cats", "label", "labels", "entities") if key in record]
    if not given:
        raise KeyError("label")
    labels, spans = given[0], record.get("entities")
    if isinstance(labels, list) and any(isinstance(item, list | Mapping) for item in labels):
        spans = labels
        labels = [read_span(span)["label"] for span in spans]
    yield {"labels": labels, "spans": spans}


def _to_label_studio(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a task with choices for each facet and labelled regions.

    The labelling set-up needs `Text` named text, `Choices` named as each facet, and `Labels` named
    spans.
    """
    given = _given(row, taxonomy).items()
    items: list[Any] = [(f, "choices", {"choices": labels}) for f, labels in given if labels]
    for start, end, label in triples(row):
        items.append(("spans", "labels", {"start": start, "end": end, "labels": [label]}))
    result = [
        {"from_name": name, "to_name": "text", "type": kind, "value": value}
        for name, kind, value in items
    ]
    return {"data": {**carried(row), "text": row.text}, "annotations": [{"result": result}]}


def _from_label_studio(record: Record, taxonomy: Taxonomy) -> Answers:
    """Yield the answer of each annotation that wasn't cancelled; predictions don't count.

    That marked as ground truth is settled. Rows of Label Studio's tables have a column for each
    facet instead.
    """
    if "annotations" not in record:
        if not any(facet.name in record for facet in taxonomy):
            raise KeyError("annotations")
        yield {"reader": record.get("annotator")}
        return
    done = [each for each in record["annotations"] or () if not each.get("was_cancelled")]
    if not done:
        raise UnansweredError("nobody finished an annotation")
    for annotation in done:
        by = annotation.get("completed_by")
        labels, spans = list[Any](), list[dict[str, Any]]()
        for item in annotation.get("result") or ():
            value, kind = item["value"], item.get("type")
            if kind not in ("choices", "labels", "taxonomy"):
                known = "choices, taxonomy and labels are"
                raise CorpusError(f"a result of the type {kind!r} isn't read; {known}")
            given = value[kind] if isinstance(value[kind], list) else [value[kind]]
            if kind == "labels":
                spans += [{**value, "label": label} for label in given]
            else:  # each of a taxonomy comes with the steps that lead to it
                labels += [each[-1] for each in given] if kind == "taxonomy" else given
        yield {
            "labels": labels,
            "spans": spans or None,
            "reader": by.get("email", by.get("id")) if isinstance(by, Mapping) else by,
            "labelled": SETTLED if annotation.get("ground_truth") else None,
        }


def _pack_list(records: Iterable[Record]) -> bytes:
    return orjson.dumps(list(records), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _to_prodigy(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return all labels as options, those given in `accept`, spans, and the answer."""
    options = [{"id": name, "text": name} for name in taxonomy.names]
    answers = {"accept": _flat(row, taxonomy), "spans": row.columns.get("spans", [])}
    given = {"text": row.text, "options": options, **answers}
    return {**given, "answer": "accept", "meta": carried(row)}


def _scan_prodigy(path: Path, faults: list[CorpusError]) -> Placed:
    """Yield records; those of the binary interface, of one text and reader, as one."""
    binary: dict[tuple[object, ...], tuple[str, dict[str, Any]]] = {}
    for where, record in scan_table(path, faults):
        if "label" not in record or {"accept", "spans"} & set(record):
            yield where, record
            continue
        key = (str(record.get("text")), str(record.get("_annotator_id")))
        merged = binary.setdefault(key, (where, {**record, "answers": defaultdict(list)}))[1]
        merged["answers"][str(record.get("answer"))].append(record["label"])
    yield from binary.values()


def _from_prodigy(record: Record, _taxonomy: Taxonomy) -> Answers:
    """Yield the answer of a record that was accepted; options that weren't are negatives."""
    answers = record.get("answers") or {record["answer"]: record.get("accept")}
    for strange in set(answers) - {"accept", "reject", "ignore"}:
        raise CorpusError(f"the answer {strange!r} isn't accept, reject or ignore")
    if "accept" not in answers:
        raise UnansweredError("nobody accepted it")
    accepted = answers["accept"]
    if accepted is None:  # spans alone give the passage their labels
        accepted = [read_span(span)["label"] for span in record["spans"]]
    if both := [label for label in accepted if label in answers.get("reject", ())]:
        raise CorpusError(f"{', '.join(both)} was accepted and rejected for the same text")
    reader = record.get("_annotator_id", record.get("_session_id"))
    kept = {key: record.get(key) for key in ("id", "spans")}
    yield {"labels": accepted, "reader": reader, **kept}


def _to_argilla(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return flat keys: a response to a question for each facet and to one for spans, metadata."""
    responses = _given(row, taxonomy) | {"spans": row.columns.get("spans", [])}
    answers = {f"{question}.response": given for question, given in responses.items()}
    return {**carried(row), "text": row.text, **answers}


def _from_argilla(record: Record, taxonomy: Taxonomy) -> Answers:
    """Yield the answers of each person who responded; suggestions don't count."""
    if not any(key == "responses" or ".response" in key for key in record):
        raise KeyError("responses")
    answers: dict[object, dict[str, Any]] = defaultdict(dict)
    for question in (*taxonomy.slices, "spans"):
        for reader, value, status in _responses(record, question):
            if value is not None and status in ("submitted", None):
                answers[reader] |= {question: value, "reader": reader, "id": record.get("id")}
    if not answers:
        raise UnansweredError("nobody responded")
    yield from answers.values()


def _responses(record: Record, question: str) -> Iterator[tuple[object, Any, object]]:
    """Yield who responded to a question, the response, and whether it was submitted.

    Exports are flat (`topic.responses`), or records with `fields` and `responses`.
    """
    yield None, record.get(f"{question}.response"), None
    given = record.get(f"{question}.responses") or []
    people = record.get(f"{question}.responses.users") or range(1, len(given) + 1)
    states = record.get(f"{question}.responses.status") or [None] * len(given)
    yield from zip(people, given, states, strict=True)
    for each in (record.get("responses") or {}).get(question) or ():
        yield each.get("user_id"), each.get("value"), each.get("status")


TOOLS: Mapping[str, Form] = {
    "doccano": Form(_to_doccano, _from_doccano),
    "label-studio": Form(_to_label_studio, _from_label_studio, pack=_pack_list),
    "prodigy": Form(_to_prodigy, _from_prodigy, _scan_prodigy),
    "argilla": Form(_to_argilla, _from_argilla),
}
"""The annotation tools by name."""
