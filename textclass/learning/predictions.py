"""What a tagger says of labelled passages or documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textclass.corpora import Corpus, Row, make_row, read_corpus
from textclass.errors import CorpusError, ModelError
from textclass.model import ModelFolder, pack_arrays
from textclass.results import pool_probability
from textclass.tagger import Tagger, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from textclass.results import PassageTags
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
    tags: tuple[PassageTags, ...] = ()
    if documents:
        wholes = tagger.tag_documents([Text(text) for text in corpus.texts], evidence=False)
        labels = [{label.label for label in whole.labels} for whole in wholes]
        columns = range(len(names))
        p = [
            [pool_probability([tags.probabilities[c] for tags in whole.passages]) for c in columns]
            for whole in wholes
        ]
    else:
        tags = tuple(tagger.tag_many(corpus.texts, evidence=evidence))
        labels = [set(one.labels) for one in tags]
        p = [list(one.probabilities) for one in tags]
    given = np.array([[name in said for name in names] for said in labels])
    return Predictions(corpus, corpus.targets > 0, given, np.array(p)[:, order], tags)


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
