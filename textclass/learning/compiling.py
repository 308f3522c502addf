"""A fitted pipeline turned into the rows that a prediction looks up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from textclass.language import whole_word_keys
from textclass.learning.classifier import LabelClassifier
from textclass.learning.vectorizer import WordFeatures
from textclass.model import LinearModel

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from textclass.taxonomy import Taxonomy


def parts_of(pipeline: Pipeline) -> tuple[WordFeatures, LabelClassifier]:
    """Return the two steps of `make_pipeline(WordFeatures(), LabelClassifier())`.

    Raises
    ------
    TypeError
        If it is another pipeline.
    """
    steps = [step for _, step in getattr(pipeline, "steps", ())]
    match steps:
        case [WordFeatures() as features, LabelClassifier() as classifier]:
            return features, classifier
    raise TypeError(
        f"make_pipeline(WordFeatures(), LabelClassifier()) was expected, not {pipeline}"
    )


def compile_model(
    pipeline: Pipeline, taxonomy: Taxonomy, *, dtype: type = np.float16
) -> LinearModel:
    """Turn a fitted pipeline into the model that `Tagger` holds.

    Parameters
    ----------
    pipeline : Pipeline
        `make_pipeline(WordFeatures(), LabelClassifier())`, fitted.
    taxonomy : Taxonomy
        Its labels in the order of the classifier's.
    dtype : type, keyword-only
        Type of the stored weights; float16 halves the file and moves a score by under 0.01.

    Raises
    ------
    TypeError
        If it is another pipeline.
    ValueError
        If the classifier has as many labels as the taxonomy has not.
    """
    features, classifier = parts_of(pipeline)
    if len(classifier.coef_) != len(taxonomy.names):
        raise ValueError(
            f"a pipeline of {len(classifier.coef_)} labels, the taxonomy has {len(taxonomy.names)}"
        )
    ends = np.cumsum([len(features.feature_keys_), len(features.bigram_keys_)])
    of_features, of_bigrams, of_vectors = np.split(classifier.coef_.T, ends)
    rows = np.concatenate(
        [of_features * features.feature_scale_[:, None], features.word_vectors_ @ of_vectors]
    )
    # What a word's vector brings is added to the row of the word itself.
    keys, place = np.unique(
        np.concatenate([features.feature_keys_, whole_word_keys(features.word_keys_)]),
        return_inverse=True,
    )
    weights = np.zeros((len(keys), rows.shape[1]))
    np.add.at(weights, place, rows)
    used = np.abs(weights).max(axis=1) > 0
    return LinearModel(
        taxonomy=taxonomy,
        spec=features.spec,
        feature_keys=keys[used],
        feature_weights=weights[used].astype(dtype),
        bigram_keys=features.bigram_keys_,
        bigram_weights=(of_bigrams * features.bigram_scale_[:, None]).astype(dtype),
        word_keys=features.word_keys_,
        word_idf=features.word_idf_,
        unseen_idf=features.unseen_idf_,
        intercept=classifier.intercept_,
        slope=classifier.calibration_[:, 0],
        offset=classifier.calibration_[:, 1],
        thresholds=classifier.thresholds_,
    )
