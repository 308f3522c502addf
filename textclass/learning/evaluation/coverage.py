"""What share of passages can be tagged at which precision.

A risk-coverage curve as in El-Yaniv and Wiener (2010), "On the foundations of noise-free selective
classification", for several labels: at a level t each passage keeps those of its labels whose
probability is at least t. The passages left with a label are the coverage, and the share of the
labels kept that are true is the precision. So a user reaches a point of the curve by keeping only
tags of at least that probability. The best point is chosen on the passages that it is measured on,
so on few passages it flatters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.metrics import CoveragePoint, RiskCoverage

TARGET = 0.95
MOST_POINTS = 200


def risk_coverage(
    p: NDArray[np.float64], truth: NDArray[np.bool_], given: NDArray[np.bool_]
) -> RiskCoverage:
    """Return the curve of one facet.

    Parameters
    ----------
    p : ndarray of float64, shape (n_passages, n_labels)
    truth, given : ndarray of bool, shape (n_passages, n_labels)
    """
    certainty = np.sort(np.where(given, p, 0.0).max(axis=1, initial=0.0))
    kept = np.sort(p[given])
    correct = np.sort(p[given & truth])
    levels = np.unique(kept)[::-1]
    n_kept = len(kept) - np.searchsorted(kept, levels)
    n_correct = len(correct) - np.searchsorted(correct, levels)
    covered = len(certainty) - np.searchsorted(certainty, levels)
    points: list[CoveragePoint] = [
        {"coverage": round(c / len(p), 6), "precision": round(right / n, 6)}
        for c, right, n in zip(covered.tolist(), n_correct.tolist(), n_kept.tolist(), strict=True)
    ]
    good = [point for point in points if point["precision"] >= TARGET]
    shown = np.unique(np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)) if points else ()
    return {
        "curve": [points[i] for i in shown],
        "at_95": max(good, key=lambda point: point["coverage"], default=None),
    }
