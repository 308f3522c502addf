"""What is to be reviewed: passages with the tags suggested for them, held compactly."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np
import orjson
from numpy.typing import NDArray

from textclass.corpora import read_corpus, text_id
from textclass.documents import read_rows
from textclass.errors import CorpusError
from textclass.results import DocumentTags, Outcome, PassageTags, pool_document
from textclass.tagger import Tagger
from textclass.taxonomy import Taxonomy

TABLES = (".jsonl", ".jsonl.gz", ".parquet", ".csv")
"""Files whose first row tells whether they hold results, a corpus, or texts not yet tagged."""

_OURS = frozenset("outcome reason unread scores evidence text id document".split())


class Details:
    """What else is known of each passage, as JSON in a temporary file: memory is for the texts."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 -- closed with this object
        self._ends = array("q", [0])
        finalize(self, self._file.close)

    def append(self, detail: Mapping[str, Any]) -> None:
        """Add what is known of the next passage."""
        line = orjson.dumps(detail, default=str)
        self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return what is known of a passage."""
        start, end = self._ends[number : number + 2]
        self._file.seek(start)
        found: dict[str, Any] = orjson.loads(self._file.read(end - start))
        return found


@dataclass(frozen=True, eq=False)
class Passages:
    """Passages in the order of their files; each text stands once.

    Attributes
    ----------
    taxonomy : Taxonomy
    texts : list of str
    keys : list of str
        Hash of each text: an answer holds for the text, whoever tagged it and whenever.
    documents : list of str
    suggested : ndarray of bool, shape (n_passages, n_labels)
    probabilities : ndarray of float32, shape (n_passages, n_labels)
        NaN where no model gave any.
    taught : ndarray of bool, shape (n_passages,)
        Whether the suggestion is a label of a corpus, from which the queue's model may learn.
    details : Details
        `id`, `reason`, `evidence`, and `columns` for the corpus, of each passage.
    """

    taxonomy: Taxonomy
    texts: list[str]
    keys: list[str]
    documents: list[str]
    suggested: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    taught: NDArray[np.bool_]
    details: Details

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each key."""
        return {key: number for number, key in enumerate(self.keys)}

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

    def row(self, number: int) -> dict[str, Any]:
        """Return the row of a corpus that a passage becomes, without its labels."""
        detail = self.details[number]
        kept = {name: value for name, value in detail["columns"].items() if value is not None}
        return {
            **kept,
            "id": detail["id"],
            "text": self.texts[number],
            "group": self.documents[number],
        }

    def pool(self, document: str, given: Mapping[int, Sequence[str]]) -> DocumentTags:
        """Return the tags of a document, from those suggested or, where there are any, `given`."""
        numbers = self.by_document[document]
        tagged = []
        for number in numbers:
            labels = tuple(given.get(number, self.labels(number)))
            tagged.append(
                PassageTags(
                    taxonomy=self.taxonomy,
                    text=self.texts[number],
                    outcome=Outcome.TAGGED if labels else Outcome.NONE,
                    reason=None,
                    labels=labels,
                    probabilities=tuple(np.nan_to_num(self.probabilities[number]).tolist()),
                    evidence=(),
                    model="",
                )
            )
        words = [len(self.texts[number].split()) for number in numbers]
        return pool_document(self.taxonomy, document, tagged, words, "")


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
    found: list[Iterable[_Found]] = []
    documents = []
    for path in map(Path, paths):
        if _is_result(path):
            found.append(_result_rows(path, taxonomy, strict=strict))
        elif _is_corpus(path, taxonomy):
            found.append(_corpus_rows(path, taxonomy, tagger))
        else:
            documents.append(str(path))
    if documents and tag:
        found.append(_result_rows(tag(documents), taxonomy, strict=strict))
    return _gather(taxonomy, chain.from_iterable(found))


def _is_result(path: Path) -> bool:
    first = _first(path)
    if "outcome" not in first:
        return False
    if "text" not in first:
        raise CorpusError(
            "it has tags of documents, and passages are reviewed",
            where=str(path),
            hint="textclass tag --level passage",
        )
    if not isinstance(first.get("scores"), Mapping):
        raise CorpusError(
            "results are reviewed from JSONL or Parquet", where=str(path), hint="tag -o OUT.jsonl"
        )
    return True


def _is_corpus(path: Path, taxonomy: Taxonomy) -> bool:
    """Return whether a file, or the first table of a folder, has rows that carry labels."""
    if path.is_dir():
        tables = (file for file in sorted(path.rglob("*")) if file.name.endswith(TABLES))
        path = next(tables, path)
    return bool({"scores", *taxonomy.slices} & set(_first(path)))


def _first(path: Path) -> Mapping[str, Any]:
    if not path.name.endswith(TABLES) or not path.is_file():
        return {}
    return next((record for _, record in read_rows(path)), {})


_Found = tuple[str, str, list[str], list[float] | None, bool, dict[str, Any]]


def _result_rows(path: Path, taxonomy: Taxonomy, *, strict: bool) -> Iterator[_Found]:
    columns = [(facet.name, name) for facet in taxonomy for name in facet.names]
    for where, record in read_rows(path):
        text = record.get("text")
        if not isinstance(text, str) or not text.strip():
            raise CorpusError("there is no text", where=where)
        labels, scores = [], None
        try:
            scores = [float(record["scores"][facet][name]) for facet, name in columns]
            labels = [name for facet in taxonomy.slices for name in record[facet]]
            known = set(labels) <= taxonomy.columns.keys()
        except (KeyError, TypeError, ValueError):
            known = False
        if strict and not known:
            raise CorpusError(
                "its labels aren't those of the model",
                where=where,
                hint="name the model that tagged it with --model, or its --labels",
            )
        kept = {name: record.get(name) for name in ("document", "page", "start", "end", "model")}
        detail = {
            "id": str(record.get("id") or text_id(text)),
            "columns": kept,
            "reason": record.get("reason") if known else None,
            "evidence": (record.get("evidence") or []) if known else [],
        }
        document = str(record.get("document") or path.name)
        yield text, document, labels if known else [], scores if known else None, False, detail


def _corpus_rows(path: Path, taxonomy: Taxonomy, tagger: Tagger | None) -> Iterator[_Found]:
    rows = read_corpus(path, taxonomy).rows
    scores = tagger.score([row.text for row in rows]).probabilities.tolist() if tagger else ()
    for row, found in zip_longest(rows, scores):
        soft = row.scores or {}
        labels = [name for name, p in soft.items() if p >= 0.5] or sorted(row.labels or ())
        spans = row.columns.get("spans") or []
        detail = {
            "id": row.id,
            "columns": {k: v for k, v in row.columns.items() if k not in _OURS},
            "reason": None,
            "evidence": [{**s, "text": row.text[s["start"] : s["end"]]} for s in spans],
        }
        yield row.text, row.group, labels, found or list(soft.values()) or None, row.hard, detail


def _gather(taxonomy: Taxonomy, found: Iterable[_Found]) -> Passages:
    texts, documents, taught, details = list[str](), list[str](), list[bool](), Details()
    numbers: dict[str, int] = {}
    columns: list[list[int]] = []
    scores = array("f")
    names: dict[str, str] = {}
    unknown = [np.nan] * len(taxonomy.names)
    for text, document, labels, given, teaches, detail in found:
        key = text_id(text)
        if key in numbers:
            continue
        numbers[key] = len(texts)
        texts.append(text)
        documents.append(names.setdefault(document, document))
        columns.append([taxonomy.columns[name] for name in labels])
        scores.extend(unknown if given is None else given)
        taught.append(teaches)
        details.append(detail)
    if not texts:
        raise CorpusError("there is no passage to review")
    suggested = np.zeros((len(texts), len(taxonomy.names)), dtype=bool)
    for number, given_columns in enumerate(columns):
        suggested[number, given_columns] = True
    return Passages(
        taxonomy=taxonomy,
        texts=texts,
        keys=list(numbers),
        documents=documents,
        suggested=suggested,
        probabilities=np.frombuffer(scores, np.float32).reshape(suggested.shape),
        taught=np.array(taught),
        details=details,
    )
