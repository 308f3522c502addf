import sqlite3
import subprocess
import sys
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.review.conftest import read_jsonl
from textclass.corpora import compare_readers, read_corpus
from textclass.errors import CorpusError
from textclass.review import Answers, Kind
from textclass.review.answers import Answer
from textclass.taxonomy import parse_taxonomy

ROW = {"group": "d", "page": 3}


def answer(passage="p1", reader="anna", kind=Kind.ACCEPT, labels=("river",), **more):
    more = {"row": {**ROW, "id": passage, "text": f"Text {passage}."}, **more}
    return Answer(passage, reader, kind, labels, **more)


def standing(answers, reader="anna"):
    return {one.passage: one for one in answers.standing() if one.reader == reader}


@pytest.fixture
def answers(tmp_path):
    opened = Answers(tmp_path / "out.jsonl.review")
    yield opened
    opened.close()


def test_an_answer_is_there_when_another_process_looks(answers):
    answers.add(answer(comment="é😀", flagged=True, seconds=3.5))
    look = (
        "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())"
    )
    query = (
        "select answer ->> 'kind', answer ->> 'comment', answer ->> 'labels' from review_answers"
    )
    told = subprocess.run(
        [sys.executable, "-c", look, answers.path, query],
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout.strip() == 'accept é😀 ["river"]'


def test_two_processes_see_each_other_s_answers(answers):
    other = Answers(answers.path)
    other.add(answer(reader="ben"))
    answers.refresh()
    assert standing(answers, "ben")["p1"].labels == ("river",)
    assert not standing(answers)
    other.close()


def test_a_page_gives_one_answer_however_often_it_is_sent(answers):
    answers.add(answer(form="x"))
    answers.add(answer(form="x", labels=("bread",)))
    assert standing(answers)["p1"].labels == ("river",)


def test_undo_brings_back_the_answer_before_and_keeps_the_history(answers):
    answers.add(answer())
    answers.add(answer(labels=("bread",)))
    last = standing(answers)["p1"]
    answers.add(answer(kind=Kind.UNDO, labels=(), undoes=last.number))
    assert standing(answers)["p1"].labels == ("river",)
    assert sqlite3.connect(answers.path).execute(
        "select count(*) from review_answers"
    ).fetchone() == (3,)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["anna", "ben"]),
        st.sampled_from(["p1", "p2", "p3"]),
        st.sampled_from([*Kind]),
    ),
    max_size=25,
)
_numbers = count()


@settings(deadline=None, max_examples=20)
@given(steps=STEPS)
def test_any_run_of_answers_and_undos_reads_back_the_same(steps, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"run{next(_numbers)}.review"
    kept, stacks = Answers(path), {}
    for reader, passage, kind in steps:
        if kind is Kind.UNDO:
            given = [*standing(kept, reader).values()]
            if not given:
                continue
            passage = given[-1].passage
            stacks[reader, passage].pop()
            kept.add(answer(passage, reader, kind, (), undoes=given[-1].number))
        else:
            stacks.setdefault((reader, passage), []).append(kind)
            kept.add(answer(passage, reader, kind, ()))
    kept.close()
    again = Answers(path)
    found = {(answer.reader, answer.passage): answer.kind for answer in again.standing()}
    again.close()
    assert found == {key: stack[-1] for key, stack in stacks.items() if stack}


def test_another_file_isn_t_touched(tmp_path):
    (tmp_path / "notes.review").write_text("my own notes, longer than a header " * 9)
    with pytest.raises(CorpusError, match="not the answers of a review"):
        Answers(tmp_path / "notes.review")
    base = sqlite3.connect(tmp_path / "other.review")
    base.execute("create table x (y)")
    base.close()
    with pytest.raises(CorpusError, match="another program's"):
        Answers(tmp_path / "other.review")


def test_labels_that_are_no_longer_offered_are_told(answers, toy_taxonomy):
    answers.add(answer())
    answers.check_labels(toy_taxonomy)
    other = parse_taxonomy("facets: [{name: t, labels: [{name: a, definition: b}]}]")
    with pytest.raises(CorpusError, match=r"earlier answers have .*: river"):
        answers.check_labels(other)


def test_the_export_is_a_corpus(answers, toy_taxonomy, tmp_path):
    answers.add(answer("a", comment="see p. 4", flagged=True))
    answers.add(answer("b", kind=Kind.NONE, labels=()))
    answers.add(answer("c", kind=Kind.UNSURE, labels=()))
    answers.add(answer("d", kind=Kind.SKIPPED, labels=()))
    fates = answers.export(tmp_path / "out.jsonl", toy_taxonomy)
    assert fates == {"labelled": 2, "unsure": 1, "skipped": 1}
    first = {"id": "a", "text": "Text a.", "group": "d", "page": 3, "topic": ["river"]}
    first |= {"labelled": "review", "reader": "anna", "comment": "see p. 4", "flagged": True}
    assert read_jsonl(tmp_path / "out.jsonl")[0] == first
    corpus = read_corpus(tmp_path / "out.jsonl", toy_taxonomy)
    assert [row.labels for row in corpus.rows] == [{"river"}, set()]


def test_two_readers_make_a_corpus_each_and_a_common_one(answers, toy_taxonomy, tmp_path):
    for reader, labels in (("anna", ("river",)), ("ben", ("bread",))):
        answers.add(answer("a", reader))
        answers.add(answer("b", reader, labels=labels))
        answers.add(answer("c", reader, labels=labels))
    assert answers.open_differences() == ["b", "c"]
    answers.add(answer("b", "carl", settled=True, labels=("river", "bread")))
    fates = answers.export(tmp_path / "out.jsonl", toy_taxonomy)
    assert fates == {"labelled": 2, "differing": 1}
    common = {row["id"]: row for row in read_jsonl(tmp_path / "out.jsonl")}
    assert common["a"]["reader"] == "anna; ben"
    own = answers.files_of_readers(tmp_path / "out.jsonl")
    assert {reader: len(read_jsonl(path)) for reader, path in own.items()} == {"anna": 3, "ben": 3}
    assert common["b"]["topic"] == ["river", "bread"]
    assert common["b"]["settled"] is True
    sides = [read_corpus(tmp_path / f"out.{name}.jsonl", toy_taxonomy) for name in ("anna", "ben")]
    agreement = compare_readers(*sides)
    assert (agreement.passages, len(agreement.differences)) == (3, 4)
