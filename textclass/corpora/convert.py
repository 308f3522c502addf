"""Corpora in the forms of spaCy and of annotation tools, both ways.

Whatever a tool writes where nobody answered is no answer; the row is left out and counted. Several
annotators of a text give several rows, each with its `reader`.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

from textclass.corpora.public_texts import is_pointer, pointer_record
from textclass.corpora.read import (
    SETTLED,
    Scan,
    gathered,
    json_lines,
    raise_bad_rows,
    scan_records,
)
from textclass.corpora.rows import Corpus, Row, UnansweredError, make_row, read_labels, teaching
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

OWN = "textclass"
"""The name of our own form: any table in, JSONL out."""

Record = Mapping[str, Any]
Rows = Iterator[dict[str, Any]]
Placed = Iterator[tuple[str, dict[str, Any]]]
"""Records, each after its place."""

_SPANS = "sc"
"""The key under which spaCy's span categorizer looks for spans."""


@dataclass(frozen=True)
class Form:
    """How a tool writes labelled texts.

    Attributes
    ----------
    write : callable
        A row and the taxonomy to a record.
    read : callable
        A record and the taxonomy to what each reader answered: facets, `spans`, `reader`.
    keys : str
        A pattern of the record's keys that are the tool's; the others are columns of the corpus.
    scan : callable
        A file to its records.
    """

    write: Callable[[Row, Taxonomy], dict[str, Any]]
    read: Callable[[Record, Taxonomy], Rows]
    keys: str
    scan: Callable[[Path, list[CorpusError]], Placed]


def write_form(corpus: Corpus, form: str, *, utf16: bool = False) -> bytes:
    """Return a corpus in a form of `FORMS`.

    Parameters
    ----------
    corpus : Corpus
        Evidence spans are in a column `spans`, a list of `start`, `end` and `label`.
    form : str
    utf16 : bool, keyword-only
        Count span offsets in UTF-16 units, as browsers do, instead of code points; our own form
        and spaCy's never do.

    Raises
    ------
    CorpusError
        Names each row that the form has no place for.
    """
    tool = _form(form)
    records, faults = list[Record](), list[CorpusError]()
    for row in corpus.rows:
        with gathered(faults, row.where):
            if utf16 and form not in _CODE_POINTS and (spans := row.columns.get("spans")):
                moved = _moved(spans, _utf16_places(row.text).__getitem__)
                row = replace(row, columns={**row.columns, "spans": moved})
            records.append(tool.write(row, corpus.taxonomy))
    raise_bad_rows(faults)
    if form == "spacy":
        return _to_docbin(records)
    if form == "label-studio":
        return orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return json_lines(records)


def read_form(
    path: str | Path,
    form: str,
    taxonomy: Taxonomy,
    *,
    utf16: bool = False,
    text_column: str | None = None,
) -> Scan:
    """Read a file in a form of `FORMS`; parameters as for `write_form`.

    `text_column` names what holds the text, where it isn't called text.

    Returns
    -------
    Scan
        Its faults are the records that nobody had labelled.

    Raises
    ------
    CorpusError
        Names each bad record by its place.
    """
    tool = _form(form)
    rows, faults = list[Row](), list[CorpusError]()
    for where, record in tool.scan(Path(path), faults):
        with gathered(faults, where):
            try:
                columns = _columns(record, tool.keys) if tool.keys else record
                if text_column is not None:
                    columns = _renamed(columns, text_column)
                for answer in tool.read(record, taxonomy):
                    made = dict(columns) | {
                        k: value for k, value in answer.items() if value is not None
                    }
                    if utf16 and form not in _CODE_POINTS and made.get("spans"):
                        places = _utf16_places(made["text"])
                        made["spans"] = _moved(made["spans"], places.index)
                    rows.append(make_row(made, taxonomy, where))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                keys = ", ".join(map(str, record)) if isinstance(record, Mapping) else "none"
                message = f"it isn't in the form of {form}; its keys are {keys}"
                raise CorpusError(message) from error
    raise_bad_rows([fault for fault in faults if not isinstance(fault, UnansweredError)])
    return Scan(Corpus(taxonomy, tuple(rows)), tuple(faults), 0)


def _form(name: str) -> Form:
    if name not in FORMS:
        raise CorpusError(f"there is no form {name!r}; there are {', '.join(FORMS)}")
    return FORMS[name]


def _columns(record: Record, keys: str) -> Record:
    """Return what a record says beside its labels, also in the parts that tools keep for it."""
    if isinstance(record.get("data"), Mapping):
        return dict(record["data"])
    columns = {key: value for key, value in record.items() if not re.fullmatch(keys, key)}
    for part in ("meta", "metadata", "fields"):
        if isinstance(columns.get(part), Mapping):
            columns |= columns.pop(part)
    return columns


def _renamed(columns: Record, text_column: str) -> dict[str, Any]:
    if text_column not in columns:
        raise CorpusError(f"there is no {text_column!r}, only {', '.join(columns)}")
    return {"text" if key == text_column else key: value for key, value in columns.items()}


def _scan(path: Path, faults: list[CorpusError]) -> Placed:
    """Yield the records of a table, or of a file that is one JSON list."""
    try:
        content = path.read_bytes().lstrip(b"\xef\xbb\xbf \t\r\n")
        records = orjson.loads(content) if content.startswith(b"[") else None
    except (OSError, ValueError) as error:
        raise CorpusError(f"can't be read: {error}", where=str(path)) from error
    if records is None:
        yield from scan_records([path], faults)
    for number, record in enumerate(records or (), 1):
        yield f"{path}, record {number}", record


def _answer(labels: object, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the labels of each facet from those of all."""
    given = read_labels(labels, taxonomy.names)
    if given is None:
        raise UnansweredError("nobody labelled it")
    return {facet.name: [name for name in facet.names if name in given] for facet in taxonomy}


def _given(row: Row, taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return the labels that a reader gave, by facet."""
    if not row.hard:
        hint = "convert the rows with labels, or use spacy or spacy-jsonl"
        raise CorpusError("the form has no place for probabilities", hint=hint)
    return teaching(row, taxonomy)


def _flat(row: Row, taxonomy: Taxonomy) -> list[str]:
    return [label for labels in _given(row, taxonomy).values() for label in labels]


def _meta(row: Row) -> dict[str, Any]:
    """Return what tools carry along untouched."""
    columns = {name: value for name, value in row.columns.items() if name != "spans"}
    return {"id": row.id, "group": row.group, **columns}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON holds anything
    return value if isinstance(value, list) else [value]


def _triples(row: Row) -> list[list[Any]]:
    spans = row.columns.get("spans") or ()
    return [[span["start"], span["end"], span["label"]] for span in spans]


def _from_triples(spans: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- what a tool's record holds
    found = []
    for span in spans:
        if isinstance(span, Mapping):
            span = [span.get(key) for key in ("start_offset", "end_offset", "label")]
        if not isinstance(span, list | tuple) or len(span) != 3:
            raise CorpusError(f"not a list of [start, end, label]: {spans!r}")
        found.append(dict(zip(("start", "end", "label"), span, strict=True)))
    return found


def _utf16_places(text: str) -> list[int]:
    """Return where each character of a text, and its end, stands in UTF-16 units."""
    return [0, *accumulate(1 + (character > "\uffff") for character in text)]


def _moved(spans: Iterable[Record], move: Callable[[int], int]) -> list[dict[str, Any]]:
    moved = []
    for span in spans:
        try:
            moved.append({**span, **{side: move(span[side]) for side in ("start", "end")}})
        except (IndexError, KeyError, TypeError, ValueError) as error:
            message = f"the span {span!r} begins or ends outside the text or inside a character"
            raise CorpusError(message) from error
    return moved


def _to_own(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    taught = teaching(row, taxonomy)
    return {"id": row.id, "text": row.text, **taught, "group": row.group, **row.columns}


def _from_own(record: Record, _taxonomy: Taxonomy) -> Rows:
    if is_pointer(record):
        raise CorpusError("its text isn't here", hint="textclass corpus fetch brings it")
    yield {}


def _to_spacy(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return `text`, `cats`, `spans` and `meta`; probabilities are `cats` from 0 to 1."""
    scores = row.scores or {name: float(name in (row.labels or ())) for name in taxonomy.names}
    spans = {_SPANS: _triples(row)}
    return {"text": row.text, "cats": scores, "spans": spans, "meta": _meta(row)}


def _from_spacy(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield the answer of a record; `cats` other than 0 and 1 are probabilities."""
    if not (cats := record["cats"]):
        raise UnansweredError("nobody labelled it")
    answer = _answer([label for label, value in cats.items() if value], taxonomy)
    if lacking := [name for name in taxonomy.names if cats.get(name) is None]:
        hint = "write 0 for a label that doesn't apply"
        raise CorpusError(f"cats has no answer for {', '.join(lacking)}", hint=hint)
    if not set(cats.values()) <= {0, 1}:
        answer["scores"] = {f.name: {n: cats[n] for n in f.names} for f in taxonomy}
    yield {**answer, "spans": _from_triples((record.get("spans") or {}).get(_SPANS, []))}


def _to_docbin(records: Iterable[Record]) -> bytes:
    """Return the records of `_to_spacy` as a DocBin.

    spaCy's spans are whole tokens: they hold the tokens that a span touches, and `user_data` the
    exact offsets.
    """
    from spacy.tokens import DocBin, SpanGroup

    docs = DocBin(store_user_data=True)
    for record in records:
        doc = _language().make_doc(record["text"])
        doc.cats = record["cats"]
        exact = record["spans"][_SPANS]
        spans = [doc.char_span(s, e, label, alignment_mode="expand") for s, e, label in exact]
        doc.spans[_SPANS] = SpanGroup(doc, spans=spans)
        doc.user_data[OWN] = {"spans": record["spans"], "meta": record["meta"]}
        docs.add(doc)
    return bytes(docs.to_bytes())


def _scan_docbin(path: Path, _faults: list[CorpusError]) -> Placed:
    """Yield the docs of a `.spacy` file as records; others' have the offsets of their tokens."""
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_bytes(path.read_bytes()).get_docs(_language().vocab))
    except (OSError, zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise CorpusError(f"not a DocBin: {error}", where=str(path)) from error
    for number, doc in enumerate(docs, 1):
        group = doc.spans.get(_SPANS, ())
        spans = {_SPANS: [[span.start_char, span.end_char, span.label_] for span in group]}
        ours = doc.user_data.get(OWN) or {}
        yield (
            f"{path}, doc {number}",
            {"text": doc.text, "cats": dict(doc.cats), "spans": spans, **ours},
        )


@cache
def _language() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English()


def _to_doccano(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return `label` for a project on categories, `cats` and `entities` for one on spans too."""
    labels = _flat(row, taxonomy)
    answers = {"label": labels, "cats": labels, "entities": _triples(row)}
    return {"text": row.text, **answers, "meta": _meta(row)}


def _from_doccano(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield the answer of a record; spans alone give the passage their labels."""
    entities = record.get("entities")
    given = [record[key] for key in ("cats", "label", "labels") if key in record]
    if entities is None and not given:
        raise KeyError("label")
    labels = given[0] if given else None
    if isinstance(labels, list) and any(isinstance(item, list) for item in labels):
        labels, entities = None, labels
    spans = _from_triples(entities or ())
    if labels is None and entities is not None:
        labels = [span["label"] for span in spans]
    yield {**_answer(labels, taxonomy), "spans": spans, "text": record.get("data")}


def _to_label_studio(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a task with choices for each facet and labelled regions.

    The labelling set-up needs `Text` named text, `Choices` named as each facet, and `Labels` named
    spans.
    """
    given = _given(row, taxonomy).items()
    items: list[Any] = [(f, "choices", {"choices": labels}) for f, labels in given if labels]
    for start, end, label in _triples(row):
        items.append(("spans", "labels", {"start": start, "end": end, "labels": [label]}))
    result = [
        {"from_name": name, "to_name": "text", "type": kind, "value": value}
        for name, kind, value in items
    ]
    return {"data": {**_meta(row), "text": row.text}, "annotations": [{"result": result}]}


def _from_label_studio(record: Record, taxonomy: Taxonomy) -> Rows:
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
        labels, spans = [], []
        for item in annotation.get("result") or ():
            value, kind = item["value"], item.get("type")
            if kind == "labels":
                place = {"start": value.get("start"), "end": value.get("end")}
                spans += [{**place, "label": label} for label in _list(value["labels"])]
            elif kind == "choices":
                labels += _list(value["choices"])
            elif kind == "taxonomy":
                labels += [_list(steps)[-1] for steps in value["taxonomy"]]
            else:
                known = "choices, taxonomy and labels are"
                raise CorpusError(f"a result of the type {kind!r} isn't read; {known}")
        by = annotation.get("completed_by")
        reader = by.get("email", by.get("id")) if isinstance(by, Mapping) else by
        settled = SETTLED if annotation.get("ground_truth") else None
        answer = _answer(labels, taxonomy)
        yield {**answer, "spans": spans, "reader": reader, "labelled": settled}


def _to_prodigy(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return all labels as options, those given in `accept`, spans, and the answer."""
    options = [{"id": name, "text": name} for name in taxonomy.names]
    answers = {"accept": _flat(row, taxonomy), "answer": "accept"}
    spans = {"spans": row.columns["spans"]} if row.columns.get("spans") else {}
    return {"text": row.text, "options": options, **answers, **spans, "meta": _meta(row)}


def _scan_prodigy(path: Path, faults: list[CorpusError]) -> Placed:
    """Yield records; those of the binary interface, of one text and reader, as one."""
    binary: dict[tuple[object, ...], tuple[str, dict[str, Any]]] = {}
    for where, record in _scan(path, faults):
        if "label" not in record or {"accept", "spans"} & set(record):
            yield where, record
            continue
        key = (record.get("text"), record.get("_annotator_id"))
        merged = binary.setdefault(key, (where, {**record, "answers": defaultdict(list)}))[1]
        merged["answers"][record.get("answer")].append(record["label"])
    yield from binary.values()


def _from_prodigy(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield the answer of a record that was accepted; options that weren't are negatives."""
    answers = record.get("answers") or {record["answer"]: record.get("accept")}
    for strange in set(answers) - {"accept", "reject", "ignore"}:
        raise CorpusError(f"the answer {strange!r} isn't accept, reject or ignore")
    if "accept" not in answers:
        raise UnansweredError("nobody accepted it")
    accepted = answers["accept"]
    if accepted is None:  # spans alone give the passage their labels
        accepted = [span["label"] for span in record["spans"]]
    if both := [label for label in accepted if label in answers.get("reject", ())]:
        raise CorpusError(f"{', '.join(both)} was accepted and rejected for the same text")
    texts = {option["id"]: option.get("text") for option in record.get("options") or ()}
    accepted = [a if a in taxonomy.names else texts.get(a, a) for a in _list(accepted)]
    reader = record.get("_annotator_id", record.get("_session_id"))
    yield {**_answer(accepted, taxonomy), "reader": reader}


def _to_argilla(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return flat keys: a response to a question for each facet and to one for spans, metadata."""
    responses = {f"{f}.response": labels for f, labels in _given(row, taxonomy).items()}
    spans = {"spans.response": row.columns["spans"]} if row.columns.get("spans") else {}
    return {**_meta(row), "text": row.text, **responses, **spans}


def _from_argilla(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield the answers of each person who responded; suggestions don't count.

    Exports are flat (`topic.responses`), or records with `fields` and `responses`.
    """
    questions = (*taxonomy.slices, "spans")
    starts = tuple(f"{question}." for question in questions)
    if "responses" not in record and not any(key.startswith(starts) for key in record):
        raise KeyError("responses")
    answers: dict[object, dict[str, Any]] = defaultdict(dict)
    for question in questions:
        for reader, value, status in _responses(record, question):
            if value is not None and status in ("submitted", None):
                answers[reader] |= {question: value, "reader": reader}
    if not answers:
        raise UnansweredError("nobody responded")
    yield from answers.values()


def _responses(record: Record, question: str) -> Iterator[tuple[object, Any, object]]:
    """Yield who responded to a question, the response, and whether it was submitted."""
    yield None, record.get(f"{question}.response"), None
    given = record.get(f"{question}.responses") or []
    people = record.get(f"{question}.responses.users") or range(1, len(given) + 1)
    states = record.get(f"{question}.responses.status") or [None] * len(given)
    yield from zip(people, given, states, strict=True)
    for each in (record.get("responses") or {}).get(question) or ():
        yield each.get("user_id"), each.get("value"), each.get("status")


_DOCCANO = "id|data|labels?|cats|entities|relations"
_ARGILLA = r"_.*|status|responses|suggestions|.+\.(response|suggestion)s?(\..+)?"
_PRODIGY = "_.*|options|accept|answers?|label|tokens"

FORMS: Mapping[str, Form] = {
    OWN: Form(_to_own, _from_own, "", _scan),
    "pointers": Form(pointer_record, _from_own, "", _scan),
    "spacy": Form(_to_spacy, _from_spacy, "cats|spans", _scan_docbin),
    "spacy-jsonl": Form(_to_spacy, _from_spacy, "cats|spans", _scan),
    "doccano": Form(_to_doccano, _from_doccano, _DOCCANO, _scan),
    "label-studio": Form(_to_label_studio, _from_label_studio, "id|annotations", _scan),
    "prodigy": Form(_to_prodigy, _from_prodigy, _PRODIGY, _scan_prodigy),
    "argilla": Form(_to_argilla, _from_argilla, _ARGILLA, _scan),
}
"""The forms by name, ours first."""

_CODE_POINTS = (OWN, "pointers", "spacy", "spacy-jsonl")
