"""Characters folded to the forms that words are counted in, with the way back to the original."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

PIECE = 64
"""spaCy's tokenizer is quadratic on runs of punctuation; longer runs are cut at this length."""

# Single quotes (and the acute accent that stands for one), then double quotes.
_QUOTES = str.maketrans("\u2018\u2019\u201b\u00b4\u201c\u201d\u201e", "''''\"\"\"")


@dataclass(frozen=True)
class Folded:
    """A piece of text in folded form.

    Attributes
    ----------
    text : str
    starts, ends : tuple of int
        For each character of `text`, where the original character (with its combining marks) begins
        and ends.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def fold(piece: str) -> Folded:
    """Fold quotes, width and composition (NFKC); drop invisible and control characters.

    Lower case is left to the word table, since the tokenizer's rules look at case.
    """
    if piece.isascii() and piece.isprintable():
        return Folded(piece, tuple(range(len(piece))), tuple(range(1, len(piece) + 1)))
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(piece):
        folded = unicodedata.normalize("NFKC", piece[start:end].translate(_QUOTES))
        kept = "".join(c for c in folded if not unicodedata.category(c).startswith(("C", "Z")))
        text.append(kept)
        starts += [start] * len(kept)
        ends += [end] * len(kept)
    return Folded("".join(text), tuple(starts), tuple(ends))


def _clusters(piece: str) -> list[tuple[int, int]]:
    """Cut before each character that isn't a combining mark."""
    cuts = [i for i, c in enumerate(piece) if i == 0 or not unicodedata.combining(c)]
    return list(zip(cuts, [*cuts[1:], len(piece)], strict=True))
