"""In which order passages are asked about; a quick model of the answers can say it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from textclass.corpora import word_sequences
from textclass.review.tagged_passages import Passages

FROM_ONE_DOCUMENT = 3
"""How many passages of one document come in a row, at most, where there are others."""

RANDOM_EVERY = 5
"""Every so often a passage is drawn at random, to estimate from."""

FEWEST_EXAMPLES = 3
"""Passages with a label, and without it, before a model of it is fitted."""

_SHINGLE = 4
_ALIKE = 0.5
_LOOK_AHEAD = 500
_SPREAD = 100  # of the best are put in an order in which neighbours are unlike each other


Order = Literal["unsure", "model", "order", "random"]
"""What is asked about first."""


class Queue:
    """Passages in the order in which they are asked about.

    With `unsure` and `model` every fifth is drawn at random; near-duplicates of an answered passage
    and too many in a row of one document wait.

    Attributes
    ----------
    drawn : list of int
        All passages in random order, the same for every reader: the order of the hashes of the
        texts. The answered ones at its head are a simple random sample.
    """

    def __init__(self, passages: Passages, order: Order) -> None:
        self.order = order
        self._passages = passages
        self._sequences = cache(lambda number: word_sequences(passages.texts[number], _SHINGLE))
        drawn = np.argsort(np.array(passages.keys), kind="stable")
        worth = doubt(passages.probabilities, passages.suggested)[drawn]
        self.drawn: list[int] = drawn.tolist()
        self._ranked: list[int] = drawn[np.argsort(-worth, kind="stable")].tolist()

    def promote(self, numbers: Sequence[int]) -> None:
        """Ask about these passages first, in their order."""
        first = set(numbers)
        self._ranked = [*numbers, *(n for n in self._ranked if n not in first)]

    def next(self, answered: Sequence[int]) -> int | None:
        """Return the passage to ask about, after those `answered`, oldest first."""
        done, documents = set(answered), self._passages.documents
        by_chance = len(answered) % RANDOM_EVERY == RANDOM_EVERY - 1
        if self.order in ("order", "random") or by_chance:
            ordered = range(len(documents)) if self.order == "order" else self.drawn
            return next((n for n in ordered if n not in done), None)
        last = [documents[number] for number in answered[-FROM_ONE_DOCUMENT:]]
        tired = set(last) if last == FROM_ONE_DOCUMENT * last[:1] else set()
        fresh = [number for number in self._ranked if number not in done]
        seen = set[str]().union(*map(self._sequences, answered))
        of = self._sequences
        first = fresh[:_LOOK_AHEAD]
        new = [n for n in first if len(of(n) & seen) < _ALIKE * max(len(of(n)), 1)]
        rested = (n for n in new if documents[n] not in tired)
        return next(chain(rested, new, fresh), None)


def doubt(
    probabilities: NDArray[np.floating[Any]],
    given: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return how instructive an answer is about each passage.

    The sum over labels of the weighted entropy of the probability. A label given that the
    probability speaks against, counts for up to twice as much: a label of a
    corpus may be wrong. 0 where there are no probabilities.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_passages, n_labels)
    given : ndarray of bool, shape (n_passages, n_labels)
    weights : ndarray of float64, shape (n_labels,), optional
        By default 1 / sqrt(1 + expected number of passages with the label).
    """
    if weights is None:
        weights = 1 / np.sqrt(1 + np.nansum(probabilities, axis=0, dtype=np.float64))
    worth = np.zeros(len(probabilities))
    for column, weight in enumerate(weights):  # label by label: a matrix of entropies is large
        p = np.clip(np.nan_to_num(probabilities[:, column]), 1e-6, 1 - 1e-6)
        entropy = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
        against = given[:, column] & (p < 0.5)
        worth += weight * np.where(against, 2 * (1 - p), entropy)
    return np.where(np.isnan(probabilities[:, 0]), 0.0, worth)


def rank_in_background(*lesson: Any) -> list[int]:  # noqa: ANN401 -- as of the function below
    """Rank passages in a process that gives way to others: the page comes first."""
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    return rank_passages(*lesson)


def rank_passages(
    pool: Sequence[str], taught: Sequence[str], targets: NDArray[np.float64], groups: Sequence[str]
) -> list[int]:
    """Return the numbers of passages, the most instructive first.

    A passage is worth the sum over labels of the entropy of its probability, rare labels counted
    more (uncertainty sampling: Lewis and Gale, 1994, A Sequential Algorithm for Training Text
    Classifiers, SIGIR). Among the best, those like a better one wait. Before there are labels to
    learn from, each next passage is the one least like all before it.

    Parameters
    ----------
    pool : sequence of str
        Passages to rank.
    taught : sequence of str
        Passages with labels.
    targets : ndarray of float64, shape (n_taught, n_labels)
    groups : sequence of str
        The document of each passage taught.
    """
    from textclass.learning import LabelClassifier, WordFeatures

    features = WordFeatures(min_df=3, vector_size=50).fit_transform([*taught, *pool])
    known, open_ones = features[: len(taught)], features[len(taught) :]
    positives = targets.sum(axis=0)
    rarer = np.minimum(positives, len(taught) - positives)
    columns = np.flatnonzero(rarer >= FEWEST_EXAMPLES)
    worth = np.ones(len(pool))
    if len(columns):
        fitted = LabelClassifier(folds=2).fit(known, targets[:, columns], groups=groups)
        p = fitted.predict_proba(open_ones)
        given = np.zeros(p.shape, dtype=bool)
        rows = {text: row for row, text in enumerate(taught)}
        for number, text in enumerate(pool):
            if (row := rows.get(text)) is not None:  # a corpus under review: it may be wrong
                p[number] = fitted.out_of_fold_[row]
                given[number] = targets[row, columns] > 0.5
        worth = doubt(p, given, 1 / np.sqrt(1 + positives[columns]))
    return _spread(open_ones, worth)


def _spread(features: Any, worth: NDArray[np.float64]) -> list[int]:  # noqa: ANN401 -- a sparse matrix
    """Return numbers by falling worth, of the first ones each unlike those before it."""
    order = np.argsort(-worth, kind="stable")
    best = order[: 5 * _SPREAD]
    products = (features[best] @ features[best].T).toarray()
    lengths = np.sqrt(products.diagonal())
    alike = products / np.maximum(np.outer(lengths, lengths), 1e-12)
    left, likest = worth[best], np.zeros(len(best))
    first: list[int] = []
    for _ in range(min(_SPREAD, len(best))):
        pick = int(np.argmax(left * (1 - np.minimum(likest, 0.99))))
        first.append(int(best[pick]))
        left[pick] = -1
        likest = np.maximum(likest, alike[pick])
    return list(dict.fromkeys([*first, *order.tolist()]))
