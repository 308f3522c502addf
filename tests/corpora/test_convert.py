from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.corpora.makers import BREAD, OWN, RIVER, SPAN, TAXONOMY, row, write_jsonl
from textclass.corpora import FORMS, Corpus, Row, read_corpus, read_form, write_form
from textclass.errors import CorpusError
from textclass.results import text_id

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
