"""Folds by document group, each with about the same share of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def group_folds(
    groups: ArrayLike, truth: NDArray[np.bool_], *, folds: int, seed: int | None = 0
) -> NDArray[np.int64]:
    """Return the fold of each row; rows of one document share it.

    Documents are spread by iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011) over
    the labels that they hold.

    Parameters
    ----------
    groups : array-like, shape (n_rows,)
        The document of each row.
    truth : ndarray of bool, shape (n_rows, n_labels)
    folds : int, keyword-only
    seed : int or None, keyword-only

    Raises
    ------
    ValueError
        If there are fewer documents than folds.
    """
    names, members = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < folds:
        raise ValueError(
            f"n_samples={len(truth)} with labels, of {len(names)} documents (groups): "
            f"{folds} folds need at least as many"
        )
    held = np.zeros((len(names), truth.shape[1] + 1), dtype=bool)
    np.logical_or.at(held[:, :-1], members, truth)
    held[:, -1] = ~held[:, :-1].any(axis=1)
    splitter = MultilabelStratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    fold_of_group = np.empty(len(names), dtype=np.int64)
    for fold, (_, test) in enumerate(splitter.split(held, held)):
        fold_of_group[test] = fold
    return fold_of_group[members]
