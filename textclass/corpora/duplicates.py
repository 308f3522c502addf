"""Word sequences that passages share: near-duplicates and stock phrases, in near-linear time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from textclass.language import Tokenizer

SHINGLE = 5
"""Words in a shingle: passages are compared by the sets of their shingles."""

ALIKE = 0.5
"""The share of shingles in common from which on two passages are near-duplicates."""

PHRASE = 4
"""Words in a stock phrase."""

_TEXTS_AT_ONCE = 4096
_BANDS, _ROWS = 32, 3
"""96 MinHash values in bands of three: two passages with half of their shingles in common meet in a
band with a probability of 0.99, with a fifth in common of 0.23."""


@dataclass(frozen=True)
class NearPair:
    """Two texts and the share of their shingles that they have in common (Jaccard)."""

    first: int
    second: int
    share: float


def read_words(texts: Sequence[str]) -> list[list[str]]:
    """Cut each text into the words that models count."""
    tokenizer = Tokenizer()
    found: list[list[str]] = []
    for first in range(0, len(texts), _TEXTS_AT_ONCE):
        batch = tokenizer.read(texts[first : first + _TEXTS_AT_ONCE])
        words = [tokenizer.words[number] for number in batch.ids.tolist()]
        found += [words[start:end] for start, end in pairwise(batch.starts.tolist())]
    return found


def near_duplicates(words: Sequence[Sequence[str]]) -> list[NearPair]:
    """Return pairs of texts of which at least the share `ALIKE` of the shingles are the same.

    Candidates come from MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining
    of Massive Datasets, 3.4) and are then compared exactly. Of many alike texts each is paired
    with its neighbours, not with all.
    """
    shingles = {n: keys for n, text in enumerate(words) if len(keys := _shingle_keys(text))}
    pairs = []
    for first, second in _candidates(shingles):
        a, b = shingles[first], shingles[second]
        common = len(np.intersect1d(a, b, assume_unique=True))
        share = common / (len(a) + len(b) - common)
        if share >= ALIKE:
            pairs.append(NearPair(first, second, share))
    return sorted(pairs, key=lambda pair: (-pair.share, pair.first, pair.second))


def stock_phrases(words: Sequence[Sequence[str]], *, most: int) -> dict[str, list[int]]:
    """Return the word sequences that stand in more than `most` texts, and in which texts.

    Numbers are no words here: the model reads all of them alike.
    """
    texts: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, text in enumerate(words):
        for phrase in set(_sequences(text, PHRASE)):
            if not any("0" in word for word in phrase):
                texts[phrase].append(number)
    often = [(phrase, numbers) for phrase, numbers in texts.items() if len(numbers) > most]
    often.sort(key=lambda found: (-len(found[1]), found[0]))
    return {" ".join(phrase): numbers for phrase, numbers in often}


def _sequences(text: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(text[first:] for first in range(length)), strict=False)


def _shingle_keys(text: Sequence[str]) -> NDArray[np.uint64]:
    """Return a 64-bit key of every different shingle of a text, in order."""
    shingles = (" ".join(words).encode() for words in _sequences(text, SHINGLE))
    digests = b"".join(blake2b(shingle, digest_size=8).digest() for shingle in shingles)
    return np.unique(np.frombuffer(digests, np.uint64))


def _candidates(shingles: Mapping[int, NDArray[np.uint64]]) -> set[tuple[int, int]]:
    """Return pairs of texts that share a band of MinHash values."""
    pairs: set[tuple[int, int]] = set()
    if not shingles:
        return pairs
    keys = np.concatenate(list(shingles.values()))
    starts = np.cumsum([0, *map(len, shingles.values())])[:-1]
    salts = np.random.default_rng(0).integers(2**63, size=_BANDS * _ROWS).astype(np.uint64)
    for band in salts.reshape(_BANDS, _ROWS):
        scattered = ((keys ^ salt) * np.uint64(0x9E3779B97F4A7C15) for salt in band)
        lowest = [np.minimum.reduceat(values, starts).tolist() for values in scattered]
        last: dict[tuple[int, ...], int] = {}
        for number, *signature in zip(shingles, *lowest, strict=True):
            before = last.get(tuple(signature))
            if before is not None:
                pairs.add((before, number))
            last[tuple(signature)] = number
    return pairs
