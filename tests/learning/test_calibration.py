import numpy as np
import pytest

from textclass.learning.calibration import calibrate


def draw_scores(n: int, slope: float, offset: float, seed: int = 0):
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=n) * 2
    truth = draw.random(n) < 1 / (1 + np.exp(-(slope * scores + offset)))
    return scores[:, None], truth[:, None]


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (2.5, -3.0), (0.4, 1.0)])
def test_known_curves_are_found(slope, offset):
    scores, truth = draw_scores(20_000, slope, offset)
    found = calibrate(scores, truth, np.ones(len(truth)), shrinkage=20)
    assert found[0, 0] == pytest.approx(slope, rel=0.1)
    assert found[0, 1] == pytest.approx(offset, abs=0.15)


@pytest.mark.parametrize("positives", [0, 1, 3, 10])
def test_few_examples_stay_near_the_common_slope_and_the_base_rate(positives):
    scores, truth = draw_scores(5_000, 1.5, -1.0)
    rare = np.zeros_like(truth)
    # The worst case: the few positives are the highest scores, which alone would say "certain".
    rare[np.argsort(-scores[:, 0])[:positives], 0] = True
    found = calibrate(
        np.hstack([scores, scores]), np.hstack([truth, rare]), np.ones(len(truth)), shrinkage=20
    )
    assert 0 < found[1, 0] < 3 * found[0, 0]
    p = 1 / (1 + np.exp(-(found[1, 0] * scores[:, 0] + found[1, 1])))
    assert p.mean() == pytest.approx((positives + 1) / 5_002, rel=1.0)
    assert np.isfinite(p).all()


def test_probabilities_rise_with_scores_even_where_labels_disagree():
    scores, truth = draw_scores(500, 1.0, 0.0)
    found = calibrate(scores, ~truth, np.ones(len(truth)), shrinkage=20)
    assert found[0, 0] > 0


def test_rows_count_by_their_weight():
    scores, truth = draw_scores(2_000, 1.0, 0.0)
    doubled = calibrate(
        np.vstack([scores, scores]), np.vstack([truth, truth]), np.ones(4_000), shrinkage=20
    )
    weighted = calibrate(scores, truth, np.full(2_000, 2.0), shrinkage=20)
    assert weighted[0, 0] == pytest.approx(doubled[0, 0], rel=1e-3)
    assert weighted[0, 1] == pytest.approx(doubled[0, 1], abs=1e-3)
