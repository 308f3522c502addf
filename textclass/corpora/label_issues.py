"""Labels for a person to look at: too rare, against the guideline, or doubted by a model."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclass.corpora.rows import Corpus, Row

FEWEST_EXAMPLES = 5
"""With fewer, no fold of a cross-validation may hold one."""


@dataclass(frozen=True)
class Rule:
    """A combination of labels that speaks against the guideline; there can be exceptions.

    Attributes
    ----------
    labels, without : tuple of str
        All of the first are given, none of the second is,
    words : str
        and the text matches this pattern, where there is one.
    reason : str
    """

    labels: tuple[str, ...]
    without: tuple[str, ...]
    words: str
    reason: str

    def applies(self, row: Row) -> bool:
        """Return whether the row has this combination."""
        given = row.labels or frozenset()
        return (
            given.issuperset(self.labels)
            and given.isdisjoint(self.without)
            and bool(re.search(self.words, row.text, re.IGNORECASE))
        )


def broken_rules(corpus: Corpus) -> list[tuple[Row, Rule]]:
    """Return the rows that a rule applies to; rules on labels of other taxonomies are left out."""
    import orjson

    text = resources.files("textclass.corpora").joinpath("guideline_rules.json").read_text("utf-8")
    known, found = set(corpus.taxonomy.names), []
    for entry in orjson.loads(text):
        labels, without = tuple(entry["labels"]), tuple(entry.get("without", ()))
        rule = Rule(labels, without, entry.get("words", ""), entry["reason"])
        if known.issuperset(labels + without):
            found += [(row, rule) for row in corpus.rows if row.hard and rule.applies(row)]
    return found


def rare_labels(corpus: Corpus) -> list[str]:
    """Return a line for each label that the rows give too seldom, or always, to be learned."""
    given = corpus.targets[corpus.hard].sum(axis=0).astype(int).tolist()
    counts = dict(zip(corpus.taxonomy.names, given, strict=True))
    absent = [label for label, count in counts.items() if not count]
    told = [f"{', '.join(absent)}: no example; the model can't learn to give it"] if absent else []
    for label, count in counts.items():
        if 0 < count < FEWEST_EXAMPLES:
            examples = f"{count} example{'s' if count > 1 else ''}"
            told.append(f"{label}: {examples}; its threshold means nothing")
        elif count and count == corpus.hard.sum():
            told.append(
                f"{label}: on all {count} passages; the model can't learn where not to give it"
            )
    return told


@dataclass(frozen=True)
class LabelIssue:
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


def rank_label_issues(corpus: Corpus, probabilities: NDArray[np.float64]) -> list[LabelIssue]:
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
                        LabelIssue(row.id, row.where, row.text, label, side, probability, margin)
                    )
    return sorted(found, key=lambda doubt: -doubt.doubt)
