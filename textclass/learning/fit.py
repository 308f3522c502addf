"""One logistic regression per label on sparse features, from labels and from probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

Progress = Callable[[int, int], None]
"""Called with how many fits are done and how many there are."""

_LEAST_PROBABILITY = 0.01
"""A soft row with less than this for a label is not also taken as its positive."""


@dataclass(frozen=True)
class FitOptions:
    """How each label is fitted.

    Attributes
    ----------
    c : float
        Inverse strength of the L2 penalty, as scikit-learn's C.
    soft_weight : float
        Weight of a soft-labelled row beside a hard-labelled one.
    facet_soft_weights : Mapping of str to float
        The same for the labels of a facet that probabilities teach better or worse.
    balance : float
        Positives weigh (negatives / positives) to this power.
    """

    c: float = 0.3
    soft_weight: float = 0.3
    facet_soft_weights: Mapping[str, float] = field(default_factory=dict)
    balance: float = 0.5


@dataclass(frozen=True, eq=False)
class Weights:
    """Fitted linear weights of L labels over F features.

    Attributes
    ----------
    coef : ndarray of float64, shape (L, F)
    intercept : ndarray of float64, shape (L,)
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def scores(self, features: sparse.csr_matrix) -> NDArray[np.float64]:
        """Return the scores of features, shape (n_rows, L)."""
        scores: NDArray[np.float64] = features @ self.coef.T + self.intercept
        return scores


def fit_labels(
    features: sparse.csr_matrix,
    targets: NDArray[np.float64],
    hard: NDArray[np.bool_],
    soft_weights: Sequence[float],
    subsets: Sequence[NDArray[np.int64]],
    options: FitOptions,
    *,
    jobs: int = 1,
    progress: Progress = lambda _done, _total: None,
) -> list[Weights]:
    """Fit every label on each subset of the rows.

    Parameters
    ----------
    features : sparse matrix, shape (n_rows, F)
    targets : ndarray of float64, shape (n_rows, L)
        0 or 1 in hard-labelled rows, a probability in others.
    hard : ndarray of bool, shape (n_rows,)
    soft_weights : sequence of float, length L
        Weight of a row that isn't hard, for each label.
    subsets : sequence of ndarray of int64
        Row numbers.
    options : FitOptions
    jobs : int, keyword-only
        Processes; -1 for all cores.
    progress : callable, keyword-only

    Returns
    -------
    list of Weights
        One for each subset.
    """
    n_labels = targets.shape[1]
    tasks = [(subset, label) for subset in subsets for label in range(n_labels)]
    # Half the memory to pass over; the solver's own tolerance moves scores as much.
    features = features.astype(np.float32)
    fits = Parallel(n_jobs=jobs, return_as="generator", max_nbytes="1M")(
        delayed(_fit_label)(features, targets[:, label], hard, subset, soft_weights[label], options)
        for subset, label in tasks
    )
    done = []
    for number, fit in enumerate(fits, 1):
        done.append(fit)
        progress(number, len(tasks))
    return [
        Weights(
            coef=np.array([coef for coef, _ in done[first : first + n_labels]]),
            intercept=np.array([start for _, start in done[first : first + n_labels]]),
        )
        for first in range(0, len(done), n_labels)
    ]


def _fit_label(
    features: sparse.csr_matrix,
    target: NDArray[np.float64],
    hard: NDArray[np.bool_],
    subset: NDArray[np.int64],
    soft_weight: float,
    options: FitOptions,
) -> tuple[NDArray[np.float64], float]:
    rows, y, weight = _examples(target, hard, subset, soft_weight, options.balance)
    if y.all() or not y.any():
        # Nothing to tell apart: a label without positives is never near, and the other way round.
        return np.zeros(features.shape[1]), 10.0 if y.all() else -10.0
    model = LogisticRegression(C=options.c, tol=1e-5, max_iter=5000)
    # One thread each: the processes share the cores, and the sums keep their order.
    with threadpool_limits(limits=1):
        model.fit(features[rows], y, sample_weight=weight)
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])


def _examples(
    target: NDArray[np.float64],
    hard: NDArray[np.bool_],
    subset: NDArray[np.int64],
    soft_weight: float,
    balance: float,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
    """Return rows, classes and weights; a soft row stands in as a positive and as a negative."""
    p, sure = target[subset], hard[subset]
    positives = max(float(p[sure].sum()), 1.0)
    odds = max(float(sure.sum()) - positives, 1.0) / positives
    base = np.where(sure, 1.0, soft_weight)
    for_it = np.flatnonzero(np.where(sure, p > 0, p >= _LEAST_PROBABILITY))
    against = np.flatnonzero(p < 1)
    rows = np.concatenate([subset[for_it], subset[against]])
    y = np.concatenate([np.ones(len(for_it), dtype=bool), np.zeros(len(against), dtype=bool)])
    weight = np.concatenate(
        [base[for_it] * p[for_it] * odds**balance, base[against] * (1 - p[against])]
    )
    return rows, y, weight
