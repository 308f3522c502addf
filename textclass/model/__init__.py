"""Counts to scores, probabilities, decisions and evidence; models loaded and saved."""

from textclass.model.decide import Decisions, decide
from textclass.model.evidence import (
    Contributions,
    contributions,
    deciding_words,
    evidence_of,
    passage_parts,
    words_by_weight,
)
from textclass.model.keytable import KeyTable
from textclass.model.linear import LinearModel, Scores, WordTable
from textclass.model.persistence import (
    ModelFolder,
    check_place,
    find_model,
    load_folder,
    pack_arrays,
    save_model,
    verify_folder,
)

__all__ = [
    "Contributions",
    "Decisions",
    "KeyTable",
    "LinearModel",
    "ModelFolder",
    "Scores",
    "WordTable",
    "check_place",
    "contributions",
    "decide",
    "deciding_words",
    "evidence_of",
    "find_model",
    "load_folder",
    "pack_arrays",
    "passage_parts",
    "save_model",
    "verify_folder",
    "words_by_weight",
]
