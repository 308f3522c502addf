import numpy as np
import pytest

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import compare_readers, read_corpus
from textclass.corpora.agreement import cohen_kappa, krippendorff_alpha
from textclass.errors import CorpusError


def decisions(both, first, second, neither):
    a = np.array([True] * both + [True] * first + [False] * second + [False] * neither)
    b = np.array([True] * both + [False] * first + [True] * second + [False] * neither)
    return a, b


def test_kappa_of_a_worked_example():
    # 50 grants, two readers: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no.
    assert cohen_kappa(*decisions(20, 5, 10, 15)) == pytest.approx(0.4)


def test_alpha_of_krippendorffs_own_example():
    # Krippendorff (2011), section A: ten units, two observers, alpha 0.095.
    meg = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], dtype=bool)
    owen = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
    assert krippendorff_alpha(meg, owen) == pytest.approx(0.095, abs=5e-4)


def test_perfect_and_undefined_agreement():
    assert cohen_kappa(*decisions(3, 0, 0, 3)) == krippendorff_alpha(*decisions(3, 0, 0, 3)) == 1
    for both, neither in ((0, 5), (5, 0)):
        assert cohen_kappa(*decisions(both, 0, 0, neither)) is None
        assert krippendorff_alpha(*decisions(both, 0, 0, neither)) is None


def corpora(tmp_path, first, second):
    return [
        read_corpus(write_jsonl(tmp_path / f"{name}.jsonl", rows), TAXONOMY, each_reader=True)
        for name, rows in (("first", first), ("second", second))
    ]


def test_readers_are_compared_by_id_whatever_the_order(tmp_path):
    first = [row(RIVER, ["river"], ["warm"]), row(BREAD, ["bread", "river"]), row(OTHER)]
    second = [row(BREAD, ["bread"]), row(RIVER, ["river"]), row(RIVER + " Again.")]
    result = compare_readers(*corpora(tmp_path, first, second))
    assert (result.passages, result.first_alone, result.second_alone) == (2, 1, 1)
    river, bread, warm = result.labels
    assert (river.both, river.first_only, river.second_only) == (1, 1, 0)
    assert (bread.f1, bread.kappa) == (1, 1)
    assert warm.f1 == 0
    topic, tone = result.facets
    assert topic.f1 == pytest.approx(2 * 2 / (2 * 2 + 1))
    assert tone.both == 0
    assert result.overall.f1 == pytest.approx(4 / 6)
    assert [(d.label, d.given_by, d.text) for d in result.differences] == [
        ("warm", "first", RIVER),
        ("river", "first", BREAD),
    ]


def test_readers_of_one_file_are_told_apart_by_their_column(tmp_path):
    rows = [row(RIVER, ["river"], reader="anna"), row(RIVER, ["bread"], reader="ben"), row(BREAD)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    result = compare_readers(read_corpus(path, TAXONOMY, each_reader=True))
    assert [(d.label, d.given_by) for d in result.differences] == [
        ("river", "first"),
        ("bread", "second"),
    ]
    write_jsonl(path, [*rows, row(RIVER, ["river"], reader="cleo")])
    corpus = read_corpus(path, TAXONOMY, each_reader=True)
    with pytest.raises(CorpusError, match="names anna, ben, cleo; two are needed"):
        compare_readers(corpus)
    assert compare_readers(corpus, readers=("cleo", "anna")).differences == ()
    with pytest.raises(CorpusError, match="names anna, ben, cleo"):
        compare_readers(corpus, readers=("cleo", "dan"))


def test_corpora_that_cant_be_compared(tmp_path):
    with pytest.raises(CorpusError, match="no labelled passage in common"):
        compare_readers(*corpora(tmp_path, [row(RIVER)], [row(BREAD)]))
    with pytest.raises(CorpusError, match=r"second\.jsonl, line 2: .* has other labels before"):
        compare_readers(*corpora(tmp_path, [row(RIVER)], [row(RIVER), row(RIVER, ["river"])]))
