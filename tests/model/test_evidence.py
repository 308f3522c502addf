import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclass.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(toy_model):
    return Tagger.load(toy_model.path)


def test_evidence_is_what_the_label_came_from(tagger):
    text = "In the morning the old ferry left the bank of the upstream delta road."
    tags = tagger.tag(text)
    assert tags.labels == ("river",)
    words = {word for e in tags.evidence if e.weight > 0 for word in e.text.split()}
    assert words & {"ferry", "bank", "upstream", "delta"}
    assert not words & {"morning", "road"}


def test_offsets_hold_in_a_document_with_emoji(tagger):
    text = "🌊 Morning on the road to town.\n\n🍞 " + "the baker lit the oven for a rye loaf " * 5
    for passage in tagger.tag_document(text).passages:
        assert text[passage.start : passage.end] == passage.text
        for evidence in passage.evidence:
            assert text[evidence.start : evidence.end] == evidence.text


def test_without_its_evidence_a_label_is_not_given(tagger, toy_corpus):
    dropped = cases = 0
    for text in toy_corpus.texts[:80]:
        for label in (tags := tagger.tag(text)).labels:
            left = list(text)
            for e in tags.evidence:
                if e.label == label and e.weight > 0:
                    left[e.start : e.end] = " " * (e.end - e.start)
            cases += 1
            dropped += label not in tagger.tag("".join(left)).labels
    assert cases > 50
    assert dropped / cases >= 0.95


def test_words_against_a_label_have_negative_weight(tagger):
    explanation = tagger.explain("the baker refused the loaf and the dough and the oven", "river")
    assert not explanation.given
    for_it, against = explanation.strongest(20)
    assert all(weight > 0 for _, weight in for_it)
    assert against
    assert all(weight < 0 for _, weight in against)
    total = sum(weight for _, weight in explanation.words)
    assert total + explanation.intercept == pytest.approx(explanation.score, abs=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="ferybadoun .,()é🌊\u200b\n", max_size=200))
def test_any_text_has_true_offsets_and_exact_sums(tagger, text):
    tags = tagger.tag(text)
    assert text[tags.start : tags.end] == tags.text
    scores = tagger.score([text]).scores[0]
    found = tagger.scorer.contributions([0] * len(scores), range(len(scores)))
    assert np.allclose(found.sums + found.intercepts, scores, atol=1e-5)
