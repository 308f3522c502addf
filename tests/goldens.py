"""Rows of `textclass tag corpus/samples` with the shipped model, kept to be compared with.

After a new model, or a meant change of what is read: python -m tests.goldens
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
GOLDENS = ROOT / "tests/data/goldens.jsonl"

LEAST_SCORE = 0.05
"""Smaller probabilities aren't kept: they say little, and are many."""


def golden(row: dict[str, Any]) -> dict[str, Any]:
    """Return what of a row is kept."""
    facets = row["scores"]
    return {
        **{key: row[key] for key in ("id", "document", "start", "end", "outcome", "reason")},
        "labels": [label for facet in facets for label in row[facet]],
        "scores": {
            label: p for scores in facets.values() for label, p in scores.items() if p > LEAST_SCORE
        },
        "evidence": [[one[k] for k in ("label", "start", "end")] for one in row["evidence"]],
        "model": row["model"],
    }


def tagged(folder: Path, workers: int = 1) -> list[dict[str, Any]]:
    """Tag the samples into `folder`; return what is to be kept of each row."""
    from textclass.batch import TagJob, tag_files

    out = folder / "out.jsonl"
    tag_files(TagJob((str(ROOT / "corpus/samples"),), (str(out),), workers=workers))
    return [golden(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        rows = tagged(Path(scratch))
    lines = [json.dumps(row, separators=(",", ":")) + "\n" for row in rows]
    GOLDENS.write_text("".join(lines), encoding="utf-8")
