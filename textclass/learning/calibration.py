"""From scores out of fold to probabilities and thresholds, safe for rare labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    score alone, with his smoothed targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2). Where positives are
    few the slope is drawn, on a logarithmic scale, towards the median of the labels that have
    enough; the offset then makes the mean probability that of the targets.

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
    totals = weights @ truth
    # Platt's smoothed targets: no label is ever certain, however well it is told apart.
    targets = np.where(truth, (totals + 1) / (totals + 2), 1 / (weights.sum() - totals + 2))
    columns = range(truth.shape[1])
    positives = truth.sum(axis=0)
    own = np.array([_slope(scores[:, c], targets[:, c], weights) for c in columns])
    known = own[(positives >= ENOUGH) & (own > 0)]
    common = float(np.median(known)) if len(known) else 1.0
    pull = positives / (positives + shrinkage) if shrinkage else np.ones(len(own))
    slopes = common * np.clip(own / common, 1 / _MOST, _MOST) ** pull
    offsets = [_offset(slopes[c] * scores[:, c], targets[:, c], weights) for c in columns]
    return np.column_stack([slopes, offsets])


def _slope(
    scores: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """Fit every row as a positive and as a negative, weighted by its target."""
    twice = np.concatenate([weights * targets, weights * (1 - targets)])
    y = np.repeat([True, False], len(scores))
    platt = LogisticRegression(C=1e4).fit(np.tile(scores, 2)[:, None], y, sample_weight=twice)
    return float(platt.coef_[0, 0])


def _offset(
    logits: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    def excess(offset: float) -> float:
        return float(weights @ (expit(logits + offset) - targets))

    reach = float(np.abs(logits).max()) + 50.0
    return float(brentq(excess, -reach, reach))


PRIOR_POSITIVES = 20.0
"""With so many positives, counts and calibrated probabilities weigh the same."""

NEVER = 0.999
"""The threshold of a label whose target precision no threshold reaches."""


def best_f1(
    p: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    """Return the one threshold of the best micro-F1 over some labels: half of that F1.

    Lipton, Elkan and Narayanaswamy (2014), "Optimal Thresholding of Classifiers to Maximize F1
    Measure": for calibrated probabilities no other threshold does better. It moves with the height
    of a flat curve, not with where its top happens to lie, and carries over to texts of other
    sources better than each label's own cut.

    Parameters
    ----------
    p : ndarray of float64, shape (n_rows, L)
    truth : ndarray of bool, shape (n_rows, L)
    weights : ndarray of float64, shape (n_rows,)
        How much each row counts.
    """
    _, hits, given = _cuts(p.ravel(), truth.ravel(), np.repeat(weights, p.shape[1]))
    best = float((2 * hits / (given + hits[-1])).max())
    return float(np.clip(best / 2, 1e-3, NEVER))


def at_precision(
    p: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weights: NDArray[np.float64],
    target: float,
) -> float | None:
    """Return the lowest threshold whose precision is at least `target`, None without one."""
    values, hits, given = _cuts(p, truth, weights)
    reached = np.flatnonzero(hits / given >= target)
    if not len(reached):
        return None
    # Between two neighbouring probabilities, away from 0 and 1.
    below = np.append(values, 0.0)[reached[-1] + 1]
    return float(np.clip((values[reached[-1]] + below) / 2, 1e-3, NEVER))


def _cuts(
    p: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct probabilities, falling, with the weight of hits and rows above each."""
    order = np.argsort(-p, kind="stable")
    share = truth.sum() / (truth.sum() + PRIOR_POSITIVES)
    mixed = share * truth[order] + (1 - share) * p[order]
    last = np.flatnonzero(np.diff(p[order], append=-1.0))
    hits: NDArray[np.float64] = np.cumsum(weights[order] * mixed)[last]
    given: NDArray[np.float64] = np.cumsum(weights[order])[last]
    return p[order][last], hits, given


def per_label(name: str, value: Any, n_labels: int) -> list[Any]:  # noqa: ANN401 -- one for all, or one for each
    """Return a parameter's value for each label, from one for all or a sequence of them.

    Raises
    ------
    ValueError
        If the sequence is longer or shorter.
    """
    if np.ndim(value) and len(value) != n_labels:
        raise ValueError(f"{name} has {len(value)} values for {n_labels} labels")
    values: list[Any] = np.broadcast_to(np.asarray(value, dtype=object), n_labels).tolist()
    return values


def choose_thresholds(
    p: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weights: NDArray[np.float64],
    targets: Sequence[float | None],
    facets: Sequence[object] | None = None,
) -> tuple[NDArray[np.float64], list[str]]:
    """Return each label's threshold: its target precision where it has one, else best F1.

    Parameters
    ----------
    p : ndarray of float64, shape (n_rows, L)
    truth : ndarray of bool, shape (n_rows, L)
    weights : ndarray of float64, shape (n_rows,)
    targets : sequence of float or None, length L
    facets : sequence, length L, optional
        The facet of each label; labels of one facet share the threshold of best F1. All are of one
        where it isn't given.

    Returns
    -------
    thresholds : ndarray of float64, shape (L,)
    rules : list of str
        Where each comes from: `best F1`; the target precision, told as not reached where it isn't;
        or `no examples`.
    """
    facet_of = np.array(per_label("facets", facets, p.shape[1]))
    known = truth.any(axis=0)
    thresholds, rules = np.full(p.shape[1], NEVER), ["no examples"] * p.shape[1]
    for column in np.flatnonzero(known).tolist():
        target = targets[column]
        if target is None:
            alike = (facet_of == facet_of[column]) & known
            thresholds[column] = best_f1(p[:, alike], truth[:, alike], weights)
            rules[column] = "best F1"
            continue
        reached = at_precision(p[:, column], truth[:, column], weights, target)
        thresholds[column] = NEVER if reached is None else reached
        rules[column] = f"precision {target:g}" + (", not reached" if reached is None else "")
    return thresholds, rules
