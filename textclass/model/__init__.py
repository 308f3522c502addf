"""Counts to scores, probabilities, decisions and evidence; models loaded and saved."""

from textclass.model.decide import Decisions, decide
from textclass.model.encoder import (
    ENCODER,
    ENCODER_FACTS,
    NOTICE,
    TOKENIZER,
    Encoder,
    encoder_files,
    load_encoder,
)
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
    STACK,
    ModelFolder,
    check_place,
    find_model,
    load_folder,
    pack_arrays,
    save_model,
    verify_folder,
)
from textclass.model.scorer import Scorer, Stack, StackedScorer, WordScorer, open_scorer

__all__ = [
    "ENCODER",
    "ENCODER_FACTS",
    "NOTICE",
    "STACK",
    "TOKENIZER",
    "Contributions",
    "Decisions",
    "Encoder",
    "KeyTable",
    "LinearModel",
    "ModelFolder",
    "Scorer",
    "Scores",
    "Stack",
    "StackedScorer",
    "WordScorer",
    "WordTable",
    "check_place",
    "contributions",
    "decide",
    "deciding_words",
    "encoder_files",
    "evidence_of",
    "find_model",
    "load_encoder",
    "load_folder",
    "open_scorer",
    "pack_arrays",
    "passage_parts",
    "save_model",
    "verify_folder",
    "words_by_weight",
]
