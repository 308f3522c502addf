"""Models side by side on the same passages, by a paired bootstrap test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textclass.learning.evaluation.bootstrap import Bootstrap, estimate
from textclass.learning.evaluation.predictions import Predictions, predict
from textclass.learning.evaluation.scores import micro_f1

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.metrics import Comparison
    from textclass.tagger import Tagger


def compare(
    bootstrap: Bootstrap, predictions: Predictions, others: Sequence[Tagger]
) -> list[Comparison]:
    """Return by how much the predictions are better than other models' on the same samples.

    Berg-Kirkpatrick, Burkett and Klein (2012), "An empirical investigation of statistical
    significance in NLP": the paired bootstrap; p is two-sided, by whether 0 lies in the interval.
    """
    slices = predictions.corpus.taxonomy.slices
    mine = micro_f1(bootstrap, predictions.truth, predictions.given, slices)
    found: list[Comparison] = []
    for other in others:
        given = predict(other, predictions.corpus, evidence=False).given
        theirs = micro_f1(bootstrap, predictions.truth, given, slices)
        found.append(
            {
                "model": other.model.name,
                "facets": {
                    facet: {
                        "difference": estimate(mine[facet] - theirs[facet]),
                        "p": two_sided(mine[facet] - theirs[facet]),
                    }
                    for facet in slices
                },
            }
        )
    return found


def two_sided(differences: NDArray[np.float64]) -> float:
    """Return twice the share of samples on the rarer side of 0; never quite 0."""
    samples = differences[1:][~np.isnan(differences[1:])]
    rarer = min(int((samples <= 0).sum()), int((samples >= 0).sum()))
    return round(min(1.0, 2 * (rarer + 1) / (len(samples) + 1)), 6)
