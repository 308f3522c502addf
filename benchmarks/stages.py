"""What isn't speed of reading: start-up, training, quality, and where the time goes.

`python -m benchmarks.stages plain|whole FOLDER` times a training.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from benchmarks.contenders import CONTENDERS, Reader, notebook_features, plain_fit
from benchmarks.measure import output, processor_seconds
from textclass.corpora import Corpus, Row
from textclass.learning import default_pipeline, fit_corpus
from textclass.tagger import Tagger
from textclass.taxonomy import Taxonomy

SENTENCE = (
    "The navy's hospital ship anchored off the quake-hit coast; its surgeons treated 1,200 people, "
    "whatever their side, and trained local nurses."
)
TRAINED_ON = 8_000


def start_up(work: Path, repeats: int) -> float:
    """Return processor time of `textclass predict` over that of `import spacy`, median in turn."""
    predict = [sys.executable, "-m", "textclass", "predict", "-m", str(work / "model"), SENTENCE]
    ratios = []
    for _ in range(repeats):
        spacy = processor_seconds([sys.executable, "-c", "import spacy"])
        ratios.append(processor_seconds(predict) / spacy)
    return median(ratios)


def training(work: Path) -> float:
    """Return wall time of a whole training over that of a plain fit, both on two cores, once."""
    whole, plain = (float(output("benchmarks.stages", kind, str(work))) for kind in _KINDS)
    return whole / plain


def own_labels(texts: Sequence[str], work: Path) -> NDArray[np.bool_]:
    """Return labels to train on where none are at hand: those that textclass gives.

    Each label goes to at least a fiftieth of the texts, those nearest to it.
    """
    found = np.asarray(CONTENDERS["scores"].load(work)(texts))
    return found >= np.minimum(np.quantile(found, 0.98, axis=0), 0)


def _plain(texts: list[str], targets: NDArray[np.bool_], _taxonomy: Taxonomy) -> None:
    plain_fit(notebook_features(characters=True).fit_transform(texts), targets, jobs=2)


def _whole(texts: list[str], targets: NDArray[np.bool_], taxonomy: Taxonomy) -> None:
    names = np.array(taxonomy.names)
    rows = [
        Row(str(i), text, frozenset(names[given].tolist()), None, group=str(i))
        for i, (text, given) in enumerate(zip(texts, targets, strict=True))
    ]
    pipeline = default_pipeline(n_jobs=2)
    fit_corpus(Corpus(taxonomy, tuple(rows)), pipeline)


_KINDS = {"whole": _whole, "plain": _plain}


def micro_f1(name: str, dev: Corpus, work: Path) -> dict[str, float]:
    """Return micro-F1 of each facet on dev.

    textclass uses its own thresholds. Each peer gets for each facet the one that is best on dev.
    """
    found = CONTENDERS[name].load(work)(dev.texts)
    if found is None:
        return {}
    truth, figures = dev.targets > 0, {}
    for facet, columns in dev.taxonomy.slices.items():
        p, own = found[:, columns], name == "scores"
        tried = [0.0] if own else np.quantile(p, np.linspace(0.6, 0.995, 80))
        given = (p >= threshold for threshold in tried)
        figures[facet] = max(
            float(f1_score(truth[:, columns], g, average="micro", zero_division=0.0)) for g in given
        )
    return figures


def profile(texts: list[str], work: Path) -> dict[str, list[tuple[str, float]]]:
    """Return the functions in which textclass spends most time, with their shares."""
    scores, tags = CONTENDERS["scores"].load(work), CONTENDERS["evidence"].load(work)
    tags(texts)
    parts = [texts[first : first + 256] for first in range(0, len(texts), 256)]
    runs = {"scores, cold": scores, "scores, warm": scores, "tags with evidence, warm": tags}
    return {name: _shares(run, parts) for name, run in runs.items()}


def _shares(run: Reader, parts: list[list[str]]) -> list[tuple[str, float]]:
    profiler = cProfile.Profile()
    for part in parts:
        profiler.runcall(run, part)
    entries = pstats.Stats(profiler).get_stats_profile().func_profiles
    total = sum(entry.tottime for entry in entries.values())
    top = sorted(entries.items(), key=lambda item: -item[1].tottime)[:7]
    return [(name, entry.tottime / total) for name, entry in top]


def _time_training(kind: str, work: Path) -> float:
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))[:TRAINED_ON]
    targets, taxonomy = own_labels(texts, work), Tagger.load(work / "model").taxonomy
    begin = time.perf_counter()
    _KINDS[kind](texts, targets, taxonomy)
    return time.perf_counter() - begin


if __name__ == "__main__":
    print(_time_training(sys.argv[1], Path(sys.argv[2])))
