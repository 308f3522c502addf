"""What a model is worth on passages or documents it never saw: figures with intervals, mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textclass.errors import CorpusError
from textclass.learning.baselines import CUES, by_cues
from textclass.learning.metrics import (
    Bootstrap,
    as_frame,
    facet_figures,
    interval,
    label_figures,
    reliability,
)
from textclass.learning.mistakes import (
    confusions,
    coverage,
    faithfulness,
    thinned,
    widest,
    worst_mistakes,
)
from textclass.learning.predictions import Predictions, leaks, predict, predict_baseline
from textclass.model import ModelFolder, load_folder
from textclass.tagger import Tagger

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from textclass.corpora import Corpus

Model = ModelFolder | Tagger | str | Path

LENGTH = "length"
"""The slice that every corpus has: bands of words."""

MOST_PARTS = 50
NOT_SAID = "not said"
TARGET = 0.95
_SWEEP = np.arange(1, 20) / 20
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures of an evaluation, as data frames; facets and labels in `labels.yaml` order.

    Attributes
    ----------
    model : str
        Name and digest of the model measured.
    level : "passage" or "document"
    corpus : Mapping
        `paths`, `units` (passages or documents), `documents`, `fingerprint` and `leaks`: ids of
        rows that the model was trained on, they or their documents; None where it can't be told.
    samples : int
        Bootstrap samples of documents, of which the 95 % intervals are made.
    figures : DataFrame
        The long table, a row for each figure: `model` (this one, or a baseline), `part` (empty, or
        `column: value`), `facet`, `label` (empty for the facet's own), `metric`, `value`, `low`,
        `high`, `n`.
    differences : DataFrame
        `facet`, `model`, `value`, `low`, `high`, `p`: by how much micro F1 is better than that of a
        baseline or of another model on the same samples. The paired bootstrap of Berg-Kirkpatrick,
        Burkett and Klein (2012), "An empirical investigation of statistical significance in NLP";
        p is two-sided, by whether 0 lies in the interval.
    labels : DataFrame
        `facet`, `label`, `threshold`, the `target` precision it was set for (NaN for another rule)
        and whether that was `reached`: `yes` if the interval's low end is above it, `no` if its
        high end is below, `unclear` otherwise.
    sweep : DataFrame
        `facet`, `label`, `threshold`, `precision`, `recall`, `f1` at other thresholds.
    reliability : DataFrame
        `facet`, `label`, `low`, `high`, `mean`, `share`, `count` of ten bins of probability; empty
        for documents, whose labels have no calibrated probability.
    coverage : DataFrame
        `facet`, `probability`, `coverage`, `precision`: of tags of at least that probability.
    at_95 : Mapping of str to (Mapping or None)
        By facet the point of `coverage` with the most passages at 95 % precision.
    confusions : DataFrame
        `facet`, `true`, `given`, `count`.
    mistakes : DataFrame
        The rows tagged worst: `id`, `group`, `text`, `missing`, `wrong`, `probabilities`,
        `evidence`.
    faithfulness : Mapping or None
        What taking the evidence away does to tags; None for documents, and without tags.
    """

    model: str
    level: str
    corpus: Mapping[str, Any]
    samples: int
    figures: pd.DataFrame
    differences: pd.DataFrame
    labels: pd.DataFrame
    sweep: pd.DataFrame
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    at_95: Mapping[str, Mapping[str, float] | None]
    confusions: pd.DataFrame
    mistakes: pd.DataFrame
    faithfulness: Mapping[str, float] | None

    def to_dict(self, *, short: bool = False) -> dict[str, Any]:
        """Return the evaluation as plain data for JSON, frames as lists of records, NaN as None.

        With `short`, without plots and texts: what a manifest keeps.
        """
        long = ("labels", "sweep", "reliability", "coverage", "confusions", "mistakes")
        names = [name for name in self.__dataclass_fields__ if not (short and name in long)]
        return {name: _plain(getattr(self, name)) for name in names}


def evaluate(
    model: Model,
    corpus: Corpus,
    *,
    level: str = "passage",
    by: Sequence[str] = (),
    baselines: Mapping[str, Pipeline] | None = None,
    compare: Sequence[Model] = (),
    samples: int = 1000,
    seed: int = 0,
    paths: Sequence[str] = (),
) -> Evaluation:
    """Measure a model on labelled passages or documents.

    Parameters
    ----------
    model : ModelFolder, Tagger, name or path
        Of a tagger without its folder it can't be told whether it was trained on the corpus.
    corpus : Corpus
        Read under the model's taxonomy; rows without labels are left out.
    level : "passage" or "document", keyword-only
        What a row is.
    by : sequence of str, keyword-only
        Columns to slice by; `length`, bands of words, needs no column.
    baselines : Mapping of str to Pipeline, keyword-only, optional
        What `fit_baselines` gave. Keyword cues are always among the baselines.
    compare : sequence of models, keyword-only
    samples : int, keyword-only
        Bootstrap samples for every interval.
    seed : int, keyword-only
    paths : sequence of str, keyword-only
        Where the corpus came from, for the record.

    Raises
    ------
    CorpusError
        If no row has labels, or none has a column to slice by.
    ModelError
        If a model can't be loaded or has other labels.
    """
    folder = load_folder(model) if isinstance(model, str | Path) else model
    tagger, whole = _tagger(folder), level == "document"
    found = predict(tagger, corpus, documents=whole)
    corpus, slices = found.corpus, found.corpus.taxonomy.slices
    bootstrap = Bootstrap(corpus.groups, samples=samples, seed=seed)
    others = {CUES: by_cues(corpus.taxonomy, corpus.texts)}
    for name, pipeline in (baselines or {}).items():
        others[name] = predict_baseline(pipeline, corpus, documents=whole)
        if whole:
            others[f"{name}, on the whole text"] = predict_baseline(pipeline, corpus)
    rows = _own_figures(bootstrap, found, tagger.model.name, calibrated=not whole)
    rows += _micro_figures(bootstrap, found, others)
    rows += _part_figures(bootstrap, found, by, tagger.model.name)
    for other in map(_tagger, compare):
        others[other.model.name] = predict(other, corpus, documents=whole, evidence=False).given
    figures = as_frame(rows)
    curves = {
        facet: coverage(
            found.probabilities[:, columns], found.truth[:, columns], found.given[:, columns]
        )
        for facet, columns in slices.items()
    }
    return Evaluation(
        model=tagger.model.name,
        level=level,
        corpus={
            "paths": list(paths),
            "units": len(corpus),
            "documents": bootstrap.documents,
            "fingerprint": corpus.fingerprint,
            "leaks": leaks(folder, corpus) if isinstance(folder, ModelFolder) else None,
        },
        samples=samples,
        figures=figures,
        differences=_differences(bootstrap, found, others),
        labels=_labels(tagger, folder, figures),
        sweep=_by_label(found, _sweep),
        reliability=_by_label(found, reliability) if not whole else pd.DataFrame(),
        coverage=_stacked({facet: thinned(curve) for facet, curve in curves.items()}),
        at_95={facet: widest(curve, TARGET) for facet, curve in curves.items()},
        confusions=confusions(found),
        mistakes=worst_mistakes(found),
        faithfulness=None if whole else faithfulness(tagger, found, seed=seed),
    )


def _tagger(model: Model) -> Tagger:
    if isinstance(model, Tagger):
        return model
    return Tagger.load(model, threads=2)


def _own_figures(
    bootstrap: Bootstrap, found: Predictions, model: str, *, calibrated: bool
) -> list[dict[str, Any]]:
    rows = []
    for facet in found.corpus.taxonomy:
        columns = range(len(found.corpus.taxonomy.names))[found.corpus.taxonomy.slices[facet.name]]
        truth, given = found.truth[:, columns], found.given[:, columns]
        own = facet_figures(bootstrap, truth, given)
        of_labels: list[dict[str, Any]] = []
        for name, column in zip(facet.names, columns, strict=True):
            p = found.probabilities[:, column]
            figures = label_figures(
                bootstrap, name, found.truth[:, column], found.given[:, column], p
            )
            of_labels += [f for f in figures if calibrated or f["metric"] not in ("ece", "brier")]
        for metric in ("ece", "brier"):
            values = [figure["value"] for figure in of_labels if figure["metric"] == metric]
            if values:
                mean = float(np.mean(values))
                own.append({"label": "", "metric": metric, "value": mean, "n": own[0]["n"]})
        rows += [{"model": model, "facet": facet.name, **figure} for figure in own + of_labels]
    return rows


def _micro_figures(
    bootstrap: Bootstrap, found: Predictions, others: Mapping[str, NDArray[np.bool_]]
) -> list[dict[str, Any]]:
    return [
        {"model": name, "facet": facet, "n": int(found.truth[:, columns].sum())}
        | _micro(bootstrap.micro_f1(found.truth[:, columns], given[:, columns]))
        for name, given in others.items()
        for facet, columns in found.corpus.taxonomy.slices.items()
    ]


def _part_figures(
    bootstrap: Bootstrap, found: Predictions, by: Sequence[str], model: str
) -> list[dict[str, Any]]:
    """Return micro F1 of every part that the values of columns cut the corpus into."""
    rows = []
    for column in by:
        values = pd.Series(_values(found.corpus, column))
        for value, passages in values.value_counts()[:MOST_PARTS].sort_index().items():
            inside = (values == value).to_numpy()[:, None]
            for facet, columns in found.corpus.taxonomy.slices.items():
                truth, given = (a[:, columns] & inside for a in (found.truth, found.given))
                row = {"model": model, "part": f"{column}: {value}", "facet": facet}
                figure = _micro(bootstrap.micro_f1(truth, given))
                rows.append({**row, "n": int(passages), **figure})
    return rows


def _micro(samples: NDArray[np.float64]) -> dict[str, Any]:
    return {"metric": "micro_f1", "value": float(samples[0]), **interval(samples)}


def _values(corpus: Corpus, column: str) -> list[str]:
    """Return the value of each row in a column, or its band of length."""
    if column == LENGTH:
        words = np.array([len(text.split()) for text in corpus.texts])
        bands = np.array(["1-44 words", "45-84 words", "85 or more words"])
        return list(bands[np.digitize(words, [45, 85])].tolist())
    columns = {name for row in corpus.rows for name in row.columns}
    if column not in columns:
        raise CorpusError(
            f"no row has a column {column!r}",
            hint=f"the columns are {', '.join(sorted(columns | {LENGTH}))}",
        )
    return [value if value not in ("", "None") else NOT_SAID for value in corpus.column(column)]


def _differences(
    bootstrap: Bootstrap, found: Predictions, others: Mapping[str, NDArray[np.bool_]]
) -> pd.DataFrame:
    rows = []
    for facet, columns in found.corpus.taxonomy.slices.items():
        mine = bootstrap.micro_f1(found.truth[:, columns], found.given[:, columns])
        for name, given in others.items():
            less = mine - bootstrap.micro_f1(found.truth[:, columns], given[:, columns])
            known = less[1:][~np.isnan(less[1:])]
            rarer = min(int((known <= 0).sum()), int((known >= 0).sum()))
            p = min(1.0, 2 * (rarer + 1) / (len(known) + 1))  # never quite 0
            row = {"facet": facet, "model": name, "value": float(less[0]), **interval(less)}
            rows.append({**row, "p": p})
    return pd.DataFrame(rows, columns=["facet", "model", "value", "low", "high", "p"])


def _labels(tagger: Tagger, folder: ModelFolder | Tagger, figures: pd.DataFrame) -> pd.DataFrame:
    """Return threshold, target precision and whether it was reached, of each label.

    What the manifest says of the threshold in use comes before `labels.yaml`, since
    `textclass model thresholds` may have set it anew.
    """
    facts = folder.manifest.get("label_facts", {}) if isinstance(folder, ModelFolder) else {}
    measured = figures[figures["metric"] == "precision"].set_index("label").to_dict()
    rows = []
    for facet in tagger.taxonomy:
        for label in facet.labels:
            rule = facts.get(label.name, {}).get("threshold_rule")
            said = re.match(r"precision ([0-9.]+)", rule or "")
            target = float(said[1]) if said else label.target_precision if rule is None else None
            low, high = (float(measured[end][label.name]) for end in ("low", "high"))
            reached = None
            if target is not None:
                reached = "yes" if low >= target else "no" if high < target else "unclear"
            threshold = float(tagger.model.thresholds[tagger.taxonomy.column(label.name)])
            rows.append((facet.name, label.name, threshold, target, reached))
    return pd.DataFrame(rows, columns=["facet", "label", "threshold", "target", "reached"])


def _sweep(truth: NDArray[np.bool_], p: NDArray[np.float64]) -> pd.DataFrame:
    """Return precision, recall and F1 at each threshold from 0.05 to 0.95."""
    above = p[:, None] >= _SWEEP
    hits, given, true = (above & truth[:, None]).sum(axis=0), above.sum(axis=0), truth.sum()
    points = pd.DataFrame({"threshold": _SWEEP, "precision": hits / np.where(given, given, np.nan)})
    f1 = 2 * hits / np.maximum(given + true, 1)
    return points.assign(recall=hits / max(true, 1), f1=f1)


def _by_label(found: Predictions, points: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return the points of every label in one frame."""
    taxonomy = found.corpus.taxonomy
    facets = [facet.name for facet in taxonomy for _ in facet.names]
    frames = {
        (facet, name): points(found.truth[:, c], found.probabilities[:, c])
        for c, (facet, name) in enumerate(zip(facets, taxonomy.names, strict=True))
    }
    return pd.concat(frames, names=["facet", "label"]).reset_index(["facet", "label"])


def _stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, names=["facet"]).reset_index("facet")


def _plain(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Return plain data: frames as records, NaN as None, figures rounded."""
    if isinstance(value, pd.DataFrame):
        return [_plain(record) for record in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(float(value), _DECIMALS)
    return value
