"""Whether the evidence shown for a tag is what carried it.

Erasure, as in DeYoung et al. (2020), "ERASER", their comprehensiveness: take the evidence out of
the text, and the label should no longer be given; take as many other words out, and it should.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textclass.language import Tokenizer, WordSpans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.learning.evaluation.predictions import Predictions
    from textclass.metrics import Faithfulness
    from textclass.results import Evidence
    from textclass.tagger import Tagger


def faithfulness(tagger: Tagger, predictions: Predictions, *, seed: int) -> Faithfulness | None:
    """Return how often a tag falls without its evidence, and without as many other words.

    Parameters
    ----------
    tagger : Tagger
    predictions : Predictions
        Of this tagger, with evidence.
    seed : int, keyword-only
        Of the other words, drawn at random.

    Returns
    -------
    Faithfulness or None
        None where no label was given.
    """
    tokenizer, random = Tokenizer(), np.random.default_rng(seed)
    columns: list[int] = []
    without: list[str] = []
    control: list[str] = []
    for text, tags in zip(predictions.corpus.texts, predictions.tags, strict=True):
        spans = tokenizer.spans(text) if tags.labels else None
        for label in tags.labels:
            assert spans is not None  # noqa: S101 -- there is a label; for the type checker
            decided = _decided(spans, [e for e in tags.evidence if e.label == label])
            others = np.flatnonzero(~decided)
            drawn = np.zeros(len(decided), dtype=bool)
            few = min(int(decided.sum()), len(others))
            drawn[random.choice(others, size=few, replace=False)] = True
            columns.append(tagger.taxonomy.column(label))
            without.append(erase(text, spans, decided))
            control.append(erase(text, spans, drawn))
    if not columns:
        return None
    dropped = _fallen(tagger, without, columns)
    return {
        "cases": len(columns),
        "dropped": int(dropped.sum()),
        "share": round(float(dropped.mean()), 6),
        "control_share": round(float(_fallen(tagger, control, columns).mean()), 6),
    }


def erase(text: str, spans: WordSpans, chosen: NDArray[np.bool_]) -> str:
    """Return a text without the chosen words, a space in the place of each."""
    pieces, place = [], 0
    for start, end in zip(spans.starts[chosen], spans.ends[chosen], strict=True):
        pieces += [text[place:start], " "]
        place = end
    return "".join([*pieces, text[place:]])


def _decided(spans: WordSpans, evidence: Sequence[Evidence]) -> NDArray[np.bool_]:
    """Return which words lie in evidence that speaks for the label."""
    inside = np.zeros(len(spans.ids), dtype=bool)
    for span in evidence:
        if span.weight > 0:
            inside |= (spans.starts >= span.start) & (spans.ends <= span.end)
    return inside


def _fallen(tagger: Tagger, texts: Sequence[str], columns: Sequence[int]) -> NDArray[np.bool_]:
    """Return for each text whether the label of its column is below the threshold now."""
    p = np.concatenate(
        [
            tagger.score(texts[first : first + 256]).probabilities
            for first in range(0, len(texts), 256)
        ]
    )
    rows = np.arange(len(texts))
    below: NDArray[np.bool_] = p[rows, columns] < tagger.model.thresholds[columns]
    return below
