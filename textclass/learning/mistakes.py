"""Where tags are wrong, what they would be worth if fewer were kept, and whether evidence holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclass.language import Tokenizer, WordBatch
from textclass.results import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.learning.predictions import Predictions
    from textclass.results import Evidence
    from textclass.tagger import Tagger

SWEEP = np.arange(1, 20) / 20
MOST_CONFUSED = 20
MOST_ERRORS = 25
MOST_CHARACTERS = 3000
MOST_POINTS = 200
DECIMALS = 6
"""Of a figure in JSON."""
NONE = "none"


def coverage(
    truth: NDArray[np.bool_], given: NDArray[np.bool_], p: NDArray[np.float64]
) -> pd.DataFrame:
    """Return what share of passages can be tagged at which precision, for one facet.

    A risk-coverage curve as in El-Yaniv and Wiener (2010), "On the foundations of noise-free
    selective classification", for several labels: at a level each passage keeps those of its labels
    whose `probability` is at least that. The passages left with a label are the `coverage`, those
    left with a true one, among all that have one, are `found`, and the share of the labels kept
    that are true is the `precision`. The best point is chosen on the
    passages that it is measured on, so on few passages it flatters.

    Parameters
    ----------
    truth, given : ndarray of bool, shape (n_passages, n_labels)
    p : ndarray of float64, shape (n_passages, n_labels)
    """
    highest = np.sort(np.where(given, p, 0.0).max(axis=1, initial=0.0))
    rightest = np.sort(np.where(given & truth, p, 0.0).max(axis=1, initial=0.0))
    kept, correct = np.sort(p[given]), np.sort(p[given & truth])
    levels = np.unique(kept)[::-1]

    def above(values: NDArray[np.float64]) -> NDArray[np.int64]:
        return len(values) - np.searchsorted(values, levels)

    shares = {
        "coverage": above(highest) / len(p),
        "found": above(rightest) / max(truth.any(axis=1).sum(), 1),
        "precision": above(correct) / above(kept),
    }
    return pd.DataFrame({"probability": levels, **shares})


def sweep(truth: NDArray[np.bool_], p: NDArray[np.float64]) -> pd.DataFrame:
    """Return precision, recall and F1 at each threshold from 0.05 to 0.95."""
    above = p[:, None] >= SWEEP
    hits, given, true = (above & truth[:, None]).sum(axis=0), above.sum(axis=0), truth.sum()
    points = pd.DataFrame({"threshold": SWEEP, "precision": hits / np.where(given, given, np.nan)})
    f1 = 2 * hits / np.maximum(given + true, 1)
    return points.assign(recall=hits / max(true, 1), f1=f1)


def widest(curve: pd.DataFrame, precision: float) -> dict[str, float] | None:
    """Return the point of a curve with the most coverage at a precision, None without one."""
    good = curve[curve["precision"] >= precision]
    if good.empty:
        return None
    best = good.iloc[int(good["coverage"].argmax())]
    return {name: round(float(best[name]), DECIMALS) for name in curve.columns}


def thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Return a few hundred points of a curve, enough to draw it."""
    if len(curve) <= MOST_POINTS:
        return curve
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, MOST_POINTS).astype(int))]


def confusions(predictions: Predictions, facet: str) -> pd.DataFrame:
    """Return the pairs of labels of a facet most often confused, most frequent first.

    In a passage with labels missing and labels wrong, each missing one counts against each wrong
    one; with only one of both kinds, the other side is `none`.
    """
    truth, given, _ = predictions.facet(facet)
    names = np.array(predictions.corpus.taxonomy.names, dtype=object)[
        predictions.corpus.taxonomy.slices[facet]
    ]
    pairs: list[tuple[str, str]] = []
    for true, said in zip(truth, given, strict=True):
        if (true != said).any():
            missing = names[true & ~said].tolist() or [NONE]
            wrong = names[said & ~true].tolist() or [NONE]
            pairs += product(missing, wrong)
    counted = pd.DataFrame(pairs, columns=["true", "given"]).value_counts().reset_index()
    order = {"count": False, "true": True, "given": True}
    return counted.sort_values(list(order), ascending=list(order.values())).head(MOST_CONFUSED)


def worst_mistakes(predictions: Predictions) -> pd.DataFrame:
    """Return the rows tagged worst: those with the most log loss on labels that are wrong."""
    names = np.array(predictions.corpus.taxonomy.names, dtype=object)
    truth, given, p = predictions.truth, predictions.given, predictions.probabilities
    sure = np.clip(p, 1e-6, 1 - 1e-6)
    loss = np.where(truth, -np.log(sure), -np.log1p(-sure))
    badness = np.where(truth != given, loss, 0.0).sum(axis=1)
    columns = ["id", "group", "text", "missing", "wrong", "probabilities", "evidence"]
    found: list[tuple[Any, ...]] = []
    for row in np.argsort(-badness, kind="stable")[: min(MOST_ERRORS, (badness > 0).sum())]:
        passage = predictions.corpus.rows[row]
        evidence = predictions.tags[row].evidence if predictions.tags else ()
        concerned = np.flatnonzero(truth[row] | given[row])
        found.append(
            (
                passage.id,
                passage.group,
                passage.text[:MOST_CHARACTERS],
                names[truth[row] & ~given[row]].tolist(),
                names[given[row] & ~truth[row]].tolist(),
                {names[c]: round(float(p[row, c]), 4) for c in concerned},
                [span.to_dict() for span in evidence],
            )
        )
    return pd.DataFrame(found, columns=columns)


def faithfulness(tagger: Tagger, predictions: Predictions, *, seed: int) -> dict[str, Any] | None:
    """Return how often a tag falls without its evidence, and without as many other words.

    Erasure, as in DeYoung et al. (2020), "ERASER", their comprehensiveness: take the evidence out
    of the text, and the label should no longer be given; take as many other words out (drawn at
    random by `seed`), and it should.

    Returns
    -------
    dict or None
        `cases` tags tried, `dropped` of them that fell, as a `share`, and the `control_share`; None
        where no label was given.
    """
    tokenizer, random = Tokenizer(), np.random.default_rng(seed)
    columns: list[int] = []
    texts: list[tuple[str, str]] = []
    for text, tags in zip(predictions.corpus.texts, predictions.tags, strict=True):
        if not tags.labels:
            continue
        words = tokenizer.read([text])
        for label in tags.labels:
            decided = _decided(words, [e for e in tags.evidence if e.label == label])
            others = np.flatnonzero(~decided)
            few = min(int(decided.sum()), len(others))
            drawn = np.zeros(len(decided), dtype=bool)
            drawn[random.choice(others, size=few, replace=False)] = True
            columns.append(tagger.taxonomy.column(label))
            texts.append((erase(text, words, decided), erase(text, words, drawn)))
    if not columns:
        return None
    dropped, control = (_fallen(tagger, part, columns) for part in zip(*texts, strict=True))
    return {
        "cases": len(columns),
        "dropped": int(dropped.sum()),
        "share": round(float(dropped.mean()), DECIMALS),
        "control_share": round(float(control.mean()), DECIMALS),
    }


def unfamiliar(tagger: Tagger, predictions: Predictions) -> dict[str, int]:
    """Return what labels the rule of unfamiliar words costs.

    Returns
    -------
    dict
        `passages` that are unsure by the rule, those `tagged` without it, and those of them with a
        `right` label.
    """
    silent = np.array([tags.reason is Reason.UNFAMILIAR for tags in predictions.tags])
    names = predictions.corpus.taxonomy.names
    thresholds = tagger.model.thresholds[[tagger.taxonomy.columns[name] for name in names]]
    near = predictions.probabilities[silent] >= thresholds
    right = (near & predictions.truth[silent]).any(axis=1)
    counts = {"passages": silent, "tagged": near.any(axis=1), "right": right}
    return {name: int(rows.sum()) for name, rows in counts.items()}


def erase(text: str, words: WordBatch, chosen: NDArray[np.bool_]) -> str:
    """Return a text without the chosen words, a space in the place of each."""
    places = zip(words.begins[chosen].tolist(), words.ends[chosen].tolist(), strict=True)
    for start, end in reversed(list(places)):
        text = f"{text[:start]} {text[end:]}"
    return text


def _decided(words: WordBatch, evidence: Sequence[Evidence]) -> NDArray[np.bool_]:
    """Return which words lie in evidence that speaks for the label."""
    inside = np.zeros(len(words.ids), dtype=bool)
    for span in evidence:
        if span.weight > 0:
            inside |= (words.begins >= span.start) & (words.ends <= span.end)
    return inside


def _fallen(tagger: Tagger, texts: Sequence[str], columns: Sequence[int]) -> NDArray[np.bool_]:
    """Return for each text whether the label of its column is below the threshold now."""
    p = tagger.score(texts).probabilities[np.arange(len(texts)), columns]
    below: NDArray[np.bool_] = p < tagger.model.thresholds[columns]
    return below
