"""Every figure against scikit-learn, on labels drawn at random."""

import numpy as np
import pytest
from sklearn import metrics as sk

from textclass.learning.evaluation.bootstrap import Bootstrap
from textclass.learning.evaluation.labels import SWEEP, promised_precision, reached, sweep
from textclass.learning.evaluation.predictions import Predictions
from textclass.learning.evaluation.reliability import brier, calibration_error, reliability
from textclass.learning.evaluation.scores import Counts, average_precision, facet_metrics
from textclass.taxonomy import Label

N = 150


@pytest.fixture(scope="module")
def random_case():
    random = np.random.default_rng(7)
    truth = random.random((N, 4)) < [0.4, 0.2, 0.3, 0.02]
    p = np.clip(0.3 * truth + 0.7 * random.random((N, 4)), 0, 1).round(2)
    return truth, p, p >= 0.5, [str(i // 3) for i in range(N)]


@pytest.fixture(scope="module")
def figures(random_case, corpus):
    truth, p, given, groups = random_case
    bootstrap = Bootstrap(groups, samples=200, seed=0)
    predictions = Predictions(corpus, truth, given, p, ())
    counts = Counts.of(bootstrap, truth, given)
    return {
        facet: facet_metrics(bootstrap, predictions, counts, facet) for facet in ("topic", "mood")
    }


@pytest.mark.parametrize(("facet", "columns"), [("topic", slice(0, 2)), ("mood", slice(2, 4))])
def test_micro_and_exact_match(random_case, figures, facet, columns):
    truth, p, given, _ = random_case
    truth, p, given = truth[:, columns], p[:, columns], given[:, columns]
    expected = sk.precision_recall_fscore_support(truth, given, average="micro")
    for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
        found = figures[facet]["micro"][name]
        assert found["value"] == pytest.approx(value, abs=1e-6)
        assert found["low"] < found["value"] < found["high"]
    assert figures[facet]["exact_match"]["value"] == pytest.approx(
        sk.accuracy_score(truth, given), abs=1e-6
    )
    has_any = truth.any(axis=1), given.any(axis=1)
    assert figures[facet]["any"]["f1"]["value"] == pytest.approx(sk.f1_score(*has_any), abs=1e-6)
    assert figures[facet]["support"] == truth.sum()
    losses = [sk.brier_score_loss(truth[:, c], p[:, c]) for c in range(2)]
    assert figures[facet]["brier"] == pytest.approx(np.mean(losses), abs=1e-6)


def test_macro_leaves_rare_labels_out(random_case, figures):
    truth, _, given, _ = random_case
    macro = figures["mood"]["macro"]
    assert macro["labels"] == ["glad"]
    assert macro["left_out"] == ["rare"]
    assert macro["f1"]["value"] == pytest.approx(sk.f1_score(truth[:, 2], given[:, 2]), abs=1e-6)
    both = sk.f1_score(truth[:, :2], given[:, :2], average="macro")
    assert figures["topic"]["macro"]["f1"]["value"] == pytest.approx(both, abs=1e-6)


def test_a_label_never_given_counts_as_no_precision_in_macro(random_case, corpus):
    truth, p, given, groups = random_case
    given = given.copy()
    given[:, 1] = False
    bootstrap = Bootstrap(groups, samples=100, seed=0)
    counts = Counts.of(bootstrap, truth, given)
    found = facet_metrics(bootstrap, Predictions(corpus, truth, given, p, ()), counts, "topic")
    half = sk.precision_score(truth[:, 0], given[:, 0]) / 2
    assert found["macro"]["precision"]["value"] == pytest.approx(half, abs=1e-6)
    assert counts.scores(1)["precision"] == {"value": None, "low": None, "high": None}
    assert counts.scores(1)["recall"]["value"] == 0


def test_average_precision_of_every_sample(random_case):
    truth, p, _, groups = random_case
    bootstrap = Bootstrap(groups, samples=30, seed=0)
    for column in range(3):
        weights = bootstrap.over_passages(lambda w: w)
        found = average_precision(p[:, column], truth[:, column], weights)
        expected = [
            sk.average_precision_score(truth[:, column], p[:, column], sample_weight=w)
            for w in weights
        ]
        assert found == pytest.approx(expected, abs=1e-9)
    assert np.isnan(average_precision(p[:, 0], np.zeros(N, dtype=bool), np.ones((1, N))))


def test_the_interval_is_that_of_resampled_passages(random_case):
    """F1 of each sample, counted from passages laid out as often as they were drawn."""
    truth, _, given, groups = random_case
    bootstrap = Bootstrap(groups, samples=40, seed=0)
    f1 = Counts.of(bootstrap, truth, given).f1[:, 0]
    for sample, weights in enumerate(bootstrap.over_passages(lambda w: w)):
        rows = np.repeat(np.arange(N), weights.astype(int))
        assert f1[sample] == pytest.approx(sk.f1_score(truth[rows, 0], given[rows, 0]))


def test_calibration_error_by_hand():
    p = np.array([0.05, 0.05, 0.92, 0.98, 1.0, 0.1])
    truth = np.array([False, True, True, True, True, False])
    # Bins: [0, 0.1) mean 0.05, half true; [0.1, 0.2) 0.1, none; [0.9, 1] mean 2.9 / 3, all true.
    by_hand = (2 * 0.45 + 1 * 0.1 + 3 * (1 - 2.9 / 3)) / 6
    assert calibration_error(p, truth) == pytest.approx(by_hand, abs=1e-6)
    bins = reliability(p, truth)
    assert [b["count"] for b in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 3]
    assert bins[0] == {"low": 0.0, "high": 0.1, "mean": 0.05, "share": 0.5, "count": 2}
    assert bins[5]["mean"] is None
    assert bins[5]["share"] is None


def test_perfect_and_useless_probabilities():
    truth = np.array([True, False] * 50)
    assert calibration_error(truth.astype(float), truth) == 0
    assert brier(truth.astype(float), truth) == 0
    assert calibration_error(np.full(100, 0.5), truth) == 0
    assert brier(np.full(100, 0.5), truth) == 0.25
    assert calibration_error(np.full(100, 0.9), truth) == pytest.approx(0.4)


def test_sweep(random_case):
    truth, p, _, _ = random_case
    points = sweep(p[:, 0], truth[:, 0])
    assert [point["threshold"] for point in points] == pytest.approx(list(SWEEP))
    for point in points:
        given = p[:, 0] >= point["threshold"]
        assert point["f1"] == pytest.approx(sk.f1_score(truth[:, 0], given), abs=1e-6)
        assert point["recall"] == pytest.approx(sk.recall_score(truth[:, 0], given), abs=1e-6)
    nobody = sweep(np.full(3, 0.01), np.array([True, False, False]))
    assert nobody[0]["precision"] is None
    assert nobody[0]["f1"] == 0


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.91, 0.99, "yes"), (0.7, 0.89, "no"), (0.85, 0.95, "unclear"), (None, None, "unclear")],
)
def test_a_promised_precision_is_checked(low, high, verdict):
    value = None if low is None else (low + high) / 2
    found = reached(0.9, {"value": value, "low": low, "high": high})
    assert found["reached"] == verdict
    assert found["value"] == value


def test_the_manifest_says_what_was_promised():
    def facts(rule):
        return {"label_facts": {"sea": {"threshold_rule": rule}}}

    plain, asked = Label("sea", "-"), Label("sea", "-", target_precision=0.8)
    assert promised_precision(None, plain) is None
    assert promised_precision(None, asked) == 0.8
    assert promised_precision(facts("precision 0.9, not reached"), plain) == 0.9
    assert promised_precision(facts("best F1"), asked) is None
