"""A corpus in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from textclass.corpora.rows import Corpus

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

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain dicts, text and numbers."""
        return asdict(self)


def count_corpus(corpus: Corpus) -> CorpusStats:
    """Count the passages of a corpus by label, register, decade, region and source."""
    lengths = np.array([len(text.split()) for text in corpus.texts])
    targets = corpus.targets[corpus.hard].astype(int)
    names, slices = corpus.taxonomy.names, corpus.taxonomy.slices
    together = {
        name: dict(zip(names, counts, strict=True))
        for name, counts in zip(names, (targets.T @ targets).tolist(), strict=True)
    }
    shape = {"shortest": lengths.min(), "middle": np.median(lengths), "longest": lengths.max()}
    return CorpusStats(
        passages=len(corpus),
        documents=len(set(corpus.groups)),
        words=int(lengths.sum()),
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
    counts = Counter(value or NOT_SAID for value in corpus.column(name))
    if set(counts) == {NOT_SAID}:
        return {}
    last = counts.pop(NOT_SAID, 0)
    order = sorted(counts) if name == "decade" else sorted(counts, key=lambda v: (-counts[v], v))
    return {value: counts[value] for value in order} | ({NOT_SAID: last} if last else {})
