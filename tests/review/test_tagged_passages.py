import numpy as np
import pandas as pd
import pytest

from tests.conftest import write_jsonl
from tests.review.conftest import read_jsonl
from textclass.errors import CorpusError
from textclass.review import read_passages
from textclass.tagger import Tagger
from textclass.taxonomy import Taxonomy


def test_results_bring_their_tags(toy_results, toy_passages):
    rows = read_jsonl(toy_results)
    assert toy_passages.texts == [row["text"] for row in rows]
    assert [list(toy_passages.labels(n)) for n in range(len(rows))] == [r["topic"] for r in rows]
    scores = [list(row["scores"]["topic"].values()) for row in rows]
    assert np.allclose(toy_passages.probabilities, scores, atol=1e-6)
    row = toy_passages.row(3)
    assert (row["group"], row["page"], row["id"]) == ("doc1", 2, rows[3]["id"])


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_results_in_a_sheet_bring_their_tags(tmp_path, toy_results, toy_taxonomy, form):
    rows = read_jsonl(toy_results)
    flat = pd.json_normalize([row | {"topic": "; ".join(row["topic"])} for row in rows])
    flat.columns = flat.columns.str.removeprefix("scores.")
    place = str(tmp_path / f"results.{form}")
    write = flat.to_csv if form == "csv" else flat.to_excel
    write(place, index=False)
    found = read_passages([place], toy_taxonomy)
    assert [list(found.labels(n)) for n in range(len(rows))] == [row["topic"] for row in rows]
    scores = [list(row["scores"]["topic"].values()) for row in rows]
    assert np.allclose(found.probabilities, scores, atol=1e-6)


def test_the_same_text_is_asked_about_once(tmp_path, toy_results, toy_taxonomy):
    rows = read_jsonl(toy_results)[:3]
    write_jsonl(tmp_path / "twice.jsonl", [*rows, {**rows[0], "document": "copy"}])
    assert len(read_passages([str(tmp_path / "twice.jsonl")], toy_taxonomy)) == 3


def test_a_corpus_brings_its_labels_and_a_model_its_probabilities(
    tmp_path, toy_taxonomy, toy_model
):
    rows = [{"text": "the ferry on the water", "topic": ["bread"], "group": "g", "source": "s"}]
    rows.append({"text": "an oven", "scores": {"topic": {"bread": 0.8}}, "group": "g"})
    write_jsonl(tmp_path / "corpus.jsonl", rows)
    found = read_passages([str(tmp_path / "corpus.jsonl")], toy_taxonomy)
    assert [found.labels(0), found.labels(1)] == [("bread",), ("bread",)]
    assert np.isnan(found.probabilities[0]).all()
    assert found.taught.tolist() == [True, False]
    assert found.row(0)["source"] == "s"
    tagger = Tagger.load(toy_model.path)
    scored = read_passages([str(tmp_path)], toy_taxonomy, tagger=tagger)
    assert scored.probabilities[0, 0] > scored.probabilities[0, 1]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"document": "d", "outcome": "none", "words": 3}, "line 1: a passage.*--level passage"),
        ({"text": "x", "outcome": "none", "scores": "{}"}, "line 1: a passage and the scores"),
        ({"text": "x", "outcome": "none", "scores": {"type": {"a": 1}}}, "line 1.*--model"),
        ({"text": " ", "outcome": "none", "scores": {}}, "line 1: a passage and the scores"),
    ],
)
def test_what_can_t_be_reviewed_is_told(tmp_path, toy_taxonomy, row, told):
    write_jsonl(tmp_path / "bad.jsonl", [row])
    with pytest.raises(CorpusError, match=told):
        read_passages([str(tmp_path / "bad.jsonl")], toy_taxonomy)


def test_results_under_other_labels_can_be_read_as_bare_passages(toy_results):
    found = read_passages([str(toy_results)], Taxonomy.load(), strict=False)
    assert len(found) == 120
    assert not found.suggested.any()
    assert np.isnan(found.probabilities).all()
    assert not found.detail(0)["evidence"]


def test_documents_are_tagged_first(tmp_path, toy_results, toy_taxonomy):
    given = []

    def tag(documents):
        given.extend(documents)
        return toy_results

    assert len(read_passages([str(tmp_path / "letter.txt")], toy_taxonomy, tag=tag)) == 120
    assert given == [str(tmp_path / "letter.txt")]


def test_evidence_stands_where_it_counts_in_the_passage(tmp_path, toy_results, toy_taxonomy):
    row = next(row for row in read_jsonl(toy_results) if row["evidence"])
    for one in row["evidence"]:
        one["start"], one["end"] = one["start"] + 1000, one["end"] + 1000
    row["start"] = 1000
    write_jsonl(tmp_path / "late.jsonl", [row])
    found = read_passages([str(tmp_path / "late.jsonl")], toy_taxonomy).detail(0)["evidence"]
    assert [row["text"][one["start"] : one["end"]] for one in found] == [
        one["text"] for one in row["evidence"]
    ]
