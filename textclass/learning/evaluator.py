"""What a model is worth on passages or documents it never saw: figures with intervals, mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd

from textclass.errors import CorpusError
from textclass.learning.metrics import (
    Bootstrap,
    as_frame,
    differences,
    figure_rows,
    is_frequent,
    micro_f1,
    reliability,
    wilson,
)
from textclass.learning.mistakes import (
    DECIMALS,
    confusions,
    coverage,
    faithfulness,
    sweep,
    thinned,
    unfamiliar,
    widest,
    worst_mistakes,
)
from textclass.learning.predictions import CUES, Predictions, baseline_tags, predict
from textclass.learning.provenance import NOT_SAID, leaks
from textclass.model import ModelFolder, load_folder
from textclass.tagger import Tagger

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from textclass.corpora import Corpus

Model = ModelFolder | str | Path

LENGTH = "length"
"""The slice that every corpus has: bands of words."""

MOST_PARTS = 50
TARGET = 0.95
_BANDS = ["1-44 words", "45-84 words", "85 or more words"]
_THREADS = 2


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
        `compared`: the same of each model compared, by name.
    samples : int
        Bootstrap samples of documents, of which the 95 % intervals are made; 0 for fewer than ten
        documents, which give no interval and no p.
    figures : DataFrame
        The long table, a row for each figure: `model` (this one, or a baseline), `part` (empty, or
        `column: value`), `facet`, `label` (empty for the facet's own), `metric`, `value`, `low`,
        `high`, `n` (rows measured), `n_true` (true labels in them).
    left_out : Mapping of str to list of str
        By facet the labels with fewer than five true rows, which `macro_*` leave out.
    differences : DataFrame
        `facet`, `model`, `value`, `low`, `high`, `p`: by how much micro F1 is better than that of a
        baseline or of another model on the same samples. The paired bootstrap of Berg-Kirkpatrick,
        Burkett and Klein (2012), "An empirical investigation of statistical significance in NLP";
        p is two-sided, by whether 0 lies in the interval.
    labels : DataFrame
        `facet`, `label`, `threshold`, the `target` precision it was set for (NaN for another rule)
        and whether that was `reached`: `yes` if the low ends of the interval and of Wilson's are
        above it, `no` if their high ends are below, `unclear` otherwise.
    sweep : DataFrame
        `facet`, `label`, `threshold`, `precision`, `recall`, `f1` at other thresholds.
    reliability : DataFrame
        `facet`, `label`, `low`, `high`, `mean`, `share`, `count` of ten bins of probability; empty
        for documents, whose labels have no calibrated probability.
    coverage : DataFrame
        `facet`, `probability`, `coverage`, `found`, `precision`: of tags of at least so much.
    at_95 : Mapping of str to (Mapping or None)
        By facet the point of `coverage` with the most passages at 95 % precision.
    confusions : DataFrame
        `facet`, `true`, `given`, `count`.
    mistakes : DataFrame
        The rows tagged worst: `id`, `group`, `text`, `missing`, `wrong`, `probabilities`,
        `evidence`.
    faithfulness : Mapping or None
        What taking the evidence away does to tags; None for documents, and without tags.
    unfamiliar : Mapping or None
        `passages` unsure for their unfamiliar words, those `tagged` but for that, and those of them
        with a `right` label; None for documents.
    """

    model: str
    level: str
    corpus: Mapping[str, Any]
    samples: int
    figures: pd.DataFrame
    left_out: Mapping[str, list[str]]
    differences: pd.DataFrame
    labels: pd.DataFrame
    sweep: pd.DataFrame
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    at_95: Mapping[str, Mapping[str, float] | None]
    confusions: pd.DataFrame
    mistakes: pd.DataFrame
    faithfulness: Mapping[str, float] | None
    unfamiliar: Mapping[str, int] | None

    def to_dict(self, *, short: bool = False) -> dict[str, Any]:
        """Return the evaluation as plain data for JSON, frames as lists of records, NaN as None.

        With `short`, without plots and texts: what a manifest keeps.
        """
        long = ("labels", "sweep", "reliability", "coverage", "confusions", "mistakes")
        names = [name for name in self.__dataclass_fields__ if not (short and name in long)]
        text = orjson.dumps({name: getattr(self, name) for name in names}, default=_records)
        data: dict[str, Any] = orjson.loads(text)
        return data


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    rounded = frame.map(lambda cell: round(cell, DECIMALS) if isinstance(cell, float) else cell)
    return rounded.to_dict("records")


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
    model : ModelFolder, name or path
    corpus : Corpus
        Read under the model's taxonomy; rows without labels are left out.
    level : "passage" or "document", keyword-only
        What a row is.
    by : sequence of str, keyword-only
        Columns to slice by; `length`, bands of words, needs no column.
    baselines : Mapping of str to Pipeline, keyword-only, optional
        What `fit_baselines` gave. Beside them stand the keyword cues, where a facet has some.
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
    folder = model if isinstance(model, ModelFolder) else load_folder(model)
    tagger, whole = Tagger.load(folder, threads=_THREADS), level == "document"
    found = predict(tagger, corpus, documents=whole)
    corpus, taxonomy = found.corpus, found.corpus.taxonomy
    bootstrap = Bootstrap(corpus.groups, samples=samples, seed=seed)

    tags = baseline_tags(tagger, corpus, baselines or {}, documents=whole)
    own = micro_f1(bootstrap, found, found.given)
    others = {name: micro_f1(bootstrap, found, given) for name, given in tags.items()}
    cued = {facet.name for facet in taxonomy if any(label.cues for label in facet.labels)}
    others[CUES] = {facet: f1 for facet, f1 in others[CUES].items() if facet in cued}
    parts = {
        part: (micro_f1(bootstrap, found, found.given, inside), inside)
        for part, inside in _parts(corpus, by)
    }
    rows = figure_rows(bootstrap, found, others, parts, calibrated=not whole)
    figures = as_frame([{"model": tagger.model.name, **row} for row in rows])
    compared = {}
    for place in compare:
        other_folder = place if isinstance(place, ModelFolder) else load_folder(place)
        other = Tagger.load(other_folder, threads=_THREADS)
        compared[other.model.name] = leaks(other_folder, corpus)
        given = predict(other, corpus, documents=whole, evidence=False).given
        others[other.model.name] = micro_f1(bootstrap, found, given)
    curves = {facet: coverage(*found.facet(facet)) for facet in taxonomy.slices}
    return Evaluation(
        model=tagger.model.name,
        level=level,
        corpus={
            "paths": list(paths),
            "units": len(corpus),
            "documents": bootstrap.documents,
            "fingerprint": corpus.fingerprint,
            "leaks": leaks(folder, corpus),
            "compared": compared,
        },
        samples=bootstrap.samples,
        figures=figures,
        left_out={
            facet.name: np.array(facet.names)[~is_frequent(found.facet(facet.name)[0])].tolist()
            for facet in taxonomy
        },
        differences=differences(own, others),
        labels=_labels(folder, figures),
        sweep=_by_label(found, sweep),
        reliability=pd.DataFrame() if whole else _by_label(found, reliability),
        coverage=_stacked({facet: thinned(curve) for facet, curve in curves.items()}, ["facet"]),
        at_95={facet: widest(curve, TARGET) for facet, curve in curves.items()},
        confusions=_stacked({facet: confusions(found, facet) for facet in curves}, ["facet"]),
        mistakes=worst_mistakes(found),
        faithfulness=None if whole else faithfulness(tagger, found, seed=seed),
        unfamiliar=None if whole else unfamiliar(tagger, found),
    )


def _parts(corpus: Corpus, by: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each part that the values of columns cut the corpus into, and which rows are in it."""
    columns = {name for row in corpus.rows for name in row.columns}
    words = pd.Series([len(text.split()) for text in corpus.texts])
    for column in by:
        if column == LENGTH:
            values = pd.cut(words, [-1, 44, 84, np.inf], labels=_BANDS).astype(str)
        elif column in columns:
            values = pd.Series(corpus.column(column)).replace(["", "None"], NOT_SAID)
        else:
            raise CorpusError(
                f"no row has a column {column!r}",
                hint=f"the columns are {', '.join(sorted(columns | {LENGTH}))}",
            )
        for value in values.value_counts()[:MOST_PARTS].sort_index().index:
            yield f"{column}: {value}", (values == value).to_numpy()


def _labels(folder: ModelFolder, figures: pd.DataFrame) -> pd.DataFrame:
    """Return threshold, target precision and whether it was reached, of each label.

    The target is that of the threshold in use: `textclass model thresholds` may have set it anew.
    """
    precision = figures[figures["metric"] == "precision"].set_index("label")
    taxonomy = folder.model.taxonomy
    table = pd.DataFrame({"facet": taxonomy.facet_of_each, "label": taxonomy.names})
    table["threshold"] = folder.model.thresholds
    facts = folder.manifest.get("label_facts", {})
    rules = table["label"].map(lambda name: facts.get(name, {}).get("threshold_rule", ""))
    table["target"] = rules.str.extract(r"^precision ([0-9.]+)", expand=False).astype(float)
    given = figures[figures["metric"] == "given"].set_index("label")
    own, count = (frame.loc[table["label"]] for frame in (precision, given))
    # Where the samples don't vary, as of four right tags of four, counts alone can still tell.
    ends = np.array([wilson(*pair) for pair in zip(own["value"], count["value"], strict=True)])
    low = np.minimum(own["low"].to_numpy(), ends[:, 0])
    high = np.maximum(own["high"].to_numpy(), ends[:, 1])
    target = table["target"]
    reached = np.select([low >= target, high < target], ["yes", "no"], "unclear")
    table["reached"] = pd.Series(reached, dtype=object).where(target.notna(), None)
    return table


def _by_label(found: Predictions, points: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return points made of each label's truth and probabilities, below each other."""
    taxonomy = found.corpus.taxonomy
    labels = zip(taxonomy.facet_of_each, taxonomy.names, strict=True)
    columns = zip(labels, found.truth.T, found.probabilities.T, strict=True)
    return _stacked({label: points(*curve) for label, *curve in columns}, ["facet", "label"])


def _stacked(frames: Mapping[Any, pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    """Return frames below each other, what each is of in the first columns."""
    return pd.concat(dict(frames), names=keys).reset_index(keys)
