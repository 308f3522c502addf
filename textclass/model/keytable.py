"""Look-up of many 64-bit keys at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EMPTY, _SHARED = -1, -2


class KeyTable:
    """Finds keys among a rising array of them, mostly by one memory access each.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_keys,)
        Rising, without repeats.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self.keys = keys
        bits = max(len(keys).bit_length() + 3, 4)
        self._shift = np.uint64(64 - bits)
        slots = self._slots(keys)
        counts = np.bincount(slots, minlength=2**bits)
        self._index = np.full(2**bits, _EMPTY, dtype=np.int32)
        self._index[slots] = np.arange(len(keys), dtype=np.int32)
        self._index[counts > 1] = _SHARED

    def _slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        # Multiplying spreads keys whose high bits are alike (Knuth's multiplicative hashing).
        return ((keys * np.uint64(0x9E3779B97F4A7C15)) >> self._shift).astype(np.int64)

    def find(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the positions in `wanted` of keys that are here, and their index here."""
        index = self._index.take(self._slots(wanted))
        shared = np.flatnonzero(index == _SHARED)
        if len(shared):
            near = np.searchsorted(self.keys, wanted[shared])
            index[shared] = np.minimum(near, len(self.keys) - 1)
        filled = np.flatnonzero(index >= 0)
        index = index.take(filled).astype(np.int64)
        same = self.keys.take(index) == wanted.take(filled)
        return filled[same], index[same]
