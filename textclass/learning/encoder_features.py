"""Text to the vectors of a fine-tuned sentence encoder, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from textclass.learning.vectorizer import checked_texts
from textclass.model import load_encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class EncoderFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
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
    n_features_out_ : int

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
        self.n_features_out_ = self.encoder_.size
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:  # noqa: N803 -- scikit-learn's name
        """Return the vectors of texts, shape (n_texts, n_features_out_)."""
        check_is_fitted(self)
        return self.encoder_.vectors(checked_texts(X))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 -- scikit-learn's signature
        """Return `encoder:0` and so on."""
        check_is_fitted(self)
        return np.array([f"encoder:{i}" for i in range(self.n_features_out_)], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags
