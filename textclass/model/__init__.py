"""Counts to scores, probabilities, decisions and evidence; models loaded and saved."""

from textclass.model.decide import Decisions, decide
from textclass.model.evidence import (
    Contributions,
    contributions,
    deciding_words,
    evidence_of,
    words_by_weight,
)
from textclass.model.folder import (
    ModelFolder,
    load_folder,
    pack_arrays,
    save_model,
    verify_folder,
)
from textclass.model.linear import LinearModel, Scores, WordTable, find, word_rows

__all__ = [
    "Contributions",
    "Decisions",
    "LinearModel",
    "ModelFolder",
    "Scores",
    "WordTable",
    "contributions",
    "decide",
    "deciding_words",
    "evidence_of",
    "find",
    "load_folder",
    "pack_arrays",
    "save_model",
    "verify_folder",
    "word_rows",
    "words_by_weight",
]
