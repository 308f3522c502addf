from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.corpora import read_corpus
from textclass.language import Tokenizer
from textclass.learning import compile_model, fit_corpus
from textclass.model import WordTable, find_keys
from textclass.tagger import Tagger


@pytest.fixture(scope="module")
def fitted(toy_corpus, toy_pipeline):
    return fit_corpus(toy_corpus, toy_pipeline)


WRITTEN = Path(__file__).parents[2] / "corpus" / "written"
ODD = ["", "ferry", "Ferry ferry FERRY bank's", "unseenword (((((", "bread\u200b flour\u00ad", "no"]


def test_compiled_rows_score_as_the_fitted_pipeline(fitted, toy_corpus):
    texts = [*toy_corpus.texts, *ODD, *read_corpus(WRITTEN).texts[:1000]]
    expected = fitted.decision_function(texts)
    exact = Tagger(compile_model(fitted, toy_corpus.taxonomy, dtype=np.float32)).score(texts).scores
    assert np.abs(exact - expected).max() < 1e-5
    stored = Tagger(compile_model(fitted, toy_corpus.taxonomy)).score(texts).scores
    assert np.abs(stored - expected).max() < 0.01


def test_contributions_add_up_to_the_score(fitted, toy_corpus):
    tagger = Tagger(compile_model(fitted, toy_corpus.taxonomy))
    for text in [*toy_corpus.texts[:40], *ODD]:
        scores = tagger.score([text]).scores[0]
        columns = range(len(scores))
        found = tagger.scorer.contributions([0] * len(scores), columns)
        assert found.sums + found.intercepts == pytest.approx(scores, abs=1e-5)
        weights = [found.weights[found.cases == column].sum() for column in columns]
        assert weights == pytest.approx(found.sums, abs=1e-9)


def test_scores_do_not_depend_on_the_batch_or_on_what_came_before(fitted, toy_corpus):
    texts = [*toy_corpus.texts[:50], *ODD]
    model = compile_model(fitted, toy_corpus.taxonomy)
    together = Tagger(model).score(texts).scores
    one_by_one = Tagger(model)
    alone = np.concatenate([one_by_one.score([text]).scores for text in reversed(texts)])
    assert np.allclose(together, alone[::-1], rtol=0, atol=1e-12)
    batches = Tokenizer(max_chunks=30)
    table = WordTable(model)
    for text, expected in zip(texts, together, strict=True):
        batch = batches.read([text])
        table.grow(batches.words, batches.generation)
        scores = table.score(batch, table.find_bigrams(batch)).scores
        assert np.allclose(scores[0], expected, rtol=0, atol=1e-12)
    assert batches.generation > 0


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=300, unique=True),
    st.lists(st.integers(0, 2**64 - 1), max_size=30),
)
def test_keys_are_found_where_they_are_and_nowhere_else(keys, others):
    rising = np.array(sorted(keys), dtype=np.uint64)
    wanted = np.array(keys[::2] + others, dtype=np.uint64)
    positions, index = find_keys(rising, wanted)
    assert rising[index].tolist() == wanted[positions].tolist()
    assert positions.tolist() == [i for i, key in enumerate(wanted.tolist()) if key in set(keys)]
