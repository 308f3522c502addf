"""The result schema: tags of a passage, with the words that decided them, and of a document.

A document's tags are pooled from those of its passages, by the rule in `labels.yaml`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from textclass.taxonomy import Taxonomy


class Outcome(StrEnum):
    """What was decided about a passage."""

    TAGGED = "tagged"
    NONE = "none"
    UNSURE = "unsure"


class Reason(StrEnum):
    """Why a passage, or a document, carries no label."""

    TOO_SHORT = "too-short"
    NOT_ENGLISH = "not-english"
    UNFAMILIAR = "unfamiliar"
    NEAR_THRESHOLD = "near-threshold"
    BELOW_THRESHOLD = "below-threshold"
    UNREAD = "unread"


class Evidence(NamedTuple):
    """A stretch of the text that spoke for a label, or against it.

    Attributes
    ----------
    label : str
    start, end : int
        Code-point offsets into the document's text.
    text : str
    weight : float
        Share of the label's score that these words brought; negative if they spoke against it.
    """

    label: str
    start: int
    end: int
    text: str
    weight: float

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence in the result schema."""
        return {**self._asdict(), "weight": round(self.weight, 4)}


@dataclass(frozen=True)
class PassageTags:
    """The tags of one passage.

    Attributes
    ----------
    taxonomy : Taxonomy
    text : str
        The passage.
    outcome : Outcome
    reason : Reason or None
        Why there is no label; None where there is one.
    labels : tuple of str
        All labels given, of every facet, in `labels.yaml` order.
    probabilities : tuple of float
        Calibrated probability of each label of the taxonomy, given or not.
    evidence : tuple of Evidence
        For each label given, strongest first.
    model : str
        Name and digest of the model.
    start, end : int
        Code-point offsets into the document's text.
    id, document : str
    page : int or None
        Counted from 1; None where the format has no pages.
    unread : tuple of str
        Parts of its document that were not read.
    """

    taxonomy: Taxonomy = field(repr=False)
    text: str
    outcome: Outcome
    reason: Reason | None
    labels: tuple[str, ...]
    probabilities: tuple[float, ...] = field(repr=False)
    evidence: tuple[Evidence, ...]
    model: str
    start: int = 0
    end: int = 0
    id: str = ""
    document: str = ""
    page: int | None = None
    unread: tuple[str, ...] = ()

    def __getitem__(self, facet: str) -> tuple[str, ...]:
        """Return the labels given in `facet`."""
        if not self.labels:
            return ()
        names = self.taxonomy.names[self.taxonomy.slices[facet]]
        return tuple([label for label in self.labels if label in names])

    @property
    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Calibrated probability of every label, by facet and label."""
        return by_facet(self.taxonomy, self.probabilities)

    def to_dict(self) -> dict[str, Any]:
        """Return the passage in the result schema."""
        return next(passage_rows([self]))


def passage_rows(passages: Sequence[PassageTags]) -> Iterator[dict[str, Any]]:
    """Yield passages in the result schema: many, since rounding one by one takes long.

    Parameters
    ----------
    passages : sequence of PassageTags
        Of one taxonomy.
    """
    probabilities = rounded([one.probabilities for one in passages])
    weights = iter(rounded([part.weight for one in passages for part in one.evidence]))
    for one, scores in zip(passages, probabilities, strict=True):
        yield {
            "id": one.id,
            "document": one.document,
            "page": one.page,
            "start": one.start,
            "end": one.end,
            "text": one.text,
            **_decision(one),
            **{facet: list(one[facet]) for facet in one.taxonomy.slices},
            "scores": by_facet(one.taxonomy, scores),
            "evidence": [
                {"label": label, "start": start, "end": end, "text": text, "weight": next(weights)}
                for label, start, end, text, _ in one.evidence
            ],
            "model": one.model,
        }


def _decision(one: PassageTags | DocumentTags) -> dict[str, Any]:
    reason = one.reason  # of a document it is worked out
    outcome = {"outcome": str(one.outcome), "reason": str(reason) if reason else None}
    return {**outcome, "unread": list(one.unread)}


def rounded(figures: Sequence[Any]) -> list[Any]:
    """Return figures rounded to four places: what the builtin `round` gives, far faster.

    The quotient of two whole numbers is the double next to a decimal, as `round` returns; so only
    where the product with 10,000, itself rounded, may lie on the wrong side of a half is it asked.
    """
    exact = np.asarray(figures, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = exact * 1e4
        found = np.rint(shifted) / 1e4
        unsure = (np.abs(shifted % 1 - 0.5) < 1e-6) | (np.abs(shifted) > 1e9)
    found[unsure] = [round(figure, 4) for figure in exact[unsure].tolist()]
    return list(found.tolist())


def text_id(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of a text in UTF-8, its id in all tables."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def by_facet(taxonomy: Taxonomy, values: Sequence[float]) -> dict[str, dict[str, float]]:
    """Return one value per label as a dict of facets and labels."""
    return {
        facet.name: dict(zip(facet.names, values[columns], strict=True))
        for facet, columns in zip(taxonomy, taxonomy.slices.values(), strict=True)
    }


class DocumentLabel(NamedTuple):
    """A label of a document and what earned it.

    Attributes
    ----------
    label, facet : str
    share : float
        Share of the document's words in passages with the label.
    passages : int
        How many passages carry it.
    strongest : tuple of int
        Indices into the document's passages, highest probability first.
    probability : float
        The mean of its highest probabilities, those of a fifth of the passages, at least two.
    """

    label: str
    facet: str
    share: float
    passages: int
    strongest: tuple[int, ...]
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Return the label in the result schema."""
        share, probability = round(self.share, 4), round(self.probability, 4)
        figures = {"share": share, "strongest": list(self.strongest), "probability": probability}
        return self._asdict() | figures


@dataclass(frozen=True)
class DocumentTags:
    """The tags of a document, pooled from its passages.

    Attributes
    ----------
    document : str
    outcome : Outcome
    labels : tuple of DocumentLabel
        In `labels.yaml` order.
    primary : Mapping of str to str or None
        For each facet the label with the largest share, or None.
    probabilities : tuple of float
        Of each label of the taxonomy, given or not, pooled from the passages.
    passages : tuple of PassageTags
    words : int
    model : str
        Name and digest of the model.
    unread : tuple of str
        Parts that were not read.
    """

    taxonomy: Taxonomy = field(repr=False)
    document: str
    outcome: Outcome
    labels: tuple[DocumentLabel, ...]
    primary: Mapping[str, str | None]
    probabilities: tuple[float, ...] = field(repr=False)
    passages: tuple[PassageTags, ...] = field(repr=False)
    words: int
    model: str
    unread: tuple[str, ...] = ()

    @property
    def reason(self) -> Reason | None:
        """Why an unsure document is: parts were not read, or what most unsure passages say."""
        if self.outcome is not Outcome.UNSURE:
            return None
        if self.unread:
            return Reason.UNREAD
        said = Counter(one.reason for one in self.passages if one.outcome is Outcome.UNSURE)
        # Labels of passages that the document is too uncertain of are near, too.
        return said.most_common(1)[0][0] if said else Reason.NEAR_THRESHOLD

    def __getitem__(self, facet: str) -> tuple[str, ...]:
        """Return the names of the labels given in `facet`."""
        return tuple(label.label for label in self.labels if label.facet == facet)

    def to_dict(self) -> dict[str, Any]:
        """Return the document in the result schema, without its passages."""
        return next(document_rows([self]))


def document_rows(documents: Sequence[DocumentTags]) -> Iterator[dict[str, Any]]:
    """Yield documents in the result schema, without their passages.

    Parameters
    ----------
    documents : sequence of DocumentTags
        Of one taxonomy.
    """
    probabilities = rounded([one.probabilities for one in documents])
    for one, scores in zip(documents, probabilities, strict=True):
        yield {
            "document": one.document,
            **_decision(one),
            "words": one.words,
            "passages": len(one.passages),
            **{facet: list(one[facet]) for facet in one.taxonomy.slices},
            "primary": dict(one.primary),
            "scores": by_facet(one.taxonomy, scores),
            "labels": [label.to_dict() for label in one.labels],
            "model": one.model,
        }


@dataclass(frozen=True)
class Explanation:
    """Why one label was given to a passage, or why it was not.

    Attributes
    ----------
    label : str
    given : bool
    reason : Reason or None
        Why the passage has no label at all, if so.
    probability, threshold : float
    score, intercept : float
        The score before calibration is `intercept` plus the sum of all word weights.
    words : tuple of (str, float)
        Each word of the passage, in text order, with what it brought to the score.
    evidence : tuple of Evidence
        The spans for the label, then those against.
    """

    label: str
    given: bool
    reason: Reason | None
    probability: float
    threshold: float
    score: float
    intercept: float
    words: tuple[tuple[str, float], ...]
    evidence: tuple[Evidence, ...]

    def strongest(self, most: int) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the words for the label and those against it, strongest first, at most `most`."""
        totals: dict[str, float] = {}
        for word, weight in self.words:
            totals[word] = totals.get(word, 0.0) + weight
        rising = sorted(totals.items(), key=lambda item: item[1])
        return (
            [item for item in reversed(rising) if item[1] > 0][:most],
            [item for item in rising if item[1] < 0][:most],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain lists, text and numbers."""
        return {**asdict(self), "evidence": [evidence.to_dict() for evidence in self.evidence]}
