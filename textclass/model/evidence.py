"""The words that decided a label: exact contributions, and the least set that carries the tag.

A case is a passage and a label. All cases of a batch are worked out at once, on arrays that hold
one case after the other: a few dozen steps for hundreds of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from textclass.language import WordBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from textclass.model.linear import WordTable

MOST_AGAINST = 3
"""How many words against a label are shown."""

_LOW_32 = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each word brought to the score of its case's label.

    A case's score is its `intercepts` plus the sum of its `weights`. A word that stands several
    times shares its contribution evenly among its places; a pair gives half to each of its words.

    Attributes
    ----------
    batch : WordBatch
        The words of the cases' passages, one case after the other, with their places.
    cases : ndarray of int64, shape (n_words,)
        The case of each word.
    distinct : ndarray of int64, shape (n_words,)
        Number of each place's word among the distinct words of all cases.
    owners : ndarray of int64, shape (n_distinct,)
        The case of each distinct word, never falling.
    squares : ndarray of float64, shape (n_distinct,)
        Part of each distinct word in its case's squared norm.
    norms : ndarray of float64, shape (n_cases,)
        n of each case's passage.
    words : ndarray of float64, shape (n_words,)
        Contribution of each place's word alone.
    pairs : ndarray of int64, shape (n_pairs,)
        Places whose word and the next are a pair that the model knows.
    pair_weights : ndarray of float64, shape (n_pairs,)
        Contribution of each pair.
    apart : ndarray of float64, shape (n_words,)
        What each place adds beside, whatever the norm of the rest: the part of an encoder.
    intercepts, bars : ndarray of float64, shape (n_cases,)
        The score with no word at all, and the score at which the label is given.
    """

    batch: WordBatch
    cases: NDArray[np.int64]
    distinct: NDArray[np.int64]
    owners: NDArray[np.int64]
    squares: NDArray[np.float64]
    norms: NDArray[np.float64]
    words: NDArray[np.float64]
    pairs: NDArray[np.int64]
    pair_weights: NDArray[np.float64]
    apart: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    bars: NDArray[np.float64]

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Contribution of each place, pairs shared out, shape (n_words,)."""
        weights = self.words + self.apart
        np.add.at(weights, self.pairs, self.pair_weights / 2)
        np.add.at(weights, self.pairs + 1, self.pair_weights / 2)
        return weights

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """What all places of each case brought, shape (n_cases,)."""
        return self.total(self.weights)

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of each case's values, which are one for each place."""
        return np.asarray(np.bincount(self.cases, values, len(self.norms)), dtype=np.float64)


def contributions(
    table: WordTable,
    batch: WordBatch,
    bigrams: NDArray[np.int64],
    passages: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> Contributions:
    """Return what each word of a passage brought to the score of a label, case by case.

    Parameters
    ----------
    table : WordTable
    batch : WordBatch
        Words in the numbering of `table`, with their places.
    bigrams : ndarray of int64, shape (n_words,)
        What `table.find_bigrams` found in the batch.
    passages, columns : ndarray of int64, shape (n_cases,)
        Passage and label of each case.
    """
    lengths = np.diff(batch.starts)[passages]
    starts = np.concatenate(([0], np.cumsum(lengths)))
    cases = np.repeat(np.arange(len(passages)), lengths)
    taken = np.repeat(batch.starts[passages] - starts[:-1], lengths) + np.arange(starts[-1])
    words = WordBatch(batch.ids[taken], starts, batch.begins[taken], batch.ends[taken])
    keys, distinct, tf = np.unique(
        (cases << 32) | words.ids, return_inverse=True, return_counts=True
    )
    owners, a = keys >> 32, 1 + np.log(tf)
    squares = (a * table.idf[keys & _LOW_32].astype(float)) ** 2
    norms = np.sqrt(np.bincount(owners, weights=squares, minlength=len(passages)))
    norms[norms == 0] = 1
    rows = bigrams[taken]
    pairs = np.flatnonzero(rows >= 0)
    pair_cases, rows = cases[pairs], rows[pairs]
    _, which, often = np.unique((pair_cases << 32) | rows, return_inverse=True, return_counts=True)
    of_pairs = table.model.bigram_weights[rows, columns[pair_cases]] * (1 / often[which])
    return Contributions(
        batch=words,
        cases=cases,
        distinct=distinct,
        owners=owners,
        squares=squares,
        norms=norms,
        words=(a / tf)[distinct] * table.rows[words.ids, columns[cases]] / norms[cases],
        pairs=pairs,
        pair_weights=of_pairs / norms[pair_cases],
        apart=np.zeros(len(cases)),
        intercepts=table.model.intercept[columns],
        bars=table.model.score_thresholds()[columns],
    )


def deciding_words(found: Contributions) -> NDArray[np.bool_]:
    """Return which places to take away so that the labels would not be given.

    Words are taken away in order of their contribution, all places of a word together, and with
    them their pairs; what is left is scored anew, with its own norm, until the score falls below
    the bar. If it never does, all words that speak for the label are returned.
    """
    n_cases, n_distinct = len(found.norms), len(found.squares)
    gains = np.bincount(found.distinct, weights=found.weights, minlength=n_distinct)
    speak = np.flatnonzero(gains > 0)
    order = speak[_by_case(np.negative(gains[speak], dtype=np.float64), found.owners[speak])]
    rank = np.full(n_distinct, len(order))
    rank[order] = np.arange(len(order))
    # A pair goes with the first of its words that goes.
    gone = np.minimum(rank[found.distinct[found.pairs]], rank[found.distinct[found.pairs + 1]])
    losses, beside = np.zeros((2, len(order) + 1))
    np.add.at(losses, rank[found.distinct], found.words)
    np.add.at(losses, gone, found.pair_weights)
    np.add.at(beside, rank[found.distinct], found.apart)
    owners = found.owners[order]
    begins = np.searchsorted(owners, np.arange(n_cases))
    total = (found.norms**2)[owners]
    left = total - _running(found.squares[order], begins, owners)
    swell = np.sqrt(np.divide(total, left, out=np.ones_like(left), where=left > 1e-6 * total))
    apart = found.total(found.apart)
    kept = (found.sums - apart)[owners] - _running(losses[:-1], begins, owners)
    left_apart = apart[owners] - _running(beside[:-1], begins, owners)
    scores = kept * swell + left_apart + found.intercepts[owners]
    # A margin of 5 % of the way down keeps the tag from hanging on neighbours that now touch.
    above = np.maximum(found.sums + found.intercepts - found.bars, 0)
    below = np.flatnonzero(scores < (found.bars - 0.05 * above)[owners])
    ends = np.append(begins[1:], len(order))
    np.minimum.at(ends, owners[below], below + 1)
    chosen: NDArray[np.bool_] = rank[found.distinct] < ends[found.cases]
    return chosen


def _by_case(values: NDArray[np.float64], cases: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order by case, then value, then place."""
    order = np.argsort(values)
    # Of short integers NumPy's stable sort is a radix sort.
    short = cases[order].astype(np.min_scalar_type(cases.max(initial=0)))
    order = order[np.argsort(short, kind="stable")]
    # Five times as fast as lexsort, which alone keeps equals, of which there are few, in order.
    equal = (np.diff(values[order]) == 0).any()
    return np.lexsort((values, cases)) if equal else order


def _running(
    values: NDArray[np.float64], begins: NDArray[np.int64], owners: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return running sums that begin anew with each owner."""
    sums: NDArray[np.float64] = np.concatenate(([0.0], np.cumsum(values)))
    return sums[1:] - sums[begins][owners]


def _words_against(found: Contributions) -> NDArray[np.bool_]:
    """Return the places that speak most against each case's label."""
    cases, left = found.cases, np.minimum(found.weights, 0)
    for _ in range(MOST_AGAINST):
        strongest = np.zeros(len(found.norms))
        np.minimum.at(strongest, cases, left)
        places = np.flatnonzero((left < 0) & (left == strongest[cases]))
        # Of equals in one case the first.
        left[places[np.diff(cases[places], prepend=-1) > 0]] = 0
    chosen: NDArray[np.bool_] = (left == 0) & (found.weights < 0)
    return chosen


def evidence_of(found: Contributions) -> Iterator[tuple[int, int, int, float]]:
    """Yield case, start, end and weight of each span that decided; then of those most against.

    Offsets are code points into the passage. Each kind comes by case, the strongest first.
    """
    for chosen, sign in ((deciding_words(found), -1), (_words_against(found), 1)):
        yield from _runs(found, chosen, sign)


def _runs(
    found: Contributions, chosen: NDArray[np.bool_], sign: int
) -> Iterator[tuple[int, int, int, float]]:
    """Yield case, start, end and weight of each run of chosen places, by case and sign * weight."""
    words, cases = found.batch, found.cases
    places = np.flatnonzero(chosen)
    apart = (np.diff(places, prepend=-2) > 1) | (np.diff(cases[places], prepend=-1) > 0)
    begins = np.flatnonzero(apart)
    if not len(begins):
        return
    first, last = places[begins], places[np.append(begins[1:], len(places)) - 1]
    runs = (
        cases[first],
        words.begins[first],
        words.ends[last],
        np.add.reduceat(found.weights[places], begins),
    )
    order = _by_case(sign * runs[3], runs[0])
    yield from zip(*(column[order].tolist() for column in runs), strict=True)


def words_by_weight(text: str, found: Contributions) -> Sequence[tuple[str, float]]:
    """Return every word of one case as it stands in `text`, with its contribution."""
    places = zip(found.batch.begins, found.batch.ends, found.weights, strict=True)
    return [(text[start:end], float(weight)) for start, end, weight in places]
