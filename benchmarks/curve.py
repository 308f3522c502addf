"""Does more of the written corpus help? Dev figures with growing parts of it.

    python -m benchmarks.curve [FOLDS [SOFT_ROWS]]

Needs the public texts (textclass corpus fetch). Prints a Markdown table of the data sheet; without
SOFT_ROWS no soft labels are used.
"""

from __future__ import annotations

import sys
import tempfile

import numpy as np
from sklearn.metrics import average_precision_score, f1_score

from textclass.corpora import Corpus, read_corpus
from textclass.learning import default_pipeline, train
from textclass.tagger import Tagger

GOLD = "corpus/public/dev_gold.jsonl"
SIZES = (0, 400, 800, None)


def with_written(corpus: Corpus, size: int | None) -> Corpus:
    """Return the corpus with `size` written passages drawn at random, or all."""
    written = [row.id for row in corpus.rows if row.columns.get("source") == "written"]
    drawn = set(np.random.default_rng(0).permutation(written)[:size].tolist())
    return corpus.select(lambda row: row.columns.get("source") != "written" or row.id in drawn)


def figures(corpus: Corpus, gold: Corpus, *, folds: int, soft_rows: int) -> list[float]:
    """Train, tag the gold passages, and return micro-F1 and mean average precision by facet."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = default_pipeline(folds=folds)
        model = train(corpus, folder, pipeline, soft_rows=soft_rows).model
    p = Tagger(model).score(gold.texts).probabilities
    truth = gold.targets > 0
    found = []
    for columns in gold.taxonomy.slices.values():
        given = p[:, columns] >= model.thresholds[columns]
        found.append(f1_score(truth[:, columns], given, average="micro"))
        common = [c for c in range(columns.start, columns.stop) if truth[:, c].sum() >= 5]
        found.append(np.mean([average_precision_score(truth[:, c], p[:, c]) for c in common]))
    return found


def main(folds: int = 5, soft_rows: int = 0) -> None:
    """Print one row per size of the written corpus."""
    gold = read_corpus(GOLD)
    corpus = read_corpus("corpus").without_groups(gold.groups)
    heads = [f"{facet} {what}" for facet in gold.taxonomy.slices for what in ("micro-F1", "AP")]
    print("| written passages |", " | ".join(heads), "|")
    print("|---|" + "---|" * len(heads))
    for size in SIZES:
        part = with_written(corpus, size)
        count = sum(row.columns.get("source") == "written" for row in part.rows)
        found = figures(part, gold, folds=folds, soft_rows=soft_rows)
        print(f"| {count} |", " | ".join(f"{f:.3f}" for f in found), "|")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
