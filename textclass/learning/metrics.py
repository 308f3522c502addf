"""The table of metrics, and the long table of their figures with bootstrap intervals.

A figure is a row: `model`, `part` (empty for the whole corpus), `facet`, `label` (empty for the
facet's own), `metric`, `value`, `low`, `high` (ends of the 95 % interval), `n` (rows measured) and
`n_true` (true labels among them). What can't be known, as the precision of a label never given, is
NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, brier_score_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.learning.predictions import Predictions

Samples = dict[str, "NDArray[np.float64]"]
"""A figure of each facet: of the corpus as it stands, then of every bootstrap sample."""

BINS = 10
ENOUGH = 5
"""True passages that a label needs to count in a macro average."""

COLUMNS = ["model", "part", "facet", "label", "metric", "value", "low", "high", "n", "n_true"]

FEWEST_DOCUMENTS = 10
"""Of fewer, samples tell nothing: there are no intervals."""

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


OF_PROBABILITIES: Mapping[str, Callable[..., float]] = {
    "average_precision": lambda truth, p: (
        average_precision_score(truth, p) if truth.any() else _NAN
    ),
    "brier": brier_score_loss,
    "ece": calibration_error,
}
"""Of a label's true passages and its probabilities."""

CALIBRATION = ("ece", "brier")
"""Those of which a facet has the mean over its labels; documents don't have them."""


class Bootstrap:
    """Documents drawn anew, with replacement: Efron and Tibshirani (1993), chapters 12 and 13.

    Passages of one document stand or fall together, so documents are drawn, not passages. Every
    result has one value for each sample; the first is that of the corpus as it stands. Where there
    are too few documents, it is the only one.

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
        self.samples = samples if self.documents >= FEWEST_DOCUMENTS else 0
        share = np.full(self.documents, 1 / self.documents)
        drawn = np.random.default_rng(seed).multinomial(self.documents, share, size=self.samples)
        self._weights = np.concatenate([np.ones((1, self.documents)), drawn])

    def totals(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sums of values, one for each passage (or several), in each sample."""
        of_passages = values.reshape(len(values), -1).sum(axis=1)
        sums = np.bincount(self._members, weights=of_passages, minlength=self.documents)
        return np.asarray(self._weights @ sums)

    def rates(
        self, truth: NDArray[np.bool_], given: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.float64]]:
        """Return precision, recall and F1 of all tags together in each sample, NaN if not known."""
        hits, all_given, true = (self.totals(values) for values in (truth & given, given, truth))
        # 0 / 0 makes the NaN that is wanted.
        with np.errstate(invalid="ignore"):
            return {
                "precision": hits / all_given,
                "recall": hits / true,
                "f1": 2 * hits / (all_given + true),
            }


def interval(samples: NDArray[np.float64]) -> dict[str, float]:
    """Return the ends of the 95 % interval, NaN where there is none.

    Samples without the figure don't count.
    """
    known = samples[1:][~np.isnan(samples[1:])]
    if np.isnan(samples[0]) or not len(known):
        return {"low": _NAN, "high": _NAN}
    low, high = np.percentile(known, _PERCENTILES)
    return {"low": float(low), "high": float(high)}


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of n; NaN of 0.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22, 209-212.
    """
    if not n:
        return np.nan, np.nan
    ends = binomtest(round(share * n), int(n)).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


def figure(metric: str, samples: NDArray[np.float64]) -> dict[str, Any]:
    """Return a figure of the corpus as it stands, with its interval."""
    return {"metric": metric, "value": float(samples[0]), **interval(samples)}


def facet_figures(
    bootstrap: Bootstrap,
    names: Sequence[str],
    truth: NDArray[np.bool_],
    given: NDArray[np.bool_],
    p: NDArray[np.float64],
    *,
    calibrated: bool = True,
) -> list[dict[str, Any]]:
    """Return the figures of a facet, then those of its labels; arrays have a column for each label.

    `any` is whether a passage has any label at all. Unless `calibrated` the probabilities only rank
    the passages.
    """
    rates = [bootstrap.rates(*labels) for labels in zip(truth.T, given.T, strict=True)]
    metrics = {
        metric: [float(score(*label)) for label in zip(truth.T, p.T, strict=True)]
        for metric, score in OF_PROBABILITIES.items()
        if calibrated or metric not in CALIBRATION
    }
    exact = (truth == given).all(axis=1)
    often = [rate for rate, frequent in zip(rates, is_frequent(truth), strict=True) if frequent]
    anything = (np.any(labels, axis=1, keepdims=True) for labels in (truth, given))
    samples = {
        **_named("micro_", bootstrap.rates(truth, given)),
        **_named("macro_", _means(often)),
        "exact_match": bootstrap.rates(np.ones_like(exact), exact)["recall"],
        **_named("any_", bootstrap.rates(*anything)),
    }
    own = [figure(*named) for named in samples.items()]
    own += [{"metric": m, "value": np.mean(metrics[m])} for m in CALIBRATION if m in metrics]
    n, n_true = len(truth), truth.sum(axis=0).tolist()
    rows = [{"label": "", "n": n, "n_true": sum(n_true), **row} for row in own]
    for column, name in enumerate(names):
        of_label = [figure(*named) for named in rates[column].items()]
        of_label.append({"metric": "given", "value": float(given[:, column].sum())})
        of_label += [{"metric": m, "value": values[column]} for m, values in metrics.items()]
        rows += [{"label": name, "n": n, "n_true": n_true[column], **row} for row in of_label]
    return rows


def is_frequent(truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which labels count in the macro averages."""
    return np.asarray(truth.sum(axis=0) >= ENOUGH)


def _named(prefix: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    return {prefix + metric: values for metric, values in samples.items()}


def _means(rates: Sequence[Mapping[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    """Return means over labels in each sample; NaN, one sample, without any label."""
    if not rates:
        return dict.fromkeys(("precision", "recall", "f1"), np.array([_NAN]))
    tables = {metric: pd.DataFrame([rate[metric] for rate in rates]) for metric in rates[0]}
    # A label that has true passages and was never given has a precision of 0, not an unknown.
    never = tables["precision"].isna() & tables["recall"].notna()
    tables["precision"] = tables["precision"].mask(never, 0.0)
    return {metric: table.mean().to_numpy() for metric, table in tables.items()}


def micro_f1(
    bootstrap: Bootstrap,
    found: Predictions,
    given: NDArray[np.bool_],
    inside: NDArray[np.bool_] | None = None,
) -> Samples:
    """Return the micro F1 of each facet, of all rows or of those inside a part."""
    rows = np.ones((len(given), 1), dtype=bool) if inside is None else inside[:, None]
    return {
        facet: bootstrap.rates(found.truth[:, columns] & rows, given[:, columns] & rows)["f1"]
        for facet, columns in found.corpus.taxonomy.slices.items()
    }


def differences(own: Samples, others: Mapping[str, Samples]) -> pd.DataFrame:
    """Return by how much the micro F1 of each facet is better than that of each other model."""
    rows = []
    for facet, (name, theirs) in product(own, others.items()):
        if facet not in theirs:
            continue
        less = own[facet] - theirs[facet]
        known = less[1:][~np.isnan(less[1:])]
        rarer = min(int((known <= 0).sum()), int((known >= 0).sum()))
        # Never quite 0, and nothing without samples.
        p = min(1.0, 2 * (rarer + 1) / (len(known) + 1)) if len(known) else np.nan
        difference = {"value": float(less[0]), **interval(less), "p": p}
        rows.append({"facet": facet, "model": name, **difference})
    return pd.DataFrame(rows)


def figure_rows(
    bootstrap: Bootstrap,
    found: Predictions,
    others: Mapping[str, Samples],
    parts: Mapping[str, tuple[Samples, NDArray[np.bool_]]],
    *,
    calibrated: bool,
) -> Iterator[dict[str, Any]]:
    """Yield all figures of the model, then the micro F1 of baselines, and of parts of the rows."""
    taxonomy = found.corpus.taxonomy

    def micro(f1: Samples, inside: NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
        for facet, samples in f1.items():
            n_true = int(found.truth[inside, taxonomy.slices[facet]].sum())
            counts = {"n": int(inside.sum()), "n_true": n_true}
            yield {"facet": facet, **counts, **figure("micro_f1", samples)}

    for one in taxonomy:
        arrays = found.facet(one.name)
        for row in facet_figures(bootstrap, one.names, *arrays, calibrated=calibrated):
            yield {"facet": one.name, **row}
    for name, f1 in others.items():
        yield from ({"model": name, **row} for row in micro(f1, np.full(len(found.truth), True)))
    for part, (f1, inside) in parts.items():
        yield from ({"part": part, **row} for row in micro(f1, inside))


def as_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return figures as the long table."""
    return pd.DataFrame([{"part": "", "label": "", **row} for row in rows], columns=COLUMNS)


def as_text(figure: Mapping[Any, Any]) -> str:
    """Return a figure as text: `0.712 [0.660-0.760]`, or a dash where it can't be known.

    An interval of no width isn't told, for it says that the samples are too alike to tell one.
    """
    value, low = figure["value"], figure["low"]
    if pd.isna(value):
        return "-"
    if figure.get("metric") == "given":
        return f"{value:.0f}"
    # The z option: no minus before what rounds to zero.
    if pd.isna(low):
        return f"{value:z.3f}"
    ends = "-" if low == figure["high"] else f"{low:z.3f}-{figure['high']:z.3f}"
    return f"{value:z.3f} [{ends}]"


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
