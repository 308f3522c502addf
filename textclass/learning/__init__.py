"""Corpora to models: features, classifier, training, evaluation, card."""

from textclass.learning.card import figure_tables, findings, update_card
from textclass.learning.classifier import LabelClassifier
from textclass.learning.evaluator import Evaluation, evaluate
from textclass.learning.metrics import wilson
from textclass.learning.predictions import fit_baselines, leave_out, read_documents
from textclass.learning.provenance import set_thresholds
from textclass.learning.stack import EncoderFeatures, train_accurate
from textclass.learning.training import (
    compile_model,
    default_pipeline,
    fit_corpus,
    for_labels,
    out_of_fold,
    train,
)
from textclass.learning.vectorizer import WordFeatures

__all__ = [
    "EncoderFeatures",
    "Evaluation",
    "LabelClassifier",
    "WordFeatures",
    "compile_model",
    "default_pipeline",
    "evaluate",
    "figure_tables",
    "findings",
    "fit_baselines",
    "fit_corpus",
    "for_labels",
    "leave_out",
    "out_of_fold",
    "read_documents",
    "set_thresholds",
    "train",
    "train_accurate",
    "update_card",
    "wilson",
]
