"""The accurate model that ships: scores, evidence that adds up, files that are checked."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from textclass.errors import ModelError
from textclass.model import find_model, load_encoder, load_folder, open_scorer
from textclass.tagger import Tagger

TEXTS = [
    "The hospital ship's surgeons, sent by the government, operated for free and trained nurses.",
    "Grain prices rose again on Tuesday, and the ministry expects a larger harvest next year.",
    "Negotiators won a pause in the shelling, so that convoys could reach the besieged town.",
]
LONG = " ".join(TEXTS * 12)


@pytest.fixture(scope="module")
def scorer():
    return open_scorer(load_folder("accurate"))


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(find_model("accurate"), tmp_path / "copy")
    return tmp_path / "copy"


def test_contributions_add_up_to_the_scores(scorer):
    texts = [*TEXTS, LONG, "No.", ""]
    scores = scorer.score(texts)
    cases = [(i, column) for i in range(len(texts)) for column in range(25)]
    found = scorer.contributions(*map(list, zip(*cases, strict=True)))
    sums = (found.sums + found.intercepts).reshape(len(texts), 25)
    assert np.abs(sums - scores.scores).max() < 1e-4


def test_without_its_evidence_a_label_is_not_given():
    tagger = Tagger.load("accurate")
    path = Path(__file__).parents[2] / "corpus/written/mixed.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()[:30]]
    left, labels = [], []
    for text, tags in zip(texts, tagger.tag_many(texts), strict=True):
        for label in tags.labels:
            letters = list(text)
            for e in tags.evidence:
                if e.label == label and e.weight > 0:
                    letters[e.start : e.end] = " " * (e.end - e.start)
            left.append("".join(letters))
            labels.append(label)
    fallen = [
        label not in tags.labels
        for label, tags in zip(labels, tagger.tag_many(left, evidence=False), strict=True)
    ]
    assert len(fallen) > 30
    assert np.mean(fallen) >= 0.95


def test_a_long_text_is_read_to_its_end():
    encoder = load_encoder("accurate")
    tokens = encoder.tokens([LONG], np.eye(1, encoder.size, dtype=np.float32))[0]
    assert tokens.ends.max() == len(LONG)
    assert len(tokens.values) > 200


def test_vectors_do_not_depend_on_the_batch():
    encoder = load_encoder("accurate")
    together = encoder.vectors([*TEXTS, LONG])
    alone = np.concatenate([encoder.vectors([text]) for text in [*TEXTS, LONG]])
    # Dynamic quantising takes its range from the batch, padding included.
    assert np.abs(together - alone).max() < 0.35
    assert (
        np.sum(together * alone, axis=1)
        / np.linalg.norm(together, axis=1)
        / np.linalg.norm(alone, axis=1)
    ).min() > 0.98


def test_tags_carry_evidence_of_the_text():
    tags = Tagger.load("accurate").tag(TEXTS[0])
    assert "compassionate" in tags["type"]
    assert all(TEXTS[0][e.start : e.end] == e.text for e in tags.evidence)


def test_a_cascade_asks_the_encoder_for_fewer_and_tags_nearly_alike():
    path = Path(__file__).parents[2] / "corpus/written/everyday.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()[:60]
    texts = TEXTS + [json.loads(line)["text"] for line in lines]
    whole, cascade = Tagger.load("accurate"), Tagger.load("accurate", cascade=True)
    labels = [tags.labels for tags in whole.tag_many(texts)]
    quick = [tags.labels for tags in cascade.tag_many(texts)]
    assert cascade.scorer.asked < 0.75 * whole.scorer.asked
    assert np.mean([a == b for a, b in zip(labels, quick, strict=True)]) > 0.9


def test_a_model_of_words_has_no_cascade():
    with pytest.raises(ModelError, match="--cascade"):
        Tagger.load("default", cascade=True)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "encoder.json"])
@pytest.mark.parametrize("harm", [lambda b: b[: len(b) // 2], lambda b: b.replace(b"e", b"a", 1)])
def test_an_altered_or_truncated_file_is_refused(copy, name, harm):
    path = Path(copy / name)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        Tagger.load(copy)


def test_without_its_libraries_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"textclass\[accurate\]"):
        Tagger.load("accurate")
