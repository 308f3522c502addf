"""The accurate model: the words' score and a fine-tuned encoder's, mixed and calibrated as one.

Both parts are linear in what they stand on, words and contextual tokens, so the mixture is too: its
log odds of a label are a sum over words and tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit, logit
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.metrics import average_precision_score, f1_score
from sklearn.utils.validation import check_is_fitted

from textclass.errors import CorpusError
from textclass.learning.calibration import calibrate, choose_thresholds
from textclass.learning.card import save_with_card
from textclass.learning.classifier import LabelClassifier
from textclass.learning.provenance import OUT_OF_FOLD, text_keys, training_files, with_thresholds
from textclass.learning.vectorizer import TextTransformer, checked_texts
from textclass.model import (
    ENCODER_FACTS,
    HEAD,
    STACK,
    LinearModel,
    ModelFolder,
    check_place,
    encoder_files,
    load_encoder,
    pack_arrays,
    unpack_arrays,
)
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.corpora import Corpus

SHARES = np.linspace(0.0, 0.9, 10)
"""Shares of the encoder's log odds that are tried."""

MOST_LOST = 0.003
"""What a cascade may lose in micro-F1 of a facet."""

_FEWEST = 50
_HEAD_C = 1.0
_SHRINKAGE = 20.0
"""As a `LabelClassifier`'s."""
_TENTHS = 10


class EncoderFeatures(ClassNamePrefixFeaturesOutMixin, TextTransformer):  # type: ignore[misc]  # scikit-learn is untyped
    """The mean of a text's contextual token vectors: features for a `LabelClassifier`.

    Parameters
    ----------
    encoder : str or Path
        A folder with `encoder.onnx`, `tokenizer.json` and `encoder.json`, as
        `python -m textclass.learning.finetune` writes it; or an accurate model's name or folder.
    threads : int
        Processor threads.

    Attributes
    ----------
    encoder_ : Encoder

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from textclass import EncoderFeatures, LabelClassifier
    >>> pipeline = make_pipeline(EncoderFeatures(), LabelClassifier(C=1.0))
    """

    def __init__(self, encoder: str | Path = "accurate", *, threads: int = 1) -> None:
        self.encoder = encoder
        self.threads = threads

    def fit(self, X: Iterable[str], y: object = None) -> Self:  # noqa: ARG002, N803 -- scikit-learn's names
        """Open the encoder; nothing is learnt from the texts."""
        self.encoder_ = load_encoder(self.encoder, threads=self.threads)
        self._n_features_out = self.encoder_.size
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:  # noqa: N803 -- scikit-learn's name
        """Return the vectors of texts, shape (n_texts, size)."""
        check_is_fitted(self, "_n_features_out")
        if not hasattr(self, "encoder_"):
            self.encoder_ = load_encoder(self.encoder, threads=self.threads)
        return self.encoder_.vectors(checked_texts(X))

    def __getstate__(self) -> dict[str, Any]:
        # The open encoder can't be copied, or sent to another process, and is opened again there.
        return {key: part for key, part in super().__getstate__().items() if key != "encoder_"}


def is_set_aside(group: str) -> bool:
    """Whether a document is one of the tenth that no encoder is fine-tuned on."""
    return int(hashlib.sha256(f"aside{group}".encode()).hexdigest(), 16) % _TENTHS == 0


def train_accurate(
    corpus: Corpus,
    words: ModelFolder,
    encoder: str | Path,
    folder: str | Path,
    *,
    threads: int = 2,
) -> ModelFolder:
    """Make an accurate model of a trained model of words and a fine-tuned encoder.

    The encoder speaks by the head that was fine-tuned with it; where that has other labels than the
    corpus, by one fitted on the vectors of all rows with labels. What the two parts count for,
    calibration, thresholds and the bound of the cascade come from the rows of documents that the
    encoder never saw (`is_set_aside`), with scores of both parts that are out of fold. Target
    precisions are those that `words` was trained for.

    Parameters
    ----------
    corpus : Corpus
        The one that `words` was trained on.
    words : ModelFolder
    encoder : str or Path
        Folder of an encoder, or of an accurate model.
    folder : str or Path
        The model folder to write.
    threads : int, keyword-only

    Raises
    ------
    CorpusError
        If too few labelled rows are of documents set aside, or `words` has not seen them.
    ModelError
        If the folder holds other files and no model, or the encoder can't be used.
    """
    check_place(folder)
    kept = words.arrays(OUT_OF_FOLD)
    known = dict(zip(kept["rows"].tolist(), range(len(kept["rows"])), strict=True))
    hard = corpus.select(lambda row: row.hard)
    place = np.array([known.get(key, -1) for key in text_keys(hard.texts).tolist()], dtype=np.int64)
    unseen = np.array([is_set_aside(group) for group in hard.groups], dtype=bool)
    aside = np.flatnonzero(unseen & (place >= 0))
    if len(aside) < _FEWEST:
        raise CorpusError(
            f"{len(aside)} labelled passages are of documents set aside, {_FEWEST} are needed",
            hint="train the words on the same corpus, of about 500 labelled documents or more",
        )
    taxonomy, place = corpus.taxonomy, place[aside]
    truth, weights = hard.targets[aside] > 0, kept["weights"][place].astype(np.float64)
    head, constant, of_encoder = _head(hard, aside, encoder, threads=threads)
    of_words = _log_odds(kept["probabilities"][place])
    share = np.empty(len(taxonomy.names))
    for part in taxonomy.slices.values():
        share[part] = _best_share(of_words[:, part], of_encoder[:, part], truth[:, part])
    mixed = (1 - share) * of_words + share * of_encoder
    slope, offset = calibrate(mixed, truth, weights, shrinkage=_SHRINKAGE).T
    odds = slope * mixed + offset
    targets, names = words.manifest["training"]["classifier"]["target_precision"], taxonomy.names
    thresholds, rules = choose_thresholds(
        expit(odds), truth, weights, targets, taxonomy.facet_of_each
    )
    bars = logit(thresholds)
    linear = words.model
    of_linear = slope * (1 - share) * linear.slope
    rest = slope * ((1 - share) * linear.offset + share * constant) + offset
    # Where the encoder isn't asked, the words' own log odds stand, moved to the new threshold.
    shift, alone_slope = bars - logit(linear.thresholds), linear.slope / of_linear
    margin, left = _margin(of_words + shift, odds, bars, truth, taxonomy)
    stack = {
        "head": (head * (slope * share)[:, None]).astype(np.float32),
        "alone": np.column_stack([alone_slope, linear.offset + shift - alone_slope * rest]),
        "margin": np.array([margin]),
    }
    by_label = dict(zip(names, rules, strict=True))
    facts = with_thresholds(words.manifest, by_label, truth, odds >= bars, names)
    facts |= {
        "files": {},
        "stack": {
            "encoder_share": dict(zip(names, share.round(2).tolist(), strict=True)),
            "passages_set_aside": len(aside),
            "cascade_asks": round(left, 4),
        },
    }
    files = training_files(corpus, np.flatnonzero(corpus.hard)[aside], expit(odds), weights)
    files |= {STACK: pack_arrays(stack), **encoder_files(encoder)}
    model = replace(_scaled(linear, of_linear, rest), thresholds=expit(bars))
    return save_with_card(model, folder, facts, files)


def _scaled(linear: LinearModel, factor: NDArray[Any], rest: NDArray[Any]) -> LinearModel:
    """Return the words' part of the log odds; all that no text changes goes into its intercept."""
    return replace(
        linear,
        feature_weights=(linear.feature_weights * factor).astype(np.float16),
        bigram_weights=(linear.bigram_weights * factor).astype(np.float16),
        intercept=linear.intercept * factor + rest,
        slope=np.ones_like(factor),
        offset=np.zeros_like(factor),
    )


def _head(
    hard: Corpus, aside: NDArray[np.int64], encoder: str | Path, *, threads: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Return weights and constants that make log odds of vectors, and the odds of rows set aside.

    Those are honest: the encoder and its own head never saw the rows, a head fitted here is out of
    fold.
    """
    features, files = EncoderFeatures(encoder, threads=threads).fit([]), encoder_files(encoder)
    texts = hard.texts
    if json.loads(files[ENCODER_FACTS]).get("labels") == list(hard.taxonomy.names):
        own = unpack_arrays(files[HEAD], where=HEAD)
        weight, bias = own["weight"], own["bias"]
        vectors = features.transform([texts[row] for row in aside]).astype(np.float64)
        return weight, bias, vectors @ weight.T + bias
    head = LabelClassifier(C=_HEAD_C, n_jobs=-1)
    head.fit(features.transform(texts), hard.targets, groups=hard.groups)
    slope, offset = head.calibration_.T
    odds = _log_odds(head.out_of_fold_[aside])
    return head.coef_ * slope[:, None], slope * head.intercept_ + offset, odds


def _log_odds(p: NDArray[Any]) -> NDArray[np.float64]:
    odds: NDArray[np.float64] = logit(np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6))
    return odds


def _best_share(
    words: NDArray[np.float64], encoder: NDArray[np.float64], truth: NDArray[np.bool_]
) -> float:
    """Return the encoder's share with the best mean average precision, weighted by positives."""
    known = truth.any(axis=0)

    def quality(share: float) -> float:
        mixed = (1 - share) * words + share * encoder
        return float(average_precision_score(truth[:, known], mixed[:, known], average="weighted"))

    return float(max(SHARES, key=quality))


def _margin(
    alone: NDArray[np.float64],
    odds: NDArray[np.float64],
    bars: NDArray[np.float64],
    truth: NDArray[np.bool_],
    taxonomy: Taxonomy,
) -> tuple[float, float]:
    """Return from which distance a cascade stops at the words, and what share it leaves.

    The smallest distance at which no facet loses more than `MOST_LOST` in micro-F1.
    """
    away = np.abs(alone - bars).min(axis=1)

    def f1(given: NDArray[np.bool_], part: slice) -> float:
        found = f1_score(truth[:, part], given[:, part], average="micro", zero_division=0.0)
        return float(found)

    def lost(margin: float) -> float:
        given = np.where((away < margin)[:, None], odds, alone) >= bars
        return max(f1(odds >= bars, part) - f1(given, part) for part in taxonomy.slices.values())

    tried = np.quantile(away, np.linspace(0, 1, 41))
    margin = next((float(one) for one in tried if lost(one) <= MOST_LOST), float(tried[-1]) + 1)
    return margin, float((away < margin).mean())
