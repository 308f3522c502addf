"""The figures of each label."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.learning.evaluation.bootstrap import Bootstrap, estimate
from textclass.learning.evaluation.reliability import brier, calibration_error, reliability
from textclass.learning.evaluation.scores import Counts, average_precision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from textclass.learning.evaluation.predictions import Predictions
    from textclass.metrics import (
        Estimate,
        LabelMetrics,
        SweepPoint,
        TargetPrecision,
    )
    from textclass.taxonomy import Label

SWEEP = np.arange(1, 20) / 20


def label_metrics(
    bootstrap: Bootstrap,
    predictions: Predictions,
    counts: Counts,
    label: str,
    *,
    threshold: float,
    target: float | None,
) -> LabelMetrics:
    """Return the figures of a label.

    Parameters
    ----------
    bootstrap : Bootstrap
    predictions : Predictions
    counts : Counts
        Of all columns.
    label : str
    threshold : float, keyword-only
    target : float or None, keyword-only
        The precision that the threshold was set for.
    """
    taxonomy = predictions.corpus.taxonomy
    column = taxonomy.column(label)
    p, truth = predictions.probabilities[:, column], predictions.truth[:, column]
    scores = counts.scores(column)
    ranked = bootstrap.over_passages(partial(average_precision, p, truth))
    return {
        "name": label,
        "facet": next(facet.name for facet in taxonomy if label in facet.names),
        "support": int(truth.sum()),
        "predicted": int(predictions.given[:, column].sum()),
        **scores,
        "average_precision": estimate(ranked),
        "threshold": round(threshold, 6),
        "ece": calibration_error(p, truth),
        "brier": brier(p, truth),
        "reliability": reliability(p, truth),
        "sweep": sweep(p, truth),
        "target_precision": None if target is None else reached(target, scores["precision"]),
    }


def sweep(p: NDArray[np.float64], truth: NDArray[np.bool_]) -> list[SweepPoint]:
    """Return precision, recall and F1 at each threshold from 0.05 to 0.95."""
    points: list[SweepPoint] = []
    true = int(truth.sum())
    for threshold in SWEEP:
        above = p >= threshold
        hits, given = int((above & truth).sum()), int(above.sum())
        points.append(
            {
                "threshold": float(threshold),
                "precision": round(hits / given, 6) if given else None,
                "recall": round(hits / true, 6) if true else 0.0,
                "f1": round(2 * hits / (given + true), 6) if given + true else 0.0,
            }
        )
    return points


def reached(target: float, precision: Estimate) -> TargetPrecision:
    """Say whether a promised precision was kept, as far as the interval can tell."""
    low, high = precision["low"], precision["high"]
    return {
        "target": target,
        "reached": "unclear"
        if low is None or high is None
        else "yes"
        if low >= target
        else "no"
        if high < target
        else "unclear",
        **precision,
    }


def promised_precision(manifest: Mapping[str, Any] | None, label: Label) -> float | None:
    """Return the precision that a label's threshold was set for, None for best F1.

    What the manifest says of the threshold in use comes before `labels.yaml`, since
    `textclass model thresholds` may have set it anew.
    """
    rule = (manifest or {}).get("label_facts", {}).get(label.name, {}).get("threshold_rule")
    if rule is None:
        return label.target_precision
    found = re.match(r"precision ([0-9.]+)", rule)
    return float(found[1]) if found else None
