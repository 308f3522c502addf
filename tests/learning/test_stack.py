"""An accurate model made of words and the shipped encoder."""

import numpy as np
import pytest

from textclass.corpora import Corpus, read_corpus
from textclass.errors import CorpusError
from textclass.learning import EncoderFeatures, train, train_accurate
from textclass.learning.stack import is_set_aside
from textclass.model import load_folder
from textclass.tagger import Tagger


@pytest.fixture(scope="module")
def corpus():
    rows = read_corpus("corpus/written/mixed.jsonl").rows
    rows += read_corpus("corpus/written/citizen.jsonl").rows
    return Corpus(read_corpus("corpus/written/mixed.jsonl").taxonomy, rows)


def test_about_a_tenth_of_the_documents_is_set_aside():
    aside = [is_set_aside(f"source:document-{n}") for n in range(2000)]
    assert 150 < sum(aside) < 250


def test_vectors_are_features_for_any_classifier():
    features = EncoderFeatures().fit([])
    vectors = features.transform(["peace talks", "grain prices"])
    assert vectors.shape == (2, len(features.get_feature_names_out()))


def test_words_and_encoder_make_a_model_that_tags(corpus, toy_pipeline, tmp_path):
    words = train(corpus, tmp_path / "words", toy_pipeline)
    aside = sum(is_set_aside(group) for group in corpus.groups)
    if aside < 50:
        pytest.fail(f"{aside} passages set aside, the test needs 50")
    made = train_accurate(corpus, words, "accurate", tmp_path / "accurate")
    assert made.is_accurate
    assert made.manifest["stack"]["passages_set_aside"] == aside
    assert load_folder(tmp_path / "accurate").digest == made.digest
    tagger = Tagger.load(tmp_path / "accurate")
    p = np.array([tags.probabilities for tags in tagger.tag_many(corpus.texts[:40])])
    truth = corpus.targets[:40] > 0
    assert p[truth].mean() > 2 * p[~truth].mean()


def test_too_few_documents_are_told(corpus, toy_pipeline, tmp_path):
    few = Corpus(corpus.taxonomy, corpus.rows[:60])
    words = train(few, tmp_path / "words", toy_pipeline)
    with pytest.raises(CorpusError, match="set aside"):
        train_accurate(few, words, "accurate", tmp_path / "accurate")
