"""Corpora to models: features, classifier, training, evaluation, card."""

from textclass.learning.classifier import LabelClassifier
from textclass.learning.compiling import compile_model
from textclass.learning.training import (
    default_pipeline,
    fit_corpus,
    out_of_fold,
    set_thresholds,
    train,
)
from textclass.learning.vectorizer import WordFeatures

__all__ = [
    "LabelClassifier",
    "WordFeatures",
    "compile_model",
    "default_pipeline",
    "fit_corpus",
    "out_of_fold",
    "set_thresholds",
    "train",
]
