import numpy as np
import pytest

from textclass.learning.evaluation.bootstrap import Bootstrap, as_text, estimate, ratio

GROUPS = ["a", "b", "a", "c", "b", "b"]
VALUES = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])


def test_documents_are_drawn_whole():
    bootstrap = Bootstrap(GROUPS, samples=50, seed=3)
    assert bootstrap.documents == 3
    assert (bootstrap.weights[0] == 1).all()
    assert (bootstrap.weights.sum(axis=1) == 3).all()
    by_document = {"a": 5.0, "b": 50.0, "c": 8.0}
    for weights, total in zip(bootstrap.weights, bootstrap.totals(VALUES), strict=True):
        drawn = sum(w * by_document[name] for w, name in zip(weights, "abc", strict=True))
        assert total == drawn


def test_weights_of_passages_agree_with_totals(monkeypatch):
    monkeypatch.setattr("textclass.learning.evaluation.bootstrap._CELLS_AT_ONCE", 13)
    bootstrap = Bootstrap(GROUPS, samples=20, seed=3)
    by_passage = bootstrap.over_passages(lambda weights: weights @ VALUES)
    assert by_passage == pytest.approx(bootstrap.totals(VALUES))


def test_totals_keep_further_axes():
    bootstrap = Bootstrap(GROUPS, samples=5, seed=0)
    wide = bootstrap.totals(np.column_stack([VALUES, -VALUES]))
    assert wide.shape == (6, 2)
    assert wide[:, 1] == pytest.approx(-bootstrap.totals(VALUES))


def test_interval_covers_a_known_mean_about_95_times_in_100():
    random = np.random.default_rng(5)
    covered = 0
    for trial in range(200):
        values = random.normal(size=60)
        bootstrap = Bootstrap(list(map(str, range(60))), samples=300, seed=trial)
        found = estimate(bootstrap.totals(values) / 60)
        covered += found["low"] <= 0 <= found["high"]
    assert 0.88 <= covered / 200 <= 0.98


def test_passages_of_one_document_widen_the_interval():
    random = np.random.default_rng(0)
    values = np.repeat(random.random(20) < 0.5, 10)

    def width(groups):
        found = estimate(Bootstrap(groups, samples=500, seed=0).totals(values) / len(values))
        return found["high"] - found["low"]

    apart = width([str(i) for i in range(200)])
    together = width([str(i // 10) for i in range(200)])
    assert together > 2 * apart


def test_what_cannot_be_known_is_none():
    figures = ratio(np.array([0.0, 1.0]), np.array([0.0, 2.0]))
    assert np.isnan(figures[0])
    assert estimate(figures) == {"value": None, "low": None, "high": None}
    assert as_text(estimate(figures)) == "-"


def test_samples_without_the_figure_do_not_count():
    found = estimate(np.array([0.5, np.nan, 0.4, 0.6]))
    assert found["value"] == 0.5
    assert 0.4 <= found["low"] <= found["high"] <= 0.6
    assert as_text({"value": 0.5, "low": 0.25, "high": 1.0}) == "0.500 [0.250-1.000]"


def test_a_seed_gives_the_same_samples():
    first, second, other = (Bootstrap(GROUPS, samples=9, seed=seed) for seed in (1, 1, 2))
    assert (first.weights == second.weights).all()
    assert (first.weights != other.weights).any()
