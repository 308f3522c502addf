"""Chunks between white space numbered and found again, many at once, on arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.language.normalise import PIECE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the characters of a text, lone surrogates too, shape (len(text),)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


class Column:
    """An array that grows by doubling; what lies past `size` has no meaning."""

    def __init__(self, dtype: type) -> None:
        self.data: NDArray[Any] = np.zeros(1024, dtype=dtype)
        self.size = 0

    def extend(self, values: Sequence[int] | NDArray[Any]) -> None:
        """Add values at the end."""
        end = self.size + len(values)
        if end > len(self.data):
            self.data = np.resize(self.data, max(end, 2 * len(self.data)))
        self.data[self.size : end] = values
        self.size = end


class ChunkTable:
    """Numbers chunks in order of first sight; whole arrays of them are looked up at once.

    Open addressing by a hash linear in the characters, with factors drawn anew for each table, so
    that no text can be written whose chunks fall on each other. Chunks longer than `PIECE`, and
    the few with the hash of another, are kept by name.
    """

    def __init__(self) -> None:
        self.size = 0
        self.characters = 0
        self.named: dict[str, int] = {}
        self._factors = np.frombuffer(os.urandom(8 * PIECE), dtype=np.uint64)
        self._slots = np.full(4096, -1, dtype=np.int32)
        self._keys = Column(np.uint64)
        self._begins = Column(np.int64)
        self._lengths = Column(np.int32)
        self._text = Column(np.uint32)

    def find(
        self, text: NDArray[np.uint32], starts: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return the number of each chunk of a text, -1 if it isn't kept by hash, and its key."""
        numbers = np.full(len(starts), -1)
        keys = np.zeros(len(starts), dtype=np.uint64)
        short = np.flatnonzero(lengths <= PIECE)
        if not len(short):
            return numbers, keys
        starts, lengths = starts[short], lengths[short]
        offsets = np.cumsum(lengths) - lengths
        places = np.arange(offsets[-1] + lengths[-1])
        characters = text.take(places + np.repeat(starts - offsets, lengths))
        within = places - np.repeat(offsets, lengths)
        keys[short] = np.add.reduceat(self._factors.take(within) * characters, offsets)
        found = self._probe(keys[short])
        within += np.repeat(self._begins.data.take(found), lengths)
        same = self._text.data.take(within, mode="clip") == characters
        if not same.all():
            found[~np.logical_and.reduceat(same, offsets)] = -1
        found[self._lengths.data.take(found) != lengths] = -1
        numbers[short] = found
        return numbers, keys

    def _probe(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the number of the chunk with each key, -1 where there is none."""
        slots = self._slots_of(keys)
        found = self._slots.take(slots).astype(np.int64)
        others = np.flatnonzero((self._keys.data.take(found) != keys) & (found >= 0))
        while len(others):
            slots[others] = (slots[others] + 1) % len(self._slots)
            found[others] = self._slots[slots[others]]
            others = others[(self._keys.data[found[others]] != keys[others]) & (found[others] >= 0)]
        return found

    def _slots_of(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        bits = len(self._slots).bit_length() - 1
        return (keys >> np.uint64(64 - bits)).astype(np.int64)

    def add(self, chunks: Mapping[str, int]) -> range:
        """Give new chunks, told with their keys, their numbers."""
        numbers = range(self.size, self.size + len(chunks))
        keys = np.fromiter(chunks.values(), dtype=np.uint64, count=len(chunks))
        lengths = np.fromiter(map(len, chunks), dtype=np.int64, count=len(chunks))
        lone = np.zeros(len(chunks), dtype=bool)
        lone[np.unique(keys, return_index=True)[1]] = True
        lone &= (lengths <= PIECE) & (self._probe(keys) < 0)
        by_hash = list(compress(chunks, lone))
        self.named |= dict(compress(zip(chunks, numbers, strict=True), ~lone))
        kept = np.where(lone, lengths, 0)
        self._begins.extend(self._text.size + np.cumsum(kept) - kept)
        self._text.extend(code_points("".join(by_hash)))
        self._lengths.extend(kept)
        self._keys.extend(keys)
        self.size = numbers.stop
        self.characters += int(lengths.sum())
        if 4 * self.size > len(self._slots):
            self._slots = np.full(2 ** (8 * self.size).bit_length(), -1, dtype=np.int32)
            self._place(np.flatnonzero(self._lengths.data[: self.size]))
        else:
            self._place(np.flatnonzero(kept) + numbers.start)
        return numbers

    def _place(self, numbers: NDArray[np.int64]) -> None:
        """Put each number into the first free slot from its own on."""
        slots = self._slots_of(self._keys.data[numbers])
        while len(numbers):
            free = self._slots[slots] < 0
            self._slots[slots[free]] = numbers[free]
            left = self._slots[slots] != numbers
            numbers, slots = numbers[left], (slots[left] + 1) % len(self._slots)
