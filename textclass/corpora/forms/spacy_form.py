"""spaCy's DocBin (`.spacy`): `Doc` objects with `cats`, spans, and our columns in `user_data`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from textclass.corpora.forms import spacy_jsonl
from textclass.corpora.forms.records import Found
from textclass.corpora.rows import Corpus
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

_OURS = "textclass"


def write(corpus: Corpus) -> bytes:
    """Return the corpus as a DocBin.

    spaCy's spans are whole tokens: they hold the tokens that a span touches, and `user_data` the
    exact offsets.
    """
    from spacy.tokens import DocBin, SpanGroup

    docs = DocBin(store_user_data=True)
    for row in corpus.rows:
        record = spacy_jsonl.to_dict(row, corpus.taxonomy)
        doc = _language().make_doc(row.text)
        doc.cats = record["cats"]
        exact = record["spans"][spacy_jsonl.SPANS_KEY]
        spans = [doc.char_span(s, e, label, alignment_mode="expand") for s, e, label in exact]
        doc.spans[spacy_jsonl.SPANS_KEY] = SpanGroup(doc, spans=spans)
        doc.user_data[_OURS] = {"spans": exact, "meta": record["meta"]}
        docs.add(doc)
    return bytes(docs.to_bytes())


def read(path: Path, taxonomy: Taxonomy) -> Iterator[Found]:
    """Yield the docs of a `.spacy` file as rows; those of others have their spans' offsets."""
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_bytes(path.read_bytes()).get_docs(_language().vocab))
    except (OSError, zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise CorpusError(f"not a DocBin: {error}", where=str(path)) from error
    for number, doc in enumerate(docs, 1):
        where = f"{path}, doc {number}"
        group = doc.spans.get(spacy_jsonl.SPANS_KEY, ())
        spans = [[span.start_char, span.end_char, span.label_] for span in group]
        ours = doc.user_data.get(_OURS) or {}
        record = {
            "text": doc.text,
            "cats": dict(doc.cats),
            "spans": {spacy_jsonl.SPANS_KEY: ours.get("spans", spans)},
            "meta": ours.get("meta"),
        }
        try:
            yield where, spacy_jsonl.parse(record, taxonomy)
        except CorpusError as error:
            yield where, error


@cache
def _language() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English()
