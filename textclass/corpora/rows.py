"""A labelled corpus in memory: rows, checked as they are made, and their labels as arrays."""

from __future__ import annotations

import ast
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from textclass.errors import CorpusError
from textclass.results import by_facet, text_id
from textclass.taxonomy import Taxonomy

_KNOWN = {"id", "text", "group", "scores"}
_SPAN = ("start", "end", "label")
_LONGEST_LIST = 10_000  # characters of a cell


class UnansweredError(CorpusError):
    """A row that nobody has labelled: that isn't the answer that no label applies."""


class MissingTextError(CorpusError):
    """A row that points to a public text which isn't in the cache."""


@dataclass(frozen=True)
class Row:
    """One labelled passage.

    Attributes
    ----------
    id : str
        First 16 hex digits of the SHA-256 of the text in UTF-8, unless the corpus says another.
    text : str
    labels : frozenset of str or None
        The labels given, of all facets; None for a soft-labelled row.
    scores : Mapping of str to float or None
        The probability of each label, for a soft-labelled row.
    group : str
        The document; its rows never stand on two sides of a split.
    columns : Mapping
        What else the corpus says of the row: source, licence, register and more.
    where : str
        File and line.
    alone : bool
        Whether the corpus says no document, so that the row counts as one of its own.
    """

    id: str
    text: str
    labels: frozenset[str] | None
    scores: Mapping[str, float] | None
    group: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    alone: bool = False

    @property
    def named(self) -> dict[str, str]:
        """The `id`, and the `group` if the corpus says one."""
        return {"id": self.id} if self.alone else {"id": self.id, "group": self.group}

    @property
    def hard(self) -> bool:
        """Whether a reader gave labels, rather than a model probabilities."""
        return self.labels is not None

    @property
    def file(self) -> str:
        """The path of the row's file."""
        return self.where.rpartition(", ")[0]


@dataclass(frozen=True)
class Corpus:
    """Rows with the taxonomy that they are labelled under.

    `merged` is how many rows more there were, on a text of a document that has a row here.
    """

    taxonomy: Taxonomy
    rows: tuple[Row, ...]
    merged: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def texts(self) -> list[str]:
        """The texts, in row order."""
        return [row.text for row in self.rows]

    @cached_property
    def groups(self) -> list[str]:
        """The document of each row."""
        return [row.group for row in self.rows]

    @cached_property
    def hard(self) -> NDArray[np.bool_]:
        """Which rows carry labels rather than probabilities, shape (n_rows,)."""
        return np.array([row.hard for row in self.rows], dtype=bool)

    @cached_property
    def targets(self) -> NDArray[np.float64]:
        """Probability of each label, 0 or 1 where a reader gave it, shape (n_rows, n_labels)."""
        names = self.taxonomy.names
        given = [row.scores or dict.fromkeys(row.labels or (), 1.0) for row in self.rows]
        targets = [[values.get(name, 0.0) for name in names] for values in given]
        return np.array(targets, dtype=np.float64).reshape(len(self), len(names))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, documents and labels, whatever the order of the rows."""
        lines = sorted(
            f"{row.id}\t{row.group}\t{sorted(row.labels or ())}"
            f"\t{sorted((row.scores or {}).items())}"
            for row in self.rows
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def select(self, keep: Callable[[Row], bool]) -> Corpus:
        """Return the rows for which `keep` is true."""
        return replace(self, rows=tuple(row for row in self.rows if keep(row)))

    def without_groups(self, groups: Iterable[str]) -> Corpus:
        """Return the rows of other documents than `groups`."""
        left_out = frozenset(groups)
        return self.select(lambda row: row.group not in left_out)

    def column(self, name: str, default: str = "") -> Sequence[str]:
        """Return one further column as text, `default` where a row doesn't have it.

        A row without a `collection` is of the one that its folder is named after.
        """
        if name == "collection":
            return [str(r.columns.get(name) or Path(r.file).parent.name) for r in self.rows]
        return [str(row.columns.get(name, default)) for row in self.rows]


def folded(text: str) -> str:
    """Return a text as it counts where texts that differ in case or white space are the same."""
    return " ".join(text.casefold().split())


def teaching(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what a row teaches in our own form: the labels of each facet, or `scores`."""
    if row.scores is not None:
        return {"scores": by_facet(taxonomy, [row.scores[name] for name in taxonomy.names])}
    given = row.labels or frozenset()
    return {facet.name: [name for name in facet.names if name in given] for facet in taxonomy}


def is_pointer(record: Mapping[str, Any]) -> bool:
    """Return whether a record has no text of its own but says which public text it is from."""
    return record.get("text") is None and bool(record.get("source")) and bool(record.get("id"))


def make_row(record: Mapping[str, Any], taxonomy: Taxonomy, where: str) -> Row:
    """Return the checked row of a record in our own form, which came from the place `where`.

    Raises
    ------
    CorpusError
        If the text, a label, a score or a span is wrong; `UnansweredError` if a facet has no
        answer, `MissingTextError` for a pointer.
    """
    record = {k.casefold() if k.casefold() in _KNOWN else k: v for k, v in record.items()}
    if is_pointer(record):
        raise MissingTextError("its text isn't here", hint="textclass corpus fetch brings it")
    if "text" not in record:
        raise CorpusError(
            f"there is no 'text', only {', '.join(record) or 'nothing'}",
            hint="rename what holds it, or name it in corpus convert with --text-column",
        )
    text = record["text"]
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("the text is missing or empty")
    columns = {k: v for k, v in record.items() if k not in _KNOWN | set(taxonomy.slices)}
    if spans := _parsed(columns.pop("spans", None)):
        columns["spans"] = _spans(spans, text, taxonomy)
    scores = _parsed(record.get("scores"))
    number, group, path = (_name(record.get(name)) for name in ("id", "group", "path"))
    number = number or text_id(text)
    return Row(
        id=number,
        text=text,
        labels=None if scores else _labels(record, taxonomy),
        scores=_scores(scores, taxonomy) if scores else None,
        group=group or (f"{columns.get('source')}:{path}" if path else number),
        columns=columns,
        where=where,
        alone=not (group or path),
    )


def _name(value: object) -> str:
    """Return an id or group as text, empty without one; 66.0 is the 66 that pandas made of it."""
    return "" if value is None else re.sub(r"^(-?\d+)\.0$", r"\1", str(value))


def _composed(label: object) -> Any:  # noqa: ANN401 -- whatever stands in its place
    """Return a label with accents as `labels.yaml` is read: in one character with the letter."""
    return unicodedata.normalize("NFC", label) if isinstance(label, str) else label


def _labels(record: Mapping[str, Any], taxonomy: Taxonomy) -> frozenset[str]:
    answers = {facet.name: read_labels(record.get(facet.name), facet.names) for facet in taxonomy}
    lacking = [name for name, labels in answers.items() if labels is None]
    if lacking:
        has = "" if set(lacking) <= set(record) else f"; its columns are {', '.join(record)}"
        raise UnansweredError(
            f"no answer for {', '.join(lacking)}{has}",
            hint="write [] where no label applies; corpus convert leaves such rows out",
        )
    return frozenset(label for labels in answers.values() for label in labels or ())


def read_labels(value: object, names: Sequence[str]) -> list[str] | None:
    """Return the labels that a value gives: none for `[]`, None where it is no answer.

    A list may be one of JSON, or of Python as pandas writes it, in a cell; a cell may also have a
    label, or several with `;`, `,`, `|` or `#` between them.

    Raises
    ------
    CorpusError
        For a label that isn't one of `names`, or a value of another form.
    """
    hint = f"labels.yaml has {', '.join(names)}"
    if isinstance(value, str):
        cell = _composed(value.strip())
        parts = [cell] if cell in names else re.split(r"\s*[;,|#]\s*", cell)
        listed = cell not in names and cell.startswith(("[", "(", "{"))
        value = _parsed(cell) if listed else [part for part in parts if part] or None
    if isinstance(value, Mapping) and "choices" in value:  # as Label Studio's tables have it
        value = [value["choices"]] if isinstance(value["choices"], str) else value["choices"]
    if value is None or value != value:  # NaN is an empty cell
        return None
    if isinstance(value, int | float):
        value = [value]
    if not isinstance(value, list | tuple | set):
        raise CorpusError(f"labels were expected, not {value!r}", hint=hint)
    labels = [_composed(label) for label in value]
    for label in labels:
        if isinstance(label, int | float):
            raise CorpusError(f"the label {label!r} is a number, not a name", hint=hint)
        if label not in names:
            raise CorpusError(f"unknown label {label!r}", hint=hint)
    return labels


def _parsed(value: object) -> Any:  # noqa: ANN401 -- JSON holds anything
    """Return a value, or what a cell with JSON or a list of Python says."""
    if not isinstance(value, str) or not value.strip():
        return value or None
    try:
        return orjson.loads(value)
    except ValueError:
        try:
            return ast.literal_eval(value[:_LONGEST_LIST].strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise CorpusError(f"can't read the list {value[:80]!r}") from error


def _scores(value: object, taxonomy: Taxonomy) -> dict[str, float]:
    names = list(taxonomy.slices)
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise CorpusError(f"scores need {', '.join(names)} and no other key")
    scores = dict.fromkeys(taxonomy.names, 0.0)
    for facet in taxonomy:
        given = value[facet.name]
        if not isinstance(given, Mapping) or not set(map(_composed, given)) <= set(facet.names):
            raise CorpusError(f"scores of unknown labels in {facet.name!r}")
        for label, score in given.items():
            if type(score) in (int, float) and 0 <= score <= 1:
                scores[_composed(label)] = float(score)
            elif score is not None:  # as Parquet fills the labels that a row leaves out
                raise CorpusError(f"score {score!r} of {label!r} isn't in 0 to 1")
    return scores


def _spans(value: object, text: str, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Return evidence spans, checked: code-point offsets, and the label that they speak for."""
    spans = [read_span(each) for each in (value if isinstance(value, list | tuple) else [value])]
    for span in spans:
        start, end, span["label"] = span["start"], span["end"], _composed(span["label"])
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            raise CorpusError(f"not a span of the text: {span!r}")
        if span["label"] not in taxonomy.names:
            raise CorpusError(f"span with the unknown label {span['label']!r}")
    return spans


def read_span(span: object) -> dict[str, Any]:
    """Return `start`, `end` and `label` of a span: a list of these, or named as here or by doccano.

    Raises
    ------
    CorpusError
        If it is something else; their values aren't checked.
    """
    if isinstance(span, list | tuple) and len(span) == len(_SPAN):
        return dict(zip(_SPAN, span, strict=True))
    if isinstance(span, Mapping):
        return {key: span.get(key, span.get(f"{key}_offset")) for key in _SPAN}
    raise CorpusError(f"not a span of start, end and label: {span!r}")
