import numpy as np
import pytest

from textclass.learning.calibration import NEVER, at_precision, best_f1


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
    chosen = best_f1(p, truth, np.ones(len(p)))
    best = max(f1(p, truth, t) for t in np.linspace(0.01, 0.99, 99))
    assert f1(p, truth, chosen.value) > best - 0.002
    assert chosen.rule == "best F1"


def test_the_target_precision_is_reached_with_the_most_recall(many):
    p, truth = many
    chosen = at_precision(p, truth, np.ones(len(p)), 0.9)
    assert truth[p >= chosen.value].mean() == pytest.approx(0.9, abs=0.01)
    assert chosen.rule == "precision 0.9"


def test_a_precision_out_of_reach_is_told():
    p = np.full(1000, 0.3)
    truth = np.arange(1000) % 10 < 3
    chosen = at_precision(p, truth, np.ones(len(p)), 0.95)
    assert chosen.value == NEVER
    assert "not reached" in chosen.rule


def test_one_lucky_example_does_not_set_the_threshold():
    p = np.linspace(0.001, 0.4, 2_000)
    truth = np.zeros(2_000, dtype=bool)
    truth[-1] = True
    assert best_f1(p, truth, np.ones(len(p))).value < 0.3


def test_rows_that_weigh_more_move_the_threshold(many):
    p, truth = many
    # Half of the rows are tagged too timidly; they decide where they count for nearly all.
    shy = np.arange(len(p)) % 2 == 0
    p = np.where(shy, p / 3, p)
    alike = best_f1(p, truth, np.ones(len(p))).value
    assert best_f1(p, truth, np.where(shy, 1.0, 0.01)).value < alike
    assert best_f1(p, truth, np.where(shy, 0.01, 1.0)).value > alike
