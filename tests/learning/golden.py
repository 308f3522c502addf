"""Figures of the shipped model on a few written passages, kept to see that they don't move.

`python -m tests.learning.golden` writes them anew, after the shipped model has changed.
"""

import json
from pathlib import Path

from textclass.corpora import Corpus, read_corpus
from textclass.learning import evaluate

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "tests" / "data" / "golden_figures.json"
FILES = ["citizen", "compassionate", "everyday", "humanitarian-rights", "mixed", "none"]
FILES += ["principles-civic", "principles-humanitarian"]
ROWS_OF_EACH = 15


def measure() -> dict:
    """Return the evaluation of the shipped model on the first passages of eight written files."""
    parts = [read_corpus(ROOT / "corpus" / "written" / f"{name}.jsonl") for name in FILES]
    rows = tuple(row for part in parts for row in part.rows[:ROWS_OF_EACH])
    corpus = Corpus(parts[0].taxonomy, rows)
    found = evaluate(ROOT / "models" / "default", corpus, by=("register", "length"), samples=200)
    kept = found.to_dict(short=True)
    kept["corpus"] = {**kept["corpus"], "leaks": len(kept["corpus"]["leaks"])}
    return kept | {"confusions": found.to_dict()["confusions"]}


if __name__ == "__main__":
    FIGURES.write_text(json.dumps(measure(), indent=0) + "\n", encoding="utf-8")
