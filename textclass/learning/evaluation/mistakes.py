"""Where the tags are wrong: pairs of labels confused, and the passages tagged worst."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from textclass.learning.evaluation.predictions import Predictions
    from textclass.metrics import Confusion, MarkedEvidence, WorstError

MOST_CONFUSED = 20
MOST_ERRORS = 25
NONE = "none"


def confusions(predictions: Predictions) -> list[Confusion]:
    """Return the pairs of labels most often confused, of each facet, most frequent first.

    In a passage with labels missing and labels wrong, each missing one counts against each wrong
    one; with only one of both kinds, the other side is `none`.
    """
    found: list[Confusion] = []
    for facet, columns in predictions.corpus.taxonomy.slices.items():
        names = np.array(predictions.corpus.taxonomy.names[columns], dtype=object)
        truth, given = predictions.truth[:, columns], predictions.given[:, columns]
        counts: Counter[tuple[str, str]] = Counter()
        for row in np.flatnonzero((truth != given).any(axis=1)):
            missing = names[truth[row] & ~given[row]].tolist() or [NONE]
            wrong = names[given[row] & ~truth[row]].tolist() or [NONE]
            counts.update(product(missing, wrong))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        found += [
            {"facet": facet, "true": true, "given": other, "count": count}
            for (true, other), count in ranked[:MOST_CONFUSED]
        ]
    return found


def worst_errors(predictions: Predictions) -> list[WorstError]:
    """Return the passages tagged worst: those with the most log loss on labels that are wrong."""
    p = np.clip(predictions.probabilities, 1e-6, 1 - 1e-6)
    truth, given = predictions.truth, predictions.given
    loss = np.where(truth, -np.log(p), -np.log1p(-p))
    badness = np.where(truth != given, loss, 0.0).sum(axis=1)
    ranked = np.argsort(-badness, kind="stable")[:MOST_ERRORS]
    return [_error(predictions, int(row)) for row in ranked if badness[row] > 0]


def _error(predictions: Predictions, row: int) -> WorstError:
    names = np.array(predictions.corpus.taxonomy.names, dtype=object)
    truth, given = predictions.truth[row], predictions.given[row]
    passage = predictions.corpus.rows[row]
    evidence: list[MarkedEvidence] = [
        {
            "label": span.label,
            "start": span.start,
            "end": span.end,
            "text": span.text,
            "weight": round(span.weight, 4),
        }
        for span in predictions.tags[row].evidence
    ]
    return {
        "id": passage.id,
        "group": passage.group,
        "text": passage.text,
        "missing": names[truth & ~given].tolist(),
        "wrong": names[given & ~truth].tolist(),
        "probabilities": {
            names[c]: round(float(predictions.probabilities[row, c]), 4)
            for c in np.flatnonzero(truth | given)
        },
        "evidence": evidence,
    }
