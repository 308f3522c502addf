"""The words that decided a label: exact contributions, and the least set that carries the tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.language import WordSpans
from textclass.results import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from textclass.model.linear import WordTable

MOST_AGAINST = 3
"""How many spans against a label are shown."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each word of a passage brought to one label's score.

    The score is `intercept` plus the sum of `weights`; a word that stands several times shares its
    contribution evenly among its places.

    Attributes
    ----------
    spans : WordSpans
    weights : ndarray of float64, shape (n_words,)
    intercept : float
    bar : float
        The score at which the label is given.
    """

    spans: WordSpans
    weights: NDArray[np.float64]
    squares: NDArray[np.float64]
    intercept: float
    bar: float

    @property
    def score(self) -> float:
        """The label's score before calibration."""
        return float(self.weights.sum() + self.intercept)


def contributions(table: WordTable, spans: WordSpans, column: int) -> Contributions:
    """Return what each word brought to the score of the label in `column`."""
    model = table.model
    _, inverse, tf = np.unique(spans.ids, return_inverse=True, return_counts=True)
    a = (1 + np.log(tf)) if len(tf) else tf.astype(float)
    per_place = (a / tf)[inverse]
    squares = ((a * a / tf)[inverse]) * table.idf[spans.ids].astype(float) ** 2
    norm = np.sqrt(squares.sum()) or 1.0
    weights = per_place * table.rows[spans.ids, column] / norm
    return Contributions(
        spans=spans,
        weights=weights,
        squares=squares,
        intercept=float(model.intercept[column]),
        bar=float(model.score_thresholds()[column]),
    )


def deciding_words(parts: Contributions) -> NDArray[np.bool_]:
    """Return which words to take away so that the label would not be given.

    Words are taken away in order of their contribution, all places of a word together; what is
    left is scored anew, with its own norm, until the score falls below the bar. If it never does,
    all words that speak for the label are returned.
    """
    ids, inverse = np.unique(parts.spans.ids, return_inverse=True)
    gains = np.bincount(inverse, weights=parts.weights, minlength=len(ids))
    squares = np.bincount(inverse, weights=parts.squares, minlength=len(ids))
    order = np.argsort(-gains, kind="stable")
    order = order[gains[order] > 0]
    total = parts.squares.sum()
    left = np.maximum(total - np.cumsum(squares[order]), 0)
    # A margin of 2 % of the way down keeps the tag from hanging on rounding.
    norms = np.sqrt(np.divide(total, left, out=np.ones_like(left), where=left > 0))
    scores = (gains.sum() - np.cumsum(gains[order])) * norms + parts.intercept
    below = np.flatnonzero(scores < parts.bar - 0.02 * max(parts.score - parts.bar, 0))
    chosen = order[: below[0] + 1] if len(below) else order
    wanted = np.zeros(len(ids), dtype=bool)
    wanted[chosen] = True
    return wanted[inverse]


def evidence_of(label: str, text: str, parts: Contributions, *, shift: int = 0) -> list[Evidence]:
    """Return the spans that decided for `label`, strongest first, then those most against it.

    Parameters
    ----------
    label : str
    text : str
        The passage.
    parts : Contributions
    shift : int, keyword-only
        Where the passage begins in its document.
    """
    for_it = [_span(label, text, parts, run, shift) for run in _runs(deciding_words(parts))]
    against = [_span(label, text, parts, run, shift) for run in _runs(_strongest_against(parts))]
    for_it.sort(key=lambda span: (-span.weight, span.start))
    against.sort(key=lambda span: (span.weight, span.start))
    return for_it + against[:MOST_AGAINST]


def _strongest_against(parts: Contributions) -> NDArray[np.bool_]:
    low = np.argsort(parts.weights, kind="stable")[:MOST_AGAINST]
    mask = np.zeros(len(parts.weights), dtype=bool)
    mask[low] = parts.weights[low] < 0
    return mask


def _runs(mask: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield each run of neighbouring words that are in `mask`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    for first, last in edges.reshape(-1, 2):
        yield slice(int(first), int(last))


def _span(label: str, text: str, parts: Contributions, run: slice, shift: int) -> Evidence:
    start, end = int(parts.spans.starts[run.start]), int(parts.spans.ends[run.stop - 1])
    weight = float(parts.weights[run].sum())
    return Evidence(label, shift + start, shift + end, text[start:end], weight)


def words_by_weight(text: str, parts: Contributions) -> Sequence[tuple[str, float]]:
    """Return every word as it stands in `text` with its contribution, in text order."""
    places = zip(parts.spans.starts, parts.spans.ends, parts.weights, strict=True)
    return [(text[start:end], float(weight)) for start, end, weight in places]
