"""What is counted in passages: words, their character n-grams, pairs of neighbours.

A feature is known by a 64-bit key, made from its characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from textclass.language.tokenizer import WordBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

# FNV-1a over code points, 64 bit (Fowler, Noll and Vo; parameters of the 64-bit version).
_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_BEGIN, _END = "\x02", "\x03"
_WHOLE_WORD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class FeatureSpec:
    """Which features a passage has.

    Attributes
    ----------
    shortest, longest : int
        Lengths of the character n-grams, the word's borders counted as characters.
    word_weight : float
        Weight of the feature for the word itself beside its n-grams; 0 for no such feature.
    bigram_weight : float
        Weight of a pair of neighbouring words; 0 for no such feature.
    """

    shortest: int = 4
    longest: int = 6
    word_weight: float = 2.0
    bigram_weight: float = 2.0


def word_keys(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return the 64-bit key of each word (spaCy's string hash)."""
    from spacy.strings import hash_string  # type: ignore[attr-defined]  # a Cython function

    return np.fromiter(map(hash_string, words), dtype=np.uint64, count=len(words))


def feature_keys(
    words: Sequence[str], spec: FeatureSpec
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Yield the features of `words`, one kind after the other, the words themselves last.

    Yields
    ------
    keys : ndarray of uint64, shape (n_features,)
        Key of each feature, as often as it stands in the word.
    owners : ndarray of int64, shape (n_features,)
        Index into `words` of each feature, never falling.
    """
    bordered = [f"{_BEGIN}{word}{_END}" for word in words]
    codes = np.frombuffer("".join(bordered).encode("utf-32-le"), dtype=np.uint32)
    lengths = np.fromiter(map(len, bordered), dtype=np.int64, count=len(words))
    owners = np.repeat(np.arange(len(words)), lengths)
    room = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(codes))
    keys = np.full(len(codes), _FNV_OFFSET)
    places = np.arange(len(codes))
    for n in range(1, spec.longest + 1):
        fits = room >= n
        keys, owners, room, places = keys[fits], owners[fits], room[fits], places[fits]
        keys = (keys ^ codes[places + (n - 1)]) * _FNV_PRIME
        if n >= spec.shortest:
            yield keys, owners
    if spec.word_weight:
        yield whole_word_keys(word_keys(words)), np.arange(len(words))


def whole_word_keys(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the keys of the features for words themselves, from the words' keys."""
    return keys ^ _WHOLE_WORD


def pair_keys(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the key of each pair of neighbouring words from the words' keys."""
    mixed = (first ^ (first >> np.uint64(32))) * _WHOLE_WORD + second
    return (mixed ^ (mixed >> np.uint64(29))) * _FNV_PRIME


def neighbours(batch: WordBatch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the neighbouring words of each passage.

    Returns
    -------
    places : ndarray of int64, shape (n_pairs,)
        Where the first word of each pair stands in `batch.ids`; the second stands next to it.
    passages : ndarray of int64, shape (n_pairs,)
        The passage of each pair.
    """
    places = np.flatnonzero(batch.passages[:-1] == batch.passages[1:])
    return places, batch.passages[places]


@dataclass(frozen=True, eq=False)
class Counts:
    """The distinct words of each passage, in passage order, with their counts.

    Attributes
    ----------
    words : ndarray of int64, shape (n_pairs,)
        Word id of each pair of passage and distinct word.
    tf : ndarray of int64, shape (n_pairs,)
        How often the word stands in the passage.
    starts : ndarray of int64, shape (n_passages + 1,)
        Where each passage begins in `words`.
    """

    words: NDArray[np.int64]
    tf: NDArray[np.int64]
    starts: NDArray[np.int64]

    @cached_property
    def passages(self) -> NDArray[np.int64]:
        """Passage number of each pair."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """Sublinear term frequency a = 1 + ln tf of each pair, as scikit-learn's `sublinear_tf`."""
        return 1 + np.log(self.tf, dtype=np.float32)


def count_words(batch: WordBatch) -> Counts:
    """Count the distinct words of each passage."""
    keys, tf = np.unique((batch.passages << 32) | batch.ids, return_counts=True)
    starts = np.searchsorted(keys, np.arange(len(batch.starts)) << 32)
    return Counts(words=keys & 0xFFFFFFFF, tf=tf, starts=starts)
