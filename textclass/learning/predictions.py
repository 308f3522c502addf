"""What a tagger, or a baseline, says of labelled passages or documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textclass.corpora import Corpus, Row, make_row, read_corpus
from textclass.errors import CorpusError, ModelError
from textclass.language import split_passages
from textclass.model import ModelFolder, pack_arrays
from textclass.results import Outcome, PassageTags, pool_document, pool_probability

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from textclass.tagger import Tagger
    from textclass.taxonomy import Taxonomy

TRAINING_GROUPS = "groups.safetensors"
"""The file of a model folder that holds hashes of what it was trained on."""

FILE = "file"
"""The column of a table of labelled documents that holds where each one's file lies."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Labels, true and given, of the passages or documents of a corpus.

    Attributes
    ----------
    corpus : Corpus
        Rows with labels only.
    truth, given : ndarray of bool, shape (n_rows, n_labels)
    probabilities : ndarray of float64, shape (n_rows, n_labels)
        Of documents that of the passage where it is highest.
    tags : tuple of PassageTags
        With their evidence; empty for documents, and where it wasn't asked for.
    """

    corpus: Corpus
    truth: NDArray[np.bool_]
    given: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    tags: tuple[PassageTags, ...] = ()


def read_documents(paths: Sequence[Path], taxonomy: Taxonomy) -> Corpus:
    """Read labelled documents: rows with their text, or the path of their file from the table on.

    Raises
    ------
    CorpusError
        If a row or a file can't be read.
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
                    row = make_row({"group": name, **record, "text": text}, taxonomy, where)
                except CorpusError as error:
                    raise CorpusError(error.message, where=where, hint=error.hint) from error
                rows.append(row)
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
    if documents:
        pooled = [tagger.tag_document(text, evidence=False) for text in corpus.texts]
        labels = [{label.label for label in tags.labels} for tags in pooled]
        p = [
            [
                pool_probability([t.probabilities[c] for t in tags.passages])
                for c in range(len(names))
            ]
            for tags in pooled
        ]
        kept: tuple[PassageTags, ...] = ()
    else:
        tagged = tuple(tagger.tag_many(corpus.texts, evidence=evidence))
        labels = [set(tags.labels) for tags in tagged]
        p = [list(tags.probabilities) for tags in tagged]
        kept = tagged if evidence else ()
    given = np.array([[name in said for name in names] for said in labels])
    return Predictions(corpus, corpus.targets > 0, given, np.array(p)[:, order], kept)


def predict_baseline(
    pipeline: Pipeline, corpus: Corpus, *, documents: bool = False
) -> NDArray[np.bool_]:
    """Return the labels that a fitted baseline gives, (n_rows, n_labels).

    Documents are cut and pooled as the tagger does.
    """
    if not documents:
        given: NDArray[np.bool_] = pipeline.predict(corpus.texts) > 0
        return given
    names = corpus.taxonomy.names
    pooled = np.zeros((len(corpus), len(names)), dtype=bool)
    for row, text in enumerate(corpus.texts):
        passages = split_passages(text)
        if not passages:
            continue
        texts = [text[passage.start : passage.end] for passage in passages]
        p, labels = pipeline.predict_proba(texts), pipeline.predict(texts)
        tags = [
            PassageTags(
                taxonomy=corpus.taxonomy,
                text=texts[i],
                outcome=Outcome.TAGGED if labels[i].any() else Outcome.NONE,
                reason=None,
                labels=tuple(names[c] for c in np.flatnonzero(labels[i])),
                probabilities=tuple(p[i].tolist()),
                evidence=(),
                model="",
            )
            for i in range(len(passages))
        ]
        document = pool_document(corpus.taxonomy, "", tags, [x.words for x in passages], "")
        said = {label.label for label in document.labels}
        pooled[row] = [name in said for name in names]
    return pooled


def leave_out(corpus: Corpus, other: Corpus) -> Corpus:
    """Return the rows of a corpus whose document and text aren't in the other."""
    texts = set(other.texts)
    kept = corpus.without_groups(other.groups)
    return replace(kept, rows=tuple(row for row in kept.rows if row.text not in texts))


def training_groups(corpus: Corpus) -> bytes:
    """Return the hashes of a corpus's documents and texts, as the bytes of a safetensors file.

    Returns
    -------
    bytes
        Arrays `groups` and `texts` of uint64, rising: the first 8 bytes of each SHA-256.
    """
    return pack_arrays(
        {"groups": np.unique(_hashes(corpus.groups)), "texts": np.unique(_hashes(corpus.texts))}
    )


def leaks(folder: ModelFolder, corpus: Corpus) -> list[str] | None:
    """Return the ids of passages whose document or text the model was trained on.

    Parameters
    ----------
    folder : ModelFolder
    corpus : Corpus

    Returns
    -------
    list of str or None
        In row order; None where the folder doesn't say what it was trained on.

    Raises
    ------
    ModelError
        If the file isn't what the manifest says.
    """
    if TRAINING_GROUPS not in folder.manifest["files"]:
        return None
    known = folder.arrays(TRAINING_GROUPS)
    nothing = np.zeros(0, dtype=np.uint64)
    leaked = np.isin(_hashes(corpus.groups), known.get("groups", nothing))
    leaked |= np.isin(_hashes(corpus.texts), known.get("texts", nothing))
    return [row.id for row, found in zip(corpus.rows, leaked, strict=True) if found]


def _hashes(values: Iterable[str]) -> NDArray[np.uint64]:
    digests = (hashlib.sha256(value.encode("utf-8", "surrogatepass")) for value in values)
    numbers = [int.from_bytes(digest.digest()[:8], "little") for digest in digests]
    return np.array(numbers, dtype=np.uint64)
