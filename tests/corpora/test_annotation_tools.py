import json

import pytest

from tests.corpora.makers import BREAD, OTHER, OWN, RIVER, SPAN, TAXONOMY, row, write_jsonl
from textclass.corpora import Corpus, Row, read_corpus, read_form, write_form
from textclass.errors import CorpusError


def read(tmp_path, form, *records):
    path = tmp_path / "given.json"
    path.write_text("\n".join(map(json.dumps, records)))
    converted = read_form(path, form, TAXONOMY)
    rows = [(sorted(r.labels), r.columns.get("spans")) for r in converted.corpus.rows]
    return rows, len(converted.faults)


def test_doccano_of_its_own(tmp_path):
    records = [
        {"id": 3, "text": RIVER, "label": ["river", "warm"]},
        {"text": RIVER, "labels": ["bread"]},
        {"text": RIVER, "label": [[4, 9, "river"]]},
        {"text": RIVER, "entities": [[4, 9, "river"]], "cats": ["warm"]},
        {
            "text": RIVER,
            "entities": [{"id": 1, "label": "river", "start_offset": 4, "end_offset": 9}],
        },
        {"text": RIVER, "label": []},
        {"data": RIVER, "label": "river#warm"},
        {"text": RIVER, "label": "bread"},
        {"text": RIVER, "label": None},
        {"text": RIVER, "label": ""},
    ]
    rows, skipped = read(tmp_path, "doccano", *records)
    assert rows == [
        (["river", "warm"], None),
        (["bread"], None),
        (["river"], [SPAN]),
        (["warm"], [SPAN]),
        (["river"], [SPAN]),
        ([], None),
        (["river", "warm"], None),
        (["bread"], None),
    ]
    assert skipped == 2


def test_doccanos_csv_has_no_answer_in_an_empty_cell(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text(f'id,data,label\n0,"{RIVER}",river#warm\n1,"{BREAD}",\n2,"{OTHER}",warm\n')
    converted = read_form(path, "doccano", TAXONOMY)
    assert [sorted(r.labels) for r in converted.corpus.rows] == [["river", "warm"], ["warm"]]
    assert len(converted.faults) == 1


def test_numbers_of_classes_are_told(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": RIVER, "label": n} for n in (0, 1)])
    with pytest.raises(CorpusError) as caught:
        read_form(path, "doccano", TAXONOMY)
    assert "line 1: the label 0 is a number, not a name" in str(caught.value)
    assert "line 2: the label 1 is a number, not a name" in str(caught.value)


def test_prodigy_of_its_own(tmp_path):
    base = {"text": RIVER, "_task_hash": 1, "meta": {"source": "x"}}
    records = [
        {**base, "accept": ["river"], "answer": "accept"},
        {**base, "accept": ["river"], "answer": "reject"},
        {**base, "accept": ["river"], "answer": "ignore"},
        {**base, "spans": [{**SPAN, "token_start": 1, "token_end": 1}], "answer": "accept"},
        {**base, "accept": [], "answer": "accept"},
        {**base, "accept": "warm", "answer": "accept"},
    ]
    rows, skipped = read(tmp_path, "prodigy", *records)
    expected = [(["river"], None), (["river"], [SPAN]), ([], None), (["warm"], None)]
    assert rows == expected
    assert skipped == 2


def binary(text, label, answer, **columns):
    return {"text": text, "label": label, "answer": answer, **columns}


def test_prodigys_yes_or_no_answers_of_one_text_are_one_row(tmp_path):
    records = [
        binary(RIVER, "river", "accept"),
        binary(BREAD, "bread", "reject"),
        binary(RIVER, "bread", "reject"),
        binary(OTHER, "bread", "ignore"),
        binary(RIVER, "warm", "accept"),
        binary(RIVER, "bread", "accept", _annotator_id="anna"),
    ]
    rows, skipped = read(tmp_path, "prodigy", *records)
    assert rows == [(["river", "warm"], None), (["bread"], None)]
    assert skipped == 2
    path = write_jsonl(tmp_path / "x.jsonl", [*records[:2], binary(RIVER, "river", "reject")])
    with pytest.raises(CorpusError, match="river was accepted and rejected"):
        read_form(path, "prodigy", TAXONOMY)
    write_jsonl(path, [binary(RIVER, "river", "maybe")])
    with pytest.raises(CorpusError, match="the answer 'maybe' isn't accept, reject or ignore"):
        read_form(path, "prodigy", TAXONOMY)


def choice(*labels):
    return {"type": "choices", "from_name": "q", "value": {"choices": list(labels)}}


def test_label_studio_of_its_own(tmp_path):
    region = {
        "type": "labels",
        "value": {"start": 4, "end": 9, "text": "ferry", "labels": ["river"]},
    }
    paths = [["Themes", "river"], ["Themes", "bread"]]
    tree = {"type": "taxonomy", "from_name": "topic", "value": {"taxonomy": paths}}
    annotations = [
        [{"result": [choice("river"), choice("warm"), region], "completed_by": 1}],
        [{"result": [choice("river")], "was_cancelled": True}, {"result": [choice("bread")]}],
        [{"result": [tree]}],
        [{"result": [choice("river")], "was_cancelled": True}],
        [],
        [{"result": []}],
    ]
    predictions = [{"model_version": "m", "score": 0.9, "result": [choice("bread")]}]
    tasks = [
        {"data": {"text": RIVER}, "annotations": a, "predictions": predictions} for a in annotations
    ]
    expected = [(["river", "warm"], [SPAN]), (["bread"], None), (["bread", "river"], None)]
    assert read(tmp_path, "label-studio", *tasks) == ([*expected, ([], None)], 2)
    (tmp_path / "list.json").write_text(json.dumps(tasks, indent=2))
    assert len(read_form(tmp_path / "list.json", "label-studio", TAXONOMY).corpus) == 4


def test_every_annotator_of_label_studio_is_kept_and_the_ground_truth_settles(tmp_path):
    annotations = [
        {"result": [choice("river")], "completed_by": {"id": 7, "email": "anna@x.org"}},
        {"result": [choice("warm")], "completed_by": 8, "ground_truth": True},
    ]
    path = write_jsonl(
        tmp_path / "a.jsonl", [{"data": {"text": RIVER}, "annotations": annotations}]
    )
    rows = read_form(path, "label-studio", TAXONOMY).corpus.rows
    assert [(sorted(r.labels), r.columns["reader"]) for r in rows] == [
        (["river"], "anna@x.org"),
        (["warm"], 8),
    ]
    out = tmp_path / "own.jsonl"
    out.write_bytes(write_form(Corpus(TAXONOMY, rows), OWN))
    (only,) = read_corpus(out, TAXONOMY).rows
    assert only.labels == {"warm"}


def test_a_result_of_label_studio_that_isnt_read_is_named(tmp_path):
    result = [choice("river"), {"type": "rating", "value": {"rating": 3}}]
    task = {"data": {"text": RIVER}, "annotations": [{"result": result}]}
    path = write_jsonl(tmp_path / "a.jsonl", [task])
    with pytest.raises(CorpusError, match="a result of the type 'rating' isn't read"):
        read_form(path, "label-studio", TAXONOMY)


def test_a_text_under_another_key_is_found_by_its_name(tmp_path):
    task = {"data": {"review": RIVER, "x": 1}, "annotations": [{"result": [choice("river")]}]}
    path = write_jsonl(tmp_path / "a.jsonl", [task | {"project": 4, "drafts": []}] * 3)
    with pytest.raises(CorpusError) as caught:
        read_form(path, "label-studio", TAXONOMY)
    assert "line 1 and 2 more: there is no 'text', only review, x, topic, tone" in str(caught.value)
    assert "--text-column" in str(caught.value)
    named = read_form(path, "label-studio", TAXONOMY, text_column="review").corpus
    assert named.texts == [RIVER] * 3
    with pytest.raises(CorpusError, match="there is no 'body', only review, x"):
        read_form(path, "label-studio", TAXONOMY, text_column="body")
    both = write_jsonl(tmp_path / "both.jsonl", [row("A title", body=RIVER)])
    (only,) = read_form(both, OWN, TAXONOMY, text_column="body").corpus.rows
    assert (only.text, only.columns) == (RIVER, {})
    sheet = tmp_path / "b.csv"
    sheet.write_text(f'sentence,topic,tone\n"{RIVER}",river,[]\n"{BREAD}",,[]\n')
    converted = read_form(sheet, OWN, TAXONOMY, text_column="sentence")
    assert (converted.corpus.texts, len(converted.faults)) == ([RIVER], 1)


def test_a_column_called_data_is_not_taken_for_the_text(tmp_path):
    given = Row("7", RIVER, frozenset(), None, "doc", {"data": "2019"})
    (tmp_path / "x.jsonl").write_bytes(write_form(Corpus(TAXONOMY, (given,)), "argilla"))
    assert read_form(tmp_path / "x.jsonl", "argilla", TAXONOMY).corpus.texts == [RIVER]


def test_label_studios_short_form_has_a_key_for_each_facet(tmp_path):
    records = [
        {"id": 0, "text": RIVER, "topic": "river", "tone": {"choices": ["warm"]}, "annotator": 1},
        {"id": 1, "text": BREAD, "topic": {"choices": []}, "tone": {"choices": []}},
        {"id": 2, "text": OTHER, "topic": "bread"},
    ]
    rows, skipped = read(tmp_path, "label-studio", *records)
    assert (rows, skipped) == ([(["river", "warm"], None), ([], None)], 1)


def test_argilla_of_its_own(tmp_path):
    people = {
        f"{question}.responses.{key}": values
        for question in ("topic", "tone")
        for key, values in (
            ("users", ["a", "b", "c"]),
            ("status", ["submitted", "submitted", "draft"]),
        )
    }
    records = [
        {"id": 0, "text": RIVER, "topic.response": ["river"], "tone.response": ["warm"]},
        {
            "text": RIVER,
            "_server_id": "x",
            **people,
            "topic.responses": [["river", "bread"], "river", ["bread"]],
            "tone.responses": [[], ["warm"], []],
            "tone.suggestion": ["warm"],
            "tone.suggestion.score": [0.9],
        },
        {"text": RIVER, "topic.responses": None, "tone.responses": None, "tone.suggestion": []},
        {"text": RIVER, "topic.responses": [["river"]], "topic.responses.status": ["discarded"]},
        {"text": RIVER, "topic.responses": [["river"]]},
    ]
    rows, skipped = read(tmp_path, "argilla", *records)
    expected = [(["river", "warm"], None), (["bread", "river"], None), (["river", "warm"], None)]
    assert (rows, skipped) == (expected, 3)


def test_argillas_records_as_json(tmp_path):
    def answers(topic, tone, user):
        return {
            "topic": [{"value": topic, "user_id": user}],
            "tone": [{"value": tone, "user_id": user, "status": "submitted"}],
        }

    records = [
        {
            "id": 0,
            "fields": {"text": RIVER},
            "metadata": {"source": "x"},
            "suggestions": {},
            "responses": answers(["river"], [], "u"),
        },
        {"id": 1, "fields": {"text": BREAD}, "responses": answers("bread", ["warm"], "v")},
        {"id": 2, "fields": {"text": OTHER}, "responses": {}},
    ]
    path = write_jsonl(tmp_path / "a.jsonl", records)
    converted = read_form(path, "argilla", TAXONOMY)
    assert [(r.id, sorted(r.labels), r.columns["reader"]) for r in converted.corpus.rows] == [
        ("0", ["river"], "u"),
        ("1", ["bread", "warm"], "v"),
    ]
    assert converted.corpus.rows[0].columns["source"] == "x"
    assert len(converted.faults) == 1
