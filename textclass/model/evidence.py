"""The words that decided a label: exact contributions, and the least set that carries the tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.language import WordBatch, WordSpans
from textclass.results import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from textclass.model.linear import WordTable

MOST_AGAINST = 3
"""How many spans against a label are shown."""


@dataclass(frozen=True, eq=False)
class PassageParts:
    """What a passage's score is made of, the same for every label.

    Attributes
    ----------
    spans : WordSpans
    distinct : ndarray of int64, shape (n_words,)
        Index of each place's word among the passage's distinct words.
    factors : ndarray of float64, shape (n_words,)
        What a place's row counts for: a word's 1 + ln tf, shared evenly among its places.
    squares : ndarray of float64, shape (n_distinct,)
        Part of each distinct word in the squared norm.
    pairs : ndarray of int64, shape (n_pairs,)
        Places whose word and the next are a pair that the model knows.
    pair_rows : ndarray of int64, shape (n_pairs,)
        Row of each pair in the model's bigram weights.
    pair_shares : ndarray of float64, shape (n_pairs,)
        1 / how often the pair stands in the passage.
    """

    spans: WordSpans
    distinct: NDArray[np.int64]
    factors: NDArray[np.float64]
    squares: NDArray[np.float64]
    pairs: NDArray[np.int64]
    pair_rows: NDArray[np.int64]
    pair_shares: NDArray[np.float64]

    @property
    def norm(self) -> float:
        """The passage's n."""
        return float(np.sqrt(self.squares.sum())) or 1.0


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each word of a passage brought to one label's score.

    The score is `intercept` plus the sum of `weights`. A word that stands several times shares its
    contribution evenly among its places; a pair gives half to each of its words.

    Attributes
    ----------
    parts : PassageParts
    words : ndarray of float64, shape (n_words,)
        Contribution of each place's word alone.
    pairs : ndarray of float64, shape (n_pairs,)
        Contribution of each pair.
    intercept : float
    bar : float
        The score at which the label is given.
    """

    parts: PassageParts
    words: NDArray[np.float64]
    pairs: NDArray[np.float64]
    intercept: float
    bar: float

    @property
    def weights(self) -> NDArray[np.float64]:
        """Contribution of each place, pairs shared out, shape (n_words,)."""
        weights = self.words.copy()
        np.add.at(weights, self.parts.pairs, self.pairs / 2)
        np.add.at(weights, self.parts.pairs + 1, self.pairs / 2)
        return weights

    @property
    def score(self) -> float:
        """The label's score before calibration."""
        return float(self.words.sum() + self.pairs.sum() + self.intercept)


def passage_parts(table: WordTable, spans: WordSpans) -> PassageParts:
    """Take a passage apart, its words in the numbering of `table`."""
    ids, distinct, tf = np.unique(spans.ids, return_inverse=True, return_counts=True)
    a = 1 + np.log(tf) if len(tf) else np.zeros(0)
    batch = WordBatch(spans.ids, np.array([0, len(spans.ids)]))
    places, _, rows = table.find_bigrams(batch)
    _, which, often = np.unique(rows, return_inverse=True, return_counts=True)
    return PassageParts(
        spans=spans,
        distinct=distinct,
        factors=(a / tf)[distinct],
        squares=(a * table.idf[ids].astype(float)) ** 2,
        pairs=places,
        pair_rows=rows,
        pair_shares=1 / often[which],
    )


def contributions(table: WordTable, parts: PassageParts, column: int) -> Contributions:
    """Return what each word brought to the score of the label in `column`."""
    model = table.model
    words = parts.factors * table.rows[parts.spans.ids, column] / parts.norm
    pairs = parts.pair_shares * model.bigram_weights[parts.pair_rows, column] / parts.norm
    return Contributions(
        parts=parts,
        words=words,
        pairs=pairs,
        intercept=float(model.intercept[column]),
        bar=float(model.score_thresholds()[column]),
    )


def deciding_words(found: Contributions) -> NDArray[np.bool_]:
    """Return which places to take away so that the label would not be given.

    Words are taken away in order of their contribution, all places of a word together, and with
    them their pairs; what is left is scored anew, with its own norm, until the score falls below
    the bar. If it never does, all words that speak for the label are returned.
    """
    parts = found.parts
    n_distinct = len(parts.squares)
    gains = np.bincount(parts.distinct, weights=found.weights, minlength=n_distinct)
    order = np.argsort(-gains, kind="stable")
    rank = np.empty(n_distinct, dtype=np.int64)
    rank[order] = np.arange(n_distinct)
    # A pair goes with the first of its words that goes.
    gone = np.minimum(rank[parts.distinct[parts.pairs]], rank[parts.distinct[parts.pairs + 1]])
    losses = np.bincount(rank[parts.distinct], weights=found.words, minlength=n_distinct)
    losses += np.bincount(gone, weights=found.pairs, minlength=n_distinct)
    total = parts.squares.sum()
    left = total - np.cumsum(parts.squares[order])
    swell = np.sqrt(np.divide(total, left, out=np.ones_like(left), where=left > 1e-6 * total))
    kept = found.words.sum() + found.pairs.sum() - np.cumsum(losses)
    scores = kept * swell + found.intercept
    # A margin of 5 % of the way down keeps the tag from hanging on neighbours that now touch.
    below = np.flatnonzero(scores < found.bar - 0.05 * max(found.score - found.bar, 0))
    n_for = int((gains > 0).sum())
    taken = min(int(below[0]) + 1, n_for) if len(below) else n_for
    chosen: NDArray[np.bool_] = rank[parts.distinct] < taken
    return chosen


def evidence_of(label: str, text: str, found: Contributions, *, shift: int = 0) -> list[Evidence]:
    """Return the spans that decided for `label`, strongest first, then those most against it.

    Parameters
    ----------
    label : str
    text : str
        The passage.
    found : Contributions
    shift : int, keyword-only
        Where the passage begins in its document.
    """
    weights = found.weights
    low = np.argsort(weights, kind="stable")[:MOST_AGAINST]
    against = np.zeros(len(weights), dtype=bool)
    against[low] = weights[low] < 0

    def spans(mask: NDArray[np.bool_]) -> Iterator[Evidence]:
        for run in _runs(mask):
            start = int(found.parts.spans.starts[run.start])
            end = int(found.parts.spans.ends[run.stop - 1])
            weight = float(weights[run].sum())
            yield Evidence(label, shift + start, shift + end, text[start:end], weight)

    for_it = sorted(spans(deciding_words(found)), key=lambda span: (-span.weight, span.start))
    return for_it + sorted(spans(against), key=lambda span: (span.weight, span.start))


def _runs(mask: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield each run of neighbouring places that are in `mask`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    for first, last in edges.reshape(-1, 2):
        yield slice(int(first), int(last))


def words_by_weight(text: str, found: Contributions) -> Sequence[tuple[str, float]]:
    """Return every word as it stands in `text` with its contribution, in text order."""
    spans = found.parts.spans
    places = zip(spans.starts, spans.ends, found.weights, strict=True)
    return [(text[start:end], float(weight)) for start, end, weight in places]
