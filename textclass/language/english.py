"""Whether words are English, by the function words of the languages that reports come in.

The lists are spaCy's stop words; a word that English shares with another language counts as
English.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.resources import files
from runpy import run_path

OTHER_LANGUAGES = ("de", "es", "fr", "id", "it", "nl", "pl", "pt", "ro", "sv", "tr")


@cache
def function_words() -> frozenset[str]:
    """Return the English function words, which make up about half of running English text."""
    return frozenset(import_module("spacy.lang.en.stop_words").STOP_WORDS)


@cache
def _foreign_function_words() -> frozenset[str]:
    return frozenset().union(*map(_stop_words, OTHER_LANGUAGES)) - function_words()


def _stop_words(language: str) -> frozenset[str]:
    # The file by itself: importing all these languages would take longer than most taggings.
    file = files("spacy.lang") / language / "stop_words.py"
    return frozenset(run_path(str(file))["STOP_WORDS"])


def is_english(words: Iterable[str]) -> bool:
    """Return whether English function words outnumber those of other languages and scripts.

    Parameters
    ----------
    words : iterable of str
        Folded, lower-case words. With no function word at all there is nothing to doubt.
    """
    english = foreign = 0
    for word in words:
        english += word in function_words()
        foreign += word in _foreign_function_words() or not _latin(word)
    return english >= foreign


def _latin(word: str) -> bool:
    if word.isascii():
        return True
    return all(unicodedata.name(c, "").startswith("LATIN") for c in word if c.isalpha())
