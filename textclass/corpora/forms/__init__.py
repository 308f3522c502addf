"""Corpora in the forms of spaCy and of annotation tools, both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textclass.corpora.files import Placed, json_lines, raise_bad_rows
from textclass.corpora.forms import tools
from textclass.corpora.forms.records import (
    from_utf16,
    json_list,
    own_record,
    scan_json,
    to_utf16,
)
from textclass.corpora.forms.spacy_form import from_spacy, scan_docbin, to_docbin, to_spacy
from textclass.corpora.read import make_row, read_corpus
from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

OWN = "textclass"
"""The name of our own form: JSONL, CSV or Parquet in, JSONL out."""


@dataclass(frozen=True)
class Form:
    """Another tool's way of writing a corpus down.

    Attributes
    ----------
    mark : str
        Pattern of a key that every record has.
    write : callable
        Corpus to the tool's records.
    parse : callable
        One of its records to a row in our own form, or None if nobody labelled it.
    pack : callable
        Records to the bytes of a file.
    scan : callable
        Path to records, each with its place; faults go to the list given.
    annotates : bool
        Whether it is an annotation tool: it may count offsets as browsers do, and has no place for
        probabilities.
    """

    mark: str
    write: Callable[[Corpus], Iterable[Mapping[str, Any]]]
    parse: Callable[[Mapping[str, Any], Taxonomy], dict[str, Any] | None]
    pack: Callable[[Iterable[Mapping[str, Any]]], bytes] = json_lines
    scan: Callable[[Path, list[CorpusError]], Iterator[Placed]] = scan_json
    annotates: bool = True


FORMS: Mapping[str, Form] = {
    "spacy": Form("cats", to_spacy, from_spacy, to_docbin, scan_docbin, annotates=False),
    "spacy-jsonl": Form("cats", to_spacy, from_spacy, annotates=False),
    "doccano": Form("labels?|cats|entities", tools.to_doccano, tools.from_doccano),
    "label-studio": Form("annotations", tools.to_label_studio, tools.from_label_studio, json_list),
    "prodigy": Form("answer", tools.to_prodigy, tools.from_prodigy),
    "argilla": Form(r".+\.(responses?|suggestion)", tools.to_argilla, tools.from_argilla),
}
"""The forms of other tools, by name."""


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
    theirs = FORMS[form]
    soft = next((row for row in corpus.rows if not row.hard), None)
    if theirs.annotates and soft:
        raise CorpusError(
            f"{form} has no place for probabilities",
            where=soft.where,
            hint="convert the rows with labels, or use spacy or spacy-jsonl",
        )
    if theirs.annotates and utf16:
        corpus = replace(corpus, rows=tuple(map(to_utf16, corpus.rows)))
    return theirs.pack(theirs.write(corpus))


def read_form(path: str | Path, form: str, taxonomy: Taxonomy, *, utf16: bool = False) -> Converted:
    """Read a file in a form of `FORMS` or in our own; parameters as for `write_form`.

    Raises
    ------
    CorpusError
        Names each bad record by its place.
    """
    if form == OWN:
        return Converted(read_corpus(path, taxonomy), 0)
    theirs = FORMS[form]
    rows: list[Row] = []
    faults: list[CorpusError] = []
    skipped = 0
    for where, found in theirs.scan(Path(path), faults):
        try:
            if not any(re.fullmatch(theirs.mark, key) for key in found):
                raise CorpusError(f"it isn't in the form of {form}: no key is {theirs.mark!r}")
            record = theirs.parse(found, taxonomy)
            if record is None:
                skipped += 1
                continue
            if theirs.annotates and utf16:
                record = from_utf16(record)
            rows.append(make_row(record, taxonomy, where))
        except CorpusError as error:
            faults.append(CorpusError(error.message, where=where, hint=error.hint))
        except (AttributeError, TypeError, ValueError) as error:
            faults.append(CorpusError(f"not in the form expected: {error}", where=where))
    raise_bad_rows(faults)
    return Converted(Corpus(taxonomy, tuple(rows)), skipped)
