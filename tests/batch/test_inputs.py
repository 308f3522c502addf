"""What a run is given: paths, addresses, standard input; what of it is passed over."""

from __future__ import annotations

import io
import json
import sys
from itertools import islice

import pytest

from tests.batch.makers import read_lines, text_of, write_inputs
from textclass.batch import Level
from textclass.batch.inputs import read_cuts
from textclass.batch.jobs import Input
from textclass.documents import Document, Source
from textclass.errors import BatchError, DocumentError, MissingExtraError


def test_what_the_run_writes_is_not_its_input(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 2)
    first = tag(inbox, "inbox/out.csv", "inbox/parts/", report=inbox / "report.html")
    second = tag(inbox, "inbox/out.csv", "inbox/parts/", report=inbox / "report.html")
    assert second.inputs == first.inputs == 6

    with pytest.raises(BatchError, match="both an input and an output"):
        tag([inbox / "out.csv"], "inbox/out.csv")


def test_standard_input_to_a_stream(tag):
    stream = io.StringIO()
    summary = tag([], stream=stream, stdin=io.BytesIO(text_of(1).encode()))
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {row["document"] for row in rows} == {"-"}
    assert summary.ledger is None
    assert summary.set_aside == 0


def test_addresses_are_read_like_paths(tag, inbox, tmp_path):
    tag([f"file://{inbox}"], "remote.jsonl")
    tag(inbox, "local.jsonl")
    remote, local = (read_lines(tmp_path / f"{name}.jsonl") for name in ("remote", "local"))
    assert remote == local
    aside = read_lines(tmp_path / "remote.jsonl.set-aside.jsonl")
    assert aside[0]["path"].startswith("file://")
    assert tag([f"file://{inbox}"], "remote.jsonl").taken_up == 28


def test_without_fsspec_the_way_to_install_it_is_told(tag, inbox, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match=r"^this needs .*pip install 'textclass\[dask\]'"):
        tag([f"file://{inbox}"], "out.jsonl")


def test_missing_input_is_told_before_anything_is_done(tag, tmp_path):
    with pytest.raises(DocumentError, match="no such file"):
        tag(tmp_path / "nowhere", "out.jsonl")


def test_repeated_ids_are_told_and_made_unique(tag, tmp_path):
    names = ["7", "7", "7~2", "8", "7"]
    rows = [{"id": name, "text": text_of(i)} for i, name in enumerate(names)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = tag(tmp_path / "t.jsonl", "out.jsonl", level=Level.DOCUMENT)
    found = [row["document"].partition("#")[2] for row in read_lines(tmp_path / "out.jsonl")]
    assert found == ["7", "7~2", "7~2~2", "8", "7~3"]
    assert summary.repeated == 3


def test_results_of_earlier_runs_are_left_out_and_counted(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 2)
    tag(inbox, "inbox/old.jsonl", "inbox/old.csv")
    (inbox / "Thumbs.db").write_bytes(b"\0")
    summary = tag(inbox, "out.jsonl")
    assert summary.inputs == 6
    assert summary.left_out["system file"] == 1
    assert sum(summary.left_out.values()) == 5


def test_what_is_no_document_is_left_out_at_addresses_too(tag, tmp_path):
    import fsspec

    tag(write_inputs(tmp_path / "inbox", 1), "old.jsonl")
    store = fsspec.filesystem("memory")
    files = dict.fromkeys(("Thumbs.db", "a/.DS_Store", ".hidden/x.txt"), b"junk")
    files |= {"old.jsonl": (tmp_path / "old.jsonl").read_bytes(), "a/b.txt": text_of(1).encode()}
    for name, content in files.items():
        store.pipe(f"/given/{name}", content)
    summary = tag(["memory://given"], "out.jsonl")
    assert {row["document"] for row in read_lines(tmp_path / "out.jsonl")} == {"a/b.txt"}
    assert summary.left_out == {"hidden file or folder": 1, "system file": 2}
    (aside,) = summary.first_set_aside
    assert (aside["id"], aside["stage"]) == ("old.jsonl", "detect")
    assert "file of results that textclass wrote" in aside["error"]


def test_one_id_on_every_row_takes_no_longer_than_many(tag, tmp_path):
    class Reader:
        def read(self, source):
            assert source.id == "t"
            yield from (Document("7", "", "x", "", "") for _ in range(30_000))

    parts = islice(read_cuts(Input(Source(tmp_path, "t"), ""), Reader()), 200)
    names = [one.id for part in parts for one in part.documents]
    assert (names[0], names[-1], len(set(names))) == ("7", "7~30000", 30_000)
