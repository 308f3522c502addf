"""Evidence marked in a text: overlapping spans cut into pieces that a template can print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from textclass.report.page import MINUS, as_signed

MOST_SPANS = 200
"""How many spans of a passage are marked, strongest first; a tagger gives some tens at most."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text under the same evidence.

    Attributes
    ----------
    text : str
    kind : str
        `for`, `against`, `for against`, or nothing.
    note : str
        Each label with its weight, in words.
    keys : tuple of str
        Numbers of the labels whose evidence ends here; a minus sign stands before those against.
    """

    text: str
    kind: str = ""
    note: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ground:
    """What spoke for a label and against it, as words with their signed weights."""

    key: int
    label: str
    pros: tuple[tuple[str, str], ...]
    cons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    label: str
    weight: float
    key: str


@dataclass(frozen=True)
class MarkedText:
    """A text in pieces, and the grounds of each label that has evidence in it."""

    pieces: tuple[Piece, ...]
    grounds: tuple[Ground, ...]


def mark_text(
    text: str, evidence: Sequence[Mapping[str, Any]], *, shift: int = 0, first: Iterable[str] = ()
) -> MarkedText:
    """Mark `evidence` in `text`.

    Parameters
    ----------
    text : str
    evidence : sequence of Mapping
        In the result schema. A span that doesn't stand in the text where it says is listed among
        the grounds and not marked.
    shift : int, keyword-only
        Offset of the text in its document, if the evidence counts from there.
    first : iterable of str, keyword-only
        Labels to number first, in this order.
    """
    strongest = sorted(evidence, key=lambda e: -abs(e["weight"]))[:MOST_SPANS]
    given = {e["label"] for e in strongest}
    names = dict.fromkeys([name for name in first if name in given])
    names |= dict.fromkeys(e["label"] for e in evidence if e["label"] in given)
    keys = {name: number for number, name in enumerate(names, 1)}
    spans = []
    for e in strongest:
        start, end = e["start"] - shift, e["end"] - shift
        if 0 <= start < end <= len(text) and text[start:end] == e["text"]:
            sign = MINUS if e["weight"] < 0 else ""
            spans.append(_Span(start, end, e["label"], e["weight"], f"{sign}{keys[e['label']]}"))
    return MarkedText(tuple(_cut(text, spans)), tuple(_grounds(strongest, keys)))


def _cut(text: str, spans: Sequence[_Span]) -> Iterable[Piece]:
    edges = sorted({0, len(text), *(s.start for s in spans), *(s.end for s in spans)})
    for start, end in pairwise(edges):
        over = [s for s in spans if s.start <= start and end <= s.end]
        if not over:
            yield Piece(text[start:end])
            continue
        over.sort(key=lambda s: int(s.key.lstrip(MINUS)))
        kinds = ["for"] * any(s.weight >= 0 for s in over)
        kinds += ["against"] * any(s.weight < 0 for s in over)
        note = "; ".join(
            f"{'for' if s.weight >= 0 else 'against'} {s.label}, {as_signed(s.weight)}"
            for s in over
        )
        keys = dict.fromkeys(s.key for s in over if s.end == end)
        yield Piece(text[start:end], " ".join(kinds), note, tuple(keys))


def _grounds(evidence: Sequence[Mapping[str, Any]], keys: Mapping[str, int]) -> Iterable[Ground]:
    for label, key in keys.items():
        words = [(e["text"], e["weight"]) for e in evidence if e["label"] == label]
        yield Ground(
            key=key,
            label=label,
            pros=tuple((text, as_signed(weight)) for text, weight in words if weight >= 0),
            cons=tuple((text, as_signed(weight)) for text, weight in words if weight < 0),
        )
