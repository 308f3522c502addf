"""A labelled corpus in memory: rows, and their labels as arrays in taxonomy order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclass.results import by_facet
from textclass.taxonomy import Taxonomy


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
        What else the corpus says of the row: source, licence, register and more; `collection` is
        the folder of its file.
    where : str
        File and line.
    """

    id: str
    text: str
    labels: frozenset[str] | None
    scores: Mapping[str, float] | None
    group: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def hard(self) -> bool:
        """Whether a reader gave labels, rather than a model probabilities."""
        return self.labels is not None


@dataclass(frozen=True)
class Corpus:
    """Rows with the taxonomy that they are labelled under."""

    taxonomy: Taxonomy
    rows: tuple[Row, ...]

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
        """Return one further column as text, `default` where a row doesn't have it."""
        return [str(row.columns.get(name, default)) for row in self.rows]

    def __add__(self, other: Corpus) -> Corpus:
        return replace(self, rows=self.rows + other.rows)


def teaching(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what a row teaches in our own form: the labels of each facet, or `scores`."""
    if row.scores is not None:
        return {"scores": by_facet(taxonomy, [row.scores[name] for name in taxonomy.names])}
    given = row.labels or frozenset()
    return {facet.name: [name for name in facet.names if name in given] for facet in taxonomy}


def text_id(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def folder_of(where: str) -> str:
    """Return the name of the folder of the file in a place, `file, line n`."""
    return Path(where.rpartition(", ")[0]).parent.name
