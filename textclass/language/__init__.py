"""Text to passages, words and word ids; offsets always lead back to the original text."""

from textclass.language.english import function_words, is_english
from textclass.language.features import (
    Counts,
    FeatureSpec,
    count_words,
    feature_keys,
    neighbours,
    pair_keys,
    whole_word_keys,
    word_keys,
)
from textclass.language.passages import (
    MAX_WORDS,
    Passage,
    each_text,
    split_passages,
    whole_passage,
)
from textclass.language.tokenizer import Tokenizer, WordBatch

__all__ = [
    "MAX_WORDS",
    "Counts",
    "FeatureSpec",
    "Passage",
    "Tokenizer",
    "WordBatch",
    "count_words",
    "each_text",
    "feature_keys",
    "function_words",
    "is_english",
    "neighbours",
    "pair_keys",
    "split_passages",
    "whole_passage",
    "whole_word_keys",
    "word_keys",
]
