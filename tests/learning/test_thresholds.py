import numpy as np
import pytest

from textclass.learning.calibration import NEVER, at_precision, best_f1, choose_thresholds


@pytest.fixture
def many():
    draw = np.random.default_rng(1)
    p = draw.random(20_000)
    return p, draw.random(20_000) < p


def f1(p, truth, threshold) -> float:
    given = p >= threshold
    return 2 * (given & truth).sum() / (given.sum() + truth.sum())


def test_no_threshold_has_a_better_f1(many):
    p, truth = many
    chosen = best_f1(p[:, None], truth[:, None], np.ones(len(p)))
    best = max(f1(p, truth, t) for t in np.linspace(0.01, 0.99, 99))
    assert f1(p, truth, chosen) > best - 0.002


def test_the_target_precision_is_reached_with_the_most_recall(many):
    p, truth = many
    chosen = at_precision(p, truth, np.ones(len(p)), 0.9)
    assert truth[p >= chosen].mean() == pytest.approx(0.9, abs=0.01)


def test_a_precision_out_of_reach_is_told():
    p = np.full((1000, 2), 0.3)
    truth = np.arange(2000).reshape(2, 1000).T % 10 < 3
    chosen, rules = choose_thresholds(p, truth, np.ones(1000), [0.95, 0.2])
    assert chosen[0] == NEVER > chosen[1]
    assert rules == ["precision 0.95, not reached", "precision 0.2"]


def test_labels_of_one_facet_share_a_threshold_and_a_label_without_examples_is_never_given():
    draw = np.random.default_rng(2)
    p = draw.random((5_000, 4)) * [1.0, 0.3, 0.1, 1.0]
    truth = draw.random(p.shape) < p
    truth[:, 3] = False
    (first, second, alone, empty), rules = choose_thresholds(
        p, truth, np.ones(len(p)), [None] * 4, ["a", "a", "b", "b"]
    )
    assert first == second > alone
    assert empty == NEVER
    assert rules == [*["best F1"] * 3, "no examples"]


def test_rows_that_weigh_more_move_the_threshold(many):
    p, truth = many
    # Half of the rows are told apart badly; the less they count, the higher the F1 and its half.
    dull = np.arange(len(p)) % 2 == 0
    p = np.where(dull, 0.5, p)[:, None]
    dulled, sharpened = (
        best_f1(p, truth[:, None], np.where(dull, *weights)) for weights in ((1, 0.01), (0.01, 1))
    )
    assert dulled < sharpened
