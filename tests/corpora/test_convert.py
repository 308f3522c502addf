import json
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import FORMS, Corpus, Row, read_corpus, read_form, write_form
from textclass.errors import CorpusError
from textclass.results import text_id

OWN = "textclass"
SPAN = {"start": 4, "end": 9, "label": "river"}
WITH_TEXT = [form for form in FORMS if form != "pointers"]
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
).filter(str.strip)


@st.composite
def rows(draw):
    text = draw(TEXTS)
    spans = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append({"start": start, "end": end, "label": draw(st.sampled_from(TAXONOMY.names))})
    labels = draw(st.frozensets(st.sampled_from(TAXONOMY.names)))
    columns = {
        "register": draw(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
        )
    }
    if spans:
        columns["spans"] = spans
    number = draw(st.sampled_from([text_id(text), "my-7"]))
    return Row(number, text, labels, None, draw(st.sampled_from(["doc", number])), columns)


def bare(corpus):
    return [replace(each, where="") for each in corpus.rows]


@pytest.mark.parametrize("form", WITH_TEXT)
@settings(max_examples=25, deadline=None)
@given(given_rows=st.lists(rows(), min_size=1, max_size=4))
@example(given_rows=[Row("7", "🚢 The ferry", frozenset(), None, "doc", {"spans": [SPAN]})])
def test_rows_come_back_as_they_went(tmp_path_factory, form, given_rows):
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    corpus = Corpus(TAXONOMY, tuple(given_rows))
    path.write_bytes(write_form(corpus, form))
    back = read_form(path, form, TAXONOMY)
    assert bare(back.corpus) == bare(corpus)
    assert back.faults == ()


@pytest.mark.parametrize("form", [OWN, "spacy", "spacy-jsonl"])
def test_probabilities_come_back_where_the_form_has_a_place_for_them(tmp_path, form):
    rows = [Row("1", RIVER, None, dict.fromkeys(TAXONOMY.names, p), "g", {}) for p in (0.25, 0.5)]
    corpus = Corpus(TAXONOMY, tuple(rows))
    (tmp_path / "x.jsonl").write_bytes(write_form(corpus, form))
    assert bare(read_form(tmp_path / "x.jsonl", form, TAXONOMY).corpus) == bare(corpus)


@pytest.mark.parametrize("form", ["doccano", "label-studio", "prodigy", "argilla"])
def test_probabilities_are_refused_where_it_has_none(form):
    soft = Row("1", RIVER, None, dict.fromkeys(TAXONOMY.names, 0.5), "g", {}, "x.jsonl, line 3")
    with pytest.raises(CorpusError, match="line 3: the form has no place for probabilities"):
        write_form(Corpus(TAXONOMY, (soft,)), form)


@pytest.mark.parametrize("offset", [10_000, -1, None, "3"])
def test_an_offset_outside_the_text_is_told(tmp_path, offset):
    path = write_jsonl(
        tmp_path / "a.jsonl", [{"text": RIVER, "entities": [[0, offset, "warm"]], "cats": []}]
    )
    with pytest.raises(CorpusError, match=r"a\.jsonl, line 1"):
        read_form(path, "doccano", TAXONOMY)


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


@pytest.mark.parametrize("form", WITH_TEXT[2:])
def test_what_is_no_record_is_told(tmp_path, form):
    (tmp_path / "a.json").write_text("[1, null]")
    with pytest.raises(CorpusError, match=r"record 1: not a record: 1; .*record 2: not a record"):
        read_form(tmp_path / "a.json", form, TAXONOMY)


def test_cats_must_answer_for_every_label(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": RIVER, "cats": {"river": 1, "warm": 0}}])
    with pytest.raises(CorpusError, match="cats has no answer for bread"):
        read_form(path, "spacy-jsonl", TAXONOMY)


def test_a_docbin_made_by_others_has_its_spans_and_no_surprises(tmp_path):
    from spacy.lang.en import English
    from spacy.tokens import DocBin

    nlp = English()
    doc, bare_doc = nlp(RIVER), nlp(BREAD)
    doc.cats = {"river": 1.0, "bread": 0.0, "warm": 0.0}
    doc.spans["sc"] = [doc.char_span(4, 9, "river")]
    DocBin(docs=[doc, bare_doc], store_user_data=True).to_disk(tmp_path / "x.spacy")
    converted = read_form(tmp_path / "x.spacy", "spacy", TAXONOMY)
    (only,) = converted.corpus.rows
    assert (only.labels, only.columns["spans"]) == ({"river"}, [SPAN])
    assert len(converted.faults) == 1


def test_spacys_spans_hold_the_tokens_that_a_span_touches(tmp_path):
    from spacy.lang.en import English
    from spacy.tokens import DocBin

    spans = [{"start": 5, "end": 12, "label": "river"}]
    corpus = read_corpus(write_jsonl(tmp_path / "a.jsonl", [row(spans=spans)]), TAXONOMY)
    (doc,) = DocBin().from_bytes(write_form(corpus, "spacy")).get_docs(English().vocab)
    assert [span.text for span in doc.spans["sc"]] == ["ferry crossed"]
    assert doc.cats == {"river": 0.0, "bread": 0.0, "warm": 0.0}


@pytest.mark.parametrize("content", [b"", b"no docbin", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_what_is_no_docbin_is_told(tmp_path, content):
    (tmp_path / "x.spacy").write_bytes(content)
    with pytest.raises(CorpusError, match=r"x\.spacy: not a DocBin"):
        read_form(tmp_path / "x.spacy", "spacy", TAXONOMY)


@pytest.mark.parametrize("form", WITH_TEXT)
def test_a_folder_in_place_of_a_file_is_told(tmp_path, form):
    with pytest.raises(CorpusError, match=str(tmp_path)):
        read_form(tmp_path, form, TAXONOMY)


BROKEN = [
    {"text": RIVER, "label": ["sea"]},
    {"text": RIVER, "label": 7},
    {"text": RIVER, "label": [[1, 2]]},
    {"text": None, "label": ["river"]},
    {"text": RIVER, "cats": "river", "answer": "accept", "annotations": [7], "spans": [3]},
    {
        "text": RIVER,
        "accept": 3,
        "answer": "accept",
        "cats": {"river": "x"},
        "topic.response": [[1]],
    },
]


@pytest.mark.parametrize("form", ["doccano", "prodigy", "spacy-jsonl", "label-studio", "argilla"])
def test_records_of_another_form_are_told_and_never_crash(tmp_path, form):
    path = write_jsonl(tmp_path / "x.jsonl", BROKEN)
    with pytest.raises(CorpusError, match="bad row"):
        read_form(path, form, TAXONOMY)


@pytest.mark.parametrize("form", ["spacy-jsonl", "doccano", "prodigy", "argilla"])
def test_a_file_in_our_own_form_is_taken_for_no_other(form, tmp_path):
    path = write_jsonl(tmp_path / "x.jsonl", [row(topic=["river"])])
    with pytest.raises(CorpusError, match=f"line 1: it isn't in the form of {form}; its"):
        read_form(path, form, TAXONOMY)


def test_a_span_without_a_label_is_a_bad_row(tmp_path):
    record = {"text": RIVER, "answer": "accept", "accept": [], "spans": [{"start": 0, "end": 5}]}
    path = write_jsonl(tmp_path / "x.jsonl", [record])
    with pytest.raises(CorpusError, match="line 1: span with the unknown label None"):
        read_form(path, "prodigy", TAXONOMY)


def test_all_bad_records_are_told_at_once(tmp_path):
    path = write_jsonl(tmp_path / "x.jsonl", BROKEN[:4])
    with pytest.raises(CorpusError) as caught:
        read_form(path, "doccano", TAXONOMY)
    message = str(caught.value)
    assert message.startswith("4 bad rows")
    assert "line 1: unknown label 'sea' (labels.yaml has river, bread, warm)" in message
    assert "line 2: the label 7 is a number" in message
    assert "line 3: not a span of start, end and label: [1, 2]" in message
