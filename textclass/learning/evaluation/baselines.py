"""Simple ways to tag, on the same passages and the same training data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from textclass.learning.calibration import calibrate
from textclass.learning.evaluation.bootstrap import Bootstrap, estimate
from textclass.learning.evaluation.scores import micro_f1
from textclass.learning.fit import FitOptions, Progress, fit_labels
from textclass.learning.folds import group_folds
from textclass.learning.thresholds import best_f1

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.corpora import Corpus
    from textclass.metrics import Baseline

FOLDS = 5
_FIT = FitOptions(c=3.0)


def baselines(
    bootstrap: Bootstrap,
    corpus: Corpus,
    training: Corpus | None,
    *,
    seed: int,
    progress: Progress = lambda _done, _total: None,
) -> list[Baseline]:
    """Return the figures of tagging nothing, by cues, and by word TF-IDF.

    Parameters
    ----------
    bootstrap : Bootstrap
    corpus : Corpus
        The passages evaluated on.
    training : Corpus or None
        Without it there is nothing to fit TF-IDF on. Its documents that are also evaluated on, and
        its rows without labels, are left out.
    seed : int, keyword-only
    progress : callable, keyword-only
    """
    truth = corpus.targets > 0
    given = {"always none": np.zeros_like(truth), "keyword cues": by_cues(corpus)}
    if training is not None:
        training = training.without_groups(corpus.groups).select(lambda row: row.hard)
        given["word TF-IDF + logistic regression"] = by_tfidf(
            training, corpus.texts, seed=seed, progress=progress
        )
    return [
        {
            "name": name,
            "facets": {
                facet: {"micro_f1": estimate(figures)}
                for facet, figures in micro_f1(
                    bootstrap, truth, labels, corpus.taxonomy.slices
                ).items()
            },
        }
        for name, labels in given.items()
    ]


def by_cues(corpus: Corpus) -> NDArray[np.bool_]:
    """Give each label whose cue of `labels.yaml` stands in the text, shape (n_rows, n_labels)."""
    given = np.zeros((len(corpus), len(corpus.taxonomy.labels)), dtype=bool)
    for column, label in enumerate(corpus.taxonomy.labels):
        if label.cues:
            any_cue = "|".join(map(re.escape, label.cues))
            pattern = re.compile(rf"(?<!\w)(?:{any_cue})(?!\w)", re.IGNORECASE)
            given[:, column] = [bool(pattern.search(text)) for text in corpus.texts]
    return given


def by_tfidf(
    training: Corpus,
    texts: Iterable[str],
    *,
    seed: int,
    progress: Progress = lambda _done, _total: None,
) -> NDArray[np.bool_]:
    """Give labels by logistic regressions on the TF-IDF of words, shape (n_texts, n_labels).

    Calibration and thresholds of best F1 come from out-of-fold scores, as the model's own do.
    """
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2)
    features = vectorizer.fit_transform(training.texts).tocsr()
    truth = training.targets > 0
    folds = group_folds(training.groups, truth, folds=FOLDS, seed=seed)
    subsets = [np.arange(len(training)), *(np.flatnonzero(folds != f) for f in range(FOLDS))]
    weights, *by_fold = fit_labels(
        features,
        training.targets,
        training.hard,
        [_FIT.soft_weight] * truth.shape[1],
        subsets,
        _FIT,
        progress=progress,
    )
    scores = np.empty(truth.shape)
    for fold, fold_weights in enumerate(by_fold):
        scores[folds == fold] = fold_weights.scores(features[folds == fold])
    alike = np.ones(len(truth))
    calibration = calibrate(scores, truth, alike)
    p = calibration.probabilities(scores)
    thresholds = [best_f1(p[:, c], truth[:, c], alike).value for c in range(truth.shape[1])]
    unseen = weights.scores(vectorizer.transform(texts).tocsr())
    given: NDArray[np.bool_] = calibration.probabilities(unseen) >= thresholds
    return given
