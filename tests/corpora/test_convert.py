import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpora.makers import BREAD, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import FORMS, OWN, Corpus, Row, read_corpus, read_form, text_id, write_form
from textclass.errors import CorpusError

EMOJI = "A 👩‍🚀 waved 🇺🇳 flags from the café, naïve and loud"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip)


@st.composite
def rows(draw):
    text = draw(TEXTS)
    spans = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append({"start": start, "end": end, "label": draw(st.sampled_from(TAXONOMY.names))})
    labels = draw(st.frozensets(st.sampled_from(TAXONOMY.names)))
    columns = {"register": draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=5))}
    if spans:
        columns["spans"] = spans
    number = draw(st.sampled_from([text_id(text), "my-7"]))
    return Row(number, text, labels, None, draw(st.sampled_from(["doc", number])), columns)


def bare(corpus):
    return [
        replace(
            each, where="", columns={k: v for k, v in each.columns.items() if k != "collection"}
        )
        for each in corpus.rows
    ]


@pytest.mark.parametrize("utf16", [False, True])
@pytest.mark.parametrize("form", [OWN, *FORMS])
@settings(max_examples=25, deadline=None)
@given(given_rows=st.lists(rows(), min_size=1, max_size=4))
def test_rows_come_back_as_they_went(tmp_path_factory, form, utf16, given_rows):
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    corpus = Corpus(TAXONOMY, tuple(given_rows))
    path.write_bytes(write_form(corpus, form, utf16=utf16))
    back = read_form(path, form, TAXONOMY, utf16=utf16)
    assert bare(back.corpus) == bare(corpus)
    assert back.skipped == 0


@pytest.mark.parametrize("form", [OWN, "spacy", "spacy-jsonl"])
def test_probabilities_come_back_where_the_form_has_a_place_for_them(tmp_path, form):
    rows = [Row("1", RIVER, None, dict.fromkeys(TAXONOMY.names, p), "g", {}) for p in (0.25, 1.0)]
    corpus = Corpus(TAXONOMY, tuple(rows))
    (tmp_path / "x.jsonl").write_bytes(write_form(corpus, form))
    assert bare(read_form(tmp_path / "x.jsonl", form, TAXONOMY).corpus) == bare(corpus)


@pytest.mark.parametrize("form", ["doccano", "label-studio", "prodigy", "argilla"])
def test_probabilities_are_refused_where_it_has_none(form):
    soft = Row("1", RIVER, None, dict.fromkeys(TAXONOMY.names, 0.5), "g", {}, "x.jsonl, line 3")
    with pytest.raises(CorpusError, match=f"line 3: {form} has no place for probabilities"):
        write_form(Corpus(TAXONOMY, (soft,)), form)


def emoji_corpus(tmp_path):
    start = EMOJI.index("flags")
    spans = [{"start": start, "end": start + 5, "label": "warm"}]
    return read_corpus(
        write_jsonl(tmp_path / "a.jsonl", [row(EMOJI, ["river"], spans=spans, id="7")]), TAXONOMY
    )


def test_offsets_count_code_points_or_utf16_units(tmp_path):
    corpus = emoji_corpus(tmp_path)
    points, units = (
        json.loads(write_form(corpus, "doccano", utf16=utf16))["entities"][0][:2]
        for utf16 in (False, True)
    )
    assert EMOJI[slice(*points)] == "flags"
    encoded = EMOJI.encode("utf-16-le")
    assert encoded[2 * units[0] : 2 * units[1]].decode("utf-16-le") == "flags"
    assert points != units


@pytest.mark.parametrize("offset", [3, 10_000, -1, None, "3"])
def test_an_offset_inside_a_character_or_outside_the_text_is_told(tmp_path, offset):
    path = write_jsonl(
        tmp_path / "a.jsonl", [{"text": EMOJI, "entities": [[0, offset, "warm"]], "cats": []}]
    )
    with pytest.raises(CorpusError, match=r"a\.jsonl, line 1"):
        read_form(path, "doccano", TAXONOMY, utf16=True)


def read(tmp_path, form, *records):
    path = tmp_path / "given.json"
    path.write_text("\n".join(map(json.dumps, records)))
    converted = read_form(path, form, TAXONOMY)
    rows = [(sorted(r.labels), r.columns.get("spans")) for r in converted.corpus.rows]
    return rows, converted.skipped


SPAN = {"start": 4, "end": 9, "label": "river"}


def test_doccano_of_its_own(tmp_path):
    records = [
        {"id": 3, "text": RIVER, "label": ["river", "warm"]},
        {"text": RIVER, "labels": ["bread"]},
        {"text": RIVER, "label": [[4, 9, "river"]]},
        {"text": RIVER, "entities": [[4, 9, "river"]], "cats": ["warm"]},
        {"text": RIVER, "label": []},
    ]
    rows, _ = read(tmp_path, "doccano", *records)
    expected = [(["river", "warm"], None), (["bread"], None), (["river"], [SPAN])]
    assert rows == [*expected, (["warm"], [SPAN]), ([], None)]


def test_prodigy_of_its_own(tmp_path):
    base = {"text": RIVER, "_task_hash": 1, "meta": {"source": "x"}}
    records = [
        {**base, "accept": ["river"], "answer": "accept"},
        {**base, "accept": ["river"], "answer": "reject"},
        {**base, "accept": ["river"], "answer": "ignore"},
        {**base, "spans": [{**SPAN, "token_start": 1, "token_end": 1}], "answer": "accept"},
        {**base, "accept": [], "answer": "accept"},
    ]
    rows, skipped = read(tmp_path, "prodigy", *records)
    assert rows == [(["river"], None), (["river"], [SPAN]), ([], None)]
    assert skipped == 2


def choice(*labels):
    return {"type": "choices", "from_name": "q", "value": {"choices": list(labels)}}


def test_label_studio_of_its_own(tmp_path):
    region = {
        "type": "labels",
        "value": {"start": 4, "end": 9, "text": "ferry", "labels": ["river"]},
    }
    annotations = [
        [{"result": [choice("river"), choice("warm"), region], "completed_by": 1}],
        [{"result": [choice("river")], "was_cancelled": True}, {"result": [choice("bread")]}],
        [{"result": [choice("river")]}, {"result": [choice("warm")], "ground_truth": True}],
        [{"result": [choice("river")], "was_cancelled": True}],
        [],
        [{"result": []}],
    ]
    predictions = [{"model_version": "m", "score": 0.9, "result": [choice("bread")]}]
    tasks = [
        {"data": {"text": RIVER}, "annotations": a, "predictions": predictions} for a in annotations
    ]
    expected = [(["river", "warm"], [SPAN]), (["bread"], None), (["warm"], None), ([], None)]
    assert read(tmp_path, "label-studio", *tasks) == (expected, 2)
    (tmp_path / "list.json").write_text(json.dumps(tasks, indent=2))
    assert len(read_form(tmp_path / "list.json", "label-studio", TAXONOMY).corpus) == 4


def test_argilla_of_its_own(tmp_path):
    records = [
        {"id": "u1", "text": RIVER, "topic.response": ["river"], "tone.response": ["warm"]},
        {
            "text": RIVER,
            "_server_id": "x",
            "topic.responses": [["river", "bread"], ["river"], ["bread"], ["bread"]],
            "topic.responses.users": ["a", "b", "c", "d"],
            "topic.responses.status": ["submitted", "submitted", "submitted", "draft"],
            "tone.suggestion": ["warm"],
            "tone.suggestion.score": [0.9],
            "spans.responses": [[{**SPAN, "score": 1}]],
        },
        {"text": RIVER, "topic.suggestion": ["river"], "tone.suggestion": []},
        {"text": RIVER, "topic.responses": [["river"]], "topic.responses.status": ["discarded"]},
    ]
    rows, skipped = read(tmp_path, "argilla", *records)
    assert rows == [(["river", "warm"], None), (["bread", "river"], [SPAN])]
    assert skipped == 2


def test_a_docbin_made_by_others_has_its_spans_and_no_surprises(tmp_path):
    from spacy.lang.en import English
    from spacy.tokens import DocBin

    nlp = English()
    doc, bare_doc = nlp(RIVER), nlp(BREAD)
    doc.cats = {"river": 1.0, "warm": 0.0}
    doc.spans["sc"] = [doc.char_span(4, 9, "river")]
    DocBin(docs=[doc, bare_doc], store_user_data=True).to_disk(tmp_path / "x.spacy")
    converted = read_form(tmp_path / "x.spacy", "spacy", TAXONOMY)
    (only,) = converted.corpus.rows
    assert (only.labels, only.columns["spans"]) == ({"river"}, [SPAN])
    assert converted.skipped == 1


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


@pytest.mark.parametrize("form", [OWN, *FORMS])
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


@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"spacy"}))
def test_a_file_in_our_own_form_is_taken_for_no_other(form, tmp_path):
    path = write_jsonl(tmp_path / "x.jsonl", [row(topic=["river"])])
    with pytest.raises(CorpusError, match=f"line 1: it isn't in the form of {form}"):
        read_form(path, form, TAXONOMY)


def test_a_span_without_a_label_is_a_bad_row(tmp_path):
    record = {"text": RIVER, "answer": "accept", "accept": [], "spans": [{"start": 0, "end": 5}]}
    path = write_jsonl(tmp_path / "x.jsonl", [record])
    with pytest.raises(CorpusError, match="line 1: not a span of the text"):
        read_form(path, "prodigy", TAXONOMY)


def test_all_bad_records_are_told_at_once(tmp_path):
    path = write_jsonl(tmp_path / "x.jsonl", BROKEN[:4])
    with pytest.raises(CorpusError) as caught:
        read_form(path, "doccano", TAXONOMY)
    message = str(caught.value)
    assert message.startswith("4 bad rows")
    assert "line 1: unknown label 'sea' (labels.yaml has river, bread, warm)" in message
    assert "line 3: not a list of [start, end, label]" in message


def test_the_folder_of_a_file_is_no_column_of_what_is_written(tmp_path):
    rows = [row(), row(BREAD, collection="letters")]
    corpus = read_corpus(write_jsonl(tmp_path / "a.jsonl", rows), TAXONOMY)
    for form in (OWN, "prodigy"):
        first, second = write_form(corpus, form).splitlines()
        assert b"collection" not in first
        assert b"letters" in second
