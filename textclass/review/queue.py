"""In which order passages are asked about."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from enum import StrEnum
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textclass.review.tagged_passages import Passages

FROM_ONE_DOCUMENT = 3
"""How many passages of one document come in a row, at most, where there are others."""

RANDOM_EVERY = 5
"""Every so often a passage is drawn at random, to estimate from."""

_SHINGLE = 4
_ALIKE = 0.5
_LOOK_AHEAD = 500
_WORD = re.compile(r"\w+")


class Order(StrEnum):
    """How the queue is ordered."""

    UNSURE = "unsure"
    MODEL = "model"
    ORDER = "order"
    RANDOM = "random"


class Queue:
    """Passages in the order in which they are asked about.

    With `UNSURE` and `MODEL` every fifth is drawn at random; near-duplicates of an answered passage
    and too many in a row of one document wait.

    Attributes
    ----------
    drawn : list of int
        All passages in random order, the same for every reader: the order of the hashes of the
        texts. The answered ones at its head are a simple random sample.
    """

    def __init__(self, passages: Passages, order: Order) -> None:
        self._passages, self.order = passages, order
        self._seen: set[int] = set()
        self._twins: set[int] = set()
        self.drawn: list[int] = np.argsort(np.array(passages.keys), kind="stable").tolist()
        if order is Order.ORDER:
            self._ranked = list(range(len(passages)))
        elif order is Order.RANDOM:
            self._ranked = self.drawn
        else:
            worth = doubt(passages.probabilities, passages.suggested)[self.drawn]
            best_first = np.argsort(-worth, kind="stable")
            self._ranked = np.array(self.drawn)[best_first].tolist()

    @property
    def learns(self) -> bool:
        """Whether the order follows from the answers."""
        return self.order is Order.MODEL

    def promote(self, numbers: Sequence[int]) -> None:
        """Ask about these passages first, in their order."""
        first = set(numbers)
        self._ranked = [*numbers, *(n for n in self._ranked if n not in first)]

    def saw(self, number: int) -> None:
        """Take note of a passage that was answered, to know others like it."""
        self._seen.update(_shingles(self._passages.texts[number]))

    def next(self, done: Container[int], n_done: int, last: Sequence[int]) -> int | None:
        """Return the passage to ask about.

        Parameters
        ----------
        done : container of int
            Answered passages.
        n_done : int
            How many they are.
        last : sequence of int
            The latest of them.
        """
        if self.order in (Order.ORDER, Order.RANDOM):
            return next((n for n in self._ranked if n not in done), None)
        if n_done % RANDOM_EVERY == RANDOM_EVERY - 1:
            return next((n for n in self.drawn if n not in done), None)
        documents = {self._passages.documents[number] for number in last[-FROM_ONE_DOCUMENT:]}
        tired = documents if len(last) >= FROM_ONE_DOCUMENT and len(documents) == 1 else ()
        waiting: list[int] = []
        for number in self._ranked:
            if number in done or number in self._twins:
                continue
            if self._passages.documents[number] in tired:
                waiting.append(number)
            elif self._is_twin(number):
                self._twins.add(number)
            else:
                return number
            if len(waiting) >= _LOOK_AHEAD:
                break
        rest = (number for number in self._ranked if number not in done)
        return next(iter(waiting), next(rest, None))

    def _is_twin(self, number: int) -> bool:
        shingles = _shingles(self._passages.texts[number])
        known = sum(shingle in self._seen for shingle in shingles)
        return bool(shingles) and known >= _ALIKE * len(shingles)


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


def _shingles(text: str) -> set[int]:
    words = _WORD.findall(text.casefold())
    last = max(len(words) - _SHINGLE + 1, 1) if words else 0
    return {
        crc32(" ".join(words[n : n + _SHINGLE]).encode("utf-8", "replace")) for n in range(last)
    }
