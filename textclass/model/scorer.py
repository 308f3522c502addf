"""What scores passages: words alone, or words and an encoder; and what brought each score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from textclass.errors import ModelError
from textclass.language import Tokenizer, WordBatch
from textclass.model.decide import Decisions, decide
from textclass.model.encoder import ENCODER_FACTS, Encoder, Tokens, load_encoder
from textclass.model.evidence import Contributions, contributions, passage_parts
from textclass.model.linear import LinearModel, Scores, WordTable
from textclass.model.persistence import STACK, ModelFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scorer(Protocol):
    """Scores passages, and says what brought each score; what it says is of the last batch.

    Attributes
    ----------
    model : LinearModel
        The words' part, with the taxonomy, thresholds and name that hold for all.
    """

    model: LinearModel

    def score(self, texts: Sequence[str], *, spans: bool = False) -> Scores:
        """Score passages; with `spans` their contributions can be asked for."""

    def decide(self, scores: Scores) -> Decisions:
        """Decide which labels the passages of the last batch carry."""

    def contributions(self, passages: Sequence[int], columns: Sequence[int]) -> Contributions:
        """Return what each word brought: one case for each pair of passage and label column."""


class WordScorer:
    """Scores by words alone.

    Parameters
    ----------
    model : LinearModel
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self.tokenizer = Tokenizer()
        self._table = WordTable(model)
        self._batch: WordBatch

    def score(self, texts: Sequence[str], *, spans: bool = False) -> Scores:
        """Score passages; with `spans` their contributions can be asked for."""
        self._batch = self.tokenizer.read(texts, spans=spans)
        self._table.grow(self.tokenizer.words, self.tokenizer.generation)
        return self._table.score(self._batch)

    def decide(self, scores: Scores) -> Decisions:
        """Decide which labels the passages of the last batch carry."""
        ids, starts, words = self._batch.ids, self._batch.starts, self.tokenizer.words

        def words_of(passage: int) -> Iterator[str]:
            return (words[i] for i in ids[starts[passage] : starts[passage + 1]])

        return decide(self.model, scores, words_of)

    def contributions(self, passages: Sequence[int], columns: Sequence[int]) -> Contributions:
        """Return what each word brought: one case for each pair of passage and label column."""
        parts = passage_parts(self._table, self._batch, np.asarray(passages, dtype=np.int64))
        return contributions(self._table, parts, np.asarray(columns, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Stack:
    """How an encoder speaks for the labels beside the words.

    The log odds of a label are the words' score plus the mean over tokens t of h_t · head.

    Attributes
    ----------
    head : ndarray of float32, shape (L, size)
    alone : ndarray of float64, shape (L, 2)
        Slope and offset that make the log odds from the words' score where a cascade stops at it.
    margin : ndarray of float64, shape (1,)
        A cascade stops at the words where the log odds of all labels are this far from their
        thresholds.
    """

    head: NDArray[np.float32]
    alone: NDArray[np.float64]
    margin: NDArray[np.float64]


class StackedScorer:
    """Scores by words and by tokens in their context.

    Parameters
    ----------
    model : LinearModel
        Its scores are in log odds, the stack's constant part included.
    stack : Stack
    encoder : Encoder
    cascade : bool, keyword-only
        Ask the encoder only where the words aren't sure.
    """

    def __init__(
        self, model: LinearModel, stack: Stack, encoder: Encoder, *, cascade: bool = False
    ) -> None:
        self.model = model
        self.stack = stack
        self.encoder = encoder
        self.cascade = cascade
        self.asked = 0
        self._words = WordScorer(model)
        self._tokens: dict[int, Tokens] = {}

    def score(self, texts: Sequence[str], *, spans: bool = False) -> Scores:
        """Score passages; with `spans` their contributions can be asked for."""
        found = self._words.score(texts, spans=spans)
        total = found.scores * self.stack.alone[:, 0] + self.stack.alone[:, 1]
        if self.cascade:
            away = np.abs(total - self.model.score_thresholds()).min(axis=1)
            asked = np.flatnonzero(away < self.stack.margin.item())
        else:
            asked = np.arange(len(texts))
        self.asked += len(asked)
        tokens = self.encoder.tokens([texts[i] for i in asked.tolist()], self.stack.head)
        self._tokens = dict(zip(asked.tolist(), tokens, strict=True))
        for i, one in self._tokens.items():
            total[i] = found.scores[i] + one.values.mean(axis=0, dtype=np.float64)
        return replace(found, scores=total, probabilities=self.model.probabilities(total))

    def decide(self, scores: Scores) -> Decisions:
        """Decide which labels the passages of the last batch carry."""
        return self._words.decide(scores)

    def contributions(self, passages: Sequence[int], columns: Sequence[int]) -> Contributions:
        """Return what each word brought: one case for each pair of passage and label column.

        A token counts for the word that it stands in, a mark between words for the next one; the
        marks that begin and end a window count with the intercept.
        """
        found = self._words.contributions(passages, columns)
        words, pairs = found.words.copy(), found.pairs.copy()
        intercepts = found.intercepts.copy()
        starts = found.parts.words.starts
        pair_cases = found.parts.cases[found.parts.pairs]
        for case, (passage, column) in enumerate(zip(passages, columns, strict=True)):
            places = slice(starts[case], starts[case + 1])
            if passage not in self._tokens:
                slope, offset = self.stack.alone[column]
                words[places] *= slope
                pairs[pair_cases == case] *= slope
                intercepts[case] = intercepts[case] * slope + offset
                continue
            by_word, rest = _by_word(found, places, self._tokens[passage], column)
            words[places] += by_word
            intercepts[case] += rest
        return replace(found, words=words, pairs=pairs, intercepts=intercepts)


def _by_word(
    found: Contributions, places: slice, tokens: Tokens, column: int
) -> tuple[NDArray[np.float64], float]:
    """Return what the tokens of a passage bring to each of its words, and what is left."""
    assert found.parts.words.ends is not None  # noqa: S101 -- for the type checker
    ends = found.parts.words.ends[places]
    values = tokens.values[:, column].astype(np.float64) / len(tokens.values)
    marks = tokens.begins == tokens.ends
    if not len(ends):
        return np.zeros(0), float(values.sum())
    word = np.minimum(np.searchsorted(ends, tokens.begins, side="right"), len(ends) - 1)
    by_word = np.zeros(len(ends))
    np.add.at(by_word, word[~marks], values[~marks])
    return by_word, float(values[marks].sum())


def open_scorer(loaded: ModelFolder, *, cascade: bool = False, threads: int = 1) -> Scorer:
    """Return what scores by a model that was read.

    Parameters
    ----------
    loaded : ModelFolder
    cascade : bool, keyword-only
        Of an accurate model: ask the encoder only where the words aren't sure.
    threads : int, keyword-only
        Processor threads of the encoder.

    Raises
    ------
    ModelError
        If a file isn't what the manifest says, or the encoder can't be run here.
    """
    if not loaded.is_accurate:
        if cascade:
            raise ModelError(
                "a model of words alone has no cascade",
                where=loaded.model.name,
                hint="use --cascade with --model accurate",
            )
        return WordScorer(loaded.model)
    arrays = loaded.arrays(STACK)
    encoder = load_encoder(
        loaded.path, digest=loaded.manifest["files"].get(ENCODER_FACTS), threads=threads
    )
    n_labels = len(loaded.model.taxonomy.names)
    shapes = {"head": (n_labels, encoder.size), "alone": (n_labels, 2), "margin": (1,)}
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            raise ModelError(f"it lacks {name} of shape {shape}", where=STACK)
    return StackedScorer(
        loaded.model, Stack(**{name: arrays[name] for name in shapes}), encoder, cascade=cascade
    )
