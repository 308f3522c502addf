"""All figures of an evaluation, in one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textclass.learning.evaluation.baselines import baselines
from textclass.learning.evaluation.bootstrap import Bootstrap
from textclass.learning.evaluation.comparison import compare
from textclass.learning.evaluation.coverage import risk_coverage
from textclass.learning.evaluation.faithfulness import faithfulness
from textclass.learning.evaluation.labels import label_metrics, promised_precision
from textclass.learning.evaluation.leakage import leaks
from textclass.learning.evaluation.mistakes import confusions, worst_errors
from textclass.learning.evaluation.predictions import Predictions, predict
from textclass.learning.evaluation.scores import Counts, facet_metrics
from textclass.learning.evaluation.slices import slice_metrics
from textclass.learning.fit import Progress
from textclass.model import ModelFolder, load_folder
from textclass.tagger import Tagger

if TYPE_CHECKING:
    from textclass.corpora import Corpus
    from textclass.metrics import Corpus as CorpusFacts
    from textclass.metrics import LabelMetrics, Metrics


@dataclass(frozen=True)
class EvaluationOptions:
    """What to measure and how.

    Attributes
    ----------
    by : tuple of str
        Columns to slice by; `length`, bands of words, needs no column.
    samples : int
        Bootstrap samples for every interval.
    seed : int
    training : Corpus or None
        What to fit the TF-IDF baseline on: the model's own training data.
    compare : tuple of ModelFolder, Tagger or path
        Other models, on the same passages.
    paths : tuple of str
        Where the corpus came from, for the record.
    """

    by: tuple[str, ...] = ()
    samples: int = 1000
    seed: int = 0
    training: Corpus | None = None
    compare: tuple[ModelFolder | Tagger | str | Path, ...] = ()
    paths: tuple[str, ...] = ()


def evaluate(
    model: ModelFolder | Tagger | str | Path,
    corpus: Corpus,
    options: EvaluationOptions | None = None,
    *,
    progress: Progress = lambda _done, _total: None,
) -> Metrics:
    """Measure a model on labelled passages.

    Parameters
    ----------
    model : ModelFolder, Tagger or path
        Of a tagger without its folder it can't be told whether it was trained on the corpus.
    corpus : Corpus
        Read under the model's taxonomy; rows without labels are left out.
    options : EvaluationOptions, optional
    progress : callable, keyword-only
        Called with the baseline fits done and the fits in all: what takes time.

    Returns
    -------
    Metrics
        Plain data for JSON; the same for the same model, corpus and seed.

    Raises
    ------
    CorpusError
        If no row has labels, or none has a column to slice by.
    ModelError
        If a model can't be loaded or has other labels.
    """
    options = options or EvaluationOptions()
    folder = load_folder(model) if isinstance(model, str | Path) else model
    tagger, others = _tagger(folder), [_tagger(other) for other in options.compare]
    predictions = predict(tagger, corpus)
    corpus, truth, given = predictions.corpus, predictions.truth, predictions.given
    p = predictions.probabilities
    bootstrap = Bootstrap(corpus.groups, samples=options.samples, seed=options.seed)
    counts = Counts.of(bootstrap, truth, given)
    slices = corpus.taxonomy.slices
    return {
        "model": tagger.model.name,
        "corpus": _corpus_facts(folder, corpus, bootstrap, options),
        "facets": {name: facet_metrics(bootstrap, predictions, counts, name) for name in slices},
        "labels": _labels(bootstrap, predictions, counts, tagger, folder),
        "baselines": baselines(
            bootstrap, corpus, options.training, seed=options.seed, progress=progress
        ),
        "slices": slice_metrics(bootstrap, predictions, options.by),
        "confusions": confusions(predictions),
        "risk_coverage": {
            name: risk_coverage(p[:, columns], truth[:, columns], given[:, columns])
            for name, columns in slices.items()
        },
        "faithfulness": faithfulness(tagger, predictions, seed=options.seed),
        "worst_errors": worst_errors(predictions),
        "comparison": compare(bootstrap, predictions, others),
        "bootstrap": {"samples": options.samples, "unit": "document"},
    }


def _tagger(model: ModelFolder | Tagger | str | Path) -> Tagger:
    if isinstance(model, Tagger):
        return model
    folder = model if isinstance(model, ModelFolder) else load_folder(model)
    return Tagger(folder.model)


def _labels(
    bootstrap: Bootstrap,
    predictions: Predictions,
    counts: Counts,
    tagger: Tagger,
    folder: ModelFolder | Tagger,
) -> list[LabelMetrics]:
    manifest = folder.manifest if isinstance(folder, ModelFolder) else None
    return [
        label_metrics(
            bootstrap,
            predictions,
            counts,
            label.name,
            threshold=float(tagger.model.thresholds[tagger.taxonomy.column(label.name)]),
            target=promised_precision(manifest, label),
        )
        for label in predictions.corpus.taxonomy.labels
    ]


def _corpus_facts(
    folder: ModelFolder | Tagger, corpus: Corpus, bootstrap: Bootstrap, options: EvaluationOptions
) -> CorpusFacts:
    return {
        "paths": list(options.paths),
        "passages": len(corpus),
        "documents": bootstrap.documents,
        "fingerprint": corpus.fingerprint,
        "leaks": leaks(folder, corpus) if isinstance(folder, ModelFolder) else None,
    }
