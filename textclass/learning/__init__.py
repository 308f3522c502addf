"""Corpora to models: features, folds, fits, calibration, thresholds, evaluation."""

from textclass.learning.card import update_card
from textclass.learning.evaluation import EvaluationOptions, as_text, evaluate
from textclass.learning.fit import FitOptions
from textclass.learning.fitted import Fitted, compile_model
from textclass.learning.rethreshold import set_thresholds
from textclass.learning.training import TrainingOptions, fit_corpus, out_of_fold, train
from textclass.learning.vectorizer import WordFeatures

__all__ = [
    "EvaluationOptions",
    "FitOptions",
    "Fitted",
    "TrainingOptions",
    "WordFeatures",
    "as_text",
    "compile_model",
    "evaluate",
    "fit_corpus",
    "out_of_fold",
    "set_thresholds",
    "train",
    "update_card",
]
