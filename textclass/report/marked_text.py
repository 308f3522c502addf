"""Evidence marked in a text: overlapping spans cut into pieces that a template can print."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from textclass.report.page import MINUS, as_figure

MOST_SPANS = 200
"""How many spans of a passage are marked, strongest first; a tagger gives some tens at most."""

Span = Mapping[str, Any]
"""A row of evidence in the result schema; what a reader marked has no `text` and no `weight`."""


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
    labels : tuple of str
        All labels with evidence here.
    """

    text: str
    kind: str = ""
    note: str = ""
    keys: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarkedText:
    """A text in pieces, the number of each label with evidence, and that evidence by label."""

    pieces: tuple[Piece, ...]
    keys: Mapping[str, int]
    grounds: Mapping[str, Sequence[Span]]


def mark_text(
    text: str, evidence: Sequence[Span], *, shift: int = 0, first: Iterable[str] = ()
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
    strongest = sorted(evidence, key=lambda span: -abs(_weight(span)))[:MOST_SPANS]
    grounds = defaultdict(list)
    for span in strongest:
        grounds[span["label"]].append(span)
    order = dict.fromkeys([*first, *(span["label"] for span in evidence)])
    keys = {name: key for key, name in enumerate((n for n in order if n in grounds), 1)}
    spans = []
    for span in sorted(strongest, key=lambda span: keys[span["label"]]):
        start, end = span["start"] - shift, span["end"] - shift
        if 0 <= start < end <= len(text) and text[start:end] == span.get("text", text[start:end]):
            spans.append((start, end, span))
    edges = sorted({0, len(text), *(edge for span in spans for edge in span[:2])})
    pieces = []
    for begin, stop in pairwise(edges):
        over = [(end, span) for start, end, span in spans if start <= begin and stop <= end]
        kinds = {_kind(span) for _, span in over}
        notes = [_note(span) for _, span in over]
        ended = dict.fromkeys(
            (MINUS if _weight(span) < 0 else "") + str(keys[span["label"]])
            for end, span in over
            if end == stop
        )
        kind = " ".join(sorted(kinds, reverse=True))
        labels = tuple(span["label"] for _, span in over)
        pieces.append(Piece(text[begin:stop], kind, "; ".join(notes), tuple(ended), labels))
    return MarkedText(tuple(pieces), keys, {name: grounds[name] for name in keys})


def _weight(span: Span) -> float:
    return float(span.get("weight", 1))


def _kind(span: Span) -> str:
    return "for" if _weight(span) >= 0 else "against"


def _note(span: Span) -> str:
    weight = f", {as_figure(span['weight'], 2, '+')}" if "weight" in span else ""
    return f"{_kind(span)} {span['label']}{weight}"
