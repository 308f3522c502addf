"""Scores of passages to labels, or to an honest none or unsure with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.language import is_english
from textclass.model.linear import LinearModel, Scores
from textclass.results import Outcome, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_WORDS = 4
"""Fewer words say too little."""

MIN_FUNCTION_WORDS = 0.2
"""English prose has about 0.45; under this share the passage's language is looked at."""

MIN_KNOWN_WORDS = 0.7
"""Least share of distinct words that the training corpus knows."""

NEAR = 0.4
"""A label this near under its threshold, in log odds, makes a passage without labels unsure."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was decided about a batch of passages.

    Attributes
    ----------
    given : ndarray of bool, shape (n_passages, n_labels)
    reasons : tuple of Reason or None
        Why a passage has no label; None where it has one.
    """

    given: NDArray[np.bool_]
    reasons: tuple[Reason | None, ...]

    def outcome(self, passage: int) -> Outcome:
        """Return the outcome of one passage."""
        reason = self.reasons[passage]
        if reason is None:
            return Outcome.TAGGED
        return Outcome.NONE if reason is Reason.BELOW_THRESHOLD else Outcome.UNSURE


def decide(
    model: LinearModel, scores: Scores, words_of: Callable[[int], Iterable[str]]
) -> Decisions:
    """Decide which labels each passage carries.

    Parameters
    ----------
    model : LinearModel
    scores : Scores
    words_of : callable
        Gives the words of a passage by its number; asked only where English is in doubt.
    """
    given = scores.probabilities >= model.thresholds
    reasons: list[Reason | None] = [None] * len(given)
    odds = _log_odds(scores.probabilities) - _log_odds(model.thresholds)
    near = odds.max(axis=1) > -NEAR
    for passage in np.flatnonzero(~given.any(axis=1)):
        reasons[passage] = Reason.NEAR_THRESHOLD if near[passage] else Reason.BELOW_THRESHOLD
    strange = (
        (scores.words < MIN_WORDS)
        | (scores.known < MIN_KNOWN_WORDS)
        | (scores.function < MIN_FUNCTION_WORDS)
    )
    for passage in np.flatnonzero(strange):
        if reason := _doubt(scores, int(passage), words_of):
            given[passage] = False
            reasons[passage] = reason
    return Decisions(given=given, reasons=tuple(reasons))


def _doubt(scores: Scores, passage: int, words_of: Callable[[int], Iterable[str]]) -> Reason | None:
    """Return why the passage is not one that the model can judge, if so."""
    if scores.words[passage] < MIN_WORDS:
        return Reason.TOO_SHORT
    doubtful = scores.function[passage] < MIN_FUNCTION_WORDS
    if doubtful and not is_english(words_of(passage)):
        return Reason.NOT_ENGLISH
    return Reason.UNFAMILIAR if scores.known[passage] < MIN_KNOWN_WORDS else None


def _log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return np.log(p) - np.log1p(-p)
