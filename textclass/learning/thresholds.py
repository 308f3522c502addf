"""The probability from which a label is given, from out-of-fold probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PRIOR_POSITIVES = 20.0
"""With so many positives, counts and calibrated probabilities weigh the same."""

PLATEAU = 0.01
"""Cuts whose F1 is this near the best count as equals: their middle is steadier than the best."""

NEVER = 0.999
"""The threshold of a label whose target precision no threshold reaches."""

OUT_OF_FOLD = "out_of_fold.safetensors"
"""The file of a model folder that holds what thresholds are set from."""


@dataclass(frozen=True)
class Threshold:
    """A label's threshold and where it comes from.

    Attributes
    ----------
    value : float
    rule : str
        `best F1`; the target precision, told as not reached where it isn't; or `no examples`.
    """

    value: float
    rule: str


def best_f1(
    p: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Threshold:
    """Return the threshold of the best F1: the middle of the cuts that come near it.

    Where positives are few, the expected counts under the calibrated probabilities stand in for
    part of the true ones, so that a handful of examples doesn't decide.

    Parameters
    ----------
    p : ndarray of float64, shape (n_rows,)
    truth : ndarray of bool, shape (n_rows,)
    weights : ndarray of float64, shape (n_rows,)
        How much each row counts.
    """
    if not truth.any():
        return Threshold(NEVER, "no examples")
    values, hits, given = _cuts(p, truth, weights)
    f1 = 2 * hits / (given + hits[-1])
    near = values[f1 >= f1.max() - PLATEAU]
    middle = float(np.exp(np.log(np.maximum(near, 1e-6)).mean()))
    return Threshold(float(np.clip(middle, 1e-3, NEVER)), "best F1")


def at_precision(
    p: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weights: NDArray[np.float64],
    target: float,
) -> Threshold:
    """Return the lowest threshold whose precision is at least `target`."""
    values, hits, given = _cuts(p, truth, weights)
    reached = np.flatnonzero(hits / given >= target)
    if not len(reached):
        return Threshold(NEVER, f"precision {target:g}, not reached")
    return Threshold(_between(values, int(reached[-1])), f"precision {target:g}")


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


def _between(values: NDArray[np.float64], cut: int) -> float:
    """Return a threshold between two neighbouring probabilities, away from 0 and 1."""
    below = values[cut + 1] if cut + 1 < len(values) else 0.0
    return float(np.clip((values[cut] + below) / 2, 1e-3, NEVER))


def choose_thresholds(
    p: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weights: NDArray[np.float64],
    targets: Sequence[float | None],
) -> list[Threshold]:
    """Return each label's threshold: its target precision where it has one, else best F1.

    Parameters
    ----------
    p : ndarray of float64, shape (n_rows, L)
    truth : ndarray of bool, shape (n_rows, L)
    weights : ndarray of float64, shape (n_rows,)
        How much each row counts.
    targets : sequence of float or None, length L
    """
    return [
        best_f1(p[:, c], truth[:, c], weights)
        if target is None
        else at_precision(p[:, c], truth[:, c], weights, target)
        for c, target in enumerate(targets)
    ]
