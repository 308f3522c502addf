"""What a model folder tells of the rows it was trained on, and what is found out by that."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from textclass import __version__
from textclass.corpora import Corpus, folded
from textclass.errors import ModelError
from textclass.learning.calibration import choose_thresholds
from textclass.learning.card import save_with_card
from textclass.model import ModelFolder, load_folder, pack_arrays
from textclass.results import text_id
from textclass.taxonomy import shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from textclass.learning.classifier import LabelClassifier
    from textclass.learning.vectorizer import WordFeatures

OUT_OF_FOLD = "out_of_fold.safetensors"
"""The file of a model folder that holds what thresholds are set from."""

TRAINING_GROUPS = "groups.safetensors"
"""The file of a model folder that holds hashes of what it was trained on."""

NOT_SAID = "not said"
_VERSIONS = ("spacy", "scikit-learn", "numpy", "scipy")


def training_files(
    corpus: Corpus,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> dict[str, bytes]:
    """Return the files of a model folder that thresholds and leaks are found by.

    Parameters
    ----------
    corpus : Corpus
        All that was trained on.
    rows : ndarray of int64, shape (n_rows,)
        Those that thresholds come from.
    probabilities : ndarray of float64, shape (n_rows, L)
        Of these rows, out of fold.
    weights : ndarray of float64, shape (n_rows,)
        How much each of them counts.
    """
    texts = _hashes(map(folded, corpus.texts))
    known = {"groups": _hashes(corpus.groups), "texts": texts}
    kept: dict[str, NDArray[Any]] = {
        "probabilities": probabilities.astype(np.float16),
        "truth": (corpus.targets[rows] > 0).astype(np.uint8),
        "weights": weights.astype(np.float32),
        "rows": text_keys(corpus.texts[row] for row in rows),
    }
    return {
        OUT_OF_FOLD: pack_arrays(kept),
        TRAINING_GROUPS: pack_arrays({name: np.unique(keys) for name, keys in known.items()}),
    }


def training_facts(
    corpus: Corpus, features: WordFeatures, classifier: LabelClassifier
) -> dict[str, Any]:
    """Return what the manifest tells of the training; both steps are fitted on the corpus."""
    names, hard = corpus.taxonomy.names, corpus.hard
    truth = corpus.targets[hard] > 0
    given = classifier.out_of_fold_[hard] >= classifier.thresholds_
    return {
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS}
        | {"textclass": __version__, "python": platform.python_version()},
        "training": {
            "passages": int(hard.sum()),
            "soft_passages": int((~hard).sum()),
            "documents": len({row.group for row in corpus.rows if row.hard}),
            "fingerprint": corpus.fingerprint,
            "features": features.get_params(),
            "classifier": {
                key: np.asarray(value).tolist()
                for key, value in classifier.get_params().items()
                if key not in ("n_jobs", "progress")
            },
            "sources": source_facts(corpus),
        },
        "out_of_fold": _by_label(truth, given, names),
        "label_facts": {
            name: {"positives": int(positives), "threshold_rule": rule}
            for name, positives, rule in zip(
                names, truth.sum(axis=0), classifier.threshold_rules_, strict=True
            )
        },
    }


def _by_label(
    truth: NDArray[np.bool_], given: NDArray[np.bool_], names: Sequence[str]
) -> dict[Any, Any]:
    """Return precision, recall, F1 and count of each label."""
    scores = precision_recall_fscore_support(truth, given, average=None, zero_division=0.0)
    kinds = ["precision", "recall", "f1", "n"]
    table = pd.DataFrame(np.array(scores, dtype=float), index=kinds, columns=list(names))
    return table.round(4).to_dict()


def source_facts(corpus: Corpus) -> list[dict[Any, Any]]:
    """Return what each source brought: passages, documents, licence."""
    rows = pd.DataFrame(
        {
            "source": corpus.column("source", NOT_SAID),
            "licence": [str(row.columns.get("licence") or NOT_SAID) for row in corpus.rows],
            "passages": corpus.hard,
            "soft_passages": ~corpus.hard,
            "documents": corpus.groups,
        }
    )
    return (
        rows.groupby("source", as_index=False)
        .agg(
            licence=("licence", lambda values: ", ".join(sorted(set(values)))),
            passages=("passages", "sum"),
            soft_passages=("soft_passages", "sum"),
            documents=("documents", "nunique"),
        )
        .to_dict("records")
    )


def leaks(folder: ModelFolder, corpus: Corpus) -> list[str] | None:
    """Return the ids of passages whose document or text the model was trained on.

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
    leaked = np.isin(_hashes(corpus.groups), known["groups"])
    leaked |= np.isin(_hashes(map(folded, corpus.texts)), known["texts"])
    return [row.id for row, found in zip(corpus.rows, leaked, strict=True) if found]


def text_keys(values: Iterable[str]) -> NDArray[np.uint64]:
    """Return a key of each text, the number that `text_id` writes."""
    return np.array([int(text_id(value), 16) for value in values], dtype=np.uint64)


def _hashes(values: Iterable[str]) -> NDArray[np.uint64]:
    # Little end first, as the folders of models have had them from the beginning.
    return text_keys(values).byteswap()


def with_thresholds(
    manifest: Mapping[str, Any],
    rules: Mapping[str, str],
    truth: NDArray[np.bool_],
    given: NDArray[np.bool_],
    names: Sequence[str],
) -> dict[str, Any]:
    """Return what a manifest tells once labels have other thresholds, by these rules.

    `truth` and `given` have a column for each of `names`, of the rows that thresholds come from;
    held-out figures of the old thresholds are left out.
    """
    facts = {key: value for key, value in manifest.items() if key != "held_out"}
    told = {name: dict(fact) for name, fact in manifest["label_facts"].items()}
    for name, rule in rules.items():
        told[name]["threshold_rule"] = rule
    return facts | {"label_facts": told, "out_of_fold": _by_label(truth, given, names)}


def set_thresholds(
    folder: str | Path, *, target_precision: float | None = None, labels: Sequence[str] = ()
) -> Mapping[str, tuple[float, float]]:
    """Set thresholds of a model folder anew, from its out-of-fold probabilities.

    Held-out figures of the old thresholds leave the manifest and the card.

    Parameters
    ----------
    folder : path
    target_precision : float, keyword-only, optional
        Best F1 where it isn't given.
    labels : sequence of str, keyword-only
        Which labels; all where none is given.

    Returns
    -------
    Mapping of str to (float, float)
        The threshold of each label before and after.

    Raises
    ------
    TaxonomyError
        If the model has no such label.
    ModelError
        If the folder can't be used, was trained without out-of-fold probabilities, or ships.
    """
    loaded = load_folder(folder)
    if loaded.path.resolve().is_relative_to(shipped("models").resolve()):
        raise ModelError(
            "a model that ships isn't changed in place",
            where=str(folder),
            hint=f"copy it, and give the copy: cp -r {shlex.quote(str(loaded.path))} mymodel",
        )
    model, kept = loaded.model, loaded.arrays(OUT_OF_FOLD)
    names, facets = model.taxonomy.names, model.taxonomy.facet_of_each
    columns = [model.taxonomy.column(label) for label in labels or names]
    p, weights = (kept[name].astype(np.float64) for name in ("probabilities", "weights"))
    truth = kept["truth"].astype(bool)
    chosen, rules = choose_thresholds(p, truth, weights, [target_precision] * len(names), facets)
    thresholds = model.thresholds.copy()
    thresholds[columns] = chosen[columns]
    facts = with_thresholds(
        loaded.manifest, {names[c]: rules[c] for c in columns}, truth, p >= thresholds, names
    )
    save_with_card(replace(model, thresholds=thresholds), loaded.path, facts)
    return {names[c]: (float(model.thresholds[c]), float(thresholds[c])) for c in columns}
