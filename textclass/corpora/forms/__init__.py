"""Corpora in the forms of spaCy and of annotation tools, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from textclass.corpora.files import json_line, raise_bad_rows
from textclass.corpora.forms import (
    argilla,
    doccano,
    label_studio,
    prodigy,
    spacy_form,
    spacy_jsonl,
)
from textclass.corpora.forms.records import (
    Found,
    from_utf16,
    own_record,
    scan_json,
    to_utf16,
)
from textclass.corpora.read import make_row, read_corpus
from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

__all__ = ["FORMS", "OWN", "Converted", "Form", "read_form", "write_form"]


OWN = "textclass"
"""The name of our own form: JSONL, CSV or Parquet in, JSONL out."""


@dataclass(frozen=True)
class Form:
    """Another tool's way of writing a corpus down.

    Attributes
    ----------
    name, title : str
    write : callable
        Corpus to the bytes of a file.
    read : callable
        Path and taxonomy to rows in our own form, each with its place.
    in_browser : bool
        Whether the tool may count offsets as browsers do.
    """

    name: str
    title: str
    write: Callable[[Corpus], bytes]
    read: Callable[[Path, Taxonomy], Iterator[Found]]
    in_browser: bool = True


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
        return b"".join(json_line(own_record(row, corpus.taxonomy)) for row in corpus.rows)
    shifts = utf16 and FORMS[form].in_browser
    return FORMS[form].write(to_utf16(corpus) if shifts else corpus)


def read_form(path: str | Path, form: str, taxonomy: Taxonomy, *, utf16: bool = False) -> Converted:
    """Read a file in a form of `FORMS` or in our own; parameters as for `write_form`.

    Raises
    ------
    CorpusError
        Names each bad record by its place.
    """
    if form == OWN:
        return Converted(read_corpus(path, taxonomy), 0)
    rows: list[Row] = []
    faults: list[CorpusError] = []
    skipped = 0
    shifts = utf16 and FORMS[form].in_browser
    for where, found in FORMS[form].read(Path(path), taxonomy):
        try:
            if isinstance(found, CorpusError):
                raise found
            if found is None:
                skipped += 1
                continue
            rows.append(make_row(from_utf16(found) if shifts else found, taxonomy, where))
        except CorpusError as error:
            faults.append(CorpusError(error.message, where=error.where or where, hint=error.hint))
    raise_bad_rows(faults)
    return Converted(Corpus(taxonomy, tuple(rows)), skipped)


def _reader(
    parse: Callable[[Mapping[str, Any], Taxonomy], dict[str, Any] | None],
) -> Callable[[Path, Taxonomy], Iterator[Found]]:
    """Make a reader of JSON records from a function that reads one."""

    def read(path: Path, taxonomy: Taxonomy) -> Iterator[Found]:
        for found in scan_json(path):
            if isinstance(found, CorpusError):
                yield found.where or str(path), found
                continue
            try:
                yield found.where, parse(found.values, taxonomy)
            except CorpusError as error:
                yield found.where, error
            except (AttributeError, TypeError, ValueError) as error:
                yield found.where, CorpusError(f"not in the form expected: {error}")

    return read


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.name: form
        for form in (
            Form("spacy", "DocBin (.spacy)", spacy_form.write, spacy_form.read, in_browser=False),
            Form(
                "spacy-jsonl",
                "cats and spans in JSONL",
                spacy_jsonl.write,
                _reader(spacy_jsonl.parse),
                in_browser=False,
            ),
            Form("doccano", "doccano JSONL", doccano.write, _reader(doccano.parse)),
            Form(
                "label-studio",
                "Label Studio JSON",
                label_studio.write,
                _reader(label_studio.parse),
            ),
            Form("prodigy", "Prodigy JSONL", prodigy.write, _reader(prodigy.parse)),
            Form("argilla", "Argilla records in JSONL", argilla.write, _reader(argilla.parse)),
        )
    }
)
"""The forms of other tools, by name."""
