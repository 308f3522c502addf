import numpy as np
import pytest

from tests.corpora.makers import BREAD, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import rank_label_issues, read_corpus


def test_labels_in_doubt_are_ranked_by_how_far_they_are_off(tmp_path):
    rows = [row(f"{RIVER} {n}", topic=["river"] if n < 5 else []) for n in range(10)]
    soft = {"text": BREAD, "scores": {"topic": {"river": 1}, "tone": {}}}
    corpus = read_corpus(write_jsonl(tmp_path / "a.jsonl", [*rows, soft]), TAXONOMY)
    probabilities = np.zeros((11, 3))
    probabilities[:5, 0] = 0.9, 0.9, 0.9, 0.9, 0.05
    probabilities[5:10, 0] = 0.1, 0.1, 0.1, 0.1, 0.8
    probabilities[10] = np.nan
    first, second = rank_label_issues(corpus, probabilities)
    assert (first.label, first.given, first.probability) == ("river", True, 0.05)
    assert first.where.endswith("line 5")
    assert (second.given, second.probability) == (False, 0.8)
    assert first.doubt == pytest.approx(0.95 - (1 - np.mean([0.1, 0.1, 0.1, 0.1, 0.8])))
    with pytest.raises(ValueError, match=r"shape \(11, 3\) were expected"):
        rank_label_issues(corpus, probabilities[:2])
