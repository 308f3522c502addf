"""Labels of passages pooled into labels of their document, by the rule in `labels.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

from textclass.results import DocumentLabel, DocumentTags, Outcome, PassageTags
from textclass.taxonomy import Facet, Taxonomy

MOST_SHOWN = 5
"""How many of the strongest passages a document label names."""


def pool_document(
    taxonomy: Taxonomy,
    document: str,
    passages: Sequence[PassageTags],
    words: Sequence[int],
    model: str,
) -> DocumentTags:
    """Return the tags of a document from those of its passages.

    A label is given when the passages with it make up the facet's `share` of the document's words,
    or when one passage has it with at least the probability `strong`.

    Parameters
    ----------
    taxonomy : Taxonomy
    document : str
    passages : sequence of PassageTags
    words : sequence of int
        How many words each passage has.
    model : str
        The model's name and digest.
    """
    labels = tuple(
        label
        for facet in taxonomy
        for name in facet.names
        if (label := _pool_label(taxonomy, facet, name, passages, words))
    )
    primary = {
        facet.name: max(
            (label for label in labels if label.facet == facet.name),
            key=lambda label: (label.share, label.probability),
            default=None,
        )
        for facet in taxonomy
    }
    return DocumentTags(
        taxonomy=taxonomy,
        document=document,
        outcome=_outcome(labels, passages),
        labels=labels,
        primary={facet: label.label if label else None for facet, label in primary.items()},
        passages=tuple(passages),
        words=sum(words),
        model=model,
    )


def _pool_label(
    taxonomy: Taxonomy,
    facet: Facet,
    name: str,
    passages: Sequence[PassageTags],
    words: Sequence[int],
) -> DocumentLabel | None:
    column = taxonomy.columns[name]
    carriers = [i for i, passage in enumerate(passages) if name in passage.labels]
    if not carriers:
        return None
    ranked = sorted(carriers, key=lambda i: (-passages[i].probabilities[column], i))
    share = sum(words[i] for i in carriers) / max(sum(words), 1)
    strongest = passages[ranked[0]].probabilities[column]
    if share < facet.document.share and strongest < facet.document.strong:
        return None
    return DocumentLabel(
        name, facet.name, share, len(carriers), tuple(ranked[:MOST_SHOWN]), strongest
    )


def _outcome(labels: Sequence[DocumentLabel], passages: Sequence[PassageTags]) -> Outcome:
    if labels:
        return Outcome.TAGGED
    doubtful = any(p.outcome is not Outcome.NONE for p in passages)
    return Outcome.UNSURE if doubtful or not passages else Outcome.NONE
