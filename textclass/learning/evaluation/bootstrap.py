"""Intervals by the bootstrap over documents, on counts per document.

Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapters 12 and 13: percentile
intervals. Passages of one document stand or fall together, so documents are drawn, not passages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from textclass.metrics import Estimate

_PERCENTILES = (2.5, 97.5)
_CELLS_AT_ONCE = 4_000_000


class Bootstrap:
    """Documents drawn anew, with replacement, as often as `samples` says.

    Every figure is an array with one row for each sample; row 0 is the corpus as it stands.

    Parameters
    ----------
    groups : sequence of str
        The document of each passage.
    samples : int, keyword-only
    seed : int, keyword-only

    Attributes
    ----------
    documents : int
    weights : ndarray of float64, shape (samples + 1, documents)
        How often each document stands in each sample.
    """

    def __init__(self, groups: Sequence[str], *, samples: int, seed: int) -> None:
        names, members = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
        self.documents = len(names)
        self._members = members
        drawn = np.random.default_rng(seed).multinomial(
            self.documents, np.full(self.documents, 1 / self.documents), size=samples
        )
        self.weights = np.concatenate([np.ones((1, self.documents)), drawn])

    def totals(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the sums of `values`, shape (n_passages, ...), in each sample."""
        sums = np.zeros((self.documents, *values.shape[1:]))
        np.add.at(sums, self._members, values.astype(np.float64))
        return np.tensordot(self.weights, sums, axes=1)

    def over_passages(
        self, figure: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return a figure that counts can't give.

        Parameters
        ----------
        figure : callable
            Takes weights of shape (n, n_passages), gives the n figures.
        """
        step = max(1, _CELLS_AT_ONCE // max(1, len(self._members)))
        blocks = range(0, len(self.weights), step)
        return np.concatenate(
            [figure(self.weights[first : first + step][:, self._members]) for first in blocks]
        )


def estimate(figures: NDArray[np.float64]) -> Estimate:
    """Return the figure in row 0 with its 95 % interval; samples without the figure don't count."""
    value, samples = figures[0], figures[1:][~np.isnan(figures[1:])]
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(samples, _PERCENTILES) if len(samples) else (value, value)
    return {"value": _rounded(value), "low": _rounded(low), "high": _rounded(high)}


def ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return part / whole, NaN where the whole is 0."""
    empty = np.full(np.broadcast(part, whole).shape, np.nan)
    shares: NDArray[np.float64] = np.divide(part, whole, out=empty, where=np.asarray(whole) > 0)
    return shares


def as_text(figure: Estimate) -> str:
    """Return a figure as text: `0.712 [0.660-0.760]`, or a dash where it can't be known."""
    if figure["value"] is None:
        return "-"
    return f"{figure['value']:.3f} [{figure['low']:.3f}-{figure['high']:.3f}]"


def _rounded(value: float) -> float:
    return round(float(value), 6)
