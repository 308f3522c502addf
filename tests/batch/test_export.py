"""Outputs: named, written whole or not at all."""

from __future__ import annotations

import errno

import pytest

from tests.batch.makers import make_model, read_lines, with_all_columns, write_inputs
from textclass.batch import Level, TagJob, TagOptions, export, formats
from textclass.batch.export import PARTIAL, REPLACED, plan_outputs
from textclass.errors import BatchError, TextclassError
from textclass.model import load_folder


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("out.txt", "no output format has the ending '.txt'"),
        ("out", "no output format has the ending ''"),
        ("nowhere/out.csv", "its folder doesn't exist"),
        ("a\0b.csv", "can't be written to"),
        ("x" * 300 + ".csv", "can't be written to"),
    ],
)
def test_names_that_cannot_be_outputs(name, fault, tmp_path, tag, inbox):
    with pytest.raises(BatchError, match=fault):
        tag(inbox, name)
    assert not list(tmp_path.iterdir())


def test_both_levels_make_two_files_of_one_name(tmp_path):
    names = [f"{tmp_path}/out.{ending}" for ending in ("csv", "xlsx")] + [f"{tmp_path}/parts/"]
    outputs = plan_outputs(TagJob((), tuple(names), level=Level.BOTH))
    assert [(one.path.name, one.form, len(one.levels)) for one in outputs] == [
        ("out.passages.csv", "csv", 1),
        ("out.documents.csv", "csv", 1),
        ("out.xlsx", "xlsx", 2),
        ("parts", "folder", 2),
    ]


def test_a_folder_with_other_things_in_it_is_never_replaced(tag, inbox, tmp_path):
    (tmp_path / "parts").mkdir()
    for beside in ("parts.old", "parts.partial", f"parts{REPLACED}"):
        (tmp_path / beside).mkdir()
        (tmp_path / beside / "notes.txt").write_text("mine")
    tag(inbox, "parts/")
    tag(inbox, "parts/")
    assert not list(tmp_path.glob("*textclass*"))
    assert (tmp_path / "parts.old/notes.txt").exists()
    assert (tmp_path / "parts.partial/notes.txt").exists()
    assert len(list(tmp_path.glob("parts/passages/*.parquet"))) == 1
    (tmp_path / "parts/passages/notes.txt").write_text("mine")
    with pytest.raises(BatchError, match=r"notes\.txt, which isn't an earlier result"):
        tag(inbox, "parts/")
    assert (tmp_path / "parts/passages/notes.txt").exists()


def test_many_rows_make_several_parts(tag, inbox, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "PART_ROWS", 20)
    monkeypatch.setattr(formats, "SHEET_ROWS", 21)
    tag(inbox, "parts/", "out.jsonl", "out.xlsx")
    import openpyxl
    import pyarrow.parquet as pq

    lines = with_all_columns(read_lines(tmp_path / "out.jsonl"))
    parts = sorted((tmp_path / "parts/passages").iterdir())
    assert [pq.read_table(part).num_rows for part in parts[:-1]] == [20] * (len(parts) - 1)
    assert [row for part in parts for row in pq.read_table(part).to_pylist()] == lines
    book = openpyxl.load_workbook(tmp_path / "out.xlsx", read_only=True)
    assert book.sheetnames[:2] == ["passages", "passages 2"]
    assert sum(len(list(sheet.rows)) - 1 for sheet in book) == len(lines)
    book.close()


def test_a_failed_export_leaves_the_old_result_and_no_trace(tag, tmp_path, monkeypatch):
    inbox = write_inputs(tmp_path / "inbox", 3)
    tag(inbox, "out.jsonl", "out.parquet")
    before = {p.name: p.read_bytes() for p in tmp_path.glob("out*") if p.suffix != ".ledger"}
    (inbox / "new.txt").write_text("One more report of the hospital and of the town was there.")

    def full(path, table, rows):
        next(rows)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(export, "write_parquet", full)
        with pytest.raises(BatchError, match=r"No space left .*all work is kept in the ledger"):
            tag(inbox, "out.jsonl", "out.parquet")
    after = {p.name: p.read_bytes() for p in tmp_path.glob("out*") if p.suffix != ".ledger"}
    assert after == before
    summary = tag(inbox, "out.jsonl", "out.parquet")
    assert summary.taken_up == summary.inputs
    assert "new.txt" in {row["document"] for row in read_lines(tmp_path / "out.jsonl")}


def test_a_link_is_replaced_and_not_followed(tag, inbox, tmp_path):
    (tmp_path / "precious.txt").write_text("keep me")
    for name in ("out.jsonl", f"out.jsonl{PARTIAL}", "out.jsonl.set-aside.jsonl"):
        (tmp_path / name).symlink_to(tmp_path / "precious.txt")
    tag(inbox, "out.jsonl")
    assert (tmp_path / "precious.txt").read_text() == "keep me"
    assert not (tmp_path / "out.jsonl").is_symlink()


@pytest.mark.parametrize(
    "place", ["mine.csv", "out.jsonl.set-aside.jsonl", "inbox/a.txt", "mine.html"]
)
def test_a_file_that_no_run_wrote_is_never_overwritten(tag, tmp_path, place):
    (tmp_path / "inbox").mkdir()
    for name in ("inbox/b.txt", "out.jsonl.set-aside.jsonl", place):
        (tmp_path / name).write_text("the hospital in the town was there\n")
    outputs = ["mine.csv"] if place == "mine.csv" else ["out.jsonl"]
    others = {"inbox/a.txt": "set_aside", "mine.html": "report"}
    options = {others[place]: tmp_path / place} if place in others else {}
    if place != "out.jsonl.set-aside.jsonl":
        (tmp_path / "out.jsonl.set-aside.jsonl").unlink()
    with pytest.raises(TextclassError, match=f"{place}: it would be overwritten"):
        tag(tmp_path / "inbox", *outputs, **options)
    assert (tmp_path / place).read_text() == "the hospital in the town was there\n"


def test_results_that_were_changed_by_hand_are_not_overwritten(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 2)
    tag(inbox, "out.csv", "out.xlsx")
    tag(inbox, "out.csv", "out.xlsx")
    ours = (tmp_path / "out.csv").read_bytes()
    (tmp_path / "out.csv").write_bytes(ours.replace(b"tagged", b"none"))
    for options in ({}, {"fresh": True}):
        with pytest.raises(BatchError, match=r"out\.csv: it was changed since textclass wrote it"):
            tag(inbox, "out.csv", "out.xlsx", **options)
    assert b"none" in (tmp_path / "out.csv").read_bytes()
    (tmp_path / "out.csv").rename(tmp_path / "corrected.csv")
    tag(inbox, "out.csv", "out.xlsx")
    assert (tmp_path / "out.csv").read_bytes() == ours


def test_whose_results_were_replaced_is_told(tag, model, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 2)
    name = load_folder(model).model.name
    assert [tag(inbox, "out.csv").replaced for _ in range(2)] == ["", ""]
    whole = {"options": TagOptions(whole=True)}
    told = tag(inbox, "out.csv", **whole).replaced
    assert told == f"results of {name}, 6 inputs, with other options"
    other = tag(inbox, "out.csv", model=make_model(tmp_path / "other"))
    assert other.replaced == f"results of {name}, 6 inputs"
    (tmp_path / "out.csv.ledger").unlink()
    assert tag(inbox, "out.csv").replaced.endswith("out.csv.ledger doesn't know")


def test_texts_too_long_for_a_cell_are_counted(tag, tmp_path):
    (tmp_path / "long.txt").write_text("We were there for it all. " * 2_000)
    (tmp_path / "short.txt").write_text("The hospital was there and we were in need of it.")
    options = {"options": TagOptions(whole=True), "level": Level.BOTH}
    inputs = [tmp_path / "long.txt", tmp_path / "short.txt"]
    assert tag(inputs, "out.csv", "out.jsonl", **options).cut == 0
    assert tag(inputs, "out.xlsx", **options).cut == 1


def test_an_empty_result_has_its_columns(tag, tmp_path):
    import pyarrow.parquet as pq

    (tmp_path / "bad.pdf").write_bytes(b"\x89PNG")
    summary = tag(tmp_path / "bad.pdf", "out.parquet", "out.csv")
    assert (summary.documents, summary.set_aside) == (0, 1)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
    assert (tmp_path / "out.csv").read_text("utf-8-sig").startswith("id,document,page")


def test_set_aside_file_goes_when_nothing_is_set_aside(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 2)
    assert tag(inbox, "out.csv").set_aside_file == tmp_path / "out.csv.set-aside.jsonl"
    for name in ("empty.txt", "picture.pdf", "rows.jsonl"):
        (inbox / name).unlink()
    assert tag(inbox, "out.csv").set_aside_file is None
    assert not (tmp_path / "out.csv.set-aside.jsonl").exists()
