"""Text to word ids on arrays, through a cache from white-space chunks to words.

spaCy's tokenizer works chunk by chunk between white space, so a chunk that has been seen before
needs no second look. Only chunks never seen go to spaCy, many in one call, and of those only the
ones that it may cut in more than one way.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, chain, islice, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 64
"""spaCy's tokenizer is quadratic on runs of punctuation; longer runs are cut at this length."""

MAX_CHUNKS = 400_000
"""The most chunks kept; past it the cache starts anew. About 250 bytes each."""

_CHARACTERS_PER_CHUNK = 40
"""Chunks are kept while they are no longer than this on average."""

_MAX_LEXEMES = 400_000
"""spaCy keeps all tokens that it has met; past so many its tokenizer is made anew."""

_PIECES_AT_ONCE = 4096
_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])
"""Which code points are white space; the last entry stands for all after U+3000."""

# What spaCy's English cuts in one way only, unless it has a rule for a part of it: words joined by
# hyphens, or a number; quotes and brackets before it; after it 's and marks, a full stop only where
# it can't be an initial's. Of ten new chunks more than eight are so.
_SIMPLE = re.compile(
    r"""[(\["'\u201c\u2018]*"""
    r"""([A-Za-z]+(?:[-\u2010\u2011\u2013\u2014][A-Za-z]+)*|\$?[0-9]+(?:[.,][0-9]+)*)"""
    r"""((?<=[A-Za-z])['\u2019]s)?"""
    r"""(?:[])"'\u201d\u2019,;:!?]|(?:(?<=[A-Z]{2})|(?<![A-Z]))\.)*"""
)
_WORD = re.compile("[A-Za-z]+|[0-9.,]+")
_RUN = re.compile("[A-Za-z0-9]+")
_DIGITS = str.maketrans("123456789", "000000000")
# Single quotes (and the acute accent that stands for one), double quotes; hyphens and the minus.
_KEYS = str.maketrans("\u2018\u2019\u201b\xb4\u201c\u201d\u201e\u2010\u2011\u2212", "''''\"\"\"---")

Word = tuple[str, int, int]
"""A word with its start and end in a chunk."""


@dataclass(frozen=True, eq=False)
class WordBatch:
    """The words of some passages, one after the other.

    Attributes
    ----------
    ids : ndarray of int32, shape (n_words,)
        Row of each word in the tokenizer's `words`.
    starts : ndarray of int64, shape (n_passages + 1,)
        Where each passage begins in `ids`.
    begins, ends : ndarray of int64, shape (n_words,)
        Code-point offsets of each word into its passage; punctuation around it is outside.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    @cached_property
    def passages(self) -> NDArray[np.int64]:
        """Passage number of each word."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class Tokenizer:
    """Cut text into lower-case words and number them.

    A word is a spaCy token with a letter or digit in it, folded and lower-cased, each digit
    written as 0. Ids are given in order of first sight and hold until `generation` changes.

    Parameters
    ----------
    max_chunks : int, keyword-only
        Bound of the chunk cache; it is emptied between two batches when passed.

    Attributes
    ----------
    words : list of str
        The word of each id.
    generation : int
        Grows by one each time the cache is emptied and ids begin again at 0.
    """

    def __init__(self, *, max_chunks: int = MAX_CHUNKS) -> None:
        self.max_chunks = max_chunks
        self.generation = -1
        self._reset()

    def _reset(self) -> None:
        self.generation += 1
        self.words: list[str] = []
        self._word_ids, self._chunks = _numbering(), _numbering()
        self._characters = 0
        # Words of chunk c: from _bounds[c] to _bounds[c + 1]; with their offsets into the chunk.
        self._bounds = array("q", [0])
        self._ids, self._begins, self._ends = array("i"), array("q"), array("q")

    def read(self, texts: Sequence[str]) -> WordBatch:
        """Return the words of `texts`; ids of earlier batches end when the cache is full."""
        limit = self.max_chunks
        if len(self._chunks) > limit or self._characters > limit * _CHARACTERS_PER_CHUNK:
            self._reset()
        joined = "\n".join(texts)
        chunks = joined.split()
        numbers = np.fromiter(map(self._chunks.__getitem__, chunks), np.int64, len(chunks))
        self._learn(_newest(self._chunks, len(self._bounds) - 1))
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        blank = _BLANK.take(codes, mode="clip")
        starts = np.flatnonzero(np.append(True, blank[:-1]) & ~blank)
        bounds = np.asarray(self._bounds)
        first = bounds.take(numbers)
        counts = bounds.take(numbers + 1) - first
        ends = np.concatenate(([0], np.cumsum(counts)))
        places = np.repeat(first - ends[:-1], counts) + np.arange(ends[-1])
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
        begins = np.cumsum(sizes) - sizes
        passages = ends[np.searchsorted(starts, np.append(begins, len(joined)))]
        shift = np.repeat(starts, counts) - np.repeat(begins, np.diff(passages))
        return WordBatch(
            np.asarray(self._ids).take(places),
            passages,
            shift + np.asarray(self._begins).take(places),
            shift + np.asarray(self._ends).take(places),
        )

    def _learn(self, chunks: Sequence[str]) -> None:
        """Note the words of new chunks, in the order of their numbers."""
        found = [*_chunk_words(chunks)]
        words = [*chain.from_iterable(found)]
        self._characters += sum(map(len, chunks))
        self._ids.extend([self._word_ids[word] for word, _, _ in words])
        self._begins.extend([begin for _, begin, _ in words])
        self._ends.extend([end for _, _, end in words])
        self._bounds.extend(accumulate(map(len, found), initial=self._bounds.pop()))
        self.words += _newest(self._word_ids, len(self.words))


def _numbering() -> defaultdict[str, int]:
    """Return a dict that numbers its keys in order of first sight."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    return numbers


def _newest(numbers: dict[str, int], known: int) -> list[str]:
    """Return the keys that came after the first `known`, in their order."""
    return [*islice(reversed(numbers), len(numbers) - known)][::-1]


@cache
def english_tokenizer() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    """Return the tokenizer of spaCy's blank English.

    A whole pipeline would import every spaCy plug-in that is installed; of all that spaCy notes of
    a new word, most of its time, only what the sentencizer asks for is kept.
    """
    from spacy.attrs import IS_PUNCT
    from spacy.lang.en import English
    from spacy.lang.lex_attrs import is_punct
    from spacy.tokenizer import Tokenizer as SpacyTokenizer
    from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
    from spacy.vocab import Vocab

    defaults: Any = English.Defaults
    return SpacyTokenizer(
        Vocab(lex_attr_getters={IS_PUNCT: is_punct}),
        rules=defaults.tokenizer_exceptions,
        prefix_search=compile_prefix_regex(defaults.prefixes).search,
        suffix_search=compile_suffix_regex(defaults.suffixes).search,
        infix_finditer=compile_infix_regex(defaults.infixes).finditer,
        token_match=defaults.token_match,
        url_match=defaults.url_match,
    )


def _chunk_words(chunks: Sequence[str]) -> Iterator[Sequence[Word]]:
    """Yield for each chunk its words with their offsets into the chunk."""
    words = [*map(_simple_words, chunks)]
    cut = [
        [chunk[at : at + PIECE] for at in range(0, len(chunk), PIECE)]
        for chunk, its in zip(chunks, words, strict=True)
        if not its
    ]
    # A long run of one character is one piece, many times.
    known = _piece_words(set(chain.from_iterable(cut)))
    rest = iter(cut)
    for its in words:
        yield its or [
            (word, number * PIECE + start, number * PIECE + end)
            for number, piece in enumerate(next(rest))
            for word, start, end in known[piece]
        ]


@cache
def _special_runs() -> frozenset[str]:
    """Return the runs of letters and digits in the words that spaCy has rules for."""
    return frozenset(chain.from_iterable(map(_RUN.findall, english_tokenizer().rules)))


def _simple_words(chunk: str) -> Sequence[Word]:
    """Return the words of a chunk that spaCy cuts in one way only; of another none."""
    found = _SIMPLE.fullmatch(chunk)
    if not found or len(chunk) > PIECE:
        return ()
    core = found[1]
    if core.isalnum():
        if core in _special_runs():
            return ()
        words = [(core.lower().translate(_DIGITS), *found.span(1))]
    elif _special_runs().isdisjoint(_RUN.findall(core)):
        parts = _WORD.finditer(chunk, *found.span(1))
        words = [(part[0].lower().translate(_DIGITS), *part.span()) for part in parts]
    else:
        return ()
    return [*words, ("'s", *found.span(2))] if found[2] else words


def _piece_words(pieces: Iterable[str]) -> dict[str, list[Word]]:
    """Return the words of each piece, many pieces tokenized in one call."""
    from spacy.attrs import LENGTH, SPACY

    if english_tokenizer().vocab.length > _MAX_LEXEMES:
        english_tokenizer.cache_clear()
    found: dict[str, list[Word]] = {piece: [] for piece in pieces}
    folded = [(words, *fold) for piece, words in found.items() if (fold := _fold(piece))[0]]
    for first in range(0, len(folded), _PIECES_AT_ONCE):
        part = iter(folded[first : first + _PIECES_AT_ONCE])
        joined = " ".join(text for _, text, _, _ in folded[first : first + _PIECES_AT_ONCE])
        words, text, starts, ends = next(part)
        place = 0
        for length, space in english_tokenizer()(joined).to_array([LENGTH, SPACY]).tolist():
            word = text[place : place + length].lower().translate(_DIGITS)
            if word.isalnum() or any(map(str.isalnum, word)):
                words.append((word, starts[place], ends[place + length - 1]))
            place += length
            if space:
                words, text, starts, ends = next(part)
                place = 0
    return found


def _fold(piece: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """Fold quotes, hyphens, width and composition (NFKC); drop invisible and control characters.

    Lower case is left to the word table, since the tokenizer's rules look at case.

    Returns
    -------
    text : str
    starts, ends : sequence of int
        For each character of `text`, where the original character (with its combining marks) begins
        and ends.
    """
    if piece.isascii() and piece.isprintable():
        return piece, range(len(piece)), range(1, len(piece) + 1)
    text, starts, ends = "", [], []
    cuts = [i for i, c in enumerate(piece) if i == 0 or not unicodedata.combining(c)]
    for start, end in pairwise([*cuts, len(piece)]):
        folded = unicodedata.normalize("NFKC", piece[start:end].translate(_KEYS))
        kept = "".join(c for c in folded if not unicodedata.category(c).startswith(("C", "Z")))
        text += kept
        starts += [start] * len(kept)
        ends += [end] * len(kept)
    return text, starts, ends
