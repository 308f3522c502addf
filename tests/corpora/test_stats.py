import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import compare_readers, count_corpus, read_corpus
from textclass.corpora.stats import add_agreement
from textclass.errors import CorpusError


def agree(both, first_only, second_only, neither):
    names = ["both", "first_only", "second_only", "neither"]
    counts = pd.DataFrame([[both, first_only, second_only, neither]], columns=names)
    return add_agreement(counts).loc[0]


def test_kappa_of_a_worked_example():
    # 50 grants, two readers: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no.
    assert agree(20, 5, 10, 15).kappa == pytest.approx(0.4)


def test_alpha_of_krippendorffs_own_example():
    # Krippendorff (2011), section A: ten units, two observers, alpha 0.095.
    meg = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], dtype=bool)
    owen = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
    counts = [sum(pair) for pair in (meg & owen, meg & ~owen, ~meg & owen, ~meg & ~owen)]
    assert agree(*counts).alpha == pytest.approx(0.095, abs=5e-4)


def test_perfect_and_undefined_agreement():
    assert agree(3, 0, 0, 3)[["f1", "kappa", "alpha"]].tolist() == [1, 1, 1]
    assert agree(0, 0, 0, 5)[["f1", "kappa", "alpha"]].isna().all()
    assert agree(5, 0, 0, 0)[["kappa", "alpha"]].isna().all()


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
    figures = result.figures.set_index("label")
    assert list(figures.index) == ["river", "bread", "warm", "topic", "tone", "all labels"]
    assert figures.loc["river", ["both", "first_only", "second_only"]].tolist() == [1, 1, 0]
    assert figures.loc["bread", ["f1", "kappa"]].tolist() == [1, 1]
    assert figures.f1["warm"] == 0
    assert figures.f1["topic"] == pytest.approx(2 * 2 / (2 * 2 + 1))
    assert figures.both["tone"] == 0
    assert figures.f1["all labels"] == pytest.approx(4 / 6)
    assert result.differences[["label", "given_by", "text"]].to_numpy().tolist() == [
        ["warm", "first", RIVER],
        ["river", "first", BREAD],
    ]


def test_readers_of_one_file_are_told_apart_by_their_column(tmp_path):
    rows = [row(RIVER, ["river"], reader="anna"), row(RIVER, ["bread"], reader="ben"), row(BREAD)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    result = compare_readers(read_corpus(path, TAXONOMY, each_reader=True))
    assert result.differences[["label", "given_by"]].to_numpy().tolist() == [
        ["river", "first"],
        ["bread", "second"],
    ]
    write_jsonl(path, [*rows, row(RIVER, ["river"], reader="cleo")])
    corpus = read_corpus(path, TAXONOMY, each_reader=True)
    with pytest.raises(CorpusError, match="names anna, ben, cleo; two are needed"):
        compare_readers(corpus)
    assert len(compare_readers(corpus, readers=("cleo", "anna")).differences) == 0
    with pytest.raises(CorpusError, match="names anna, ben, cleo"):
        compare_readers(corpus, readers=("cleo", "dan"))


def test_corpora_that_cant_be_compared(tmp_path):
    with pytest.raises(CorpusError, match="no labelled passage in common"):
        compare_readers(*corpora(tmp_path, [row(RIVER)], [row(BREAD)]))
    with pytest.raises(CorpusError, match=r"second\.jsonl, line 2: .* has other labels before"):
        compare_readers(*corpora(tmp_path, [row(RIVER)], [row(RIVER), row(RIVER, ["river"])]))


ROWS = [
    row(topic=["river", "bread"], tone=["warm"], group="d", register="blog", decade="1990s"),
    row(BREAD, topic=["bread"], group="d", register="<b>diary</b>", decade="1980s"),
    row(OTHER, register="blog"),
    {"text": RIVER + " Again.", "scores": {"topic": {"river": 1}, "tone": {}}},
]


def count(tmp_path):
    return count_corpus(read_corpus(write_jsonl(tmp_path / "a.jsonl", ROWS), TAXONOMY))


def test_counts(tmp_path):
    stats = count(tmp_path)
    assert (stats.passages, stats.documents, stats.soft) == (4, 3, 1)
    assert stats.labels == {"topic": {"river": 1, "bread": 2}, "tone": {"warm": 1}}
    assert stats.none == {"topic": 1, "tone": 2}
    assert stats.together["bread"] == {"river": 1, "warm": 1}
    assert stats.columns == {
        "register": {"blog": 2, "<b>diary</b>": 1, "(not said)": 1},
        "decade": {"1980s": 1, "1990s": 1, "(not said)": 2},
    }
    assert stats.words == sum(len(r["text"].split()) for r in ROWS)
    assert json.loads(json.dumps(asdict(stats)))["lengths"]["shortest"] == 30
