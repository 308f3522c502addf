"""The accurate model: the words' score and a fine-tuned encoder's, mixed and calibrated as one.

Both parts are linear in what they stand on, words and contextual tokens, so the mixture is too: its
log odds of a label are a sum over words and tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, f1_score

from textclass.errors import CorpusError
from textclass.learning.calibration import calibrate
from textclass.learning.classifier import LabelClassifier
from textclass.learning.compiling import compile_model
from textclass.learning.encoder_features import EncoderFeatures
from textclass.learning.thresholds import Threshold, choose_thresholds
from textclass.model import StackedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from textclass.corpora import Corpus

SHARES = np.linspace(0.0, 0.9, 10)
"""Shares of the encoder's log odds that are tried."""

MOST_LOST = 0.003
"""What a cascade may lose in micro-F1 of a facet."""

_FEWEST = 50
_TENTHS = 10


def is_set_aside(group: str) -> bool:
    """Whether a document is one of the tenth that no encoder is fine-tuned on."""
    return int(hashlib.sha256(f"aside{group}".encode()).hexdigest(), 16) % _TENTHS == 0


@dataclass(frozen=True, eq=False)
class Stack:
    """An accurate model with what it was chosen on.

    Attributes
    ----------
    model : StackedModel
    thresholds : list of Threshold
    rows : ndarray of int64, shape (n_aside,)
        Rows of the corpus that the choice was made on.
    probabilities : ndarray of float64, shape (n_aside, L)
        Of those rows, from parts that never saw their documents.
    left_to_encoder : float
        Share of those rows on which a cascade asks the encoder.
    """

    model: StackedModel
    thresholds: list[Threshold]
    rows: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    left_to_encoder: float


def fit_stack(
    corpus: Corpus,
    words: Pipeline,
    encoder: str | Path,
    *,
    threads: int = 2,
    tell: Callable[[str], None] = lambda _line: None,
) -> Stack:
    """Fit heads on an encoder, and mix them with a fitted pipeline of words.

    Shares, calibration, thresholds and the bounds of the cascade come from the rows of documents
    that the encoder never saw (`is_set_aside`), with scores that are out of fold.

    Parameters
    ----------
    corpus : Corpus
        The one that `words` was fitted on.
    words : Pipeline
        `make_pipeline(WordFeatures(), LabelClassifier())`, fitted.
    encoder : str or Path
        The folder of an encoder, or an accurate model.
    threads : int, keyword-only
    tell : callable, keyword-only
        Called with a line of progress now and then.

    Raises
    ------
    CorpusError
        If too few labelled rows are of documents set aside.
    """
    hard = np.flatnonzero(corpus.hard)
    aside = np.array([is_set_aside(corpus.groups[row]) for row in hard], dtype=bool)
    if aside.sum() < _FEWEST:
        raise CorpusError(
            f"{aside.sum()} labelled passages are of documents set aside, {_FEWEST} are needed",
            hint="an accurate model needs about 500 labelled documents or more",
        )
    tell(f"vectors of {len(hard):,} passages")
    features = EncoderFeatures(encoder, threads=threads).fit([])
    vectors = features.transform([corpus.texts[row] for row in hard])
    truth = corpus.targets[hard] > 0
    head = LabelClassifier(C=1.0, n_jobs=-1)
    head.fit(vectors, truth.astype(float), groups=[corpus.groups[row] for row in hard])
    word_head = words[-1]
    of_words = logit(np.clip(word_head.out_of_fold_[hard][aside], 1e-9, 1 - 1e-9))
    of_encoder = logit(np.clip(head.out_of_fold_[aside], 1e-9, 1 - 1e-9))
    weights, seen = word_head.row_weights_[hard][aside], truth[aside]
    share = np.empty(truth.shape[1])
    for columns in corpus.taxonomy.slices.values():
        share[columns] = _best_share(of_words[:, columns], of_encoder[:, columns], seen[:, columns])
    mixed = (1 - share) * of_words + share * of_encoder
    slope, offset = calibrate(mixed, seen, weights, shrinkage=head.shrinkage).T
    p = expit(slope * mixed + offset)
    thresholds = choose_thresholds(p, seen, weights, list(word_head.target_precision or []))
    cut = np.array([threshold.value for threshold in thresholds])
    linear = compile_model(words, corpus.taxonomy)
    word_scale = slope * (1 - share) * linear.slope
    encoder_scale = slope * share * head.calibration_[:, 0]
    rest = slope * (
        (1 - share) * linear.offset
        + share * (head.calibration_[:, 1] + head.calibration_[:, 0] * head.intercept_)
    )
    margin, left = _margin(of_words, linear.thresholds, p, cut, seen, corpus.taxonomy.slices)
    model = StackedModel(
        linear=replace(
            linear,
            feature_weights=(linear.feature_weights * word_scale).astype(np.float16),
            bigram_weights=(linear.bigram_weights * word_scale).astype(np.float16),
            intercept=linear.intercept * word_scale + rest + offset,
            slope=np.ones_like(slope),
            offset=np.zeros_like(offset),
            thresholds=cut,
        ),
        encoder=features.encoder_,
        head=(head.coef_ * encoder_scale[:, None]).astype(np.float32),
        words_alone=np.column_stack(
            [linear.slope / word_scale, linear.offset, linear.thresholds]
        ),
        margin=margin,
    )
    return Stack(model, thresholds, hard[aside], p, left)


def _best_share(
    words: NDArray[np.float64], encoder: NDArray[np.float64], truth: NDArray[np.bool_]
) -> float:
    """Return the encoder's share with the best mean average precision, weighted by positives."""
    known = truth.any(axis=0)

    def quality(share: float) -> float:
        mixed = (1 - share) * words + share * encoder
        return float(
            average_precision_score(truth[:, known], mixed[:, known], average="weighted")
        )

    return float(max(SHARES, key=quality))
