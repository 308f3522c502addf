"""Corpora to models: features, folds, fits, calibration, thresholds, evaluation."""

from textclass.learning.fit import FitOptions
from textclass.learning.thresholds import set_thresholds
from textclass.learning.train import (
    Fitted,
    TrainingOptions,
    compile_model,
    fit_corpus,
    out_of_fold,
    train,
)
from textclass.learning.vectorizer import WordFeatures

__all__ = [
    "FitOptions",
    "Fitted",
    "TrainingOptions",
    "WordFeatures",
    "compile_model",
    "fit_corpus",
    "out_of_fold",
    "set_thresholds",
    "train",
]
