"""Simple ways to tag, on the same passages, fitted on the same rows, by the same threshold rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from textclass.learning.classifier import LabelClassifier, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.corpora import Corpus
    from textclass.taxonomy import Taxonomy

CUES = "keyword cues"


def fit_baselines(
    corpus: Corpus, *, jobs: int = -1, progress: Progress | None = None
) -> Mapping[str, Pipeline]:
    """Fit logistic regressions on the TF-IDF of words, and of characters, by name.

    Parameters
    ----------
    corpus : Corpus
        What the model was trained on, without what it is evaluated on; rows with probabilities
        instead of labels are left out.
    jobs : int, keyword-only
    progress : callable, keyword-only, optional
        Called with the fits done and the fits in all of each baseline.
    """
    corpus = corpus.select(lambda row: row.hard)
    forms: dict[str, dict[str, Any]] = {
        "word TF-IDF + logistic regression": {"min_df": 2},
        "character TF-IDF + logistic regression": {
            "min_df": 5,
            "analyzer": "char_wb",
            "ngram_range": (3, 5),
        },
    }
    fitted = {}
    for name, options in forms.items():
        pipeline = make_pipeline(
            TfidfVectorizer(sublinear_tf=True, **options),
            LabelClassifier(C=3.0, n_jobs=jobs, progress=progress),
        )
        targets = corpus.targets
        fitted[name] = pipeline.fit(corpus.texts, targets, labelclassifier__groups=corpus.groups)
    return fitted


def by_cues(taxonomy: Taxonomy, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Give each label whose cue of `labels.yaml` stands in the text, shape (n_texts, n_labels)."""
    given = np.zeros((len(texts), len(taxonomy.labels)), dtype=bool)
    for column, label in enumerate(taxonomy.labels):
        if label.cues:
            any_cue = "|".join(map(re.escape, label.cues))
            pattern = re.compile(rf"(?<!\w)(?:{any_cue})(?!\w)", re.IGNORECASE)
            given[:, column] = [bool(pattern.search(text)) for text in texts]
    return given
