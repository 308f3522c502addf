"""Text to passages, words and word ids; offsets always lead back to the original text."""

from textclass.language.counts import Counts, count_words
from textclass.language.english import function_words, is_english
from textclass.language.ngrams import (
    FeatureSpec,
    feature_keys,
    neighbours,
    pair_keys,
    whole_word_keys,
    word_keys,
)
from textclass.language.passages import MAX_WORDS, Passage, split_passages, whole_passage
from textclass.language.tokenizer import Tokenizer, WordBatch

__all__ = [
    "MAX_WORDS",
    "Counts",
    "FeatureSpec",
    "Passage",
    "Tokenizer",
    "WordBatch",
    "count_words",
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
