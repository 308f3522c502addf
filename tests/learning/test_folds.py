import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclass.learning.fitting import group_folds


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_documents_stay_whole_and_every_fold_is_used(seed, folds):
    draw = np.random.default_rng(seed)
    groups = [f"g{n}" for n in draw.integers(0, 40, size=200)]
    truth = draw.random((200, 3)) < 0.3
    found = group_folds(groups, truth, folds=folds, seed=seed)
    assert set(found) == set(range(folds))
    assert all(len(set(found[np.array(groups) == g])) == 1 for g in set(groups))
    assert np.array_equal(found, group_folds(groups, truth, folds=folds, seed=seed))


def test_rare_labels_are_spread_over_the_folds():
    truth = np.zeros((500, 2), dtype=bool)
    truth[:10, 0] = True
    truth[10:, 1] = True
    found = group_folds([str(i) for i in range(500)], truth, folds=5)
    assert [int(truth[found == fold, 0].sum()) for fold in range(5)] == [2] * 5


def test_fewer_documents_than_folds_is_told():
    with pytest.raises(ValueError, match="2 documents"):
        group_folds(["a", "a", "b"], np.ones((3, 1), dtype=bool), folds=5)
