"""Words of a batch of passages to sparse counts, on arrays alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from textclass.language.tokenizer import WordBatch

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


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
        weights = np.ones(len(self.tf), dtype=np.float32)
        repeated = self.tf > 1
        weights[repeated] += np.log(self.tf[repeated], dtype=np.float32)
        return weights


def count_words(batch: WordBatch) -> Counts:
    """Count the distinct words of each passage."""
    n_passages = len(batch.starts) - 1
    bits = int(batch.ids.max(initial=0)).bit_length()
    # Half as wide sorts twice as fast.
    width: DTypeLike = np.int32 if n_passages.bit_length() + bits < 32 else np.int64
    keys = batch.passages.astype(width) << bits
    keys |= batch.ids
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    places = np.flatnonzero(first)
    distinct = keys[places].astype(np.int64)
    tf = np.diff(places, append=len(keys))
    per_passage = np.bincount(distinct >> bits, minlength=n_passages)
    starts = np.concatenate(([0], np.cumsum(per_passage)))
    return Counts(words=distinct & (1 << bits) - 1, tf=tf, starts=starts)
