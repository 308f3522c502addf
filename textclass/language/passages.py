"""A document's text cut into passages: paragraphs, long ones at sentences, short ones joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from textclass.language.tokenizer import PIECE, english_tokenizer

MIN_WORDS = 20
"""A shorter paragraph (a heading, a list item) joins the next, but not one under a new heading."""

MAX_WORDS = 200
"""A longer paragraph is cut at sentences."""

AIM_WORDS = 160
"""The parts of a long paragraph are at most about so long, as the passages of the corpus are."""

_SECTION = re.compile(r"[^\f]+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_LINE_END = re.compile(r"\n")
_LONG_RUN = re.compile(rf"\S{{{PIECE},}}")
_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*$")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SLICE = 100_000


class Passage(NamedTuple):
    """A stretch of a document.

    Attributes
    ----------
    start, end : int
        Code-point offsets into the document's text.
    words : int
        White-space-separated words in it.
    """

    start: int
    end: int
    words: int


def split_passages(text: str, *, without: Sequence[tuple[int, int]] = ()) -> list[Passage]:
    """Cut `text` into passages of 20 to 200 words, as far as its paragraphs allow.

    Paragraphs are separated by blank lines, or, where there are none, by the line ends of long
    lines. No passage goes on over a form feed, or from prose to a heading with prose below it.
    Every word that isn't to be left out is in exactly one passage.

    Parameters
    ----------
    text : str
    without : sequence of pairs of int, keyword-only
        Start and end of each stretch to leave out, in order, in code points.
    """
    passages: list[Passage] = []
    if not without and "\n" not in text and "\f" not in text:
        # Most cells of a table are one short paragraph, which needs no look at its lines.
        one = whole_passage(text)
        if one.words <= MAX_WORDS:
            return [one] if one.words else []
    start = 0
    for end, after in (*without, (len(text), 0)):
        for section in _SECTION.finditer(text, start, end):
            body, at = section.group(), section.start()
            for blocks in _under_headings(body, [*_paragraphs(body)]):
                parts = [part for block in blocks for part in _divide(body, block)]
                passages += [Passage(at + p.start, at + p.end, p.words) for p in _join(parts)]
        start = after
    return passages


def each_text(texts: Iterable[object]) -> Iterator[str]:
    """Yield texts, or say which one is none."""
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {number} is {type(text).__name__}, str was expected")
        yield text


def whole_passage(text: str) -> Passage:
    """Return the one passage that is all of `text`."""
    return _trim(text, 0, len(text)) or Passage(0, 0, 0)


def _trim(text: str, start: int, end: int) -> Passage | None:
    body = text[start:end]
    words = len(body.split())
    if not words:
        return None
    left = start + len(body) - len(body.lstrip())
    return Passage(left, start + len(body.rstrip()), words)


def _paragraphs(text: str) -> Iterator[Passage]:
    separator = _BLANK_LINE
    if not _BLANK_LINE.search(text.strip()):
        # Hard-wrapped lines seldom pass 120 characters: a text of longer ones has no wrapped ones.
        lengths = sorted(len(line) for line in text.split("\n") if line.strip())
        if lengths and lengths[len(lengths) // 2] > 120:
            separator = _LINE_END
    start = 0
    for end, after in (*(match.span() for match in separator.finditer(text)), (len(text), 0)):
        if passage := _trim(text, start, end):
            yield passage
        start = after


def _under_headings(text: str, paragraphs: list[Passage]) -> Iterator[list[Passage]]:
    """Yield paragraphs in groups: one begins where, after prose, a heading stands above prose."""
    prose = [bool(_SENTENCE_END.search(text, p.end - 4, p.end)) for p in paragraphs]
    first = 0
    for place, one in enumerate(paragraphs[1:-1], 1):
        if one.words < MIN_WORDS and prose[place - 1 : place + 2] == [True, False, True]:
            yield paragraphs[first:place]
            first = place
    yield paragraphs[first:]


def _divide(text: str, passage: Passage) -> Iterator[Passage]:
    """Cut a long paragraph into even parts at sentence ends, as even as sentences allow."""
    if passage.words <= MAX_WORDS:
        yield passage
        return
    parts = -(-passage.words // AIM_WORDS)
    aim = passage.words / parts
    start, end, words = None, 0, 0
    for sentence in _sentences(text, passage):
        if start is None:
            start = sentence.start
        elif words + sentence.words > MAX_WORDS or words >= aim:
            yield Passage(start, end, words)
            start, words = sentence.start, 0
        words, end = words + sentence.words, sentence.end
    if start is not None:
        yield Passage(start, end, words)


def _sentences(text: str, passage: Passage) -> Iterator[Passage]:
    for start, end in _slices(text, passage):
        body = _LONG_RUN.sub(lambda run: "x" * len(run.group()), text[start:end])
        doc = _sentencizer()(english_tokenizer()(_SURROGATE.sub("?", body)))
        for sentence in doc.sents:
            left, right = start + sentence.start_char, start + sentence.end_char
            if part := _trim(text, left, right):
                yield from _cut_words(text, part)


def _slices(text: str, passage: Passage) -> Iterator[tuple[int, int]]:
    """Cut at white space near every 100,000 characters: spaCy refuses over 1,000,000."""
    start = passage.start
    while start < passage.end:
        end = min(start + _SLICE, passage.end)
        if end < passage.end:
            space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = space + 1 if space > start else end
        yield start, end
        start = end


def _cut_words(text: str, passage: Passage) -> Iterator[Passage]:
    """Cut a sentence that is itself too long after every 200 words."""
    if passage.words <= MAX_WORDS:
        yield passage
        return
    words = list(_WORD.finditer(text, passage.start, passage.end))
    for first in range(0, len(words), MAX_WORDS):
        group = words[first : first + MAX_WORDS]
        yield Passage(group[0].start(), group[-1].end(), len(group))


@cache
def _sentencizer() -> Any:  # noqa: ANN401 -- spaCy's classes carry no types
    from spacy.pipeline import Sentencizer

    return Sentencizer()


def _join(parts: list[Passage]) -> Iterator[Passage]:
    """Join each short part to the next one; a short last part joins the one before."""
    waiting: Passage | None = None
    last: Passage | None = None
    for part in parts:
        joined = _merge(waiting, part) if waiting else part
        if joined is None:
            if last:
                yield last
            last, joined = waiting, part
        if joined.words < MIN_WORDS:
            waiting = joined
            continue
        if last:
            yield last
        last, waiting = joined, None
    if waiting and last and (joined := _merge(last, waiting)):
        last, waiting = joined, None
    yield from (passage for passage in (last, waiting) if passage)


def _merge(first: Passage, second: Passage) -> Passage | None:
    words = first.words + second.words
    return Passage(first.start, second.end, words) if words <= MAX_WORDS else None
