"""A labelled corpus to a fitted pipeline, and that to a model folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline

from textclass.corpora import Corpus
from textclass.errors import CorpusError, TextclassError, did_you_mean
from textclass.language import whole_word_keys
from textclass.learning.calibration import per_label
from textclass.learning.card import save_with_card
from textclass.learning.classifier import LabelClassifier
from textclass.learning.fitting import one_thread
from textclass.learning.provenance import training_facts, training_files
from textclass.learning.vectorizer import WordFeatures
from textclass.model import LinearModel, ModelFolder, check_place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.taxonomy import Taxonomy

_EPSILON = 1e-6


def default_pipeline(**parameters: Any) -> Pipeline:  # noqa: ANN401 -- of many types
    """Return the pipeline that models are made of, not fitted.

    Parameters
    ----------
    **parameters
        Of `WordFeatures` and `LabelClassifier`, by name; `random_state` of both.

    Raises
    ------
    TextclassError
        If neither has such a parameter.
    """
    steps = (WordFeatures(), LabelClassifier(n_jobs=-1))
    names = sorted({name for step in steps for name in step.get_params()} - {"progress"})
    for name in parameters:
        if name not in names:
            raise TextclassError(
                f"no parameter {name!r}",
                hint=did_you_mean(name, names) or f"the parameters are {', '.join(names)}",
            )
    for step in steps:
        own = step.get_params().keys() & parameters
        step.set_params(**{name: parameters[name] for name in own})
    return make_pipeline(*steps)


def train(corpus: Corpus, folder: str | Path, pipeline: Pipeline | None = None) -> ModelFolder:
    """Train a model and write its folder.

    The same rows in the same order give the same bytes, with the same pipeline and on one machine.

    Parameters
    ----------
    corpus : Corpus
    folder : path
    pipeline : Pipeline, optional
        `make_pipeline(WordFeatures(), LabelClassifier())` with parameters of your own; it isn't
        changed. A label's target precision in `labels.yaml` comes before the classifier's.

    Raises
    ------
    CorpusError
        If there are too few labelled documents.
    ModelError
        If the folder holds other files and no model.
    """
    check_place(folder)
    fitted = fit_corpus(corpus, pipeline)
    features, classifier = parts_of(fitted)
    hard = np.flatnonzero(corpus.hard)
    return save_with_card(
        compile_model(fitted, corpus.taxonomy),
        folder,
        training_facts(corpus, features, classifier),
        training_files(corpus, hard, classifier.out_of_fold_[hard], classifier.row_weights_[hard]),
    )


def fit_corpus(corpus: Corpus, pipeline: Pipeline | None = None) -> Pipeline:
    """Return a pipeline fitted on a corpus: features of all texts, labels and probabilities.

    Calibration and thresholds give the rows of each collection the same weight together.

    Parameters
    ----------
    corpus : Corpus
    pipeline : Pipeline, optional
        `default_pipeline()` without it. Its `soft_weight` may also be one for each facet, by name.

    Raises
    ------
    CorpusError
        If there are too few labelled documents.
    TextclassError
        If a parameter isn't as it must be.
    """
    pipeline = for_labels(pipeline or default_pipeline(), corpus.taxonomy)
    classifier = parts_of(pipeline)[1]
    documents = len({row.group for row in corpus.rows if row.hard})
    if documents < classifier.folds:
        raise CorpusError(
            f"{documents} documents with labels, {classifier.folds} folds need at least as many",
            hint="give rows of different documents different groups, or ask for fewer folds; rows "
            "with probabilities alone can't set thresholds",
        )
    # A probability of exactly 0 or 1 would make a soft row look like one with labels.
    soft = np.clip(corpus.targets, _EPSILON, 1 - _EPSILON)
    targets = np.where(corpus.hard[:, None], corpus.targets, soft)
    step, parts = pipeline.steps[-1][0], corpus.column("collection")
    rows = {f"{step}__groups": corpus.groups, f"{step}__parts": parts}
    try:
        with one_thread():
            pipeline.fit(corpus.texts, targets, **rows)
    except ValueError as error:
        hint = "if no feature is left, a smaller min_df keeps more"
        raise CorpusError(f"nothing can be learned from it: {error}", hint=hint) from error
    return pipeline


def for_labels(pipeline: Pipeline, taxonomy: Taxonomy) -> Pipeline:
    """Return a copy, not fitted, whose parameters are checked and told for each label.

    Raises
    ------
    TextclassError
        If a parameter isn't as it must be.
    """
    pipeline = clone(pipeline)
    features, classifier = parts_of(pipeline)
    labels = taxonomy.labels
    soft_weight = _soft_weight(classifier.soft_weight, taxonomy)
    try:
        for step in (features, classifier.set_params(soft_weight=soft_weight)):
            step._validate_params()
        asked = per_label("target_precision", classifier.target_precision, len(labels))
        per_label("soft_weight", soft_weight, len(labels))
    except ValueError as error:
        raise TextclassError(str(error)) from error
    targets = [label.target_precision or other for label, other in zip(labels, asked, strict=True)]
    classifier.set_params(facets=taxonomy.facet_of_each, target_precision=targets)
    return pipeline


def _soft_weight(given: object, taxonomy: Taxonomy) -> Any:  # noqa: ANN401 -- of all, or one for each label
    if not isinstance(given, Mapping):
        return given
    numbers = (isinstance(weight, int | float) and weight >= 0 for weight in given.values())
    if given.keys() != taxonomy.slices.keys() or not all(numbers):
        raise TextclassError(
            f"soft_weight must be a number of at least 0 for each of {', '.join(taxonomy.slices)}, "
            f"not {dict(given)}"
        )
    return [given[facet] for facet in taxonomy.facet_of_each]


def out_of_fold(corpus: Corpus, pipeline: Pipeline | None = None) -> NDArray[np.float64]:
    """Return out-of-fold probabilities of the rows with labels, NaN for others, (n_rows, L)."""
    probabilities: NDArray[np.float64] = parts_of(fit_corpus(corpus, pipeline))[1].out_of_fold_
    return probabilities


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
