"""Word vectors from the words that share passages, so that rare words learn from their kin.

Positive pointwise mutual information of co-occurrence, with context counts smoothed by the power
0.75, factored by truncated SVD: Levy, Goldberg and Dagan (2015), "Improving distributional
similarity with lessons learned from word embeddings", TACL 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PASSAGES = 5
"""A word in fewer passages has no company to learn from."""

LARGEST_SHARE = 0.2
"""A word in a larger share of passages keeps company with all words."""

_SMOOTHING = 0.75


def word_vectors(
    presence: sparse.csr_matrix, *, size: int, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return vectors of length 1 for the words that keep telling company.

    Parameters
    ----------
    presence : sparse matrix, shape (n_passages, n_words)
        1 where the passage holds the word.
    size : int, keyword-only
        Length of a vector; those past the rank of the data are 0.
    seed : int, keyword-only
        Of the randomized SVD.

    Returns
    -------
    words : ndarray of int64, shape (n_vectors,)
        Columns of `presence`.
    vectors : ndarray of float64, shape (n_vectors, size)
    """
    df = np.bincount(presence.indices, minlength=presence.shape[1])
    words = np.flatnonzero((df >= LEAST_PASSAGES) & (df < LARGEST_SHARE * presence.shape[0]))
    vectors = np.zeros((len(words), size))
    rank = min(size, len(words) - 1)
    if rank < 1:
        return words[:0], vectors[:0]
    ppmi = _positive_pmi(_shared_passages(presence[:, words]))
    left, values, _ = randomized_svd(ppmi, n_components=rank, n_iter=4, random_state=seed)
    vectors[:, :rank] = left * np.sqrt(values)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 1e-9)
    return words, vectors


def _shared_passages(presence: sparse.csr_matrix) -> sparse.coo_matrix:
    """Count shared passages, each passage spread over its words so that long ones weigh no more."""
    lengths = np.maximum(np.diff(presence.indptr), 1)
    spread = sparse.diags(1 / np.sqrt(lengths)) @ presence
    shared = (spread.T @ spread).tocoo()
    apart = shared.row != shared.col
    places = (shared.row[apart], shared.col[apart])
    return sparse.coo_matrix((shared.data[apart], places), shape=shared.shape)


def _positive_pmi(shared: sparse.coo_matrix) -> sparse.csr_matrix:
    totals = np.asarray(shared.sum(axis=1)).ravel()
    contexts = totals**_SMOOTHING
    pmi = np.log(shared.data * contexts.sum() / (totals[shared.row] * contexts[shared.col]))
    kept = pmi > 0
    return sparse.csr_matrix((pmi[kept], (shared.row[kept], shared.col[kept])), shape=shared.shape)
