"""Whole runs: every input accounted for once, taken up where it was, the same however it is run."""

from __future__ import annotations

import io
import json
import os
import signal
import zipfile
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from tests.batch.makers import make_model, read_lines, text_of, with_all_columns, write_inputs
from textclass.batch import Level, TagOptions, tagging, worker
from textclass.errors import BatchError


def test_every_input_ends_in_results_or_set_aside_once(tag, inbox, tmp_path):
    summary = tag(inbox, "out.jsonl", level=Level.DOCUMENT)

    results = [row["document"] for row in read_lines(tmp_path / "out.jsonl")]
    aside = {row["id"]: row for row in read_lines(tmp_path / "out.jsonl.set-aside.jsonl")}
    files = [f"{n:04}.txt" for n in range(24)]
    rows = [f"rows.jsonl#r{n}" for n in range(20)]
    assert results == [*files, *rows, "twin.txt"]
    assert aside.keys() == {"empty.txt", "picture.pdf", "rows.jsonl#bad"}
    assert list(aside["picture.pdf"]) == ["id", "path", "sha256", "stage", "error"]
    assert aside["picture.pdf"]["path"] == str(inbox / "picture.pdf")
    assert "PNG" in aside["picture.pdf"]["error"]
    assert (summary.inputs, summary.documents, summary.set_aside) == (28, 45, 3)
    assert sum(summary.outcomes.values()) == 45


def test_parquet_holds_exactly_the_rows_of_jsonl(tag, inbox, tmp_path):
    tag(inbox, "out.jsonl", "out.parquet", "parts/", level=Level.BOTH)

    for level in ("passages", "documents"):
        lines = with_all_columns(read_lines(tmp_path / f"out.{level}.jsonl"))
        assert lines == pq.read_table(tmp_path / f"out.{level}.parquet").to_pylist()
        assert lines == pq.read_table(tmp_path / "parts" / level).to_pylist()


def test_finished_inputs_are_not_done_again(tag, tmp_path, monkeypatch):
    inbox = write_inputs(tmp_path / "inbox", 3)
    first = tag(inbox, "out.jsonl")
    (inbox / "0001.txt").write_text(text_of(77))
    (inbox / "new.txt").write_text(text_of(78))
    (inbox / "0002.txt").unlink()
    done = []
    work = worker.Worker.work
    monkeypatch.setattr(
        worker.Worker,
        "work",
        lambda self, task: done.extend(one.origin.source.id for one in task) or work(self, task),
    )

    second = tag(inbox, "out.jsonl")

    assert sorted(done) == ["0001.txt", "new.txt"]
    assert (first.taken_up, second.taken_up) == (0, second.inputs - 2)
    documents = {row["document"] for row in read_lines(tmp_path / "out.jsonl")}
    assert "new.txt" in documents
    assert "0002.txt" not in documents
    assert text_of(77).startswith(
        next(r for r in read_lines(tmp_path / "out.jsonl") if r["document"] == "0001.txt")["text"]
    )


def test_inputs_that_are_gone_are_told(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 3)
    before = tag(inbox, "out.jsonl")
    next(inbox.glob("*.txt")).unlink()
    after = tag(inbox, "out.jsonl")
    assert (before.gone, after.gone, after.inputs) == (0, 1, before.inputs - 1)


def test_another_model_or_options_or_fresh_is_a_new_run(tag, inbox, tmp_path):
    def taken_up(**changes):
        return tag(inbox / "0000.txt", "out.jsonl", **changes).taken_up

    assert taken_up() == 0
    assert taken_up(options=TagOptions(whole=True)) == 0
    assert taken_up(model=make_model(tmp_path / "other")) == 0
    assert taken_up() == 1
    assert taken_up(fresh=True) == 0


@pytest.mark.parametrize(
    ("stage", "workers"), [("finding", 1), ("tagging", 1), ("tagging", 2), ("writing", 1)]
)
def test_a_stopped_run_writes_nothing_and_keeps_what_is_done(stage, workers, tag, inbox, tmp_path):
    def stop(progress):
        reached.append(progress.stage == stage and (stage != "tagging" or progress.documents > 3))
        if sum(reached) == 1 and reached[-1]:
            signal.raise_signal(signal.SIGTERM)

    reached = []
    first = tag(inbox, "out.jsonl", "out.xlsx", workers=workers, on_progress=stop)
    assert first.stopped_by == signal.SIGTERM
    assert {path.name for path in tmp_path.iterdir()} == {"out.jsonl.ledger"}
    assert (first.finished > 0) == (stage != "finding")
    assert (first.finished == 28) == (stage == "writing")
    second = tag(inbox, "out.jsonl")
    assert (second.taken_up, second.documents) == (first.finished, 45)


def test_a_run_that_waits_for_standard_input_can_be_stopped(tag):
    class Endless(io.BytesIO):
        def read(self, _size=-1):
            signal.raise_signal(signal.SIGINT)
            return b"more"

    assert tag([], "out.jsonl", stdin=Endless()).stopped_by == signal.SIGINT


def test_a_file_called_as_standard_input_is_not_lost(tag, tmp_path):
    (tmp_path / "-").write_text(text_of(1))
    stdin = io.BytesIO(text_of(2).encode())
    tag(tmp_path / "-", "out.jsonl", level=Level.DOCUMENT, stdin=stdin)
    assert [row["document"] for row in read_lines(tmp_path / "out.jsonl")] == ["-", "./-"]


def test_two_runs_into_one_output_are_refused(tag, inbox):
    def meddle(progress):
        if progress.stage == "writing":
            tag(inbox, "out.jsonl")

    with pytest.raises(BatchError, match="another run is using this ledger"):
        tag(inbox, "out.jsonl", on_progress=meddle)


def test_a_file_that_cannot_be_opened_is_tried_again_by_the_next_run(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 1)
    (inbox / "pipe.txt").symlink_to(tmp_path / "later.txt")
    assert "pipe.txt" in {one["id"] for one in tag(inbox, "out.jsonl").first_set_aside}
    (inbox / "pipe.txt").unlink()
    (inbox / "pipe.txt").write_text(text_of(5))
    assert "pipe.txt" not in {one["id"] for one in tag(inbox, "out.jsonl").first_set_aside}


def test_a_long_table_is_shared_by_all_workers_and_taken_up_in_the_middle(
    tag, tmp_path, monkeypatch
):
    monkeypatch.setattr(tagging, "LONG_BYTES", 1000)
    rows = [{"id": i, "text": text_of(i), "odd": "x" if i % 2 else i} for i in range(900)]
    table = tmp_path / "long.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = []

    def interrupt(progress):
        if progress.documents:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tag(table, "out.jsonl", on_progress=interrupt)
    tag(table, "out.jsonl", workers=2, on_progress=done.append)
    tag(table, "whole.jsonl", "whole.parquet")

    assert max(one.documents for one in done if one.stage == "tagging") == 900 - 256
    documents = list(dict.fromkeys(r["document"] for r in read_lines(tmp_path / "out.jsonl")))
    assert documents == [f"long.jsonl#{i}" for i in range(900)]
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    # A column of numbers and texts has one Arrow type: text.
    odd = pq.read_table(tmp_path / "whole.parquet")["odd"].to_pylist()
    assert set(odd) == {str(row["odd"]) for row in rows}


def test_nothing_but_the_named_outputs_is_written(tag, tmp_path):
    """Names of inputs and archive members never become names of files."""
    hostile = ["../../up.txt", "/abs.txt", "a\\..\\b.txt", "C:\\x.txt", "con.txt", "a/../../b.txt"]
    hostile += [f"{'../' * n}etc/cron{n}.txt" for n in range(1, 200)]
    hostile += [f"{name}.txt" for name in ("nul", "lpt1", "aux ", "..", ".", "~root")]
    inbox = tmp_path / "in"
    inbox.mkdir()
    with zipfile.ZipFile(inbox / "hostile.zip", "w") as archive:
        for name in hostile:
            archive.writestr(name, text_of(1))
    (inbox / os.fsdecode(b"bytes\xff\x01\n;.txt")).write_text(text_of(2))
    (inbox / "link.txt").symlink_to("/etc/passwd")
    before = {str(path) for path in tmp_path.rglob("*")}

    summary = tag(inbox, "out.jsonl", report=tmp_path / "report.html", level=Level.DOCUMENT)

    new = {str(path) for path in tmp_path.rglob("*")} - before
    endings = ("", ".ledger", ".set-aside.jsonl")
    assert new == {f"{tmp_path}/out.jsonl{e}" for e in endings} | {f"{tmp_path}/report.html"}
    assert summary.documents + summary.set_aside == len(hostile) + 2
    assert "root:" not in (tmp_path / "out.jsonl").read_text()


def test_options_that_change_rows_change_the_run():
    options = TagOptions()
    others = [
        replace(options, text_column="x"),
        replace(options, id_column="x"),
        replace(options, whole=True),
        replace(options, limits=replace(options.limits, pages=3)),
    ]
    names = {one.digest("model") for one in (options, *others)} | {options.digest("other")}
    assert len(names) == 6


def test_of_many_tables_each_is_read_by_a_worker(tag, tmp_path, monkeypatch):
    """So do partitions: all the run itself has to do is to keep what comes."""
    monkeypatch.setattr(tagging, "LONG_BYTES", 1000)
    monkeypatch.setattr(tagging, "read_cuts", None)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for part in range(3):
        rows = [{"id": i, "text": text_of(part + i)} for i in range(300)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (inbox / f"{part}.jsonl").write_text(lines)
    assert tag(inbox, "out.jsonl").documents == 900
