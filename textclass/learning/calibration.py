"""Scores to probabilities, by Platt scaling on out-of-fold scores, safe for rare labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH = 50
"""With this many positives a label's own slope counts as known."""

PRIOR_POSITIVES = 20.0
"""How many positives the common slope is worth against a label's own."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Probability = 1 / (1 + exp(-(slope score + offset))), per label.

    Attributes
    ----------
    slope, offset : ndarray of float64, shape (L,)
    shrunk : ndarray of bool, shape (L,)
        Which labels have too few positives for a slope of their own; theirs was drawn towards the
        common one.
    """

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    shrunk: NDArray[np.bool_]

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of scores, both of shape (n_rows, L)."""
        return 1 / (1 + np.exp(-np.clip(self.slope * scores + self.offset, -500, 500)))


def calibrate(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Calibration:
    """Fit the probabilities of out-of-fold scores.

    Platt (1999), "Probabilistic outputs for support vector machines", with its smoothed targets
    (N+ + 1) / (N+ + 2) and 1 / (N- + 2); the logarithm of each slope has a Gaussian prior around
    the median of the labels with enough positives, which decides where positives are few.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_rows, L)
    truth : ndarray of bool, shape (n_rows, L)
    weights : ndarray of float64, shape (n_rows,)
        How much each row counts; 1 on average.
    """
    positives = truth.sum(axis=0)
    columns = range(scores.shape[1])
    common = [_platt(scores[:, c], truth[:, c], weights, 1.0, 1.0)[0] for c in columns]
    known = [slope for slope, n in zip(common, positives, strict=True) if n >= ENOUGH]
    centre = float(np.median(known)) if known else 1.0
    fitted = [_platt(scores[:, c], truth[:, c], weights, centre, PRIOR_POSITIVES) for c in columns]
    return Calibration(
        slope=np.array([slope for slope, _ in fitted]),
        offset=np.array([offset for _, offset in fitted]),
        shrunk=positives < ENOUGH,
    )


def _platt(
    scores: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weights: NDArray[np.float64],
    centre: float,
    strength: float,
) -> tuple[float, float]:
    n_pos = float(weights[truth].sum())
    n_neg = float(weights.sum()) - n_pos
    targets = np.where(truth, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_slope, offset = x
        slope = centre * np.exp(log_slope)
        z = slope * scores + offset
        p = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        losses = weights * (np.logaddexp(0, z) - targets * z)
        value = losses.sum() + strength * log_slope**2 / 2
        error = weights * (p - targets)
        gradient = (error * scores).sum() * slope + strength * log_slope
        return float(value), np.array([gradient, error.sum()])

    rate = (n_pos + 1) / (len(truth) + 2)
    start = np.array([0.0, np.log(rate / (1 - rate)) - centre * scores.mean()])
    bounds = [(-3.0, 3.0), (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(centre * np.exp(found.x[0])), float(found.x[1])
