"""What scores passages: words alone, or words and an encoder; and what brought each score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from textclass.errors import ModelError
from textclass.language import Tokenizer, WordBatch
from textclass.model.decide import Decisions, decide
from textclass.model.encoder import ENCODER_FACTS, Encoder, Tokens, load_encoder
from textclass.model.evidence import Contributions, contributions
from textclass.model.linear import LinearModel, Scores, WordTable
from textclass.model.persistence import STACK, ModelFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scorer:
    """Scores passages by words alone, and says what brought each score.

    Decisions and contributions are of the batch scored last.

    Parameters
    ----------
    model : LinearModel
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self.tokenizer = Tokenizer()
        self._table = WordTable(model)
        self._batch: WordBatch
        self._bigrams: NDArray[np.int64]

    def score(self, texts: Sequence[str]) -> Scores:
        """Score passages."""
        self._batch = self.tokenizer.read(texts)
        self._table.grow(self.tokenizer.words, self.tokenizer.generation)
        self._bigrams = self._table.find_bigrams(self._batch)
        return self._table.score(self._batch, self._bigrams)

    def decide(self, scores: Scores) -> Decisions:
        """Decide which labels the passages carry."""
        ids, starts, words = self._batch.ids, self._batch.starts, self.tokenizer.words

        def words_of(passage: int) -> Iterator[str]:
            return (words[i] for i in ids[starts[passage] : starts[passage + 1]])

        return decide(self.model, scores, words_of)

    def contributions(self, passages: Sequence[int], columns: Sequence[int]) -> Contributions:
        """Return what each word brought: one case for each pair of passage and label column."""
        cases = (np.asarray(numbers, dtype=np.int64) for numbers in (passages, columns))
        return contributions(self._table, self._batch, self._bigrams, *cases)


class StackedScorer(Scorer):
    """Scores by words and by tokens in their context.

    The log odds of a label are the words' score plus the mean over tokens t of h_t · head.

    Parameters
    ----------
    model : LinearModel
        Its scores are in log odds, the stack's constant part included.
    encoder : Encoder
    head : ndarray of float32, shape (L, size), keyword-only
    alone : ndarray of float64, shape (L, 2), keyword-only
        Slope and offset that make the log odds from the words' score where the encoder isn't asked.
    margin : float, keyword-only
        The encoder is asked where the words put the log odds of some label nearer than this to its
        threshold.

    Attributes
    ----------
    asked : int
        How many passages the encoder was asked for.
    """

    def __init__(
        self,
        model: LinearModel,
        encoder: Encoder,
        *,
        head: NDArray[np.float32],
        alone: NDArray[np.float64],
        margin: float = np.inf,
    ) -> None:
        super().__init__(model)
        self._encoder, self._head, self._alone, self._margin = encoder, head, alone, margin
        self._tokens: dict[int, Tokens] = {}
        self.asked = 0

    def score(self, texts: Sequence[str]) -> Scores:
        """Score passages, also by what the encoder says where it is asked."""
        words = super().score(texts)
        total = words.scores * self._alone[:, 0] + self._alone[:, 1]
        away = np.abs(total - self.model.score_thresholds()).min(axis=1)
        asked = np.flatnonzero(away < self._margin).tolist()
        self.asked += len(asked)
        tokens = self._encoder.tokens([texts[i] for i in asked], self._head)
        self._tokens = dict(zip(asked, tokens, strict=True))
        for i, one in self._tokens.items():
            total[i] = words.scores[i] + one.values.mean(axis=0, dtype=np.float64)
        return replace(words, scores=total, probabilities=self.model.probabilities(total))

    def contributions(self, passages: Sequence[int], columns: Sequence[int]) -> Contributions:
        """Return what each word brought: one case for each pair of passage and label column.

        A token counts for the word that it stands in, a mark between words for the next one; the
        marks that begin and end a window count with the intercept.
        """
        found = super().contributions(passages, columns)
        slopes, offsets = self._alone[columns].T.copy()
        apart, starts, ends = found.apart.copy(), found.batch.starts, found.batch.ends
        for case, (passage, column) in enumerate(zip(passages, columns, strict=True)):
            if tokens := self._tokens.get(passage):
                places = slice(starts[case], starts[case + 1])
                apart[places], offsets[case] = _by_word(ends[places], tokens, column)
                slopes[case] = 1.0
        return replace(
            found,
            words=found.words * slopes[found.cases],
            pair_weights=found.pair_weights * slopes[found.cases[found.pairs]],
            intercepts=found.intercepts * slopes + offsets,
            apart=apart,
        )


def _by_word(
    ends: NDArray[np.int64], tokens: Tokens, column: int
) -> tuple[NDArray[np.float64], float]:
    """Return what the tokens of a passage bring to each of its words, and what is left."""
    values = tokens.values[:, column].astype(np.float64) / len(tokens.values)
    if not len(ends):
        return np.zeros(0), float(values.sum())
    marks = tokens.begins == tokens.ends
    word = np.minimum(np.searchsorted(ends, tokens.begins, side="right"), len(ends) - 1)
    by_word = np.bincount(word, np.where(marks, 0.0, values), len(ends))
    return by_word.astype(np.float64), float(values[marks].sum())


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
        return Scorer(loaded.model)
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
        loaded.model,
        encoder,
        head=arrays["head"],
        alone=arrays["alone"],
        margin=arrays["margin"].item() if cascade else np.inf,
    )
