"""A labelled corpus to a model folder."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from textclass import __version__
from textclass.corpora import Corpus
from textclass.errors import CorpusError, TaxonomyError
from textclass.learning.calibration import calibrate
from textclass.learning.card import corpus_facts, update_card
from textclass.learning.evaluation import TRAINING_GROUPS, training_groups
from textclass.learning.fit import FitOptions, Progress, fit_labels
from textclass.learning.fitted import Fitted, compile_model
from textclass.learning.folds import group_folds
from textclass.learning.thresholds import OUT_OF_FOLD, choose_thresholds
from textclass.learning.vectorizer import WordFeatures
from textclass.model import ModelFolder, check_place, pack_arrays, save_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VERSIONS = ("spacy", "scikit-learn", "numpy", "scipy")


@dataclass(frozen=True)
class TrainingOptions:
    """How a corpus is turned into a model.

    Attributes
    ----------
    folds : int
        Folds by document for calibration and thresholds.
    seed : int
    target_precision : float or None
        For every label, instead of best F1; a label's own in `labels.yaml` comes first.
    even_by : str
        Calibration and thresholds give the rows of each value of this column the same weight
        together, so that the largest part of a corpus doesn't speak for all. `collection` is the
        folder of a file.
    soft_rows : int or None
        At most so many soft-labelled rows, drawn at random; None for all.
    fit : FitOptions
    features : Mapping
        Parameters of `WordFeatures`.
    jobs : int
        Processes; -1 for all cores. The model doesn't depend on it.
    """

    folds: int = 5
    seed: int = 0
    target_precision: float | None = None
    even_by: str = "collection"
    soft_rows: int | None = 22_000
    fit: FitOptions = field(default_factory=FitOptions)
    features: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = -1


def train(
    corpus: Corpus,
    folder: str | Path,
    options: TrainingOptions | None = None,
    *,
    progress: Progress = lambda _done, _total: None,
) -> ModelFolder:
    """Train a model and write its folder; the same corpus and seed give the same bytes.

    Parameters
    ----------
    corpus : Corpus
    folder : path
    options : TrainingOptions, optional
    progress : callable, keyword-only
        Called with the fits done and the fits in all.

    Raises
    ------
    CorpusError
        If there are too few labelled documents.
    ModelError
        If the folder holds other files and no model.
    """
    options = options or TrainingOptions()
    check_place(folder)
    fitted = fit_corpus(corpus, options, progress=progress)
    model = compile_model(fitted)
    arrays: dict[str, NDArray[Any]] = {
        "probabilities": fitted.out_of_fold.astype(np.float16),
        "truth": fitted.truth.astype(np.uint8),
        "weights": fitted.row_weights.astype(np.float32),
    }
    files = {OUT_OF_FOLD: pack_arrays(arrays), TRAINING_GROUPS: training_groups(fitted.corpus)}
    save_model(model, folder, facts=_facts(fitted, options), files=files)
    return update_card(folder)


def fit_corpus(
    corpus: Corpus,
    options: TrainingOptions | None = None,
    *,
    progress: Progress = lambda _done, _total: None,
) -> Fitted:
    """Fit a corpus on all its rows and out of fold, calibrate, and choose thresholds.

    Vocabulary and idf come from all texts, labels only from the rows outside each fold.
    """
    options = options or TrainingOptions()
    corpus = _sample(corpus, options)
    if not corpus.hard.any():
        raise CorpusError("no row with labels; soft labels alone can't set thresholds")
    vectorizer = WordFeatures(**{"random_state": options.seed, **options.features})
    with threadpool_limits(limits=1):
        features = vectorizer.fit_transform(corpus.texts)
    hard = np.flatnonzero(corpus.hard)
    truth = corpus.targets[hard] > 0
    groups = [corpus.groups[i] for i in hard]
    folds = group_folds(groups, truth, folds=options.folds, seed=options.seed)
    subsets = [np.arange(len(corpus)), *_outside(corpus, groups, folds)]
    fit = (features, corpus.targets, corpus.hard, _soft_weights(corpus, options), subsets)
    weights, *by_fold = fit_labels(*fit, options.fit, jobs=options.jobs, progress=progress)
    scores = np.empty(truth.shape)
    for fold, fold_weights in enumerate(by_fold):
        scores[folds == fold] = fold_weights.scores(features[hard[folds == fold]])
    row_weights = _even_weights(np.asarray(corpus.column(options.even_by))[hard])
    calibration = calibrate(scores, truth, row_weights)
    p = calibration.probabilities(scores)
    targets = [
        label.target_precision or options.target_precision for label in corpus.taxonomy.labels
    ]
    thresholds = choose_thresholds(p, truth, row_weights, targets)
    return Fitted(
        corpus, vectorizer, weights, calibration, thresholds, hard, folds, p, truth, row_weights
    )


def _soft_weights(corpus: Corpus, options: TrainingOptions) -> list[float]:
    """Return the weight of a soft-labelled row for each label.

    Raises
    ------
    TaxonomyError
        If a facet is given that the taxonomy doesn't have.
    """
    given = options.fit.facet_soft_weights
    for facet in given:
        if facet not in corpus.taxonomy.slices:
            known = ", ".join(corpus.taxonomy.slices)
            raise TaxonomyError(f"no facet {facet!r}", hint=f"the facets are {known}")
    return [
        given.get(facet.name, options.fit.soft_weight)
        for facet in corpus.taxonomy
        for _ in facet.labels
    ]


def _outside(
    corpus: Corpus, groups: list[str], folds: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return for each fold the rows, soft ones too, that share no document with it."""
    fold_of = dict(zip(groups, folds.tolist(), strict=True))
    row_folds = np.array([fold_of.get(group, -1) for group in corpus.groups])
    return [np.flatnonzero(row_folds != fold) for fold in range(int(folds.max()) + 1)]


def out_of_fold(corpus: Corpus, options: TrainingOptions | None = None) -> NDArray[np.float64]:
    """Return out-of-fold probabilities of the rows with labels, NaN for others, (n_rows, L)."""
    options = options or TrainingOptions(soft_rows=None)
    fitted = fit_corpus(corpus, options)
    probabilities = np.full(corpus.targets.shape, np.nan)
    probabilities[corpus.hard] = fitted.out_of_fold
    return probabilities


def _even_weights(values: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return weights with mean 1 that sum to the same for each distinct value."""
    _, member, count = np.unique(values, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = (len(values) / (len(count) * count))[member]
    return weights


def _sample(corpus: Corpus, options: TrainingOptions) -> Corpus:
    """Keep at most `soft_rows` soft-labelled rows, drawn at random."""
    soft = [row for row in corpus.rows if not row.hard]
    if options.soft_rows is None or len(soft) <= options.soft_rows:
        return corpus
    drawn = np.random.default_rng(options.seed).permutation(len(soft))[: options.soft_rows]
    kept = {id(soft[i]) for i in drawn}
    return corpus.select(lambda row: row.hard or id(row) in kept)


def _facts(fitted: Fitted, options: TrainingOptions) -> dict[str, Any]:
    """Return what the manifest tells of the training."""
    corpus, taxonomy = fitted.corpus, fitted.corpus.taxonomy
    given = fitted.out_of_fold >= [t.value for t in fitted.thresholds]
    return {
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS}
        | {"textclass": __version__, "python": platform.python_version()},
        "training": {
            "passages": len(fitted.hard),
            "soft_passages": len(corpus) - len(fitted.hard),
            "documents": len({corpus.rows[i].group for i in fitted.hard}),
            "fingerprint": corpus.fingerprint,
            "seed": options.seed,
            "folds": options.folds,
            "fit": asdict(options.fit),
            "features": fitted.vectorizer.get_params(),
            "sources": corpus_facts(corpus),
        },
        "out_of_fold": {
            facet: {
                "micro_f1": round(
                    float(
                        f1_score(
                            fitted.truth[:, columns],
                            given[:, columns],
                            average="micro",
                            zero_division=0.0,
                        )
                    ),
                    4,
                )
            }
            for facet, columns in taxonomy.slices.items()
        },
        "label_facts": {
            name: {
                "positives": int(fitted.truth[:, column].sum()),
                "threshold_rule": fitted.thresholds[column].rule,
                "calibration_shrunk": bool(fitted.calibration.shrunk[column]),
            }
            for column, name in enumerate(taxonomy.names)
        },
    }
