"""Corpora in our own form, in spaCy's and in those of annotation tools, both ways.

A record that nobody answered is left out and counted, never taken for the answer "no label".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from textclass.corpora.annotation_tools import (
    TOOLS,
    Answers,
    Form,
    Placed,
    Record,
    carried,
    triples,
)
from textclass.corpora.public_texts import pointer_record
from textclass.corpora.read import Scan, gathered, raise_bad_rows
from textclass.corpora.rows import Corpus, Row, UnansweredError, make_row, read_labels, teaching
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

OWN = "textclass"
"""The name of our own form: any table in, JSONL out."""

_SPANS = "sc"
"""The key under which spaCy's span categorizer looks for spans."""

_NO_COLUMNS = (
    r"_.*|id|data|labels?|cats|spans|entities|relations|annotations|options|accept"
    r"|answers?|tokens|status|responses|suggestions|.+\.(response|suggestion)s?(\..+)?"
)
"""Keys that tools use themselves; what else a record has are columns of the corpus."""


def write_form(corpus: Corpus, form: str) -> bytes:
    """Return a corpus in a form of `FORMS`.

    Parameters
    ----------
    corpus : Corpus
        Evidence spans are in a column `spans`, a list of `start`, `end` and `label`.
    form : str

    Raises
    ------
    CorpusError
        Names each row that the form has no place for.
    """
    records, faults = list[Record](), list[CorpusError]()
    for row in corpus.rows:
        with gathered(faults, row.where):
            records.append(FORMS[form].write(row, corpus.taxonomy))
    raise_bad_rows(faults)
    return FORMS[form].pack(records)


def read_form(
    path: str | Path, form: str, taxonomy: Taxonomy, *, text_column: str | None = None
) -> Scan:
    """Read a file in a form of `FORMS`.

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
    tool = FORMS[form]
    rows, faults = list[Row](), list[CorpusError]()
    for where, record in tool.scan(Path(path), faults):
        with gathered(faults, where):
            try:
                columns = record if tool.read is _from_own else _columns(record)
                if text_column:
                    columns = _rename(columns, text_column)
                for answer in tool.read(record, taxonomy):
                    said = {key: value for key, value in answer.items() if value is not None}
                    if "labels" in answer:
                        said |= _by_facet(said.pop("labels", None), taxonomy)
                    rows.append(make_row({**columns, **said}, taxonomy, where))
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                message = f"it isn't in the form of {form}; its keys are {', '.join(record)}"
                raise CorpusError(message) from error
    raise_bad_rows([fault for fault in faults if not isinstance(fault, UnansweredError)])
    return Scan(Corpus(taxonomy, tuple(rows)), tuple(faults))


def _columns(record: Record) -> Record:
    """Return what a tool's record says beside its labels, also in the parts kept for it."""
    data = record.get("data")
    if isinstance(data, Mapping):  # a task of Label Studio: what else it says is the tool's
        return data
    columns = {key: value for key, value in record.items() if not re.fullmatch(_NO_COLUMNS, key)}
    for part in ("meta", "metadata", "fields"):
        if isinstance(columns.get(part), Mapping):
            columns |= columns.pop(part)
    return {"text": data, **columns} if data else columns  # data: so in tables of doccano


def _rename(columns: Record, text_column: str) -> dict[str, Any]:
    if text_column not in columns:
        raise CorpusError(f"there is no {text_column!r}, only {', '.join(columns)}")
    others = {key: value for key, value in columns.items() if key != text_column}
    return {**others, "text": columns[text_column]}


def _by_facet(labels: object, taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return the labels of each facet from those of all."""
    given = read_labels(labels, taxonomy.names)
    if given is None:
        raise UnansweredError("nobody labelled it")
    return {facet.name: [name for name in facet.names if name in given] for facet in taxonomy}


def _to_own(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    taught = teaching(row, taxonomy)
    return {"id": row.id, "text": row.text, **taught, **row.named, **row.columns}


def _from_own(_record: Record, _taxonomy: Taxonomy) -> Answers:
    yield {}


def _to_spacy(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return `text`, `cats`, `spans` and `meta`; probabilities are `cats` from 0 to 1."""
    scores = row.scores or {name: float(name in (row.labels or ())) for name in taxonomy.names}
    return {"text": row.text, "cats": scores, "spans": {_SPANS: triples(row)}, "meta": carried(row)}


def _from_spacy(record: Record, taxonomy: Taxonomy) -> Answers:
    """Yield the answer of a record; `cats` other than 0 and 1 are probabilities."""
    if not (cats := record["cats"]):
        raise UnansweredError("nobody labelled it")
    if lacking := [name for name in taxonomy.names if cats.get(name) is None]:
        hint = "write 0 for a label that doesn't apply"
        raise CorpusError(f"cats has no answer for {', '.join(lacking)}", hint=hint)
    soft = not set(cats.values()) <= {0, 1}
    yield {
        "id": record.get("id"),
        "labels": [label for label, value in cats.items() if value],
        "scores": {f.name: {n: cats[n] for n in f.names} for f in taxonomy} if soft else None,
        "spans": (record.get("spans") or {}).get(_SPANS),
    }


def _pack_docbin(records: Iterable[Record]) -> bytes:
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
        record = {"text": doc.text, "cats": dict(doc.cats), "spans": spans}
        yield f"{path}, doc {number}", record | (doc.user_data.get(OWN) or {})


@cache
def _language() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English()


FORMS: Mapping[str, Form] = {
    OWN: Form(_to_own, _from_own),
    "pointers": Form(pointer_record, _from_own),
    "spacy": Form(_to_spacy, _from_spacy, _scan_docbin, _pack_docbin),
    "spacy-jsonl": Form(_to_spacy, _from_spacy),
    **TOOLS,
}
"""The forms by name, ours first."""
