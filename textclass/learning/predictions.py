"""What a tagger, or a baseline in its place, says of labelled passages or documents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from textclass.corpora import Corpus, Row, folded, make_row, read_corpus
from textclass.errors import CorpusError, ModelError
from textclass.learning.classifier import LabelClassifier
from textclass.learning.fitting import Progress
from textclass.model import Decisions, LinearModel, Scorer, Scores
from textclass.results import Reason
from textclass.tagger import Tagger, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.results import PassageTags
    from textclass.taxonomy import Taxonomy

FILE = "file"
"""The column of a table of labelled documents that holds where each one's file lies."""

CUES = "keyword cues"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Labels, true and given, of the passages or documents of a corpus.

    Attributes
    ----------
    corpus : Corpus
        Rows with labels only.
    truth, given : ndarray of bool, shape (n_rows, n_labels)
    probabilities : ndarray of float64, shape (n_rows, n_labels)
        Of documents those pooled from their passages.
    tags : tuple of PassageTags
        With their evidence, if it was asked for; empty for documents.
    """

    corpus: Corpus
    truth: NDArray[np.bool_]
    given: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    tags: tuple[PassageTags, ...] = ()

    def facet(self, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """Return the columns of a facet: of `truth`, of `given`, of `probabilities`."""
        columns = self.corpus.taxonomy.slices[name]
        return self.truth[:, columns], self.given[:, columns], self.probabilities[:, columns]


def read_documents(paths: Sequence[Path], taxonomy: Taxonomy) -> Corpus:
    """Read labelled documents: rows with their text, or the path of their file from the table on.

    Raises
    ------
    CorpusError
        If a row or a file can't be read.
    DocumentError
        If a table can't.
    """
    from textclass.documents import DocumentReader, SetAside, Source, read_rows

    rows: list[Row] = []
    for path in paths:
        records = list(read_rows(path))
        if not all(FILE in record and "text" not in record for _, record in records):
            rows += read_corpus(path, taxonomy).rows
            continue
        with DocumentReader() as reader:
            for where, record in records:
                name = str(record[FILE])
                found = list(reader.read(Source(path.parent / name, name, path.parent)))
                for part in found:
                    if isinstance(part, SetAside):
                        raise CorpusError(f"{name}: {part.error}", where=where)
                text = "\n\n".join(part.text for part in found if not isinstance(part, SetAside))
                try:
                    rows.append(make_row({"group": name, **record, "text": text}, taxonomy, where))
                except CorpusError as error:
                    error.where = where
                    raise
    return Corpus(taxonomy, tuple(rows))


def predict(
    tagger: Tagger, corpus: Corpus, *, documents: bool = False, evidence: bool = True
) -> Predictions:
    """Tag the labelled rows of a corpus; rows with probabilities instead are left out.

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
    tags: tuple[PassageTags, ...] = ()
    if documents:
        wholes = tagger.tag_documents([Text(text) for text in corpus.texts], evidence=False)
        labels = [{label.label for label in whole.labels} for whole in wholes]
        p = [[whole.probabilities[c] for c in order] for whole in wholes]
    else:
        tags = tuple(tagger.tag_many(corpus.texts, evidence=evidence))
        labels = [set(one.labels) for one in tags]
        p = [[one.probabilities[c] for c in order] for one in tags]
    given = np.array([[name in said for name in names] for said in labels])
    return Predictions(corpus, corpus.targets > 0, given, np.array(p), tags)


def fit_baselines(
    corpus: Corpus,
    *,
    of: Sequence[str] = ("word", "character"),
    folds: int = 5,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Mapping[str, Pipeline]:
    """Fit logistic regressions on the TF-IDF of words, and of characters, by name.

    Their thresholds follow the rule of a model's: one for each facet, of the best micro-F1.

    Parameters
    ----------
    corpus : Corpus
        What the model was trained on, without what it is evaluated on; rows with probabilities
        instead of labels are left out.
    of : sequence of str, keyword-only
        What TF-IDF is of: `word`, `character`.
    folds, jobs : int, keyword-only
    progress : callable, keyword-only, optional
        Called with the fits done and the fits in all of each baseline.

    Raises
    ------
    CorpusError
        If there are too few rows to fit on.
    """
    corpus = corpus.select(lambda row: row.hard)
    vectorizers = {
        "word": TfidfVectorizer(sublinear_tf=True, min_df=2),
        "character": TfidfVectorizer(
            sublinear_tf=True, min_df=5, analyzer="char_wb", ngram_range=(3, 5)
        ),
    }
    fitted = {}
    facets = corpus.taxonomy.facet_of_each
    for name in of:
        classifier = LabelClassifier(
            C=3.0, folds=folds, facets=facets, n_jobs=jobs, progress=progress
        )
        pipeline = make_pipeline(vectorizers[name], classifier)
        try:
            pipeline.fit(corpus.texts, corpus.targets, labelclassifier__groups=corpus.groups)
        except ValueError as error:
            raise CorpusError(
                f"{len(corpus)} passages with labels are too few for baselines: {error}",
                hint="give --train the model's own training data; what is evaluated on is left out",
            ) from error
        fitted[f"{name} TF-IDF + logistic regression"] = pipeline
    return fitted


def baseline_tags(
    tagger: Tagger, corpus: Corpus, baselines: Mapping[str, Pipeline], *, documents: bool
) -> dict[str, NDArray[np.bool_]]:
    """Return what keyword cues and fitted baselines say of the rows that `predict` left, by name.

    Documents are cut and pooled as the model's; beside that a baseline reads each as one text.
    """
    taxonomy = corpus.taxonomy
    tags = {CUES: by_cues(taxonomy, corpus.texts)}
    for name, pipeline in baselines.items():
        scorer = BaselineScorer(replace(tagger.model, taxonomy=taxonomy), pipeline)
        baseline = Tagger(scorer.model, scorer=scorer)
        tags[name] = predict(baseline, corpus, documents=documents, evidence=False).given
        if documents:
            whole = predict(baseline, corpus, evidence=False).given
            tags[f"{name}, on the whole text"] = whole
    return tags


def by_cues(taxonomy: Taxonomy, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Give each label whose cue of `labels.yaml` stands in the text, shape (n_texts, n_labels)."""
    given = np.zeros((len(texts), len(taxonomy.labels)), dtype=bool)
    for column, label in enumerate(taxonomy.labels):
        if label.cues:
            any_cue = "|".join(map(re.escape, label.cues))
            pattern = re.compile(rf"(?<!\w)(?:{any_cue})(?!\w)", re.IGNORECASE)
            given[:, column] = [bool(pattern.search(text)) for text in texts]
    return given


class BaselineScorer(Scorer):
    """Lets a tagger cut and pool documents by a baseline, as it does by a model.

    Parameters
    ----------
    model : LinearModel
        Its taxonomy has the labels of the baseline, in their order; nothing else of it is used.
    pipeline : Pipeline
        One of those that `fit_baselines` gave.
    """

    def __init__(self, model: LinearModel, pipeline: Pipeline) -> None:
        super().__init__(model)
        self.pipeline = pipeline

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the probabilities of passages; they stand for all that a model tells."""
        p, nothing = self.pipeline.predict_proba(texts), np.zeros(len(texts))
        return Scores(p, p, nothing.astype(np.int64), nothing, nothing)

    def decide(self, scores: Scores) -> Decisions:
        """Give the labels whose probability reaches the threshold."""
        given = scores.probabilities >= self.pipeline[-1].thresholds_
        reasons = (None if labels.any() else Reason.BELOW_THRESHOLD for labels in given)
        return Decisions(given, tuple(reasons))


def leave_out(corpus: Corpus, other: Corpus) -> Corpus:
    """Return the rows of a corpus whose document and text aren't in the other.

    Texts that differ in case or white space alone are the same.
    """
    texts = set(map(folded, other.texts))
    kept = corpus.without_groups(other.groups)
    return kept.select(lambda row: folded(row.text) not in texts)
