"""What is to be reviewed: passages with the tags suggested for them, held compactly."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from textclass.corpora import read_corpus
from textclass.documents import read_rows
from textclass.errors import CorpusError, TextclassError
from textclass.results import text_id
from textclass.tagger import Tagger
from textclass.taxonomy import Taxonomy

TABLES = (".jsonl", ".jsonl.gz", ".parquet", ".csv", ".xlsx")
"""Files whose first row tells whether they hold results, a corpus, or texts not yet tagged."""

_OF_RESULTS = ("id", "document", "page", "start", "end", "model")


@dataclass(frozen=True)
class TaggedPassage:
    """A passage and the tags suggested for it.

    Attributes
    ----------
    text, document : str
    labels : collection of str
    probabilities : sequence of float, optional
        Of each label of the taxonomy, where a model gave them.
    columns : Mapping
        What its row of a corpus says besides text, labels and document.
    reason : str or None
        Why it has no label.
    evidence : sequence of Mapping
        As in the result schema, from the start of `text`; `label`, `start` and `end` at least.
    taught : bool
        Whether the labels are those of a corpus, from which the queue's model may learn.
    """

    text: str
    document: str
    labels: Collection[str] = ()
    probabilities: Sequence[float] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    evidence: Sequence[Mapping[str, Any]] = ()
    taught: bool = False


class Passages:
    """Passages in the order of their files; each text stands once.

    Parameters
    ----------
    taxonomy : Taxonomy
    passages : iterable of TaggedPassage

    Attributes
    ----------
    texts : list of str
    documents : list of str
    numbers : dict of str to int
        The place of each passage by its key, the hash of its text: an answer holds for the text,
        whoever tagged it and whenever.
    suggested : ndarray of bool, shape (n_passages, n_labels)
    probabilities : ndarray of float32, shape (n_passages, n_labels)
        NaN where no model gave any.
    taught : ndarray of bool, shape (n_passages,)

    Raises
    ------
    CorpusError
        If there are none.
    """

    def __init__(self, taxonomy: Taxonomy, passages: Iterable[TaggedPassage]) -> None:
        self.taxonomy = taxonomy
        self.texts: list[str] = []
        self.documents: list[str] = []
        self.numbers: dict[str, int] = {}
        self._details: list[bytes] = []  # packed, or they would be most of the memory
        suggested, probabilities, taught = bytearray(), array("f"), bytearray()
        unknown = [np.nan] * len(taxonomy.names)
        for one in passages:
            key = text_id(one.text)
            if key in self.numbers:
                continue
            self.numbers[key] = len(self.texts)
            self.texts.append(one.text)
            self.documents.append(one.document)
            suggested.extend(name in one.labels for name in taxonomy.names)
            probabilities.extend(unknown if one.probabilities is None else one.probabilities)
            taught.append(one.taught)
            detail = {"columns": one.columns, "reason": one.reason, "evidence": one.evidence}
            self._details.append(zlib.compress(orjson.dumps(detail), 1))
        if not self.texts:
            raise CorpusError("there is no passage to review")
        self.keys = list(self.numbers)
        shape = len(self.texts), len(taxonomy.names)
        self.suggested = np.frombuffer(suggested, np.bool_).reshape(shape)
        self.probabilities = np.frombuffer(probabilities, np.float32).reshape(shape)
        self.taught = np.frombuffer(taught, np.bool_)

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def by_document(self) -> Mapping[str, list[int]]:
        """The passages of each document, in order."""
        found: dict[str, list[int]] = {}
        for number, document in enumerate(self.documents):
            found.setdefault(document, []).append(number)
        return found

    def labels(self, number: int) -> tuple[str, ...]:
        """Return the labels suggested for a passage."""
        return tuple(self.taxonomy.names[c] for c in np.flatnonzero(self.suggested[number]))

    def detail(self, number: int) -> dict[str, Any]:
        """Return the `columns`, `reason` and `evidence` of a passage."""
        found: dict[str, Any] = orjson.loads(zlib.decompress(self._details[number]))
        return found

    def row(self, number: int) -> dict[str, Any]:
        """Return the row of a corpus that a passage becomes, without its labels."""
        columns = self.detail(number)["columns"].items()
        text, document = self.texts[number], self.documents[number]
        kept = {name: value for name, value in columns if value is not None}
        return {"id": self.keys[number], **kept, "text": text, "group": document}


def read_passages(
    paths: Sequence[str],
    taxonomy: Taxonomy,
    *,
    strict: bool = True,
    tagger: Tagger | None = None,
    tag: Callable[[Sequence[str]], Path] | None = None,
) -> Passages:
    """Read results of `tag`, corpora and documents.

    Parameters
    ----------
    paths : sequence of str
    taxonomy : Taxonomy
    strict : bool, keyword-only
        Refuse results whose labels aren't those of the taxonomy; otherwise only their passages are
        taken.
    tagger : Tagger, keyword-only, optional
        Gives the probabilities of labels that a corpus has.
    tag : callable, keyword-only, optional
        Tags documents and returns where the results are.

    Raises
    ------
    CorpusError
        If there is no passage, a row has no text, or its labels are unknown.
    """
    found: list[Iterable[TaggedPassage]] = []
    documents = []
    for path in map(Path, paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        tables = [file for file in files if file.name.endswith(TABLES) and file.is_file()]
        first: Mapping[str, Any] = {}
        with suppress(TextclassError):  # a table that can't be read is a document to set aside
            first = next((row for file in tables[:1] for _, row in read_rows(file)), {})
        if "outcome" in first:
            found.append(_of_results(tables, taxonomy, strict=strict))
        elif {"scores", *taxonomy.slices} & set(first):
            found.append(_of_corpus(path, taxonomy, tagger))
        else:
            documents.append(str(path))
    if documents and tag:
        found.append(_of_results([tag(documents)], taxonomy, strict=strict))
    return Passages(taxonomy, chain.from_iterable(found))


def _of_results(
    tables: Iterable[Path], taxonomy: Taxonomy, *, strict: bool
) -> Iterator[TaggedPassage]:
    for where, record in chain.from_iterable(map(read_rows, tables)):
        text, scores = record.get("text"), _scores(record, taxonomy)
        if not isinstance(text, str) or not text.strip() or not scores:
            raise CorpusError(
                "a passage and the scores of its labels were expected",
                where=where,
                hint="textclass tag --level passage writes them",
            )
        known = scores.keys() == taxonomy.columns.keys()
        if strict and not known:
            raise CorpusError(
                "its labels aren't those of the model",
                where=where,
                hint="name the model that tagged it with --model, or its --labels",
            )
        shift = record.get("start") or 0
        evidence = [
            {**one, "start": one["start"] - shift, "end": one["end"] - shift}
            for one in record.get("evidence") or ()
            if isinstance(one, Mapping)  # a sheet tells it in words alone
        ]
        yield TaggedPassage(
            text,
            str(record.get("document") or Path(where.rpartition(", ")[0]).name),
            [name for facet in taxonomy.slices for name in _names(record[facet])] if known else (),
            [scores[name] for name in taxonomy.names] if known else None,
            {name: record.get(name) for name in _OF_RESULTS},
            record.get("reason") if known else None,
            evidence if known else (),
        )


def _scores(record: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, float]:
    """Return the probability of each label, from what is nested or from the columns of a sheet."""
    by_facet = record.get("scores")
    if isinstance(by_facet, Mapping):
        return {name: p for facet in by_facet.values() for name, p in facet.items()}
    cells = [(name.partition("."), cell) for name, cell in record.items()]
    return {label: float(p) for (facet, dot, label), p in cells if dot and facet in taxonomy.slices}


def _names(cell: Sequence[str] | str | None) -> Sequence[str]:
    return cell.split("; ") if isinstance(cell, str) and cell else cell or ()


def _of_corpus(path: Path, taxonomy: Taxonomy, tagger: Tagger | None) -> Iterator[TaggedPassage]:
    rows = read_corpus(path, taxonomy).rows
    scores = tagger.score([row.text for row in rows]).probabilities.tolist() if tagger else ()
    for row, found in zip_longest(rows, scores):
        soft = row.scores or {}
        yield TaggedPassage(
            row.text,
            row.group,
            row.labels or [name for name, p in soft.items() if p >= 0.5],
            found or [soft[name] for name in taxonomy.names if soft] or None,
            {"id": row.id, **row.columns},
            evidence=row.columns.get("spans") or (),
            taught=row.hard,
        )
