"""What users hold: language and model together."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from textclass.errors import TextclassError
from textclass.language import Passage, each_text, split_passages, whole_passage
from textclass.model import (
    LinearModel,
    ModelFolder,
    Scorer,
    Scores,
    evidence_of,
    load_folder,
    open_scorer,
    words_by_weight,
)
from textclass.pooling import pool_document
from textclass.results import DocumentTags, Evidence, Explanation, PassageTags, text_id
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from textclass.documents import Document

BATCH = 256
"""Passages scored together; more is no faster."""


@dataclass(frozen=True)
class Text:
    """A document's text, where it isn't a `Document` read from a file.

    Attributes
    ----------
    text : str
    id : str
        Its name in the results.
    page_starts : tuple of int
        Code-point offset at which each page begins.
    unread : tuple of str
        Parts of the document that are not in its text.
    boilerplate : tuple of pairs of int
        Where the text holds what is no part of the document's own: start and end, in code points.
    """

    text: str
    id: str = ""
    page_starts: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()
    boilerplate: tuple[tuple[int, int], ...] = ()


class _Place(NamedTuple):
    """A passage to tag, in its document and on its page."""

    document: Text | Document
    passage: Passage
    page: int | None = None


class Tagger:
    """Tags passages and documents with a trained model.

    Parameters
    ----------
    model : LinearModel
    scorer : Scorer, keyword-only, optional
        Scores by words alone unless another is given.

    Examples
    --------
    >>> import textclass
    >>> tagger = textclass.load()
    >>> tagger.tag("Our twin town sent its choir, and each family took two singers in.")["type"]
    ('citizen',)
    """

    def __init__(self, model: LinearModel, *, scorer: Scorer | None = None) -> None:
        self.model = model
        self.scorer = scorer or Scorer(model)

    @classmethod
    def load(
        cls,
        model: str | Path | ModelFolder = "default",
        *,
        cascade: bool = False,
        threads: int = 1,
    ) -> Tagger:
        """Load a model by the name of one that ships with the package, or from its folder.

        Parameters
        ----------
        model : str, Path or ModelFolder
            `default`, `accurate`, or a folder; or one that was read already.
        cascade : bool, keyword-only
            Of an accurate model: ask the encoder only where the words aren't sure.
        threads : int, keyword-only
            Processor threads of an accurate model's encoder.

        Raises
        ------
        ModelError
            If there is no such model, or a file that is read isn't what the manifest says. The
            manifest itself is told by its digest alone, after @ in the model's name; the files that
            tagging doesn't need are checked by `textclass model verify`.
        """
        loaded = model if isinstance(model, ModelFolder) else load_folder(model)
        return cls(loaded.model, scorer=open_scorer(loaded, cascade=cascade, threads=threads))

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
        return self.scorer.score(texts)

    def tag(self, text: str, *, evidence: bool = True) -> PassageTags:
        """Tag one passage.

        Parameters
        ----------
        text : str
        evidence : bool, keyword-only
            Whether to find the words that decided each label.
        """
        return next(self.tag_many([text], evidence=evidence))

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
        if isinstance(texts, str) or hasattr(texts, "columns"):
            raise TypeError("texts were expected; tag takes one text, tag_frame a DataFrame")
        places = (_Place(Text(text), whole_passage(text)) for text in each_text(texts))
        while batch := list(islice(places, batch_size)):
            yield from self._tag(batch, evidence=evidence)

    def tag_document(
        self,
        text: str,
        *,
        document: str = "",
        page_starts: Sequence[int] = (),
        unread: Sequence[str] = (),
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
        unread : sequence of str, keyword-only
            Parts of the document that are not in its text.
        evidence : bool, keyword-only
        """
        one = Text(text, document, tuple(page_starts), tuple(unread))
        return self.tag_documents([one], evidence=evidence)[0]

    def tag_documents(
        self,
        documents: Sequence[Text | Document],
        *,
        whole: bool = False,
        evidence: bool = True,
    ) -> list[DocumentTags]:
        """Tag many documents, their passages scored together: far faster than one by one.

        Parameters
        ----------
        documents : sequence of Text or Document
        whole : bool, keyword-only
            Take each text as one passage instead of cutting it.
        evidence : bool, keyword-only
        """
        places: list[_Place] = []
        ends = [0]
        for one in documents:
            for passage in (
                [whole_passage(one.text)]
                if whole
                else split_passages(one.text, without=one.boilerplate)
            ):
                page = bisect(one.page_starts, passage.start) if one.page_starts else None
                places.append(_Place(one, passage, page))
            ends.append(len(places))
        tagged: list[PassageTags] = []
        for first in range(0, len(places), BATCH):
            tagged += self._tag(places[first : first + BATCH], evidence=evidence)
        words = [place.passage.words for place in places]
        return [
            pool_document(
                self.taxonomy,
                one.id,
                tagged[first:last],
                words[first:last],
                self.model.name,
                unread=one.unread,
            )
            for one, first, last in zip(documents, ends, ends[1:], strict=False)
        ]

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
        if not hasattr(frame, "columns"):
            kind = type(frame).__name__
            raise TypeError(f"a DataFrame was expected, not {kind}; tag_many takes texts alone")
        if text_column not in frame.columns:
            raise TextclassError(
                f"no column {text_column!r}",
                hint=f"the columns are {', '.join(map(str, frame.columns))}",
            )
        texts = frame[text_column].tolist()
        for place, text in zip(frame.index, texts, strict=True):
            if not isinstance(text, str):
                raise TextclassError(
                    f"a text was expected, not {text!r}",
                    where=f"row {place!r}",
                    hint=f"leave such rows out: frame.dropna(subset=[{text_column!r}])",
                )
        tagged = list(self.tag_many(texts, evidence=False))
        columns: dict[str, Any] = {
            "outcome": [str(one.outcome) for one in tagged],
            "reason": [str(one.reason) if one.reason else None for one in tagged],
        }
        columns |= {
            facet.name: [list(one[facet.name]) for one in tagged] for facet in self.taxonomy
        }
        for column, name in enumerate(self.taxonomy.score_columns):
            columns[name] = [one.probabilities[column] for one in tagged]
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
        label = self.taxonomy.names[column]
        scores = self.scorer.score([text])
        decisions = self.scorer.decide(scores)
        found = self.scorer.contributions([0], [column])
        return Explanation(
            label=label,
            given=bool(decisions.given[0, column]),
            reason=decisions.reasons[0],
            probability=float(scores.probabilities[0, column]),
            threshold=float(self.model.thresholds[column]),
            score=float(scores.scores[0, column]),
            intercept=float(found.intercepts.item()),
            words=tuple(words_by_weight(text, found)),
            evidence=tuple(
                Evidence(label, start, end, text[start:end], weight)
                for _, start, end, weight in evidence_of(found)
            ),
        )

    def _tag(self, places: Sequence[_Place], *, evidence: bool) -> list[PassageTags]:
        """Tag a batch of passages: score, decide, and find the words that decided."""
        names = self.taxonomy.names
        texts = [p.document.text[p.passage.start : p.passage.end] for p in places]
        scores = self.scorer.score(texts)
        decisions = self.scorer.decide(scores)
        found: list[list[Evidence]] = [[] for _ in places]
        rows, columns = (index.tolist() for index in np.nonzero(decisions.given))
        if evidence and rows:
            spans = evidence_of(self.scorer.contributions(rows, columns))
            # By passage and label; of each label what spoke for it, then what against.
            for case, start, end, weight in sorted(spans, key=itemgetter(0)):
                row = rows[case]
                shift, words = places[row].passage.start, texts[row][start:end]
                label = names[columns[case]]
                found[row].append(Evidence(label, shift + start, shift + end, words, weight))
        given, probabilities = decisions.given.tolist(), scores.probabilities.tolist()
        return [
            PassageTags(
                taxonomy=self.taxonomy,
                text=text,
                outcome=decisions.outcome(row),
                reason=decisions.reasons[row],
                labels=tuple(compress(names, given[row])),
                probabilities=tuple(probabilities[row]),
                evidence=tuple(found[row]),
                model=self.model.name,
                start=place.passage.start,
                end=place.passage.end,
                id=text_id(text),
                document=place.document.id,
                page=place.page,
                unread=place.document.unread,
            )
            for row, (place, text) in enumerate(zip(places, texts, strict=True))
        ]
