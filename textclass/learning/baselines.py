"""Simple ways to tag, on the same passages, fitted on the same rows, by the same threshold rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from textclass.learning.classifier import LabelClassifier, Progress
from textclass.model import Contributions, Decisions, LinearModel, Scores
from textclass.results import Reason

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
    vectorizers = {
        "word": TfidfVectorizer(sublinear_tf=True, min_df=2),
        "character": TfidfVectorizer(
            sublinear_tf=True, min_df=5, analyzer="char_wb", ngram_range=(3, 5)
        ),
    }
    fitted = {}
    for name, vectorizer in vectorizers.items():
        classifier = LabelClassifier(C=3.0, n_jobs=jobs, progress=progress)
        pipeline = make_pipeline(vectorizer, classifier)
        fitted[f"{name} TF-IDF + logistic regression"] = pipeline.fit(
            corpus.texts, corpus.targets, labelclassifier__groups=corpus.groups
        )
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


@dataclass(frozen=True)
class BaselineScorer:
    """Lets a tagger cut and pool documents by a baseline, as it does by a model.

    Parameters
    ----------
    model : LinearModel
        Its taxonomy has the labels of the baseline, in their order; nothing else of it is used.
    pipeline : Pipeline
        What `fit_baselines` gave, one of them.
    """

    model: LinearModel
    pipeline: Pipeline

    def score(self, texts: Sequence[str], *, spans: bool = False) -> Scores:  # noqa: ARG002 -- a baseline has none
        """Return the probabilities of passages; they stand for all that a model tells."""
        p, nothing = self.pipeline.predict_proba(texts), np.zeros(len(texts))
        return Scores(p, p, nothing, nothing.astype(np.int64), nothing, nothing)

    def decide(self, scores: Scores) -> Decisions:
        """Give the labels whose probability reaches the threshold."""
        given = scores.probabilities >= self.pipeline[-1].thresholds_
        reasons = (None if labels.any() else Reason.BELOW_THRESHOLD for labels in given)
        return Decisions(given, tuple(reasons))

    def contributions(self, passages: Sequence[int], columns: Sequence[int]) -> Contributions:
        """Refuse: a baseline has no evidence."""
        raise NotImplementedError
