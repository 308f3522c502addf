"""A corpus in numbers: what it holds, and how far two readers of it agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError

COLUMNS = ("register", "decade", "region", "source", "labelled")
"""The further columns that are counted, where rows have them."""

NOT_SAID = "(not said)"


@dataclass(frozen=True)
class CorpusStats:
    """Counts of a corpus.

    Attributes
    ----------
    passages, documents, words : int
    soft : int
        Passages with probabilities instead of labels. The counts of labels below leave them out.
    lengths : Mapping of str to int
        Words of the shortest, the middle and the longest passage.
    labels : Mapping of str to Mapping of str to int
        Passages with each label, by facet, in `labels.yaml` order.
    none : Mapping of str to int
        Passages without any label of the facet.
    columns : Mapping of str to Mapping of str to int
        Passages with each value of register, decade, region, source and how they were labelled.
    together : Mapping of str to Mapping of str to int
        Passages that have both labels, for every two labels that meet.
    """

    passages: int
    documents: int
    words: int
    soft: int
    lengths: Mapping[str, int]
    labels: Mapping[str, Mapping[str, int]]
    none: Mapping[str, int]
    columns: Mapping[str, Mapping[str, int]]
    together: Mapping[str, Mapping[str, int]]


def count_corpus(corpus: Corpus) -> CorpusStats:
    """Count the passages of a corpus by label, register, decade, region and source."""
    words = pd.Series([len(text.split()) for text in corpus.texts])
    shape = {"shortest": words.min(), "middle": words.median(), "longest": words.max()}
    targets = corpus.targets[corpus.hard].astype(int)
    names, slices = corpus.taxonomy.names, corpus.taxonomy.slices
    together = {
        name: dict(zip(names, counts, strict=True))
        for name, counts in zip(names, (targets.T @ targets).tolist(), strict=True)
    }
    return CorpusStats(
        passages=len(corpus),
        documents=len(set(corpus.groups)),
        words=int(words.sum()),
        soft=int((~corpus.hard).sum()),
        lengths={name: int(value) for name, value in shape.items()},
        labels={f: {name: together[name][name] for name in names[s]} for f, s in slices.items()},
        none={f: int((targets[:, s].sum(axis=1) == 0).sum()) for f, s in slices.items()},
        columns={name: counts for name in COLUMNS if (counts := _values(corpus, name))},
        together={
            name: {other: n for other, n in counts.items() if n and other != name}
            for name, counts in together.items()
        },
    )


def _values(corpus: Corpus, name: str) -> dict[str, int]:
    """Count the values of a column, decades in time's order and the rest by number."""
    counts = Counter(corpus.column(name))
    last = counts.pop("", 0)
    order = sorted(counts) if name == "decade" else sorted(counts, key=lambda v: (-counts[v], v))
    unsaid = {NOT_SAID: last} if counts and last else {}
    return {value: counts[value] for value in order} | unsaid


@dataclass(frozen=True, eq=False)
class Agreement:
    """Agreement of two readers.

    Attributes
    ----------
    passages : int
        That both labelled.
    first_alone, second_alone : int
        That only one of them labelled.
    figures : DataFrame
        A row for each `label`, facet and all labels: decisions in which `both` readers, the
        `first_only` or the `second_only` gave a label, `f1` (over several labels micro-F1),
        `kappa` and `alpha`. NaN where there is one answer only, so nothing to agree about.
    differences : DataFrame
        The labels that one reader gave and the other didn't: `id`, `label`, `given_by`, `text`.
    """

    passages: int
    first_alone: int
    second_alone: int
    figures: pd.DataFrame
    differences: pd.DataFrame


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
    a, b = (
        replace(first, rows=tuple(rows[number] for number in shared)).targets > 0
        for rows in (ours, theirs)
    )
    taxonomy = first.taxonomy
    parts: dict[str, int | slice] = {
        **taxonomy.columns,
        **taxonomy.slices,
        "all labels": slice(None),
    }
    decisions = {"both": a & b, "first_only": a & ~b, "second_only": b & ~a, "neither": ~(a | b)}
    counts = {
        kind: [int(answer[:, part].sum()) for part in parts.values()]
        for kind, answer in decisions.items()
    }
    differences = [
        (shared[r], taxonomy.names[c], "first" if a[r, c] else "second", ours[shared[r]].text)
        for r, c in zip(*np.nonzero(a != b), strict=True)
    ]
    return Agreement(
        passages=len(shared),
        first_alone=len(ours) - len(shared),
        second_alone=len(theirs) - len(shared),
        figures=add_agreement(pd.DataFrame(counts, index=list(parts))).reset_index(names="label"),
        differences=pd.DataFrame(differences, columns=["id", "label", "given_by", "text"]),
    )


def add_agreement(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts of two readers' yes-or-no decisions with F1, kappa and alpha.

    Cohen's kappa is (p_o - p_e) / (1 - p_e), with the observed agreement p_o and that expected from
    each reader's own shares, p_e: Cohen (1960), A Coefficient of Agreement for Nominal Scales,
    Educational and Psychological Measurement 20(1), 37-46. Krippendorff's alpha is
    1 - (n - 1) o_01 / (n_0 n_1), with n values, n_0 and n_1 of them no and yes, and o_01 decisions
    that differ: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section A (binary
    data, two observers, no missing data).

    Parameters
    ----------
    counts : DataFrame
        Decisions in which `both` said yes, `first_only`, `second_only` or `neither`.
    """
    both, first, second, neither = (counts[name].astype(float) for name in counts)
    total, differ = counts.sum(axis=1), first + second
    expected = (both + first) * (both + second) + (neither + first) * (neither + second)
    expected /= total**2
    yes = 2 * both + differ
    return counts.drop(columns="neither").assign(
        f1=2 * both / yes,
        kappa=((both + neither) / total - expected) / (1 - expected),
        alpha=1 - (2 * total - 1) * differ / (yes * (2 * total - yes)),
    )


def _by_id(corpus: Corpus) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in corpus.rows:
        if row.hard and rows.setdefault(row.id, row).labels != row.labels:
            raise CorpusError(f"{row.id} has other labels before", where=row.where)
    return rows
