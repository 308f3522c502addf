"""What a tagger says of labelled passages, beside what their readers said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textclass.errors import CorpusError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.corpora import Corpus
    from textclass.results import PassageTags
    from textclass.tagger import Tagger


@dataclass(frozen=True, eq=False)
class Predictions:
    """Labels, true and given, of the passages of a corpus.

    Attributes
    ----------
    corpus : Corpus
        Rows with labels only.
    truth, given : ndarray of bool, shape (n_passages, n_labels)
    probabilities : ndarray of float64, shape (n_passages, n_labels)
    tags : tuple of PassageTags
        With their evidence; empty where it wasn't asked for.
    """

    corpus: Corpus
    truth: NDArray[np.bool_]
    given: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    tags: tuple[PassageTags, ...]


def predict(tagger: Tagger, corpus: Corpus, *, evidence: bool = True) -> Predictions:
    """Tag the labelled rows of a corpus; soft-labelled rows are left out.

    Raises
    ------
    CorpusError
        If no row has labels.
    ModelError
        If the tagger's labels aren't those of the corpus, in whatever order.
    """
    names = corpus.taxonomy.names
    if set(names) != set(tagger.taxonomy.names):
        other = sorted(set(names) ^ set(tagger.taxonomy.names))
        raise ModelError(
            f"the corpus is read under other labels than the model's: {', '.join(other)}",
            where=tagger.model.name,
            hint="read the corpus with the model's taxonomy",
        )
    corpus = corpus.select(lambda row: row.hard)
    if not corpus.rows:
        raise CorpusError("no row with labels to evaluate on")
    order = [tagger.taxonomy.columns[name] for name in names]
    tags = tuple(tagger.tag_many(corpus.texts, evidence=evidence))
    return Predictions(
        corpus=corpus,
        truth=corpus.targets > 0,
        given=np.array([[name in tag.labels for name in names] for tag in tags]),
        probabilities=np.array([tag.probabilities for tag in tags])[:, order],
        tags=tags if evidence else (),
    )
