"""Folds by document, and a logistic regression for each label and fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Progress = Callable[[int, int], None]
"""Called with how many fits are done and how many there are."""

_LEAST_PROBABILITY = 0.01
"""A soft row with less than this for a label is not also taken as its positive."""


_threads = cache(ThreadpoolController)
"""Finding the libraries that have threads takes longer than a small fit, so it is done once."""


def one_thread() -> AbstractContextManager[Any]:
    """Keep sums in their order, and other processes their cores."""
    limits: AbstractContextManager[Any] = _threads().limit(limits=1)
    return limits


def is_hard(targets: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows hold labels, rather than probabilities."""
    return np.asarray(np.isin(targets, (0.0, 1.0)).all(axis=1))


def group_folds(
    groups: ArrayLike, targets: NDArray[Any], *, folds: int, seed: int | None = 0
) -> NDArray[np.int64]:
    """Return the fold of each row; rows of one document share it.

    Documents are spread by iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011) over
    the labels that they hold. A document with soft rows alone is in no fold: -1.

    Parameters
    ----------
    groups : array-like, shape (n_rows,)
        The document of each row.
    targets : ndarray, shape (n_rows, n_labels)
    folds : int, keyword-only
    seed : int or None, keyword-only

    Raises
    ------
    ValueError
        If there are fewer documents than folds, or a row has none.
    """
    names, hard = np.asarray(groups, dtype=object), is_hard(targets)
    if pd.isna(names).any():
        raise ValueError("groups has NaN: every row needs its document")
    labels = pd.DataFrame(targets[hard] > 0).groupby(names[hard]).any()
    if len(labels) < folds:
        raise ValueError(
            f"n_samples={hard.sum()} with labels, of {len(labels)} documents (groups): "
            f"{folds} folds need at least as many"
        )
    held = labels.assign(none=~labels.any(axis=1)).to_numpy()
    splitter = MultilabelStratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    fold_of = pd.Series(-1, index=labels.index)
    for fold, (_, test) in enumerate(splitter.split(held, held)):
        fold_of.iloc[test] = fold
    return np.asarray(fold_of.reindex(names, fill_value=-1), dtype=np.int64)


def fit_labels(
    features: Any,  # noqa: ANN401 -- any matrix
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    subsets: Sequence[NDArray[np.int64]],
    *,
    C: float,  # noqa: N803 -- scikit-learn's name
    balance: float,
    n_jobs: int | None,
    progress: Progress | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients and intercepts of all labels, fitted on each subset of the rows.

    Parameters
    ----------
    features : array or sparse matrix, shape (n_rows, n_features)
    targets, weights : ndarray of float64, shape (n_rows, n_labels)
        Probability of each label, and how much the row counts for it.
    subsets : sequence of ndarray of int64
        Numbers of the rows to fit on.
    C, balance, n_jobs, progress
        As of `LabelClassifier`.

    Returns
    -------
    coefficients : ndarray of float64, shape (n_subsets, n_labels, n_features)
    intercepts : ndarray of float64, shape (n_subsets, n_labels)
    """
    # Half the memory to pass over; the solver's own tolerance moves scores as much.
    features, hard = features.astype(np.float32), is_hard(targets)
    tasks = list(product(subsets, range(targets.shape[1])))
    fits = Parallel(n_jobs=n_jobs, return_as="generator", max_nbytes="1M")(
        delayed(_fit_label)(features, targets[:, label], hard, weights[:, label], rows, C, balance)
        for rows, label in tasks
    )
    fitted = []
    for fit in fits:
        fitted.append(fit)
        if progress:
            progress(len(fitted), len(tasks))
    coefficients, intercepts = (np.array(part) for part in zip(*fitted, strict=True))
    shape = (len(subsets), targets.shape[1])
    return coefficients.reshape(*shape, -1), intercepts.reshape(shape)


def _fit_label(
    features: Any,  # noqa: ANN401 -- any matrix
    target: NDArray[np.float64],
    hard: NDArray[np.bool_],
    weight: NDArray[np.float64],
    subset: NDArray[np.int64],
    strength: float,
    balance: float,
) -> tuple[NDArray[np.float64], float]:
    """Return weights and intercept of one label, fitted on a subset of the rows.

    A soft row stands in as a positive and as a negative.
    """
    p, weight, hard = target[subset], weight[subset], hard[subset]
    positives = max(float(weight[hard] @ p[hard]), 1.0)
    odds = max(float(weight[hard].sum()) - positives, 1.0) / positives
    for_it = np.flatnonzero(np.where(hard, p > 0, p >= _LEAST_PROBABILITY))
    against = np.flatnonzero(p < 1)
    y = np.repeat([True, False], [len(for_it), len(against)])
    if y.all() or not y.any():
        # Nothing to tell apart: a label without positives is never near, and the other way round.
        return np.zeros(features.shape[1]), 10.0 if y.all() else -10.0
    rows = np.concatenate([for_it, against])
    weights = np.concatenate(
        [weight[for_it] * p[for_it] * odds**balance, weight[against] * (1 - p[against])]
    )
    model = LogisticRegression(C=strength, tol=1e-4, max_iter=5000)
    with one_thread():
        model.fit(features[subset[rows]], y, sample_weight=weights)
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])
