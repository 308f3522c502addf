"""Counts to scores, probabilities, decisions and evidence; models loaded and saved."""

from textclass.model.checked import pack_arrays, unpack_arrays
from textclass.model.decide import Decisions
from textclass.model.encoder import (
    ENCODER,
    ENCODER_FACTS,
    HEAD,
    NOTICE,
    TOKENIZER,
    Encoder,
    encoder_files,
    load_encoder,
)
from textclass.model.evidence import evidence_of, words_by_weight
from textclass.model.linear import LinearModel, Scores, WordTable, find_keys
from textclass.model.persistence import (
    STACK,
    ModelFolder,
    check_place,
    find_model,
    load_folder,
    save_model,
)
from textclass.model.scorer import Scorer, open_scorer

__all__ = [
    "ENCODER",
    "ENCODER_FACTS",
    "HEAD",
    "NOTICE",
    "STACK",
    "TOKENIZER",
    "Decisions",
    "Encoder",
    "LinearModel",
    "ModelFolder",
    "Scorer",
    "Scores",
    "WordTable",
    "check_place",
    "encoder_files",
    "evidence_of",
    "find_keys",
    "find_model",
    "load_encoder",
    "load_folder",
    "open_scorer",
    "pack_arrays",
    "save_model",
    "unpack_arrays",
    "words_by_weight",
]
