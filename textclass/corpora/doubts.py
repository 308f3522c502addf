"""Labels that a model doubts, ranked for a person to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclass.corpora.rows import Corpus


@dataclass(frozen=True)
class Doubt:
    """A label that is given, or not given, against the model.

    Attributes
    ----------
    id, where, text : str
    label : str
    given : bool
        Whether the corpus gives the label.
    probability : float
        Of the label, from a model that didn't see the row's document.
    doubt : float
        How far the probability is beyond what rows of the other side have on average.
    """

    id: str
    where: str
    text: str
    label: str
    given: bool
    probability: float
    doubt: float

    def to_dict(self) -> dict[str, Any]:
        """Return the doubt as plain text and numbers."""
        rounded = {"probability": round(self.probability, 4), "doubt": round(self.doubt, 4)}
        return asdict(self) | rounded


def rank_doubts(corpus: Corpus, probabilities: NDArray[np.float64]) -> list[Doubt]:
    """Return likely label errors, the most doubtful first.

    Confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70, section 3.1), label by label: a
    row is doubtful if the probability of the answer that it doesn't carry is at least the mean of
    that probability among rows that carry that answer.

    Parameters
    ----------
    corpus : Corpus
    probabilities : ndarray of float64, shape (n_rows, n_labels)
        Out of fold, in taxonomy order. Rows with scores instead of labels are left out.

    Raises
    ------
    ValueError
        If the shape isn't that of the corpus.
    """
    if probabilities.shape != corpus.targets.shape:
        raise ValueError(
            f"probabilities of shape {corpus.targets.shape} were expected, "
            f"not {probabilities.shape}"
        )
    hard = np.flatnonzero(corpus.hard)
    given = corpus.targets[hard] > 0
    other = np.where(given, 1 - probabilities[hard], probabilities[hard])
    found = []
    for column, label in enumerate(corpus.taxonomy.names):
        for side in (True, False):
            these = given[:, column] == side
            if these.any() and not these.all():
                margins = other[:, column] - (1 - other[~these, column].mean())
                for i in np.flatnonzero(these & (margins >= 0)):
                    row, probability = corpus.rows[hard[i]], float(probabilities[hard[i], column])
                    margin = float(margins[i])
                    found.append(
                        Doubt(row.id, row.where, row.text, label, side, probability, margin)
                    )
    return sorted(found, key=lambda doubt: -doubt.doubt)
