"""How well words carry over to sources never seen: `python -m benchmarks.unseen TEST…`.

The sources of the labelled public passages are dealt to three parts. What is trained on the other
two parts, their probabilities and the written corpus, by the settings of `default`, tags the third;
so does a logistic regression on the TF-IDF of words, trained on the same labelled rows. The
documents of each TEST are left out. It fits 450 logistic regressions: give it time.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import print_table
from textclass.corpora import Corpus, Row, read_corpus
from textclass.learning import default_pipeline, fit_baselines, fit_corpus, leave_out

PARTS, FOLDS = 3, 2


def part_of_each(corpus: Corpus) -> NDArray[np.int64]:
    """Return the part of each row; -1 for those without a source, which are always trained on."""
    sources = corpus.column("source")
    sizes = Counter(name for name, hard in zip(sources, corpus.hard, strict=True) if hard and name)
    taken = Counter(range(PARTS))
    part_of: dict[object, int] = {}
    for name, size in sizes.most_common():
        part_of[name] = min(taken, key=lambda part: taken[part])
        taken[part_of[name]] += size
    return np.array([part_of.get(name, -1) for name in sources])


def rows_of(corpus: Corpus, chosen: NDArray[np.bool_]) -> Corpus:
    """Return the chosen rows."""
    rows = (row for row, is_chosen in zip(corpus.rows, chosen, strict=True) if is_chosen)
    return Corpus(corpus.taxonomy, tuple(rows))


def main(paths: list[Path]) -> None:
    """Print a table of micro-F1, and by how much `default` is better."""
    corpus = read_corpus("corpus")
    for path in paths:
        corpus = leave_out(corpus, read_corpus(path))
    parts = part_of_each(corpus)
    tests: list[Row] = []
    given = []
    for part in range(PARTS):
        training = rows_of(corpus, parts != part)
        test = rows_of(corpus, (parts == part) & corpus.hard)
        pipelines = {
            "default": fit_corpus(
                training,
                default_pipeline(
                    folds=FOLDS, min_df=6, soft_weight={"type": 0.5, "principle": 0.3}
                ),
            ),
            **fit_baselines(training, of=["word"], folds=FOLDS),
        }
        given.append({name: one.predict(test.texts) > 0 for name, one in pipelines.items()})
        tests += test.rows
    whole = {name: np.concatenate([found[name] for found in given]) for name in given[0]}
    print_table("sources never seen", Corpus(corpus.taxonomy, tuple(tests)), whole, "default")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
