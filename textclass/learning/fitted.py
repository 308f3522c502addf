"""A fitted corpus, and the model that a prediction looks up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.corpora import Corpus
from textclass.language import whole_word_keys
from textclass.learning.calibration import Calibration
from textclass.learning.fit import Weights
from textclass.learning.thresholds import Threshold
from textclass.learning.vectorizer import WordFeatures
from textclass.model import LinearModel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted corpus, before it becomes a model.

    Attributes
    ----------
    corpus : Corpus
        The rows used.
    vectorizer : WordFeatures
    weights : Weights
        Fitted on all rows.
    calibration : Calibration
    thresholds : list of Threshold
    hard : ndarray of int64, shape (n_hard,)
        The rows with labels.
    folds : ndarray of int64, shape (n_hard,)
        The fold of each.
    out_of_fold : ndarray of float64, shape (n_hard, L)
        Probabilities from weights that never saw the row's document.
    truth : ndarray of bool, shape (n_hard, L)
    row_weights : ndarray of float64, shape (n_hard,)
        How much each row counts for calibration and thresholds.
    """

    corpus: Corpus
    vectorizer: WordFeatures
    weights: Weights
    calibration: Calibration
    thresholds: list[Threshold]
    hard: NDArray[np.int64]
    folds: NDArray[np.int64]
    out_of_fold: NDArray[np.float64]
    truth: NDArray[np.bool_]
    row_weights: NDArray[np.float64]


def compile_model(fitted: Fitted, *, dtype: type = np.float16) -> LinearModel:
    """Turn fitted weights into the rows that a prediction looks up.

    Parameters
    ----------
    fitted : Fitted
    dtype : type, keyword-only
        Type of the stored weights; float16 halves the file and moves a score by under 0.01.
    """
    vectorizer, coef = fitted.vectorizer, fitted.weights.coef
    n_features, n_bigrams = len(vectorizer.feature_keys_), len(vectorizer.bigram_keys_)
    of_features, of_bigrams, of_vectors = np.split(coef.T, [n_features, n_features + n_bigrams])
    keys, weights = _merge(
        vectorizer.feature_keys_,
        of_features * vectorizer.feature_scale_[:, None],
        whole_word_keys(vectorizer.word_keys_),
        vectorizer.word_vectors_ @ of_vectors,
    )
    used = np.abs(weights).max(axis=1) > 0
    return LinearModel(
        taxonomy=fitted.corpus.taxonomy,
        spec=vectorizer.spec,
        feature_keys=keys[used],
        feature_weights=weights[used].astype(dtype),
        bigram_keys=vectorizer.bigram_keys_,
        bigram_weights=(of_bigrams * vectorizer.bigram_scale_[:, None]).astype(dtype),
        word_keys=vectorizer.word_keys_,
        word_idf=vectorizer.word_idf_,
        unseen_idf=vectorizer.unseen_idf_,
        intercept=fitted.weights.intercept,
        slope=fitted.calibration.slope,
        offset=fitted.calibration.offset,
        thresholds=np.array([threshold.value for threshold in fitted.thresholds]),
    )


def _merge(
    keys: NDArray[np.uint64],
    weights: NDArray[np.float64],
    more_keys: NDArray[np.uint64],
    more_weights: NDArray[np.float64],
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Add the weights of two sets of features; the keys of the result rise."""
    union, place = np.unique(np.concatenate([keys, more_keys]), return_inverse=True)
    merged = np.zeros((len(union), weights.shape[1]))
    np.add.at(merged, place, np.concatenate([weights, more_weights]))
    return union, merged
