"""What a worker makes of what it is given: rows, and faults that don't end the run."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from tests.batch.makers import read_lines, text_of
from textclass.batch import TagOptions, worker
from textclass.batch.jobs import Setup
from textclass.errors import ModelError


def test_rows_are_in_the_schema_and_carry_the_other_columns(tag, inbox, tmp_path):
    tag(inbox / "rows.jsonl", "out.jsonl")

    row = read_lines(tmp_path / "out.jsonl")[0]
    assert list(row) == [
        *"id document page start end text outcome reason unread type principle scores".split(),
        *"evidence model input.id place n".split(),
    ]
    assert row["document"] == "rows.jsonl#r0"
    assert row["type"] == ["compassionate"]
    assert row["evidence"][0]["text"] == "hospital"
    assert text_of(0)[row["start"] : row["end"]] == row["text"]
    assert (row["input.id"], row["place"], row["n"]) == ("r0", "town 0", 0)


def test_whole_takes_each_document_as_one_passage(tag, inbox, tmp_path):
    tag(inbox / "0002.txt", "out.jsonl", options=TagOptions(whole=True))
    (row,) = read_lines(tmp_path / "out.jsonl")
    assert row["text"] == text_of(2)


def test_one_failing_document_does_not_end_the_run(tag, inbox, monkeypatch):
    tagger = worker.Tagger
    real = tagger.tag_documents

    def fails(self, documents, **options):
        if "0003.txt" in {one.id for one in documents}:
            raise ZeroDivisionError("no\nwords")
        return real(self, documents, **options)

    monkeypatch.setattr(tagger, "tag_documents", fails)
    summary = tag(inbox, "out.jsonl")
    (fault,) = (one for one in summary.first_set_aside if one["id"] == "0003.txt")
    assert fault["stage"] == "tag"
    assert fault["error"] == "tagging failed, please report it: ZeroDivisionError: no words"


def test_a_model_that_changes_during_the_run_is_told(inbox, model):
    with pytest.raises(ModelError, match="the run began with tiny@00000000"):
        worker.Worker(Setup(model, "tiny@00000000", TagOptions()))


def test_a_row_has_only_the_columns_of_its_own_table(tag, tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.csv").write_text(f'id,text,place\n1,"{text_of(1)}",north\n')
    (inbox / "b.csv").write_text(f'id,text,year\n1,"{text_of(2)}",1999\n')
    tag(inbox, "out.jsonl", "out.parquet")
    a, b = {r["document"]: r for r in read_lines(tmp_path / "out.jsonl")}.values()
    assert (a["place"], "year" in a, b["year"], "place" in b) == ("north", False, "1999", False)
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert {(row["place"], row["year"]) for row in table} == {("north", None), (None, "1999")}
