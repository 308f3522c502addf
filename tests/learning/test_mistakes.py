"""Coverage, confusions, worst mistakes, faithfulness: hand examples."""

import numpy as np
import pytest

from textclass.corpora import Corpus, Row
from textclass.language import Tokenizer
from textclass.learning.mistakes import (
    confusions,
    coverage,
    erase,
    faithfulness,
    widest,
    worst_mistakes,
)
from textclass.learning.predictions import Predictions, predict


def predictions_of(taxonomy, truth, given):
    """Predictions with one row of four flags per passage, as strings such as `x..x`."""
    rows = (Row(f"id{i}", f"text {i}", frozenset(), None, f"g{i}") for i in range(len(truth)))
    flags = [np.array([[c == "x" for c in row] for row in side]) for side in (truth, given)]
    return Predictions(Corpus(taxonomy, tuple(rows)), *flags, np.where(flags[1], 0.9, 0.1))


def test_coverage_by_hand():
    # Four passages; the third is not tagged, the fourth is tagged wrongly with little certainty.
    p = np.array([[0.99, 0.1], [0.9, 0.8], [0.3, 0.2], [0.6, 0.1]])
    truth = np.array([[True, False], [True, True], [False, False], [False, False]])
    curve = coverage(truth, p >= 0.5, p)
    assert curve.to_numpy().tolist() == [
        [0.99, 0.25, 0.5, 1.0],
        [0.9, 0.5, 1.0, 1.0],
        [0.8, 0.5, 1.0, 1.0],
        [0.6, 0.75, 1.0, 0.75],
    ]
    assert widest(curve, 0.95)["coverage"] == 0.5


def test_coverage_of_no_tag_and_of_nothing_right():
    nothing, p = np.zeros((3, 2), dtype=bool), np.full((3, 2), 0.4)
    assert coverage(nothing, nothing, p).empty
    assert widest(coverage(nothing, nothing, p), 0.95) is None
    assert widest(coverage(nothing, ~nothing, p), 0.95) is None


def test_confusions_count_each_missing_label_against_each_wrong_one(taxonomy):
    predictions = predictions_of(
        taxonomy,
        ["x...", "x...", "....", ".x..", "xx..", "..x."],
        [".x..", ".x..", "x...", "....", "xx..", "...x"],
    )
    assert confusions(predictions, "topic").to_numpy().tolist() == [
        ["sea", "bread", 2],
        ["bread", "none", 1],
        ["none", "sea", 1],
    ]
    assert confusions(predictions, "mood").to_numpy().tolist() == [["glad", "rare", 1]]
    assert confusions(predictions_of(taxonomy, ["x..."], ["x..."]), "topic").empty


def test_the_surest_mistake_is_the_worst(tagger, corpus):
    predictions = predict(tagger, corpus)
    found = worst_mistakes(predictions).to_dict("records")
    assert len(found) == min(25, (predictions.truth != predictions.given).any(axis=1).sum()) > 1
    places = {row.id: i for i, row in enumerate(corpus.rows)}

    def loss(mistake):
        i = places[mistake["id"]]
        truth, given, p = (predictions.truth[i], predictions.given[i], predictions.probabilities[i])
        return sum(
            -np.log(p[c] if truth[c] else 1 - p[c]) for c in range(4) if truth[c] != given[c]
        )

    losses = [loss(mistake) for mistake in found]
    assert losses == sorted(losses, reverse=True)
    for mistake in found:
        assert mistake["missing"] or mistake["wrong"]
        assert set(mistake["missing"] + mistake["wrong"]) <= set(mistake["probabilities"])
        for span in mistake["evidence"]:
            assert mistake["text"][span["start"] : span["end"]] == span["text"]


def test_words_are_erased_with_their_offsets():
    text = "Über-boats 🚢 left; the harbour slept."
    spans = Tokenizer().read([text])
    words = [text[s:e] for s, e in zip(spans.begins, spans.ends, strict=True)]
    chosen = np.array([word in ("boats", "harbour") for word in words])
    assert erase(text, spans, chosen) == "Über-  🚢 left; the   slept."


def test_tags_fall_without_their_evidence(tagger, corpus):
    predictions = predict(tagger, corpus)
    found = faithfulness(tagger, predictions, seed=0)
    assert found["cases"] == predictions.given.sum()
    assert found["share"] == pytest.approx(found["dropped"] / found["cases"])
    assert found["share"] > 0.9
    assert found["control_share"] < 0.3
    assert faithfulness(tagger, predictions, seed=0) == found


def test_without_a_tag_there_is_nothing_to_check(tagger, taxonomy):
    silent = Row("a", "too short", frozenset(), None, "a")
    assert faithfulness(tagger, predict(tagger, Corpus(taxonomy, (silent,))), seed=0) is None
