"""A labelled corpus to a model folder."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import precision_recall_fscore_support
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from textclass import __version__
from textclass.corpora import Corpus
from textclass.errors import CorpusError, TextclassError
from textclass.learning.calibration import choose_thresholds, per_label
from textclass.learning.card import save_with_card
from textclass.learning.classifier import LabelClassifier
from textclass.learning.compiling import compile_model, parts_of
from textclass.learning.fitting import Progress
from textclass.learning.predictions import TRAINING_GROUPS, text_keys, training_groups
from textclass.learning.vectorizer import WordFeatures
from textclass.model import ModelFolder, check_place, load_folder, pack_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUT_OF_FOLD = "out_of_fold.safetensors"
"""The file of a model folder that holds what thresholds are set from."""

NOT_SAID = "not said"
_VERSIONS = ("spacy", "scikit-learn", "numpy", "scipy")
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
    known = {name: value for step in steps for name, value in step.get_params().items()}
    del known["progress"]
    for name, value in parameters.items():
        if name not in known:
            raise TextclassError(
                f"no parameter {name!r}", hint=f"the parameters are {', '.join(sorted(known))}"
            )
        number = isinstance(known[name], int | float) and np.isscalar(value)
        if number and not (isinstance(value, int | float) and value >= 0) and name != "n_jobs":
            raise TextclassError(f"{name} must be a number of at least 0, not {value!r}")
    for step in steps:
        own = step.get_params().keys() & parameters
        step.set_params(**{name: parameters[name] for name in own})
    return make_pipeline(*steps)


def train(
    corpus: Corpus,
    folder: str | Path,
    pipeline: Pipeline | None = None,
    *,
    progress: Progress | None = None,
) -> ModelFolder:
    """Train a model and write its folder; the same corpus and pipeline give the same bytes.

    Parameters
    ----------
    corpus : Corpus
    folder : path
    pipeline : Pipeline, optional
        `make_pipeline(WordFeatures(), LabelClassifier())` with parameters of your own; it isn't
        changed. A label's target precision in `labels.yaml` comes before the classifier's.
    progress : callable, keyword-only, optional
        Called with the fits done and the fits in all.

    Raises
    ------
    CorpusError
        If there are too few labelled documents.
    ModelError
        If the folder holds other files and no model.
    """
    check_place(folder)
    fitted = fit_corpus(corpus, pipeline, progress=progress)
    classifier, hard = parts_of(fitted)[1], np.flatnonzero(corpus.hard)
    files = training_files(
        corpus, hard, classifier.out_of_fold_[hard], classifier.row_weights_[hard]
    )
    model = compile_model(fitted, corpus.taxonomy)
    return save_with_card(model, folder, _facts(corpus, fitted), files)


def training_files(
    corpus: Corpus,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> dict[str, bytes]:
    """Return the files of a model folder that thresholds and leaks are found by.

    Parameters
    ----------
    corpus : Corpus
        All that was trained on.
    rows : ndarray of int64, shape (n_rows,)
        Those that thresholds come from.
    probabilities : ndarray of float64, shape (n_rows, L)
        Of these rows, out of fold.
    weights : ndarray of float64, shape (n_rows,)
        How much each of them counts.
    """
    arrays: dict[str, NDArray[Any]] = {
        "probabilities": probabilities.astype(np.float16),
        "truth": (corpus.targets[rows] > 0).astype(np.uint8),
        "weights": weights.astype(np.float32),
        "rows": text_keys(corpus.texts[row] for row in rows),
    }
    return {OUT_OF_FOLD: pack_arrays(arrays), TRAINING_GROUPS: training_groups(corpus)}


def fit_corpus(
    corpus: Corpus,
    pipeline: Pipeline | None = None,
    *,
    progress: Progress | None = None,
) -> Pipeline:
    """Return a pipeline fitted on a corpus: features of all texts, labels and probabilities.

    Calibration and thresholds give the rows of each collection the same weight together.

    Parameters
    ----------
    corpus : Corpus
    pipeline : Pipeline, optional
        `default_pipeline()` without it.
    progress : callable, keyword-only, optional
        Called with the fits done and the fits in all.
    """
    pipeline = clone(pipeline or default_pipeline())
    classifier = parts_of(pipeline)[1]
    documents = len({row.group for row in corpus.rows if row.hard})
    if documents < classifier.folds:
        raise CorpusError(
            f"{documents} documents with labels, {classifier.folds} folds need at least as many",
            hint="give rows of different documents different groups, or ask for fewer folds; rows "
            "with probabilities alone can't set thresholds",
        )
    asked = classifier.target_precision
    own = [label.target_precision for label in corpus.taxonomy.labels]
    wanted = [mine or all_ for mine, all_ in zip(own, per_label(asked, len(own)), strict=True)]
    facets = corpus.taxonomy.facet_of_each
    classifier.set_params(facets=facets, target_precision=wanted, progress=progress)
    # A probability of exactly 0 or 1 would make a soft row look like one with labels.
    soft = np.clip(corpus.targets, _EPSILON, 1 - _EPSILON)
    targets = np.where(corpus.hard[:, None], corpus.targets, soft)
    rows = {"groups": corpus.groups, "parts": corpus.column("collection")}
    name = pipeline.steps[-1][0]
    with threadpool_limits(limits=1):
        pipeline.fit(corpus.texts, targets, **{f"{name}__{key}": rows[key] for key in rows})
    return pipeline


def out_of_fold(corpus: Corpus, pipeline: Pipeline | None = None) -> NDArray[np.float64]:
    """Return out-of-fold probabilities of the rows with labels, NaN for others, (n_rows, L)."""
    probabilities: NDArray[np.float64] = parts_of(fit_corpus(corpus, pipeline))[1].out_of_fold_
    return probabilities


def set_thresholds(
    folder: str | Path, *, target_precision: float | None = None, labels: Sequence[str] = ()
) -> Mapping[str, tuple[float, float]]:
    """Set thresholds of a model folder anew, from its out-of-fold probabilities.

    Held-out figures of the old thresholds leave the manifest and the card.

    Parameters
    ----------
    folder : path
    target_precision : float, keyword-only, optional
        Best F1 where it isn't given.
    labels : sequence of str, keyword-only
        Which labels; all where none is given.

    Returns
    -------
    Mapping of str to (float, float)
        The threshold of each label before and after.

    Raises
    ------
    TaxonomyError
        If the model has no such label.
    ModelError
        If the folder can't be used, or was trained without out-of-fold probabilities.
    """
    loaded = load_folder(folder)
    model, kept = loaded.model, loaded.arrays(OUT_OF_FOLD)
    columns = [model.taxonomy.column(label) for label in labels or model.taxonomy.names]
    p, truth = kept["probabilities"].astype(np.float64), kept["truth"].astype(bool)
    targets = [target_precision] * len(model.taxonomy.names)
    weights = kept["weights"].astype(np.float64)
    chosen, rules = choose_thresholds(p, truth, weights, targets, model.taxonomy.facet_of_each)
    thresholds, names = model.thresholds.copy(), model.taxonomy.names
    thresholds[columns] = chosen[columns]
    facts = {key: value for key, value in loaded.manifest.items() if key != "held_out"}
    for column in columns:
        facts["label_facts"][names[column]]["threshold_rule"] = rules[column]
    facts["out_of_fold"] = _out_of_fold(truth, p >= thresholds, names)
    save_with_card(replace(model, thresholds=thresholds), loaded.path, facts)
    return {names[c]: (float(model.thresholds[c]), float(thresholds[c])) for c in columns}


def _facts(corpus: Corpus, fitted: Pipeline) -> dict[str, Any]:
    """Return what the manifest tells of the training."""
    features, classifier = parts_of(fitted)
    names, hard = corpus.taxonomy.names, corpus.hard
    truth = corpus.targets[hard] > 0
    given = classifier.out_of_fold_[hard] >= classifier.thresholds_
    return {
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS}
        | {"textclass": __version__, "python": platform.python_version()},
        "training": {
            "passages": int(hard.sum()),
            "soft_passages": int((~hard).sum()),
            "documents": len({row.group for row in corpus.rows if row.hard}),
            "fingerprint": corpus.fingerprint,
            "features": features.get_params(),
            "classifier": {
                key: np.asarray(value).tolist()
                for key, value in classifier.get_params().items()
                if key not in ("n_jobs", "progress")
            },
            "sources": corpus_facts(corpus),
        },
        "out_of_fold": _out_of_fold(truth, given, names),
        "label_facts": {
            name: {
                "positives": int(truth[:, column].sum()),
                "threshold_rule": classifier.threshold_rules_[column],
            }
            for column, name in enumerate(names)
        },
    }


def _out_of_fold(
    truth: NDArray[np.bool_], given: NDArray[np.bool_], names: Sequence[str]
) -> dict[Any, Any]:
    """Return precision, recall, F1 and count of each label out of fold."""
    scores = precision_recall_fscore_support(truth, given, average=None, zero_division=0.0)
    kinds = ["precision", "recall", "f1", "n"]
    table = pd.DataFrame(np.array(scores, dtype=float), index=kinds, columns=list(names))
    return table.round(4).to_dict()


def corpus_facts(corpus: Corpus) -> list[dict[str, Any]]:
    """Return what each source brought, for the manifest: passages, documents, licence."""
    licences = [str(row.columns.get("licence") or NOT_SAID) for row in corpus.rows]
    rows = pd.DataFrame(
        {
            "source": corpus.column("source", NOT_SAID),
            "licence": licences,
            "passages": corpus.hard,
            "soft_passages": ~corpus.hard,
            "documents": corpus.groups,
        }
    )
    facts = rows.groupby("source").agg(
        licence=("licence", lambda values: ", ".join(sorted(set(values)))),
        passages=("passages", "sum"),
        soft_passages=("soft_passages", "sum"),
        documents=("documents", "nunique"),
    )
    return [{str(k): v for k, v in row.items()} for row in facts.reset_index().to_dict("records")]
