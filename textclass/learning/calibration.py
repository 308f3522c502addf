"""Scores to probabilities, by Platt scaling on out-of-fold scores, safe for rare labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH = 50
"""With this many positives a label's own slope counts as known."""

_MOST = 4.0
"""A label's own slope counts as at most so many times the common one, or so small a part of it."""


def calibrate(
    scores: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    shrinkage: float,
) -> NDArray[np.float64]:
    """Return slope and offset of each label: probability = 1 / (1 + exp(-(slope score + offset))).

    Platt (1999), "Probabilistic outputs for support vector machines": a logistic regression on the
    score alone. Where positives are few the slope is drawn, on a logarithmic scale, towards the
    median of the labels that have enough; the offset then makes the mean probability the label's
    (smoothed) share.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_rows, L)
    truth : ndarray of bool, shape (n_rows, L)
    weights : ndarray of float64, shape (n_rows,)
        How much each row counts; 1 on average.
    shrinkage : float, keyword-only
        How many positives the common slope is worth against a label's own.

    Returns
    -------
    ndarray of float64, shape (L, 2)
    """
    positives = truth.sum(axis=0)
    own = np.array([_slope(scores[:, c], truth[:, c], weights) for c in range(truth.shape[1])])
    known = own[(positives >= ENOUGH) & (own > 0)]
    common = float(np.median(known)) if len(known) else 1.0
    pull = positives / (positives + shrinkage) if shrinkage else np.ones(len(own))
    slopes = common * np.clip(own / common, 1 / _MOST, _MOST) ** pull
    shares = (weights @ truth + 1) / (weights.sum() + 2)
    offsets = [
        _offset(slope * scores[:, c], weights, share)
        for c, (slope, share) in enumerate(zip(slopes, shares, strict=True))
    ]
    return np.column_stack([slopes, offsets])


def _slope(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    if truth.all() or not truth.any():
        return 1.0
    platt = LogisticRegression(C=1e4).fit(scores[:, None], truth, sample_weight=weights)
    return float(platt.coef_[0, 0])


def _offset(logits: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    def excess(offset: float) -> float:
        return float(weights @ expit(logits + offset)) / float(weights.sum()) - share

    reach = float(np.abs(logits).max()) + 50.0
    return float(brentq(excess, -reach, reach))
