"""The additive linear model as arrays, and its scores.

For a passage with distinct words U, word u seen tf(u) times, a(u) = 1 + ln tf(u), and
n = sqrt(sum over u of (a(u) idf(u))²), the score of label l is

    s_l = (sum over u of a(u) W_l(u) + sum over b of B_l(b)) / n + c_l

where W_l(u) adds the weights of the features of u (character n-grams, the word itself) and b runs
over the distinct pairs of neighbouring words that the model knows. A word's whole contribution is
thus one row, computed once per distinct word and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.language import (
    FeatureSpec,
    WordBatch,
    count_words,
    feature_keys,
    function_words,
    neighbours,
    pair_keys,
    word_keys,
)
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_WORDS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class LinearModel:
    """All that a prediction needs; F features of words, P pairs, V words, L labels.

    Attributes
    ----------
    taxonomy : Taxonomy
        Labels in column order.
    spec : FeatureSpec
    feature_keys : ndarray of uint64, shape (F,)
        Rising.
    feature_weights : ndarray of float16 or float32, shape (F, L)
        Weight of one occurrence of a feature, its idf included.
    bigram_keys : ndarray of uint64, shape (P,)
        Rising.
    bigram_weights : ndarray of float16 or float32, shape (P, L)
    word_keys : ndarray of uint64, shape (V,)
        Rising; the words that the training corpus knows.
    word_idf : ndarray of float32, shape (V,)
    unseen_idf : float
        The idf of any other word.
    intercept, slope, offset, thresholds : ndarray of float64, shape (L,)
        c_l; probability = 1 / (1 + exp(-(slope score + offset))); the least probability at which
        a label is given.
    name : str
        Name and digest, as results carry them.
    """

    taxonomy: Taxonomy
    spec: FeatureSpec
    feature_keys: NDArray[np.uint64]
    feature_weights: NDArray[np.float16] | NDArray[np.float32]
    bigram_keys: NDArray[np.uint64]
    bigram_weights: NDArray[np.float16] | NDArray[np.float32]
    word_keys: NDArray[np.uint64]
    word_idf: NDArray[np.float32]
    unseen_idf: float
    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    name: str = "unnamed"

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities of scores, both of shape (n_passages, L)."""
        return 1 / (1 + np.exp(-np.clip(self.slope * scores + self.offset, -500, 500)))

    def score_thresholds(self) -> NDArray[np.float64]:
        """Return the score of each label at which its probability is at the threshold."""
        logit = np.log(self.thresholds) - np.log1p(-self.thresholds)
        return (logit - self.offset) / self.slope


@dataclass(frozen=True, eq=False)
class Scores:
    """What the model says of a batch of passages.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_passages, L)
        Before calibration.
    probabilities : ndarray of float64, shape (n_passages, L)
    words : ndarray of int64, shape (n_passages,)
        How many words, repeats included.
    known : ndarray of float64, shape (n_passages,)
        Share of distinct words that the training corpus knows.
    function : ndarray of float64, shape (n_passages,)
        Share of words that are English function words.
    """

    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    words: NDArray[np.int64]
    known: NDArray[np.float64]
    function: NDArray[np.float64]


class WordTable:
    """Rows W(u) of the words met so far, in the tokenizer's numbering.

    Parameters
    ----------
    model : LinearModel
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self.generation, self.size = -1, 0
        self.rows = np.zeros((0, len(model.taxonomy.names)), dtype=np.float64)
        self.keys = np.zeros(0, dtype=np.uint64)
        self.idf = np.zeros(0, dtype=np.float32)
        self.known = np.zeros(0, dtype=bool)
        self.function = np.zeros(0, dtype=bool)
        # Turning float16 into float64 anew for each batch would be a third of the time of scoring.
        self._bigram_rows = model.bigram_weights.astype(np.float64)

    def grow(self, words: Sequence[str], generation: int) -> None:
        """Add rows for the words that came since the last call; start anew on a new generation."""
        if generation != self.generation:
            self.generation, self.size = generation, 0
        if len(words) > len(self.idf):
            room = max(len(words), 2 * len(self.idf))
            for column in (self.rows, self.keys, self.idf, self.known, self.function):
                column.resize((room, *column.shape[1:]), refcheck=False)
        while self.size < len(words):
            end = min(self.size + _WORDS_AT_ONCE, len(words))
            self._fill(words[self.size : end], slice(self.size, end))
            self.size = end

    def _fill(self, words: Sequence[str], place: slice) -> None:
        self.rows[place] = _word_rows(words, self.model)
        self.keys[place] = word_keys(words)
        found, index = find_keys(self.model.word_keys, self.keys[place])
        self.idf[place] = self.model.unseen_idf
        self.idf[place][found] = self.model.word_idf[index]
        self.known[place] = False
        self.known[place][found] = True
        self.function[place] = [word in function_words() for word in words]

    def find_bigrams(self, batch: WordBatch) -> NDArray[np.int64]:
        """Return the row of `bigram_weights` of each word and the next one, shape (n_words,).

        It is -1 where the model doesn't know the pair, or the passage ends.
        """
        places, _ = neighbours(batch)
        keys = self.keys.take(batch.ids)
        wanted = pair_keys(keys.take(places), keys.take(places + 1))
        found, index = find_keys(self.model.bigram_keys, wanted)
        rows = np.full(len(keys), -1)
        rows[places.take(found)] = index
        return rows

    def _bigram_sums(self, batch: WordBatch, bigrams: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the summed weights of the distinct known bigrams of each passage."""
        pairs = ((batch.passages << 32) | bigrams)[bigrams >= 0]
        pairs.sort()
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        starts = np.searchsorted(pairs, np.arange(len(batch.starts)) << 32)
        index = pairs & np.int64(0xFFFFFFFF)
        return _weighted_sums(np.ones(len(index)), index, starts, self._bigram_rows)

    def score(self, batch: WordBatch, bigrams: NDArray[np.int64]) -> Scores:
        """Score passages whose words are in this table's numbering, and their pairs."""
        counts = count_words(batch)
        n_passages = len(counts.starts) - 1
        passages, weights = counts.passages, counts.weights
        sums = _weighted_sums(weights, counts.words, counts.starts, self.rows)
        if self.model.spec.bigram_weight:
            sums += self._bigram_sums(batch, bigrams)
        squares = (weights * self.idf.take(counts.words)) ** 2
        norms = np.sqrt(np.bincount(passages, weights=squares, minlength=n_passages))
        norms[norms == 0] = 1
        distinct = np.maximum(np.diff(counts.starts), 1)
        known = np.bincount(passages, weights=self.known.take(counts.words), minlength=n_passages)
        total = np.diff(batch.starts)
        function = np.bincount(
            passages, weights=counts.tf * self.function.take(counts.words), minlength=n_passages
        )
        scores = sums / norms[:, None] + self.model.intercept
        return Scores(
            scores=scores,
            probabilities=self.model.probabilities(scores),
            words=total,
            known=known / distinct,
            function=function / np.maximum(total, 1),
        )


def _weighted_sums(
    weights: NDArray[Any],
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    rows: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the weighted sum of each passage's rows, shape (len(starts) - 1, rows.shape[1])."""
    weights = weights.astype(np.float64)
    if len(starts) == 2:  # one passage needs no scipy, which takes long to load
        return weights[None, :] @ rows.take(columns, axis=0)
    from scipy import sparse

    # Ids, and so the order of a sum, differ from run to run; float64 hides it.
    matrix = sparse.csr_array((weights, columns, starts), shape=(len(starts) - 1, len(rows)))
    sums: NDArray[np.float64] = matrix @ rows
    return sums


def _word_rows(words: Sequence[str], model: LinearModel) -> NDArray[np.float32]:
    """Return the row W(u) of each word, the summed weights of its features: (len(words), L)."""
    rows = np.zeros((len(words), model.feature_weights.shape[1]), dtype=np.float32)
    for wanted, owners in feature_keys(words, model.spec):
        found, index = find_keys(model.feature_keys, wanted)
        if len(found):
            owner = owners[found]
            begins = np.flatnonzero(np.diff(owner, prepend=-1))
            found_rows = model.feature_weights[index].astype(np.float32)
            rows[owner[begins]] += np.add.reduceat(found_rows, begins, axis=0)
    return rows


def find_keys(
    keys: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places in `wanted` of keys that are there, and their index in `keys`, rising."""
    # Sorted first, keys looked up one after the other lie near in memory: three times as fast.
    order = np.argsort(wanted)
    index = np.empty(len(wanted), dtype=np.int64)
    index[order] = np.searchsorted(keys, wanted[order])
    found = np.flatnonzero(index < len(keys))
    found = found[keys[index[found]] == wanted[found]]
    return found, index[found]
