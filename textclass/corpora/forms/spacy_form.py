"""spaCy's terms: `cats` with every label and spans under the key `sc`, as JSON or in a DocBin."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from textclass.corpora.files import Placed
from textclass.corpora.forms.records import from_triples, make_record, meta_of, triples_of
from textclass.corpora.rows import Corpus
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

_SPANS = "sc"
"""The key under which spaCy's span categorizer looks for spans."""

_OURS = "textclass"


def to_spacy(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield rows as `text`, `cats`, `spans` and `meta`; probabilities are `cats` from 0 to 1."""
    for row, values in zip(corpus.rows, corpus.targets.tolist(), strict=True):
        yield {
            "text": row.text,
            "cats": dict(zip(corpus.taxonomy.names, values, strict=True)),
            "spans": {_SPANS: triples_of(row)},
            "meta": meta_of(row) | ({} if row.hard else {"soft": True}),
        }


def from_spacy(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any] | None:
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
    spans = from_triples((record.get("spans") or {}).get(_SPANS, []))
    given = [label for label, value in cats.items() if value]
    made = make_record({**record, "meta": meta}, given, spans, taxonomy)
    if soft:
        made["scores"] = {f.name: {n: cats.get(n, 0.0) for n in f.names} for f in taxonomy}
    return made


def to_docbin(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the records of `to_spacy` as a DocBin.

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
        doc.user_data[_OURS] = {"spans": exact, "meta": record["meta"]}
        docs.add(doc)
    return bytes(docs.to_bytes())


def scan_docbin(path: Path, _faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield the docs of a `.spacy` file as records; others' have the offsets of their tokens."""
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_bytes(path.read_bytes()).get_docs(_language().vocab))
    except (OSError, zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise CorpusError(f"not a DocBin: {error}", where=str(path)) from error
    for number, doc in enumerate(docs, 1):
        group = doc.spans.get(_SPANS, ())
        spans = [[span.start_char, span.end_char, span.label_] for span in group]
        ours = {"spans": spans} | (doc.user_data.get(_OURS) or {})
        record = {"text": doc.text, "cats": dict(doc.cats), "meta": ours.get("meta")}
        yield f"{path}, doc {number}", {**record, "spans": {_SPANS: ours["spans"]}}


@cache
def _language() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English()
