"""Text to word ids on arrays, through a cache from white-space chunks to words.

spaCy's tokenizer works chunk by chunk between white space, so a chunk that has been seen before
needs no second look. A batch is read as one array of characters; its chunks are looked up all at
once by a hash of their characters, which are then compared, so that two chunks with one hash do no
harm. Only chunks never seen become strings and go to spaCy, many in one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.language.chunks import ChunkTable, Column, code_points
from textclass.language.normalise import PIECE, Folded, fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CHUNKS = 400_000
"""The most chunks kept; past it the cache starts anew. About 150 bytes each."""

_CHARACTERS_PER_CHUNK = 40
"""Chunks are kept while they are no longer than this on average."""

_MAX_LEXEMES = 400_000
"""spaCy keeps all tokens that it has met; past so many its tokenizer is made anew."""

_CHUNKS_AT_ONCE = 16384
_PIECES_AT_ONCE = 4096
# What spaCy's English cuts in one way only, unless it has a rule for it: nearly all chunks.
_PLAIN = re.compile(
    r"(?!.*-.*\.)([A-Za-z]+(?:-[A-Za-z]+)*|[0-9]+(?:,[0-9]+)*)(?:'s)?(?:[,;:!?)]|(?<=[a-z0-9]{2})\.)?"
)
_PLAIN_WORD = re.compile(r"[A-Za-z]+|[0-9,]*[0-9]|'s")
_DIGITS = str.maketrans("123456789", "000000000")

_BLANK = np.zeros(0x3002, dtype=bool)
# The white space of `str.split`; the last entry stands for all code points after U+3000.
_BLANK[[*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]] = True
_BLANK[[0x2028, 0x2029, 0x202F, 0x205F, 0x3000]] = True


@dataclass(frozen=True, eq=False)
class WordBatch:
    """The words of some passages, one after the other.

    Attributes
    ----------
    ids : ndarray of int32, shape (n_words,)
        Row of each word in the tokenizer's `words`.
    starts : ndarray of int64, shape (n_passages + 1,)
        Where each passage begins in `ids`.
    begins, ends : ndarray of int64, shape (n_words,), or None
        Code-point offsets of each word into its passage, if they were asked for.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    begins: NDArray[np.int64] | None = None
    ends: NDArray[np.int64] | None = None

    @cached_property
    def passages(self) -> NDArray[np.int64]:
        """Passage number of each word."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def spans(self, passage: int) -> WordSpans:
        """Return the words of one passage with their places."""
        assert self.begins is not None and self.ends is not None  # noqa: S101, PT018 -- for the type checker
        part = slice(*self.starts[passage : passage + 2].tolist())
        return WordSpans(self.ids[part], self.begins[part], self.ends[part])


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
        self._chunks = ChunkTable()
        # Words of chunk c: from _first[c], _count[c] of them; with their offsets into the chunk.
        self._first = Column(np.int64)
        self._count = Column(np.int64)
        self._ids = Column(np.int32)
        self._begins = Column(np.int32)
        self._ends = Column(np.int32)

    def read(self, texts: Sequence[str], *, spans: bool = False) -> WordBatch:
        """Return the words of `texts`; ids of earlier batches end when the cache is full.

        Parameters
        ----------
        texts : sequence of str
        spans : bool, keyword-only
            Whether to return where each word stands, too.
        """
        known, limit = self._chunks, self.max_chunks
        if known.size > limit or known.characters > limit * _CHARACTERS_PER_CHUNK:
            self._reset()
        return self._read(texts, spans=spans)

    def spans(self, text: str) -> WordSpans:
        """Return the words of one passage with their offsets into it.

        It doesn't empty the cache, so after `read` of the same text ids agree.
        """
        return self._read([text], spans=True).spans(0)

    def _read(self, texts: Sequence[str], *, spans: bool) -> WordBatch:
        joined = "\n".join(texts)
        characters = code_points(joined)
        edges = np.flatnonzero(_BLANK.take(characters, mode="clip"))
        starts = np.concatenate(([0], edges + 1))
        lengths = np.append(edges, len(characters)) - starts
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
        numbers = self._numbers(joined, characters, starts, lengths)
        counts = self._count.data.take(numbers)
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        places = np.repeat(self._first.data.take(numbers) - (ends - counts), counts) + np.arange(
            total
        )
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
        begins = np.cumsum(sizes) - sizes
        bounds = np.searchsorted(starts, np.append(begins, len(characters)))
        bounds = np.concatenate(([0], ends))[bounds]
        batch = WordBatch(self._ids.data.take(places), bounds)
        if not spans:
            return batch
        shift = np.repeat(starts, counts) - np.repeat(begins, np.diff(bounds))
        return WordBatch(
            batch.ids, bounds, shift + self._begins.data[places], shift + self._ends.data[places]
        )

    def _numbers(
        self,
        joined: str,
        characters: NDArray[np.uint32],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return the number of each chunk, those never seen learnt."""
        numbers = np.empty(len(starts), dtype=np.int64)
        for first in range(0, len(starts), _CHUNKS_AT_ONCE):
            part = slice(first, first + _CHUNKS_AT_ONCE)
            found, keys = self._chunks.find(characters, starts[part], lengths[part])
            new = np.flatnonzero(found < 0)
            if len(new):
                places = zip(starts[part][new].tolist(), lengths[part][new].tolist(), strict=True)
                chunks = [joined[start : start + length] for start, length in places]
                named = self._learn(dict(zip(chunks, keys[new].tolist(), strict=True)))
                found[new] = [named[chunk] for chunk in chunks]
            numbers[part] = found
        return numbers

    def _learn(self, chunks: Mapping[str, int]) -> dict[str, int]:
        """Return the numbers of chunks, given with their keys, after adding those never seen."""
        named = {chunk: self._chunks.named.get(chunk, -1) for chunk in chunks}
        new = {chunk: chunks[chunk] for chunk, number in named.items() if number < 0}
        words_of = _chunk_words(list(new))
        counts = np.fromiter(map(len, words_of), dtype=np.int64, count=len(new))
        self._first.extend(self._ids.size + np.cumsum(counts) - counts)
        self._count.extend(counts)
        words = [word for words in words_of for word in words]
        self._ids.extend([self._word_id(word) for word, _, _ in words])
        self._begins.extend([begin for _, begin, _ in words])
        self._ends.extend([end for _, _, end in words])
        return named | dict(zip(new, self._chunks.add(new), strict=True))

    def _word_id(self, word: str) -> int:
        number = self._word_ids.setdefault(word, len(self.words))
        if number == len(self.words):
            self.words.append(word)
        return number


def _english() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.lang.en import English

    return English.Defaults


@cache
def _spacy_tokenizer() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    """Return the tokenizer of spaCy's blank English, without the rest of a pipeline."""
    from spacy.tokenizer import Tokenizer as SpacyTokenizer
    from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
    from spacy.vocab import Vocab

    defaults = _english()
    return SpacyTokenizer(
        Vocab(),
        rules=defaults.tokenizer_exceptions,
        prefix_search=compile_prefix_regex(defaults.prefixes).search,
        suffix_search=compile_suffix_regex(defaults.suffixes).search,
        infix_finditer=compile_infix_regex(defaults.infixes).finditer,
        token_match=defaults.token_match,
        url_match=defaults.url_match,
    )


def _chunk_words(chunks: Sequence[str]) -> list[list[tuple[str, int, int]]]:
    """Return for each chunk its words as (word, start, end), offsets into the chunk."""
    rules = _english().tokenizer_exceptions
    words: list[list[tuple[str, int, int]]] = [[] for _ in chunks]
    pieces: list[tuple[int, int, Folded]] = []
    for number, chunk in enumerate(chunks):
        match = _PLAIN.fullmatch(chunk) if len(chunk) <= PIECE else None
        if match and chunk not in rules and match[1] not in rules:
            words[number] = [
                (part[0].lower().translate(_DIGITS), *part.span())
                for part in _PLAIN_WORD.finditer(chunk)
            ]
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
    from spacy.attrs import LENGTH, SPACY

    if _spacy_tokenizer().vocab.length > _MAX_LEXEMES:
        _spacy_tokenizer.cache_clear()
    text = " ".join(folded.text for _, _, folded in pieces)
    tokens: list[str] = []
    place = 0
    for length, space in _spacy_tokenizer()(text).to_array([LENGTH, SPACY]).tolist():
        tokens.append(text[place : place + length])
        place += length + space
        if space:
            yield tokens
            tokens = []
    yield tokens
