"""What users hold: language and model together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.errors import TextclassError
from textclass.language import Passage, Tokenizer, WordBatch, split_passages, whole_passage
from textclass.model import (
    Contributions,
    Decisions,
    LinearModel,
    Scores,
    WordTable,
    contributions,
    decide,
    evidence_of,
    load_folder,
    passage_parts,
    words_by_weight,
)
from textclass.pooling import pool_document
from textclass.results import DocumentTags, Evidence, Explanation, PassageTags
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

BATCH = 256
"""Passages scored together; more is no faster."""


class Tagger:
    """Tags passages and documents with a trained model.

    Parameters
    ----------
    model : LinearModel

    Examples
    --------
    >>> import textclass
    >>> tagger = textclass.load()
    >>> tagger.tag("Our twin town sent its choir, and each family took two singers in.")["type"]
    ('citizen',)
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self._tokenizer = Tokenizer()
        self._table = WordTable(model)

    @classmethod
    def load(cls, model: str | Path = "default") -> Tagger:
        """Load a model by its name, if it ships with the package, or from its folder.

        Raises
        ------
        ModelError
            If the folder isn't a whole and unaltered model.
        """
        return cls(load_folder(model).model)

    @property
    def taxonomy(self) -> Taxonomy:
        """The labels, in column order."""
        return self.model.taxonomy

    def score(self, texts: Sequence[str]) -> Scores:
        """Score a batch of passages: the fast path, arrays only.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        Scores
            Of shape (len(texts), n_labels).
        """
        return self._score(texts)[0]

    def _score(self, texts: Sequence[str], *, spans: bool = False) -> tuple[Scores, WordBatch]:
        batch = self._tokenizer.read(texts, spans=spans)
        self._table.grow(self._tokenizer.words, self._tokenizer.generation)
        return self._table.score(batch), batch

    def tag(self, text: str, *, evidence: bool = True) -> PassageTags:
        """Tag one passage.

        Parameters
        ----------
        text : str
        evidence : bool, keyword-only
            Whether to find the words that decided each label.
        """
        return self._tag_batch([(text, "", whole_passage(text), None)], evidence=evidence)[0]

    def tag_many(
        self, texts: Iterable[str], *, evidence: bool = True, batch_size: int = BATCH
    ) -> Iterator[PassageTags]:
        """Tag each text as one passage, in order, in constant memory.

        Parameters
        ----------
        texts : iterable of str
        evidence : bool, keyword-only
        batch_size : int, keyword-only
        """
        if isinstance(texts, str):
            raise TypeError("tag_many takes an iterable of texts; use tag for one text")
        places = ((text, "", whole_passage(text), None) for text in texts)
        while batch := list(islice(places, batch_size)):
            yield from self._tag_batch(batch, evidence=evidence)

    def tag_document(
        self,
        text: str,
        *,
        document: str = "",
        page_starts: Sequence[int] = (),
        whole: bool = False,
        evidence: bool = True,
    ) -> DocumentTags:
        """Cut a document into passages, tag each, and pool their labels.

        Parameters
        ----------
        text : str
        document : str, keyword-only
            Its name in the results.
        page_starts : sequence of int, keyword-only
            Code-point offset at which each page begins.
        whole : bool, keyword-only
            Take the text as one passage instead of cutting it.
        evidence : bool, keyword-only
        """
        passages = [whole_passage(text)] if whole else split_passages(text)
        pages = np.searchsorted(page_starts, [p.start for p in passages], side="right")
        places = [
            (text, document, passage, int(page) if len(page_starts) else None)
            for passage, page in zip(passages, pages, strict=True)
        ]
        tagged: list[PassageTags] = []
        for first in range(0, len(places), BATCH):
            tagged += self._tag_batch(places[first : first + BATCH], evidence=evidence)
        return pool_document(
            self.taxonomy, document, tagged, [p.words for p in passages], self.model.name
        )

    def tag_frame(self, frame: pd.DataFrame, *, text_column: str = "text") -> pd.DataFrame:
        """Tag the texts of a DataFrame.

        Parameters
        ----------
        frame : DataFrame
        text_column : str, keyword-only

        Returns
        -------
        DataFrame
            The caller's index and columns, then `outcome`, `reason`, one list column per facet and
            one float column `<facet>.<label>` per label. A column of the caller's with such a name
            becomes `input.<name>`.

        Raises
        ------
        TextclassError
            If the column isn't there, or a row has no text.
        """
        if text_column not in frame.columns:
            raise TextclassError(
                f"no column {text_column!r}", hint=f"the columns are {', '.join(frame.columns)}"
            )
        for place, text in frame[text_column].items():
            if not isinstance(text, str):
                raise TextclassError(
                    f"a text was expected, not {text!r}",
                    where=f"row {place!r}",
                    hint=f"leave such rows out: frame.dropna(subset=[{text_column!r}])",
                )
        results = list(self.tag_many(frame[text_column], evidence=False))
        columns: dict[str, Any] = {
            "outcome": [str(r.outcome) for r in results],
            "reason": [str(r.reason) if r.reason else None for r in results],
        }
        for facet, labels in self.taxonomy.slices.items():
            columns[facet] = [list(r[facet]) for r in results]
            for column in range(labels.start, labels.stop):
                name = f"{facet}.{self.taxonomy.names[column]}"
                columns[name] = [r.probabilities[column] for r in results]
        renamed = {name: f"input.{name}" for name in columns if name in frame.columns}
        return frame.rename(columns=renamed).assign(**columns)

    def explain(self, text: str, label: str) -> Explanation:
        """Explain why `label` is or is not given to a passage.

        Raises
        ------
        TaxonomyError
            If the model has no such label.
        """
        column = self.taxonomy.column(label)
        scores, batch = self._score([text], spans=True)
        found = self._contributions(batch, [0], [column])
        decisions = self._decide(scores, batch)
        return Explanation(
            label=label,
            given=bool(decisions.given[0, column]),
            reason=decisions.reasons[0],
            probability=float(scores.probabilities[0, column]),
            threshold=float(self.model.thresholds[column]),
            score=float(scores.scores[0, column]),
            intercept=found.intercept,
            words=tuple(words_by_weight(text, found)),
            evidence=tuple(evidence_of(found, [label], [text], [0])[0]),
        )

    def contributions(self, text: str, label: str) -> Contributions:
        """Return what each word of a passage brought to the score of `label`, as arrays."""
        _, batch = self._score([text], spans=True)
        return self._contributions(batch, [0], [self.taxonomy.column(label)])

    def _contributions(
        self, batch: WordBatch, passages: Sequence[int], columns: Sequence[int]
    ) -> Contributions:
        """Return the contributions to labels in passages of the batch that was scored last."""
        parts = passage_parts(self._table, batch, np.asarray(passages, dtype=np.int64))
        return contributions(self._table, parts, np.asarray(columns, dtype=np.int64))

    def _decide(self, scores: Scores, batch: WordBatch) -> Decisions:
        words = self._tokenizer.words

        def words_of(passage: int) -> Iterator[str]:
            ids = batch.ids[batch.starts[passage] : batch.starts[passage + 1]]
            return (words[i] for i in ids)

        return decide(self.model, scores, words_of)

    def _tag_batch(
        self, places: Sequence[tuple[str, str, Passage, int | None]], *, evidence: bool
    ) -> list[PassageTags]:
        texts = [text[passage.start : passage.end] for text, _, passage, _ in places]
        scores, batch = self._score(texts, spans=evidence)
        decisions = self._decide(scores, batch)
        labels: list[list[str]] = [[] for _ in places]
        found: list[list[Evidence]] = [[] for _ in places]
        passages, columns = (index.tolist() for index in np.nonzero(decisions.given))
        for i, column in zip(passages, columns, strict=True):
            labels[i].append(self.taxonomy.names[column])
        if evidence and passages:
            by_case = evidence_of(
                self._contributions(batch, passages, columns),
                [self.taxonomy.names[column] for column in columns],
                [texts[i] for i in passages],
                [places[i][2].start for i in passages],
            )
            for i, spans in zip(passages, by_case, strict=True):
                found[i] += spans
        probabilities = scores.probabilities.tolist()
        return [
            PassageTags(
                taxonomy=self.taxonomy,
                text=text,
                outcome=decisions.outcome(i),
                reason=decisions.reasons[i],
                labels=tuple(labels[i]),
                probabilities=tuple(probabilities[i]),
                evidence=tuple(found[i]),
                model=self.model.name,
                start=passage.start,
                end=passage.end,
                id=passage_id(text),
                document=document,
                page=page,
            )
            for i, (text, (_, document, passage, page)) in enumerate(
                zip(texts, places, strict=True)
            )
        ]


def passage_id(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of the text in UTF-8, as corpora use."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
