"""Precision, recall, F1, average precision, exact match, none-against-any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.learning.evaluation.bootstrap import Bootstrap, estimate, ratio
from textclass.learning.evaluation.reliability import brier, calibration_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from textclass.learning.evaluation.predictions import Predictions
    from textclass.metrics import FacetMetrics, MacroScores, Scores

ENOUGH = 5
"""True passages that a label needs to count in a macro average."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Hits, labels given and true labels of each column, in every bootstrap sample.

    Attributes
    ----------
    hits, given, true : ndarray of float64, shape (samples + 1, n_columns)
    """

    hits: NDArray[np.float64]
    given: NDArray[np.float64]
    true: NDArray[np.float64]

    @classmethod
    def of(cls, bootstrap: Bootstrap, truth: NDArray[np.bool_], given: NDArray[np.bool_]) -> Counts:
        """Count truth and what was given, both of shape (n_passages, n_columns)."""
        return cls(*(bootstrap.totals(values) for values in (truth & given, given, truth)))

    def summed(self, columns: slice) -> Counts:
        """Return the counts of several columns as those of one: for micro averages."""
        each = (self.hits, self.given, self.true)
        return Counts(*(counts[:, columns].sum(axis=1, keepdims=True) for counts in each))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Hits / given; NaN where the label was never given."""
        return ratio(self.hits, self.given)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Hits / true; NaN where no passage has the label."""
        return ratio(self.hits, self.true)

    @property
    def f1(self) -> NDArray[np.float64]:
        """Twice the hits / (given + true), the harmonic mean; NaN where both are 0."""
        return ratio(2 * self.hits, self.given + self.true)

    def scores(self, column: int = 0) -> Scores:
        """Return the estimates of one column."""
        return {
            "precision": estimate(self.precision[:, column]),
            "recall": estimate(self.recall[:, column]),
            "f1": estimate(self.f1[:, column]),
        }


def micro_f1(
    bootstrap: Bootstrap,
    truth: NDArray[np.bool_],
    given: NDArray[np.bool_],
    slices: Mapping[str, slice],
) -> dict[str, NDArray[np.float64]]:
    """Return the micro F1 of each facet in every sample, by facet name."""
    counts = Counts.of(bootstrap, truth, given)
    return {facet: counts.summed(columns).f1[:, 0] for facet, columns in slices.items()}


def facet_metrics(
    bootstrap: Bootstrap, predictions: Predictions, counts: Counts, facet: str
) -> FacetMetrics:
    """Return the figures of a facet."""
    columns = predictions.corpus.taxonomy.slices[facet]
    truth, given = predictions.truth[:, columns], predictions.given[:, columns]
    p = predictions.probabilities[:, columns]
    exact = bootstrap.totals((truth == given).all(axis=1))
    passages = bootstrap.totals(np.ones(len(truth)))
    any_true, any_given = (np.any(v, axis=1, keepdims=True) for v in (truth, given))
    return {
        "micro": counts.summed(columns).scores(),
        "macro": _macro(counts, columns, predictions.corpus.taxonomy.names),
        "exact_match": estimate(ratio(exact, passages)),
        "any": Counts.of(bootstrap, any_true, any_given).scores(),
        "support": int(truth.sum()),
        "ece": _mean([calibration_error(p[:, c], truth[:, c]) for c in range(p.shape[1])]),
        "brier": _mean([brier(p[:, c], truth[:, c]) for c in range(p.shape[1])]),
    }


def average_precision(
    p: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the average precision of one label under several weightings of the passages.

    The sum over thresholds of (R_n - R_{n-1}) P_n, as scikit-learn's `average_precision_score`.

    Parameters
    ----------
    p : ndarray of float64, shape (n_passages,)
    truth : ndarray of bool, shape (n_passages,)
    weights : ndarray of float64, shape (n, n_passages)

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where no true passage has weight.
    """
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.diff(p[order], append=-1.0))
    ordered = weights[:, order]
    hits = np.cumsum(ordered * truth[order], axis=1)[:, last]
    given = np.cumsum(ordered, axis=1)[:, last]
    precision = np.nan_to_num(ratio(hits, given))
    return ratio((np.diff(hits, prepend=0) * precision).sum(axis=1), hits[:, -1])


def _macro(counts: Counts, columns: slice, names: tuple[str, ...]) -> MacroScores:
    """Average over labels with enough true passages; a label never given has a precision of 0."""
    inside = range(columns.start, columns.stop)
    used = [c for c in inside if counts.true[0, c] >= ENOUGH]
    never_given = (counts.given == 0) & (counts.true > 0)
    precision = np.where(never_given, 0.0, counts.precision)
    return {
        "precision": estimate(_row_means(precision[:, used])),
        "recall": estimate(_row_means(counts.recall[:, used])),
        "f1": estimate(_row_means(counts.f1[:, used])),
        "labels": [names[c] for c in used],
        "left_out": [names[c] for c in inside if c not in used],
    }


def _row_means(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each row over what is known in it."""
    known = ~np.isnan(figures)
    return ratio(np.where(known, figures, 0.0).sum(axis=1), known.sum(axis=1))


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 6) if values else None
