"""A tiny model whose weights are set by hand, so that what it tags is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from textclass.language import FeatureSpec, feature_keys, function_words, word_keys
from textclass.model import LinearModel, save_model
from textclass.taxonomy import Facet, Label, Taxonomy

DECIDING = {
    "hospital": "compassionate",
    "ceasefire": "humanitarian",
    "refugees": "humanitarian",
    "exchange": "citizen",
    "need": "impartiality",
    "suffering": "humanity",
}
"""Each word decides its label alone."""

TAXONOMY = Taxonomy(
    (
        Facet(
            "type",
            tuple(Label(name, name) for name in ("compassionate", "humanitarian", "citizen")),
        ),
        Facet("principle", tuple(Label(name, name) for name in ("humanity", "impartiality"))),
    )
)


def make_model(folder: Path) -> Path:
    spec = FeatureSpec(shortest=30, longest=30, word_weight=1.0, bigram_weight=0.0)
    words = list(DECIDING)
    keys = np.concatenate([k for k, _ in feature_keys(words, spec)])
    weights = np.zeros((len(words), len(TAXONOMY.names)), dtype=np.float32)
    for row, label in enumerate(DECIDING.values()):
        weights[row, TAXONOMY.column(label)] = 60.0
    order = np.argsort(keys)
    known = np.unique(word_keys([*words, *function_words(), "people", "town", "report"]))
    n = len(TAXONOMY.names)
    model = LinearModel(
        taxonomy=TAXONOMY,
        spec=spec,
        feature_keys=keys[order],
        feature_weights=weights[order],
        bigram_keys=np.array([], dtype=np.uint64),
        bigram_weights=np.zeros((0, n), dtype=np.float32),
        word_keys=known,
        word_idf=np.ones(len(known), dtype=np.float32),
        unseen_idf=1.0,
        intercept=np.full(n, -4.0),
        slope=np.ones(n),
        offset=np.zeros(n),
        thresholds=np.full(n, 0.5),
    )
    save_model(model, folder, facts={})
    return folder


SENTENCES = (
    "The hospital of the town was there for the people, and we report what was done there.",
    "They were to have a ceasefire by the evening, and the people of the town were in need of it.",
    "An exchange of people between the town and our town was what they had asked us for.",
    "There was no more to say about it than that it was so, and that all of us were there.",
)


def text_of(number: int) -> str:
    """A document of a few passages, different for each number."""
    parts = [SENTENCES[(number + i) % len(SENTENCES)] for i in range(2 + number % 3)]
    return "\n\n".join(
        f"{part} It was report {number} of the town, part {i}, and we say no more."
        for i, part in enumerate(parts)
    )


def write_inputs(folder: Path, count: int) -> Path:
    """Text files, two of which have the same content, and some that can't be read."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:04}.txt").write_text(text_of(number))
    (folder / "twin.txt").write_text(text_of(0))
    (folder / "picture.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "empty.txt").write_bytes(b"")
    rows = [{"id": f"r{i}", "text": text_of(i), "place": f"town {i}", "n": i} for i in range(20)]
    rows.insert(7, {"id": "bad", "text": None, "place": "", "n": 0})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def with_all_columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """JSON lines as a table has them: what a row lacks is null there."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]
