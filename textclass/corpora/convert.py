"""Corpora in the forms of spaCy and of annotation tools, both ways.

Whatever a tool writes where nobody answered is no answer; the row is left out and counted. Several
annotators of a text give several rows, each with its `reader`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from textclass.corpora.read import (
    SETTLED,
    UnansweredError,
    make_row,
    read_labels,
    scan_corpus,
    with_text,
)
from textclass.corpora.records import Placed, gathered, json_lines, raise_bad_rows, scan_records
from textclass.corpora.rows import Corpus, Row, folder_of, teaching
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

OWN = "textclass"
"""The name of our own form: any table in, JSONL out."""

Record = Mapping[str, Any]
Rows = Iterator[dict[str, Any]]

_SPANS = "sc"
"""The key under which spaCy's span categorizer looks for spans."""


@dataclass(frozen=True)
class Converted:
    """Rows that a file held, and how many of its records nobody had labelled."""

    corpus: Corpus
    skipped: int


def write_form(corpus: Corpus, form: str, *, utf16: bool = False) -> bytes:
    """Return a corpus in a form of `FORMS`, or in our own.

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
        If rows carry probabilities and the form has no place for them.
    """
    if form == OWN:
        return json_lines(own_record(row, corpus.taxonomy) for row in corpus.rows)
    write = _form(form)[0]
    if form not in _SPACYS:
        soft = next((row for row in corpus.rows if not row.hard), None)
        if soft:
            raise CorpusError(
                f"{form} has no place for probabilities",
                where=soft.where,
                hint="convert the rows with labels, or use spacy or spacy-jsonl",
            )
        if utf16:
            moved = (
                replace(row, columns={**row.columns, "spans": _moved(row.text, spans, _to_units)})
                if (spans := row.columns.get("spans"))
                else row
                for row in corpus.rows
            )
            corpus = replace(corpus, rows=tuple(moved))
    records = write(corpus)
    if form == "spacy":
        return _to_docbin(records)
    if form == "label-studio":
        return orjson.dumps(list(records), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return json_lines(records)


def read_form(
    path: str | Path,
    form: str,
    taxonomy: Taxonomy,
    *,
    utf16: bool = False,
    text_column: str | None = None,
) -> Converted:
    """Read a file in a form of `FORMS` or in our own; parameters as for `write_form`.

    `text_column` names what holds the text, where it isn't called text.

    Raises
    ------
    CorpusError
        Names each bad record by its place.
    """
    path, rows, faults = Path(path), list[Row](), list[CorpusError]()
    if form == OWN:
        scan = scan_corpus(path, taxonomy, text_column=text_column)
        rows, faults = list(scan.corpus.rows), list(scan.faults)
    else:
        parse = _form(form)[1]
        for where, found in _SCANS.get(form, _scan)(path, faults):
            with gathered(faults, where):
                record = with_text(found, text_column)
                try:
                    for made in parse(record, taxonomy):
                        if utf16 and form not in _SPACYS and made.get("spans"):
                            made["spans"] = _moved(made["text"], made["spans"], _from_units)
                        rows.append(make_row(made, taxonomy, where))
                except (AttributeError, KeyError, TypeError, ValueError) as error:
                    raise _other_form(form, record) from error
    raise_bad_rows([fault for fault in faults if not isinstance(fault, UnansweredError)])
    skipped = sum(isinstance(fault, UnansweredError) for fault in faults)
    return Converted(Corpus(taxonomy, tuple(rows)), skipped)


def own_record(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a row in our own form."""
    taught = teaching(row, taxonomy)
    return {"id": row.id, "text": row.text, **taught, "group": row.group, **_columns(row)}


def _form(name: str) -> tuple[Callable[..., Iterator[Any]], Callable[..., Rows]]:
    if name not in FORMS:
        raise CorpusError(f"there is no form {name!r}; there are {', '.join((OWN, *FORMS))}")
    return FORMS[name]


def _other_form(form: str, record: Record) -> CorpusError:
    keys = ", ".join(map(str, record)) or "none"
    return CorpusError(f"it isn't in the form of {form}; its keys are {keys}")


def _scan(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield the records of a table, or of a file that is one JSON list."""
    try:
        with path.open("rb") as file:
            listed = file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        records = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf")) if listed else ()
    except (OSError, ValueError) as error:
        raise CorpusError(f"can't be read: {error}", where=str(path)) from error
    for number, value in enumerate(records, 1):
        with gathered(faults, where := f"{path}, record {number}"):
            if not isinstance(value, dict):
                raise CorpusError("a JSON object was expected")
            yield where, value
    if not listed:
        yield from scan_records(path, faults)


def _made(
    record: Record,
    text: object,
    labels: object,
    taxonomy: Taxonomy,
    spans: Iterable[Any] = (),
    **columns: object,
) -> dict[str, Any]:
    """Return a row in our form from what a tool's record says."""
    given = read_labels(labels, taxonomy.names)
    if given is None:
        raise UnansweredError("nobody labelled it")
    meta = record.get("meta")
    made = dict(meta) if isinstance(meta, Mapping) else {}
    made |= {"id": made.pop("passage", None), "text": text}
    made |= {name: value for name, value in columns.items() if value is not None}
    made |= {facet.name: [name for name in facet.names if name in given] for facet in taxonomy}
    return made | ({"spans": list(spans)} if spans else {})


def _text(record: Record, *names: str) -> object:
    """Return the text of a record under the first of `names` that it has."""
    for name in ("text", *names):
        if record.get(name) is not None:
            return record[name]
    keys = ", ".join(map(str, record)) or "none"
    raise CorpusError(
        f"there is no text under 'text'; the keys are {keys}", hint="name it with --text-column"
    )


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


def _meta(row: Row) -> dict[str, Any]:
    """Return what annotation tools carry along untouched; ours is `passage`, their `id` isn't."""
    columns = {name: value for name, value in _columns(row).items() if name != "spans"}
    return {"passage": row.id, "group": row.group, **columns}


def _columns(row: Row) -> dict[str, Any]:
    """Return the further columns without `collection` where it is but the folder of the file."""
    columns = dict(row.columns)
    if columns.get("collection") == folder_of(row.where):
        del columns["collection"]
    return columns


def _given(row: Row, taxonomy: Taxonomy) -> list[str]:
    return [name for name in taxonomy.names if name in (row.labels or ())]


def _moved(text: str, spans: Any, move: Callable[[str, int], int]) -> list[dict[str, Any]]:  # noqa: ANN401
    moved = []
    for span in spans:
        try:
            moved.append({**span, **{side: move(text, span[side]) for side in ("start", "end")}})
        except (KeyError, TypeError, ValueError) as error:
            raise CorpusError(
                f"the span {span!r} begins or ends outside the text or inside a character"
            ) from error
    return moved


def _to_units(text: str, place: int) -> int:
    return len(text[:place].encode("utf-16-le")) // 2


def _from_units(text: str, place: int) -> int:
    units = text.encode("utf-16-le")
    if not 0 <= 2 * place <= len(units):
        raise ValueError(place)
    return len(units[: 2 * place].decode("utf-16-le"))


def _to_spacy(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield rows as `text`, `cats`, `spans` and `meta`; probabilities are `cats` from 0 to 1."""
    for row, values in zip(corpus.rows, corpus.targets.tolist(), strict=True):
        yield {
            "text": row.text,
            "cats": dict(zip(corpus.taxonomy.names, values, strict=True)),
            "spans": {_SPANS: _triples(row)},
            "meta": _meta(row) | ({} if row.hard else {"soft": True}),
        }


def _from_spacy(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield our form of a record; `cats` other than 0 and 1, or `soft` in `meta`: probabilities."""
    if "cats" not in record:
        raise _other_form("spacy", record)
    if not (cats := record["cats"]):
        raise UnansweredError("nobody labelled it")
    lacking = [name for name in taxonomy.names if cats.get(name) is None]
    if set(cats) <= set(taxonomy.names) and lacking:
        hint = "write 0 for a label that doesn't apply"
        raise CorpusError(f"cats has no answer for {', '.join(lacking)}", hint=hint)
    meta = dict(record.get("meta") or {})
    soft = meta.pop("soft", False) or not set(cats.values()) <= {0, 1}
    spans = _from_triples((record.get("spans") or {}).get(_SPANS, []))
    given = [label for label, value in cats.items() if value]
    made = _made({"meta": meta}, _text(record), given, taxonomy, spans)
    if soft:
        made["scores"] = {f.name: {n: cats[n] for n in f.names} for f in taxonomy}
    yield made


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
        doc.user_data[OWN] = {"spans": exact, "meta": record["meta"]}
        docs.add(doc)
    return bytes(docs.to_bytes())


def _scan_docbin(path: Path, _faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield the docs of a `.spacy` file as records; others' have the offsets of their tokens."""
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_bytes(path.read_bytes()).get_docs(_language().vocab))
    except (OSError, zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise CorpusError(f"not a DocBin: {error}", where=str(path)) from error
    for number, doc in enumerate(docs, 1):
        group = doc.spans.get(_SPANS, ())
        spans = [[span.start_char, span.end_char, span.label_] for span in group]
        ours = {"spans": spans} | (doc.user_data.get(OWN) or {})
        record = {"text": doc.text, "cats": dict(doc.cats), "meta": ours.get("meta")}
        yield f"{path}, doc {number}", {**record, "spans": {_SPANS: ours["spans"]}}


@cache
def _language() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English()


def _to_doccano(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield `label` for categories; with spans in any row every row has `entities` and `cats`."""
    spanned = any(row.columns.get("spans") for row in corpus.rows)
    for row in corpus.rows:
        labels = _given(row, corpus.taxonomy)
        body = {"entities": _triples(row), "cats": labels} if spanned else {"label": labels}
        yield {"text": row.text, **body, "meta": _meta(row)}


def _from_doccano(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield our form of a record; spans alone give the passage their labels."""
    keys = [key for key in ("label", "labels", "cats", "entities") if key in record]
    if not keys:
        raise _other_form("doccano", record)
    label = record.get("cats", record.get("label", record.get("labels")))
    spans = _from_triples(record.get("entities") or ())
    if isinstance(label, list) and any(isinstance(item, list) for item in label):
        label, spans = None, _from_triples(label)
    if label is None and (spans or record.get("entities") == []):
        label = [span["label"] for span in spans]
    yield _made(record, _text(record, "data"), label, taxonomy, spans)


def _to_label_studio(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield tasks with choices for each facet and labelled regions.

    The labelling set-up needs `Text` named text, `Choices` named as each facet, and `Labels` named
    spans.
    """
    for row in corpus.rows:
        taught = teaching(row, corpus.taxonomy).items()
        items: list[Any] = [(f, "choices", {"choices": labels}) for f, labels in taught if labels]
        for start, end, label in _triples(row):
            items.append(("spans", "labels", {"start": start, "end": end, "labels": [label]}))
        result = [
            {"from_name": name, "to_name": "text", "type": kind, "value": value}
            for name, kind, value in items
        ]
        data = {"text": row.text, "meta": _meta(row)}
        yield {"data": data, "annotations": [{"result": result}]}


def _from_label_studio(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield our form of a task for each annotation that wasn't cancelled; predictions don't count.

    That marked as ground truth is settled. Rows of Label Studio's tables have a column for each
    facet instead.
    """
    if "annotations" not in record:
        if not any(facet.name in record for facet in taxonomy):
            raise _other_form("label-studio", record)
        text, reader = _text(record), record.get("annotator")
        yield {k: record.get(k) for k in taxonomy.slices} | {"text": text, "reader": reader}
        return
    done = [each for each in record["annotations"] or () if not each.get("was_cancelled")]
    if not done:
        raise UnansweredError("nobody finished an annotation")
    data = record.get("data") or {}
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
        text = record["text"] if record.get("text") else _text(data)
        yield _made(data, text, labels, taxonomy, spans, reader=reader, labelled=settled)


def _to_prodigy(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield all labels as options, those given in `accept`, spans, and the answer."""
    options = [{"id": name, "text": name} for name in corpus.taxonomy.names]
    for row in corpus.rows:
        accepted = {"accept": _given(row, corpus.taxonomy), "answer": "accept"}
        spans = {"spans": row.columns["spans"]} if row.columns.get("spans") else {}
        yield {"text": row.text, "options": options, **accepted, **spans, "meta": _meta(row)}


def _scan_prodigy(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield records; those of the binary interface, of one text and reader, as one with choices."""
    binary: dict[tuple[object, ...], Placed] = {}
    for where, record in _scan(path, faults):
        if "accept" in record or "spans" in record or "label" not in record:
            yield where, record
            continue
        key = (record.get("text"), record.get("_annotator_id"))
        start = {**record, "accept": [], "rejected": [], "answer": "ignore"}
        merged = binary.setdefault(key, (where, start))[1]
        answer = str(record.get("answer"))
        side = {"accept": "accept", "reject": "rejected", "ignore": "ignored"}.get(answer, answer)
        merged.setdefault(side, []).append(record["label"])
        merged["answer"] = answer if answer not in ("reject", "ignore") else merged["answer"]
    yield from binary.values()


def _from_prodigy(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield our form of a record whose answer is `accept`.

    Options that weren't accepted are negatives; spans alone give the passage their labels.
    """
    answer, spans = record.get("answer"), record.get("spans") or ()
    if "answer" not in record:
        raise _other_form("prodigy", record)
    if answer not in ("accept", "reject", "ignore"):
        raise CorpusError(f"the answer {answer!r} isn't accept, reject or ignore")
    if answer != "accept":
        raise UnansweredError("nobody accepted it")
    if not {"accept", "spans"} & set(record):
        raise _other_form("prodigy", record)
    texts = {option["id"]: option.get("text") for option in record.get("options") or ()}
    accepted = record.get("accept", [span.get("label") for span in spans])
    accepted = [a if a in taxonomy.names else texts.get(a, a) for a in _list(accepted)]
    if both := set(accepted) & set(record.get("rejected") or ()):
        raise CorpusError(f"{', '.join(sorted(both))} was accepted and rejected for the same text")
    reader = record.get("_annotator_id", record.get("_session_id"))
    yield _made(record, _text(record), accepted, taxonomy, spans, reader=reader)


def _to_argilla(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield flat keys: a response to a question for each facet and to one for spans, metadata."""
    for row in corpus.rows:
        meta = _meta(row)
        record = {"id": meta.pop("passage"), "text": row.text}
        taught = teaching(row, corpus.taxonomy).items()
        responses = {f"{facet}.response": labels for facet, labels in taught}
        spans = {"spans.response": row.columns["spans"]} if row.columns.get("spans") else {}
        yield {**meta, **record, **responses, **spans}


def _from_argilla(record: Record, taxonomy: Taxonomy) -> Rows:
    """Yield our form of a record for each person who responded; suggestions don't count.

    Exports are flat (`topic.responses`), or records with `fields` and `responses`.
    """
    questions = (*taxonomy.slices, "spans")
    starts = tuple(f"{question}." for question in questions)
    if "responses" not in record and not any(str(key).startswith(starts) for key in record):
        raise _other_form("argilla", record)
    answers: dict[object, dict[str, Any]] = {}
    for question in questions:
        for reader, value in _responses(record, question):
            answers.setdefault(reader, {})[question] = value
    if not answers:
        raise UnansweredError("nobody responded")
    ours = {"id", "text", "status", "_server_id", "metadata", "fields", "responses", "suggestions"}
    meta = {k: v for k, v in record.items() if k not in ours and not k.startswith(starts)}
    meta |= record.get("metadata") or {}
    text = _text(record if record.get("text") is not None else record.get("fields") or record)
    for reader, given in answers.items():
        spans = {"spans": given["spans"]} if given.get("spans") else {}
        columns = meta | ({} if reader is None else {"reader": reader})
        labels = {facet: given.get(facet) for facet in taxonomy.slices}
        yield {**columns, "id": record.get("id"), "text": text, **labels, **spans}


def _responses(record: Record, question: str) -> Iterator[tuple[object, Any]]:
    """Yield who submitted a response to a question, and the response."""
    if record.get(f"{question}.response") is not None:
        yield None, record[f"{question}.response"]
    given = record.get(f"{question}.responses") or []
    people = record.get(f"{question}.responses.users") or list(range(1, len(given) + 1))
    states = record.get(f"{question}.responses.status") or ["submitted"] * len(given)
    found = list(zip(people, given, states, strict=True))
    listed = (record.get("responses") or {}).get(question) or ()
    found += [(each.get("user_id"), each.get("value"), each.get("status")) for each in listed]
    for reader, value, state in found:
        if value is not None and state in ("submitted", None):
            yield reader, value


FORMS: Mapping[str, tuple[Callable[..., Iterator[Any]], Callable[..., Rows]]] = {
    "spacy": (_to_spacy, _from_spacy),
    "spacy-jsonl": (_to_spacy, _from_spacy),
    "doccano": (_to_doccano, _from_doccano),
    "label-studio": (_to_label_studio, _from_label_studio),
    "prodigy": (_to_prodigy, _from_prodigy),
    "argilla": (_to_argilla, _from_argilla),
}
"""The forms of other tools, by name: how they are written and parsed."""

_SCANS = {"spacy": _scan_docbin, "prodigy": _scan_prodigy}
_SPACYS = ("spacy", "spacy-jsonl")
