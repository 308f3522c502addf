"""The table of metrics, and the long table of their figures with bootstrap intervals.

A figure is a row: `model`, `part` (empty for the whole corpus), `facet`, `label` (empty for the
facet's own), `metric`, `value`, `low`, `high` (ends of the 95 % interval) and `n` (true labels;
passages for a part). What can't be known, as the precision of a label never given, is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
ENOUGH = 5
"""True passages that a label needs to count in a macro average."""

COLUMNS = ["model", "part", "facet", "label", "metric", "value", "low", "high", "n"]

_NAN = float("nan")
_PERCENTILES = (2.5, 97.5)


def calibration_error(truth: NDArray[np.bool_], p: NDArray[np.float64]) -> float:
    """Return the expected calibration error of one label over ten bins of equal width.

    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian
    binning": the mean distance, weighted by count, between a bin's mean probability and its share
    of true passages.
    """
    bins = reliability(truth, p)
    return float(((bins["mean"] - bins["share"]).abs() * bins["count"]).sum() / len(p))


def reliability(truth: NDArray[np.bool_], p: NDArray[np.float64]) -> pd.DataFrame:
    """Return mean probability, share that came true and count of ten bins; an edge belongs up."""
    places = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    found = pd.DataFrame({"mean": p, "share": truth.astype(float)}).groupby(places)
    bins = found.mean().assign(count=found.size()).reindex(range(BINS))
    bins["count"] = bins["count"].fillna(0).astype(int)
    edges = {"low": bins.index / BINS, "high": (bins.index + 1) / BINS}
    return bins.assign(**edges)[["low", "high", "mean", "share", "count"]]


Metric = Callable[..., float]

OF_LABELS: Mapping[str, Metric] = {
    "precision": partial(precision_score, zero_division=_NAN),
    "recall": partial(recall_score, zero_division=_NAN),
    "f1": partial(f1_score, zero_division=_NAN),
}
"""Of a label's true and given passages, with an interval."""

OF_PROBABILITIES: Mapping[str, Metric] = {
    "average_precision": lambda truth, p: (
        average_precision_score(truth, p) if truth.any() else _NAN
    ),
    "brier": brier_score_loss,
    "ece": calibration_error,
}
"""Of a label's true passages and its probabilities."""

OF_FACETS: Mapping[str, Metric] = {
    **{f"micro_{name}": partial(metric, average="micro") for name, metric in OF_LABELS.items()},
    **{
        f"macro_{name}": partial(metric, average="macro", zero_division=0.0)
        for name, metric in OF_LABELS.items()
    },
    "exact_match": accuracy_score,
    **{f"any_{name}": metric for name, metric in OF_LABELS.items()},
}
"""Of all labels of a facet. `any` is whether a passage has any label at all; `macro` leaves out
labels with fewer than `ENOUGH` true passages."""


class Bootstrap:
    """Documents drawn anew, with replacement: Efron and Tibshirani (1993), chapters 12 and 13.

    Passages of one document stand or fall together, so documents are drawn, not passages. Every
    result has one row for each sample; row 0 is the corpus as it stands.

    Parameters
    ----------
    groups : sequence of str
        The document of each passage.
    samples : int, keyword-only
    seed : int, keyword-only
    """

    def __init__(self, groups: Sequence[str], *, samples: int, seed: int) -> None:
        names, self._members = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
        self.documents = len(names)
        self.samples = samples
        share = np.full(self.documents, 1 / self.documents)
        drawn = np.random.default_rng(seed).multinomial(self.documents, share, size=samples)
        self._weights = np.concatenate([np.ones((1, self.documents)), drawn])

    def totals(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sums of values, shape (n_passages, k), in each sample."""
        sums = np.zeros((self.documents, values.shape[1]))
        np.add.at(sums, self._members, values.astype(np.float64))
        return self._weights @ sums

    def counts(
        self, truth: NDArray[np.bool_], given: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], ...]:
        """Return hits, labels given and true labels of each column in each sample."""
        return tuple(self.totals(values) for values in (truth & given, given, truth))

    def micro_f1(self, truth: NDArray[np.bool_], given: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the micro F1 of all columns together in each sample."""
        return ratios(*(c.sum(axis=1) for c in self.counts(truth, given)))["f1"]


def ratios(
    hits: NDArray[np.float64], given: NDArray[np.float64], true: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return precision, recall and F1 of counts, NaN where there is nothing to divide by."""
    return {
        "precision": _ratio(hits, given),
        "recall": _ratio(hits, true),
        "f1": _ratio(2 * hits, given + true),
    }


def interval(samples: NDArray[np.float64]) -> dict[str, float]:
    """Return the ends of the 95 % interval; samples without the figure don't count."""
    known = samples[1:][~np.isnan(samples[1:])]
    if np.isnan(samples[0]) or not len(known):
        return {"low": float(samples[0]), "high": float(samples[0])}
    low, high = np.percentile(known, _PERCENTILES)
    return {"low": float(low), "high": float(high)}


def label_figures(
    bootstrap: Bootstrap,
    name: str,
    truth: NDArray[np.bool_],
    given: NDArray[np.bool_],
    p: NDArray[np.float64] | None,
) -> list[dict[str, Any]]:
    """Return the figures of one label; all arrays of shape (n_passages,)."""
    samples = ratios(*(c[:, 0] for c in bootstrap.counts(truth[:, None], given[:, None])))
    rows: list[dict[str, Any]] = [
        {"metric": metric, "value": float(score(truth, given)), **interval(samples[metric])}
        for metric, score in OF_LABELS.items()
    ]
    rows.append({"metric": "given", "value": float(given.sum())})
    if p is not None:
        rows += [
            {"metric": metric, "value": float(score(truth, p))}
            for metric, score in OF_PROBABILITIES.items()
        ]
    return [{"label": name, "n": int(truth.sum()), **row} for row in rows]


def facet_figures(
    bootstrap: Bootstrap, truth: NDArray[np.bool_], given: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return the figures of a facet; both arrays of shape (n_passages, n_labels)."""
    counts = bootstrap.counts(truth, given)
    used = truth.sum(axis=0) >= ENOUGH
    anything = tuple(np.any(labels, axis=1, keepdims=True) for labels in (truth, given))
    by_label = ratios(*(c[:, used] for c in counts))
    # A label that has true passages and was never given has a precision of 0, not an unknown one.
    by_label["precision"] = np.where(
        (counts[1] == 0) & (counts[2] > 0), 0.0, ratios(*counts)["precision"]
    )[:, used]
    exact = bootstrap.totals(
        np.column_stack([(truth == given).all(axis=1), np.ones(len(truth), dtype=bool)])
    )
    samples = {
        **{f"micro_{k}": v for k, v in ratios(*(c.sum(axis=1) for c in counts)).items()},
        **{f"macro_{k}": _row_means(v) for k, v in by_label.items()},
        "exact_match": _ratio(exact[:, 0], exact[:, 1]),
        **{f"any_{k}": v[:, 0] for k, v in ratios(*bootstrap.counts(*anything)).items()},
    }
    inputs = {"macro": (truth[:, used], given[:, used]), "any": anything}
    rows = []
    for metric, score in OF_FACETS.items():
        values = inputs.get(metric.partition("_")[0], (truth, given))
        value = float(score(*values)) if values[0].shape[1] else _NAN
        rows.append({"metric": metric, "value": value, **interval(samples[metric])})
    return [{"label": "", "n": int(truth.sum()), **row} for row in rows]


def as_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return figures as the long table."""
    return pd.DataFrame([{"part": "", "label": "", **row} for row in rows], columns=COLUMNS)


def as_text(figure: Any) -> str:  # noqa: ANN401 -- a row or a mapping
    """Return a figure as text: `0.712 [0.660-0.760]`, or a dash where it can't be known."""
    value, low = figure["value"], figure["low"]
    if value is None or pd.isna(value):
        return "-"
    if low is None or pd.isna(low):
        return f"{value:.0f}" if value > 1 else f"{value:.3f}"  # a count, or a figure alone
    return f"{value:.3f} [{low:.3f}-{figure['high']:.3f}]"


def wide(figures: pd.DataFrame, index: Sequence[str], columns: str) -> pd.DataFrame:
    """Return figures as text, a row for each value of `index` and a column for each of `columns`.

    The order of both is that of the figures.
    """
    if figures.empty:
        return pd.DataFrame()
    shown = figures.assign(shown=[as_text(row) for row in figures.to_dict("records")])
    names = list(dict.fromkeys(shown[columns]))
    table = shown.pivot_table(
        index=list(index), columns=columns, values="shown", aggfunc="first", sort=False
    )
    return table.reindex(columns=names).fillna("-")


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    empty = np.full(np.broadcast(part, whole).shape, np.nan)
    shares: NDArray[np.float64] = np.divide(part, whole, out=empty, where=np.asarray(whole) > 0)
    return shares


def _row_means(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each row over what is known in it."""
    known = ~np.isnan(figures)
    return _ratio(np.where(known, figures, 0.0).sum(axis=1), known.sum(axis=1).astype(float))
