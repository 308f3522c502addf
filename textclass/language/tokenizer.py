"""Text to word ids on arrays, through a cache from white-space chunks to words.

spaCy's tokenizer works chunk by chunk between white space, so a chunk that has been seen before
needs no second look: a batch costs one dictionary look-up per chunk. Only chunks never seen go to
spaCy, all of a batch in one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.language.normalise import PIECE, Folded, fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CHUNKS = 400_000
"""The most chunks kept; past it the cache starts anew. About 100 bytes each."""

_CHARACTERS_PER_CHUNK = 40
"""Chunks are kept while they are no longer than this on average."""

_PIECES_AT_ONCE = 4096
_CHUNK = re.compile(r"\S+")
_DIGITS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True)
class WordBatch:
    """The words of some passages, one after the other.

    Attributes
    ----------
    ids : ndarray of int32, shape (n_words,)
        Row of each word in the tokenizer's `words`.
    starts : ndarray of int64, shape (n_passages + 1,)
        Where each passage begins in `ids`.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]


@dataclass(frozen=True)
class WordSpans:
    """The words of one passage with their places.

    Attributes
    ----------
    ids : ndarray of int32, shape (n_words,)
    starts, ends : ndarray of int64, shape (n_words,)
        Code-point offsets into the passage; trailing and leading punctuation is outside.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


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
        self._word_ids: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        # Words of chunk c: _flat[_offsets[c] : _offsets[c] + _lengths[c]]; arrays grow by doubling.
        self._flat = np.zeros(1024, dtype=np.int32)
        self._offsets = np.zeros(1024, dtype=np.int64)
        self._lengths = np.zeros(1024, dtype=np.int64)
        self._used = 0
        self._characters = 0

    def read(self, texts: Sequence[str]) -> WordBatch:
        """Return the words of `texts`; ids of earlier batches end when the cache is full."""
        limit = self.max_chunks
        if len(self._codes) > limit or self._characters > limit * _CHARACTERS_PER_CHUNK:
            self._reset()
        split = [text.split() for text in texts]
        counts = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
        chunks = [chunk for passage in split for chunk in passage]
        codes = self._look_up(chunks)
        lengths = self._lengths[codes]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        shift = self._offsets[codes] - (ends - lengths)
        ids = self._flat[np.repeat(shift, lengths) + np.arange(total)]
        bounds = np.concatenate(([0], ends))[np.concatenate(([0], np.cumsum(counts)))]
        return WordBatch(ids=ids, starts=bounds)

    def _look_up(self, chunks: list[str]) -> NDArray[np.int64]:
        try:
            found = map(self._codes.__getitem__, chunks)
            return np.fromiter(found, dtype=np.int64, count=len(chunks))
        except KeyError:
            self._learn({chunk: None for chunk in chunks if chunk not in self._codes})
            found = map(self._codes.__getitem__, chunks)
            return np.fromiter(found, dtype=np.int64, count=len(chunks))

    def _learn(self, chunks: Iterable[str]) -> None:
        names = list(chunks)
        for chunk, words in zip(names, _chunk_words(names), strict=True):
            ids = [self._word_id(word) for word, _, _ in words]
            self._append(chunk, ids)

    def _append(self, chunk: str, ids: list[int]) -> None:
        code = len(self._codes)
        if code == len(self._offsets):
            self._offsets = np.resize(self._offsets, 2 * code)
            self._lengths = np.resize(self._lengths, 2 * code)
        while self._used + len(ids) > len(self._flat):
            self._flat = np.resize(self._flat, 2 * len(self._flat))
        self._flat[self._used : self._used + len(ids)] = ids
        self._offsets[code], self._lengths[code] = self._used, len(ids)
        self._used += len(ids)
        self._characters += len(chunk)
        self._codes[chunk] = code

    def _word_id(self, word: str) -> int:
        number = self._word_ids.setdefault(word, len(self.words))
        if number == len(self.words):
            self.words.append(word)
        return number

    def spans(self, text: str) -> WordSpans:
        """Return the words of one passage with their offsets into it.

        Call it after `read` of the same text: it doesn't empty the cache, so ids agree.
        """
        matches = list(_CHUNK.finditer(text))
        chunks = [match.group() for match in matches]
        self._look_up(chunks)
        ids: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        for match, words in zip(matches, _chunk_words(chunks), strict=True):
            for word, start, end in words:
                ids.append(self._word_ids[word])
                starts.append(match.start() + start)
                ends.append(match.start() + end)
        return WordSpans(
            np.array(ids, dtype=np.int32),
            np.array(starts, dtype=np.int64),
            np.array(ends, dtype=np.int64),
        )


@cache
def _spacy_tokenizer() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English().tokenizer


def _chunk_words(chunks: Sequence[str]) -> list[list[tuple[str, int, int]]]:
    """Return for each chunk its words as (word, start, end), offsets into the chunk."""
    rules = _spacy_tokenizer().rules
    words: list[list[tuple[str, int, int]]] = [[] for _ in chunks]
    pieces: list[tuple[int, int, Folded]] = []
    for number, chunk in enumerate(chunks):
        # Letters alone are one token, unless a rule of English cuts them ("cannot").
        if chunk.isascii() and chunk.isalpha() and len(chunk) <= PIECE and chunk not in rules:
            words[number].append((chunk.lower(), 0, len(chunk)))
            continue
        for start in range(0, len(chunk), PIECE):
            folded = fold(chunk[start : start + PIECE])
            if folded.text:
                pieces.append((number, start, folded))
    for first in range(0, len(pieces), _PIECES_AT_ONCE):
        part = pieces[first : first + _PIECES_AT_ONCE]
        for (number, shift, folded), tokens in zip(part, _tokens(part), strict=True):
            place = 0
            for token in tokens:
                last = place + len(token) - 1
                word = token.lower().translate(_DIGITS)
                if word.isalnum() or any(map(str.isalnum, word)):
                    span = shift + folded.starts[place], shift + folded.ends[last]
                    words[number].append((word, *span))
                place = last + 1
    return words


def _tokens(pieces: Sequence[tuple[int, int, Folded]]) -> Iterator[list[str]]:
    """Yield spaCy's tokens of each piece, all tokenized in one call."""
    doc = _spacy_tokenizer()(" ".join(folded.text for _, _, folded in pieces))
    tokens: list[str] = []
    for token in doc:
        tokens.append(token.text)
        if token.whitespace_:
            yield tokens
            tokens = []
    yield tokens
