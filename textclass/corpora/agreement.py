"""How far two readers of the same passages agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement on one label, a facet or all labels.

    Attributes
    ----------
    name : str
    both, first_only, second_only : int
        Decisions in which both readers, or only one of them, gave the label.
    f1 : float or None
        2 both / (2 both + first_only + second_only): over the labels of a facet, micro-F1. None
        where nobody gave a label.
    kappa, alpha : float or None
        Agreement beyond chance. None where there is one answer only, so nothing to agree about.
    """

    name: str
    both: int
    first_only: int
    second_only: int
    f1: float | None
    kappa: float | None
    alpha: float | None


@dataclass(frozen=True)
class Difference:
    """A label that one reader gave and the other didn't."""

    id: str
    text: str
    label: str
    given_by: str


@dataclass(frozen=True)
class Agreement:
    """Agreement of two readers.

    Attributes
    ----------
    passages : int
        That both labelled.
    first_alone, second_alone : int
        That only one of them labelled.
    labels, facets : tuple of LabelAgreement
    overall : LabelAgreement
        All decisions on all labels.
    differences : tuple of Difference
    """

    passages: int
    first_alone: int
    second_alone: int
    labels: tuple[LabelAgreement, ...]
    facets: tuple[LabelAgreement, ...]
    overall: LabelAgreement
    differences: tuple[Difference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the agreement as plain lists, dicts, text and numbers."""
        return asdict(self)


def compare_readers(
    first: Corpus, second: Corpus | None = None, *, readers: Sequence[str] | None = None
) -> Agreement:
    """Compare the labels that two readers gave to passages of the same id.

    Parameters
    ----------
    first, second : Corpus
        One for each reader; without `second` the rows of two that the column `reader` names.
    readers : sequence of str, keyword-only, optional
        Which two, if `first` has rows of more.

    Raises
    ------
    CorpusError
        If they have no passage in common, one has the same passage twice, or it isn't clear who the
        two are.
    """
    if second is None:
        named = set(first.column("reader")) - {"", "None"}
        pair = list(readers) if readers else sorted(named)
        if len(pair) != 2 or not named.issuperset(pair):
            raise CorpusError(
                f"the column 'reader' names {', '.join(sorted(named)) or 'nobody'}; two are needed",
                hint="give a second file, or two of the names with --readers",
            )
        of = {n: [r for r in first.rows if str(r.columns.get("reader")) == n] for n in pair}
        first, second = (replace(first, rows=tuple(of[name])) for name in pair)
    ours, theirs = _by_id(first), _by_id(second)
    shared = [number for number in ours if number in theirs]
    if not shared:
        raise CorpusError("the readers have no labelled passage in common", hint="ids must match")
    rows = [ours[number] for number in shared]
    a = replace(first, rows=tuple(rows)).targets > 0
    b = replace(first, rows=tuple(theirs[number] for number in shared)).targets > 0
    taxonomy = first.taxonomy
    return Agreement(
        passages=len(shared),
        first_alone=len(ours) - len(shared),
        second_alone=len(theirs) - len(shared),
        labels=tuple(_agree(name, a[:, c], b[:, c]) for name, c in taxonomy.columns.items()),
        facets=tuple(_agree(name, a[:, s], b[:, s]) for name, s in taxonomy.slices.items()),
        overall=_agree("all labels", a, b),
        differences=tuple(
            Difference(
                rows[r].id, rows[r].text, taxonomy.names[c], "first" if a[r, c] else "second"
            )
            for r, c in zip(*np.nonzero(a != b), strict=True)
        ),
    )


def cohen_kappa(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float | None:
    """Return Cohen's kappa of two readers' yes-or-no decisions; None where it isn't defined.

    (p_o - p_e) / (1 - p_e), with the observed agreement p_o and that expected from each reader's
    own shares, p_e: Cohen (1960), A Coefficient of Agreement for Nominal Scales, Educational and
    Psychological Measurement 20(1), 37-46.
    """
    observed = float((a == b).mean())
    expected = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorff_alpha(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float | None:
    """Return Krippendorff's alpha of two readers' yes-or-no decisions; None where it isn't defined.

    1 - (n - 1) o_01 / (n_0 n_1), with n = 2 a.size values, n_0 and n_1 of them no and yes, and o_01
    decisions that differ: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section
    A (binary data, two observers, no missing data).
    """
    n = 2 * a.size
    yes = int(a.sum()) + int(b.sum())
    if yes in (0, n):
        return None
    return 1 - (n - 1) * int((a != b).sum()) / (yes * (n - yes))


def _by_id(corpus: Corpus) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in corpus.rows:
        if row.hard and rows.setdefault(row.id, row).labels != row.labels:
            raise CorpusError(f"{row.id} has other labels before", where=row.where)
    return rows


def _agree(name: str, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> LabelAgreement:
    both, first, second = int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum())
    given = 2 * both + first + second
    f1 = 2 * both / given if given else None
    kappa, alpha = cohen_kappa(a, b), krippendorff_alpha(a, b)
    return LabelAgreement(name, both, first, second, f1, kappa, alpha)
