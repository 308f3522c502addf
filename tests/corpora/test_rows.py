import unicodedata

import pandas as pd
import pytest

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, table, write_jsonl
from textclass.corpora import read_corpus
from textclass.errors import CorpusError
from textclass.taxonomy import Facet, Label, Taxonomy, parse_taxonomy


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("river", {"river"}),
        (" river ", {"river"}),
        ("river;bread", {"river", "bread"}),
        ("river;", {"river"}),
        ('"river, bread"', {"river", "bread"}),
        ("river|bread", {"river", "bread"}),
        ('"[""river"", ""bread""]"', {"river", "bread"}),
        ("\"['river', 'bread']\"", {"river", "bread"}),
        ("['river']", {"river"}),
        ("\"('river', 'bread')\"", {"river", "bread"}),
        ('"{""choices"": [""river"", ""bread""]}"', {"river", "bread"}),
        ("[]", set()),
    ],
)
def test_labels_in_a_cell(tmp_path, cell, labels):
    (only,) = read_corpus(table(tmp_path, f"{cell},[]"), TAXONOMY).rows
    assert only.labels == labels


def test_a_label_that_looks_like_a_list_is_one(tmp_path):
    other = Facet("topic", (Label("(other)", "What is left."),))
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": RIVER, "topic": "(other)"}])
    assert read_corpus(path, Taxonomy((other,))).rows[0].labels == {"(other)"}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["sea"], "unknown label 'sea' (labels.yaml has river, bread)"),
        ("sea", "unknown label 'sea' (labels.yaml has river, bread)"),
        (0, "the label 0 is a number, not a name (labels.yaml has river, bread)"),
        ([1], "the label 1 is a number"),
        ({"river": 1}, "labels were expected, not {'river': 1}"),
        ("['river", "can't read the list \"['river\""),
        ([["river"]], "unknown label ['river']"),
    ],
)
def test_labels_that_arent_understood_are_told_as_they_came(tmp_path, labels, said):
    path = write_jsonl(tmp_path / "a.jsonl", [row() | {"topic": labels}])
    with pytest.raises(CorpusError) as caught:
        read_corpus(path, TAXONOMY)
    assert said in str(caught.value)
    assert f"{path}, line 1" in str(caught.value)


def test_the_number_0_is_an_id_and_a_group_and_a_word_a_label(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row(id=0), row(BREAD, group=0) | {"topic": "bread"}])
    first, second = read_corpus(path, TAXONOMY).rows
    assert (first.id, second.group) == ("0", "0")
    assert second.labels == {"bread"}  # one label needs no list


def test_numbers_that_pandas_made_floats_are_the_same_numbers(tmp_path):
    whole = write_jsonl(tmp_path / "a.jsonl", [row(id=7, group=66), row(BREAD, group="6.50")])
    (tmp_path / "b.csv").write_text(f'id,group,text,topic,tone\n7.0,66.0,"{RIVER}",[],[]\n')
    frame = pd.DataFrame([row(id=7, group=66), row(BREAD, id=8)])
    frame.to_parquet(tmp_path / "c.parquet")
    assert frame["group"].dtype == float
    names = [
        [(r.id, r.group, r.alone) for r in read_corpus(path, TAXONOMY).rows]
        for path in (whole, tmp_path / "b.csv", tmp_path / "c.parquet")
    ]
    assert [found[0] for found in names] == [("7", "66", False)] * 3
    assert names[0][1][1:] == ("6.50", False)
    assert names[2][1] == ("8", "8", True)


def test_labels_are_the_same_however_their_accents_are_typed(tmp_path):
    taxonomy = parse_taxonomy(
        "facets: [{name: t, labels: [{name: é, definition: d}, {name: è, definition: d}]}]"
    )
    typed = unicodedata.normalize("NFD", "é")
    rows = [
        {"text": RIVER, "t": [typed], "spans": [[0, 3, typed]]},
        {"text": BREAD, "t": typed},
        {"text": OTHER, "scores": {"t": {typed: 0.5}}},
    ]
    first, second, soft = read_corpus(write_jsonl(tmp_path / "a.jsonl", rows), taxonomy).rows
    assert first.labels == second.labels == {"é"}
    assert first.columns["spans"][0]["label"] == "é"
    assert soft.scores == {"é": 0.5, "è": 0}


def test_scores_left_out_are_zero_and_unknown_ones_refused(tmp_path):
    scores = {"topic": {"river": 0.25}, "tone": {}}
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": RIVER, "scores": scores}])
    (only,) = read_corpus(path, TAXONOMY).rows
    assert only.scores == {"river": 0.25, "bread": 0.0, "warm": 0.0}
    assert not only.hard
    bad = [
        {"topic": {"river": 0.2}},
        {**scores, "tone": {"cold": 1}},
        {**scores, "topic": {"river": 2}},
    ]
    write_jsonl(path, [{"text": RIVER, "scores": each} for each in bad])
    with pytest.raises(CorpusError, match="3 bad rows"):
        read_corpus(path, TAXONOMY)


def test_spans_must_lie_in_the_text_and_have_a_known_label(tmp_path):
    good = {"start": 4, "end": 9, "label": "river"}
    path = write_jsonl(tmp_path / "a.jsonl", [row(spans=[good])])
    assert read_corpus(path, TAXONOMY).rows[0].columns["spans"] == [good]
    bad = [{**good, "end": 10_000}, {**good, "start": 9}, {**good, "label": "sea"}, [4, 9], None]
    bad.append({**good, "label": ["river"]})
    write_jsonl(path, [row(spans=[each]) for each in bad])
    with pytest.raises(CorpusError, match="6 bad rows"):
        read_corpus(path, TAXONOMY)
