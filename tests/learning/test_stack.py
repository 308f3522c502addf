"""An accurate model made of words and the shipped encoder."""

import hashlib
import json
import pickle
from copy import deepcopy
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.compose import make_column_transformer

from textclass.corpora import Corpus, read_corpus
from textclass.errors import CorpusError
from textclass.learning import EncoderFeatures, train, train_accurate
from textclass.learning.stack import is_set_aside
from textclass.model import (
    ENCODER_FACTS,
    HEAD,
    STACK,
    encoder_files,
    load_folder,
    pack_arrays,
)
from textclass.tagger import Tagger

WRITTEN = Path(__file__).parents[2] / "corpus/written"


@pytest.fixture(scope="module")
def corpus():
    """A few passages with labels of one facet, half of them of documents set aside."""
    written = read_corpus(WRITTEN)
    taxonomy = replace(written.taxonomy, facets=written.taxonomy.facets[:1])
    known = frozenset(taxonomy.names)
    rows = [replace(row, labels=(row.labels or frozenset()) & known) for row in written.rows]
    rows.sort(key=lambda row: (is_set_aside(row.group), row.id))
    halves = [list(half) for _, half in groupby(rows, key=lambda row: is_set_aside(row.group))]
    return Corpus(taxonomy, tuple(halves[0][:50] + halves[1][:50]))


@pytest.fixture(scope="module")
def words(corpus, toy_pipeline, tmp_path_factory):
    pipeline = clone(toy_pipeline).set_params(labelclassifier__target_precision=0.8)
    return train(corpus, tmp_path_factory.mktemp("words") / "words", pipeline)


def with_head(folder: Path, labels: list[str], head: dict[str, np.ndarray]) -> Path:
    """Write the shipped encoder with another head."""
    files = encoder_files("accurate") | {HEAD: pack_arrays(head)}
    facts = json.loads(files.pop(ENCODER_FACTS)) | {"labels": labels}
    facts["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / ENCODER_FACTS).write_text(json.dumps(facts))
    return folder


def test_about_a_tenth_of_the_documents_is_set_aside():
    aside = [is_set_aside(f"source:document-{n}") for n in range(2000)]
    assert 150 < sum(aside) < 250


def test_vectors_are_features_for_any_classifier():
    features = EncoderFeatures().fit([])
    vectors = features.transform(["peace talks", "grain prices"])
    assert vectors.shape == (2, len(features.get_feature_names_out()))


def test_features_can_be_copied_and_sent_to_other_processes():
    features = EncoderFeatures().fit([])
    there = pickle.loads(pickle.dumps(features))
    vectors = [one.transform(["peace talks"]) for one in (features, there, deepcopy(there))]
    assert np.array_equal(vectors[0], vectors[1])
    assert np.array_equal(vectors[0], vectors[2])


def test_a_table_is_not_taken_for_texts():
    frame = pd.DataFrame({"text": ["peace talks"]})
    made = make_column_transformer((EncoderFeatures(), "text"))
    assert made.fit_transform(frame).shape[0] == 1
    with pytest.raises(ValueError, match="pass one column"):
        make_column_transformer((EncoderFeatures(), ["text"])).fit_transform(frame)


@pytest.mark.parametrize("own", [True, False], ids=["the encoder's head", "a head of our labels"])
def test_words_and_encoder_make_a_model_that_tags(corpus, words, tmp_path, own):
    names = corpus.taxonomy.names
    weight = load_folder("accurate").arrays(STACK)["head"][: len(names)]
    labels = list(names) if own else ["another"]
    head = {"weight": weight, "bias": np.full(len(weight), -1.0, dtype=np.float32)}
    encoder = with_head(tmp_path / "encoder", labels, head)
    with parallel_config(backend="sequential"):
        made = train_accurate(corpus, words, encoder, tmp_path / "accurate")
    assert load_folder(tmp_path / "accurate").digest == made.digest
    assert {STACK, "README.md"} <= made.files().keys()
    assert made.is_accurate
    assert made.manifest["stack"]["passages_set_aside"] == 50
    facts, figures = made.manifest["label_facts"], made.manifest["out_of_fold"]
    for column, (name, threshold) in enumerate(zip(names, made.model.thresholds, strict=True)):
        never = ", not reached" if threshold > 0.99 else ""
        assert facts[name]["threshold_rule"] == f"precision 0.8{never}"
        # Of so few passages probabilities count as much as hits, which alone may give a bit less.
        assert never or figures[name]["precision"] >= 0.7
        assert figures[name]["n"] == corpus.targets[50:, column].sum()
    scaled = made.arrays(STACK)["head"]
    alike = np.sum(scaled * weight, axis=1) >= 0.999 * np.linalg.norm(scaled, axis=1) * (
        np.linalg.norm(weight, axis=1)
    )
    assert alike.all() == own
    tagger = Tagger.load(made)
    p = np.array(
        [tags.probabilities for tags in tagger.tag_many(corpus.texts[:40], evidence=False)]
    )
    truth = corpus.targets[:40] > 0
    assert p[truth].mean() > 2 * p[~truth].mean()


def test_too_few_documents_are_told(corpus, words, tmp_path):
    few = Corpus(corpus.taxonomy, corpus.rows[:90])
    with pytest.raises(CorpusError, match="set aside"):
        train_accurate(few, words, "accurate", tmp_path / "accurate")
