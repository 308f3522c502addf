"""Word sequences that passages share: near-duplicates and stock phrases, in near-linear time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.language import Tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHINGLE = 5
"""Words in a shingle: passages are compared by the sets of their shingles."""

_BANDS, _ROWS = 32, 3
"""96 MinHash values in bands of three: two passages with half of their shingles in common meet in a
band with a probability of 0.99, with a fifth in common of 0.23."""

_TEXTS_AT_ONCE = 4096


@dataclass(frozen=True)
class Words:
    """The words of some texts, as numbers.

    Attributes
    ----------
    table : list of str
        The word of each number.
    ids : ndarray of int64, shape (n_words,)
    starts : ndarray of int64, shape (n_texts + 1,)
        Where each text begins in `ids`.
    """

    table: list[str]
    ids: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def read(cls, texts: Sequence[str]) -> Words:
        """Cut texts into the words that models count."""
        tokenizer = Tokenizer(max_chunks=2**62)
        batches = [
            tokenizer.read(texts[first : first + _TEXTS_AT_ONCE])
            for first in range(0, len(texts), _TEXTS_AT_ONCE)
        ]
        lengths = [np.diff(batch.starts) for batch in batches]
        starts = np.concatenate([[0], *lengths]).cumsum().astype(np.int64)
        ids = np.concatenate([np.empty(0, np.int64), *(b.ids for b in batches)]).astype(np.int64)
        return cls(tokenizer.words, ids, starts)

    def of(self, text: int) -> list[str]:
        """Return the words of one text."""
        return [self.table[i] for i in self.ids[self.starts[text] : self.starts[text + 1]]]


@dataclass(frozen=True)
class NearPair:
    """Two texts and the share of their shingles that they have in common (Jaccard)."""

    first: int
    second: int
    share: float


def near_duplicates(words: Words, *, share: float = 0.5) -> list[NearPair]:
    """Return pairs of texts of which at least `share` of the shingles are the same.

    Candidates come from MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining
    of Massive Datasets, 3.4) and are then compared exactly. Of many alike texts each is paired
    with its neighbours, not with all.
    """
    keys, texts, _ = _grams(words, SHINGLE)
    order = np.lexsort((keys, texts))
    keys, texts = keys[order], texts[order]
    new = np.concatenate(([True], (keys[1:] != keys[:-1]) | (texts[1:] != texts[:-1])))
    keys, texts = keys[new[: len(keys)]], texts[new[: len(texts)]]
    if not len(keys):
        return []
    owners, starts = np.unique(texts, return_index=True)
    ends = np.append(starts[1:], len(keys))
    pairs = []
    for first, second in _candidates(keys, starts):
        a, b = keys[starts[first] : ends[first]], keys[starts[second] : ends[second]]
        common = len(np.intersect1d(a, b, assume_unique=True))
        jaccard = common / (len(a) + len(b) - common)
        if jaccard >= share:
            pairs.append(NearPair(int(owners[first]), int(owners[second]), jaccard))
    return sorted(pairs, key=lambda pair: (-pair.share, pair.first, pair.second))


def stock_phrases(words: Words, *, length: int = 4, most: int) -> dict[str, list[int]]:
    """Return the sequences of `length` words that stand in more than `most` texts, and in which.

    Numbers are no words here: the model reads all of them alike.
    """
    numeric = np.array(["0" in word for word in words.table], dtype=bool)
    keys, texts, places = _grams(words, length)
    keep = ~np.any([numeric[words.ids[places + i]] for i in range(length)], axis=0)
    keys, texts, places = keys[keep], texts[keep], places[keep]
    order = np.lexsort((texts, keys))
    keys, texts, places = keys[order], texts[order], places[order]
    new = np.concatenate(([True], (keys[1:] != keys[:-1]) | (texts[1:] != texts[:-1])))[: len(keys)]
    keys, texts, places = keys[new], texts[new], places[new]
    _, starts, counts = np.unique(keys, return_index=True, return_counts=True)
    often = np.flatnonzero(counts > most)
    phrases = {}
    for i in often[np.argsort(-counts[often], kind="stable")]:
        ids = words.ids[places[starts[i]] : places[starts[i]] + length]
        phrase = " ".join(words.table[number] for number in ids)
        phrases[phrase] = texts[starts[i] : starts[i] + counts[i]].tolist()
    return phrases


def _grams(
    words: Words, length: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Return a 64-bit key, the text and the place of every sequence of `length` words."""
    places = np.arange(max(len(words.ids) - length + 1, 0))
    texts = np.searchsorted(words.starts, places, side="right") - 1
    inside = places + length <= words.starts[texts + 1]
    places, texts = places[inside], texts[inside]
    keys = np.zeros(len(places), np.uint64)
    for i in range(length):
        keys = _mix(keys + words.ids[places + i].astype(np.uint64) + np.uint64(1))
    return keys, texts, places


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit numbers: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(keys: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pairs of texts that share a band of MinHash values, shape (n_pairs, 2)."""
    salts = np.random.default_rng(0).integers(2**63, size=_BANDS * _ROWS).astype(np.uint64)
    found = [np.empty((0, 2), np.int64)]
    for band in salts.reshape(_BANDS, _ROWS):
        signature = np.zeros(len(starts), np.uint64)
        for salt in band:
            lowest = np.minimum.reduceat((keys ^ salt) * np.uint64(0x9E3779B97F4A7C15), starts)
            signature = _mix(signature + lowest)
        order = np.argsort(signature, kind="stable")
        same = np.flatnonzero(signature[order[1:]] == signature[order[:-1]])
        found.append(np.stack([order[same], order[same + 1]], axis=1))
    return np.unique(np.concatenate(found), axis=0)
