"""Documents and passages in the shape that the templates print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from textclass.report.highlights import MarkedText, mark_text
from textclass.taxonomy import Taxonomy

OUTCOMES = ("unsure", "tagged", "none")
"""In the order in which people want to see them."""

REASONS = {
    "too-short": "too short to judge",
    "not-english": "not English",
    "unfamiliar": "words that the model hardly knows",
    "near-threshold": "just under a threshold",
    "below-threshold": "no label reaches its threshold",
    "unread": "part of it was not read",
}
MOST_PASSAGES = 300
"""How many passages of a document are shown; the rest are counted, and are in the results."""

MOST_CLOSE = 3
"""How many labels that nearly applied are named for an unsure passage."""


@dataclass(frozen=True)
class Tag:
    """A label of a passage or nearly so; `key` numbers its evidence in the text."""

    name: str
    lead: bool
    probability: float | None
    key: int | None = None


@dataclass(frozen=True)
class PassageView:
    """A passage as shown."""

    anchor: str
    place: str
    outcome: str
    reason: str
    tags: tuple[Tag, ...]
    close: tuple[Tag, ...]
    marked: MarkedText


@dataclass(frozen=True)
class LabelView:
    """A label of a document; `strongest` holds the anchor and the place of each passage."""

    name: str
    lead: bool
    primary: bool
    share: float
    probability: float
    passages: int
    strongest: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DocumentView:
    """A document as shown; `shown` maps an outcome to its passages, `hidden` counts the rest."""

    anchor: str
    name: str
    folder: str
    date: str
    outcome: str
    unread: tuple[str, ...]
    words: int
    passages: int
    unsure: int
    labels: tuple[LabelView, ...]
    shown: Mapping[str, tuple[PassageView, ...]]
    hidden: int


def known_outcome(outcome: object) -> str:
    """Return an outcome that the style sheet knows."""
    return str(outcome) if outcome in OUTCOMES else "none"


def document_view(number: int, record: Mapping[str, Any], taxonomy: Taxonomy) -> DocumentView:
    """Return the document of a batch record, `number` counted from 1 over the report."""
    tags: Mapping[str, Any] = record["document"]
    passages: Sequence[Mapping[str, Any]] = record["passages"]
    anchor = f"d{number}"
    by_outcome: dict[str, list[int]] = {outcome: [] for outcome in OUTCOMES}
    for index, passage in enumerate(passages):
        by_outcome[known_outcome(passage["outcome"])].append(index)
    in_order = (index for indices in by_outcome.values() for index in indices)
    chosen = set(islice(in_order, MOST_PASSAGES))
    return DocumentView(
        anchor=anchor,
        name=str(tags["document"]),
        folder=str(record.get("folder") or ""),
        date=str(record.get("date") or "")[:10],
        outcome=known_outcome(tags["outcome"]),
        unread=tuple(map(str, tags.get("unread", ()))),
        words=int(tags["words"]),
        passages=len(passages),
        unsure=len(by_outcome["unsure"]),
        labels=tuple(_labels(tags, passages, anchor, chosen, taxonomy)),
        shown={
            outcome: tuple(
                _passage(f"{anchor}p{index}", index, passages[index], taxonomy)
                for index in indices
                if index in chosen
            )
            for outcome, indices in by_outcome.items()
        },
        hidden=len(passages) - len(chosen),
    )


def _labels(
    tags: Mapping[str, Any],
    passages: Sequence[Mapping[str, Any]],
    anchor: str,
    chosen: set[int],
    taxonomy: Taxonomy,
) -> Iterable[LabelView]:
    lead = taxonomy.facets[0].name
    primary = set(tags.get("primary", {}).values())
    for label in tags["labels"]:
        yield LabelView(
            name=label["label"],
            lead=label["facet"] == lead,
            primary=label["label"] in primary,
            share=float(label["share"]),
            probability=float(label["probability"]),
            passages=int(label["passages"]),
            strongest=tuple(
                (f"{anchor}p{index}", _place(index, passages[index]))
                for index in label["strongest"]
                if index in chosen
            ),
        )


def _place(index: int, passage: Mapping[str, Any]) -> str:
    page = passage.get("page")
    return f"page {page}, passage {index + 1}" if page is not None else f"passage {index + 1}"


def _passage(
    anchor: str, index: int, passage: Mapping[str, Any], taxonomy: Taxonomy
) -> PassageView:
    lead = taxonomy.facets[0].name
    scores = {
        label: (facet == lead, float(probability))
        for facet, labels in passage["scores"].items()
        for label, probability in labels.items()
    }
    given = [label for facet in taxonomy for label in passage.get(facet.name, ())]
    marked = mark_text(
        passage["text"], passage["evidence"], shift=int(passage["start"]), first=given
    )
    keys = {ground.label: ground.key for ground in marked.grounds}
    outcome = known_outcome(passage["outcome"])
    close = sorted(scores, key=lambda label: -scores[label][1]) if outcome == "unsure" else []
    reason = passage.get("reason") or ""
    return PassageView(
        anchor=anchor,
        place=_place(index, passage),
        outcome=outcome,
        reason=REASONS.get(reason, reason),
        tags=tuple(
            Tag(label, label in passage[lead], scores[label][1], keys.get(label)) for label in given
        ),
        close=tuple(Tag(label, *scores[label]) for label in close[:MOST_CLOSE]),
        marked=marked,
    )
