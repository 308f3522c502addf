"""Whether probabilities are what they say: calibration error, Brier score, reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.metrics import ReliabilityBin

BINS = 10


def calibration_error(p: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of one label over ten bins of equal width.

    The mean distance, weighted by count, between a bin's mean probability and its share of true
    passages: Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using
    Bayesian binning". A value on an edge belongs to the upper bin.

    Parameters
    ----------
    p : ndarray of float64, shape (n_passages,)
    truth : ndarray of bool, shape (n_passages,)
    """
    _, sums, true = _binned(p, truth)
    return round(float(np.abs(sums - true).sum() / len(p)), 6)


def brier(p: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the mean squared distance of probabilities from 0 and 1 (Brier, 1950)."""
    return round(float(np.mean((p - truth) ** 2)), 6)


def reliability(p: NDArray[np.float64], truth: NDArray[np.bool_]) -> list[ReliabilityBin]:
    """Return the bins that the calibration error is over."""
    counts, sums, true = _binned(p, truth)
    return [
        {
            "low": b / BINS,
            "high": (b + 1) / BINS,
            "mean": round(float(sums[b] / counts[b]), 6) if counts[b] else None,
            "share": round(float(true[b] / counts[b]), 6) if counts[b] else None,
            "count": int(counts[b]),
        }
        for b in range(BINS)
    ]


def _binned(
    p: NDArray[np.float64], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return count, sum of probabilities and true passages of each bin."""
    places = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    return (
        np.bincount(places, minlength=BINS),
        np.bincount(places, weights=p, minlength=BINS).astype(np.float64),
        np.bincount(places, weights=truth, minlength=BINS).astype(np.float64),
    )
