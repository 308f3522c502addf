"""A document's tags from those of its passages, by the rule in `labels.yaml`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import ceil

import numpy as np

from textclass.results import DocumentLabel, DocumentTags, Outcome, PassageTags, Reason
from textclass.taxonomy import Taxonomy

MOST_SHOWN = 5
"""How many of the strongest passages a document label names."""

POOLED, LEAST_POOLED = 0.2, 2
"""Which part of a document's passages, at least how many, make its probability of a label."""


def pool_document(
    taxonomy: Taxonomy,
    document: str,
    passages: Sequence[PassageTags],
    words: Sequence[int],
    model: str,
    *,
    unread: tuple[str, ...] = (),
) -> DocumentTags:
    """Return the tags of a document from those of its passages.

    A label of a passage is given to the document when its mean probability over the fifth of the
    passages (at least two) that are the most certain of it reaches the facet's `document`. Without
    any label a document is `none` only if it was read whole and each of its passages is. Passages
    too short to judge don't count, if there are others.

    Parameters
    ----------
    taxonomy : Taxonomy
    document : str
    passages : sequence of PassageTags
    words : sequence of int
        How many words each passage has.
    model : str
        The model's name and digest.
    unread : tuple of str, keyword-only
        Parts that were not read.
    """
    carriers: dict[str, list[int]] = defaultdict(list)
    for index, passage in enumerate(passages):
        for name in passage.labels:
            carriers[name].append(index)
    total = sum(words)
    judged = [one for one in passages if one.reason is not Reason.TOO_SHORT] or passages
    pooled = _pooled([one.probabilities for one in judged]) or (0.0,) * len(taxonomy.names)
    labels: list[DocumentLabel] = []
    for facet in taxonomy:
        for name in filter(carriers.__contains__, facet.names):
            column, its = taxonomy.columns[name], carriers[name]
            if pooled[column] >= facet.document:
                share = sum([words[i] for i in its]) / max(total, 1)
                # The sort is stable: of equals the first one stays first.
                its.sort(key=lambda i: -passages[i].probabilities[column])
                strongest = tuple(its[:MOST_SHOWN])
                labels.append(
                    DocumentLabel(name, facet.name, share, len(its), strongest, pooled[column])
                )
    primary: dict[str, str | None] = dict.fromkeys(taxonomy.slices)
    # The first of equals is kept: labels stand in the order of the taxonomy.
    for label in sorted(labels, key=lambda label: (label.share, label.probability), reverse=True):
        primary[label.facet] = primary[label.facet] or label.label
    whole = bool(passages) and not unread and all(p.outcome is Outcome.NONE for p in judged)
    return DocumentTags(
        taxonomy=taxonomy,
        document=document,
        outcome=Outcome.TAGGED if labels else Outcome.NONE if whole else Outcome.UNSURE,
        labels=tuple(labels),
        primary=primary,
        probabilities=pooled,
        passages=tuple(passages),
        words=total,
        model=model,
        unread=unread,
    )


def _pooled(probabilities: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Return a document's probability of each label from those of its passages; () without any."""
    if len(probabilities) <= 1:  # as of most rows of tables
        return probabilities[0] if probabilities else ()
    highest = -np.sort(-np.array(probabilities), axis=0)
    counted = max(LEAST_POOLED, ceil(POOLED * len(highest)))
    return tuple(highest[:counted].mean(axis=0).tolist())
