"""`textclass tag`, as a user starts it."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.batch.makers import make_model, write_inputs

COMMAND = "from textclass.cli.main import main; main()"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a tiny model and an inbox of 12 files."""
    folder = tmp_path_factory.mktemp("cli")
    make_model(folder / "model")
    write_inputs(folder / "inbox", 8)
    return folder


@pytest.fixture
def tag(place, textclass):
    def run(*arguments, **options):
        return textclass("tag", "--model", place / "model", *arguments, **options)

    return run


def start(code, place, *arguments, **options):
    """Start `textclass tag` in a process of its own."""
    command = [sys.executable, "-c", code, "tag", "--model", "model", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=place, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, **options
    )


def test_done_with_some_set_aside(tag, place, tmp_path):
    done = tag(place / "inbox", "-o", "a.csv", "--workers", "1", "--log", "run.log", check=3)
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0].startswith("set aside: empty.txt: the file is empty")
    assert lines[3].startswith("12 inputs, in ")
    assert lines[4].startswith("29 documents (29 tagged), ")
    assert lines[5:] == [
        f"results: {tmp_path}/a.csv",
        f"3 set aside, each with its reason: {tmp_path}/a.csv.set-aside.jsonl",
        "exit code 3: done, but not everything could be read",
    ]
    log = (tmp_path / "run.log").read_text()
    assert "tagging" not in log.splitlines()[0]
    assert "0 of 12 inputs" in log

    again = tag(place / "inbox", "-o", "a.csv", "--json", "--quiet", check=3)
    assert again.err == ""
    summary = json.loads(again.out)
    assert (summary["inputs"], summary["taken_up"], summary["set_aside"]) == (12, 12, 3)


def test_standard_input_to_standard_output(tag, place):
    text = "The hospital of the town was there for the people and we were there for them."
    (row,) = map(json.loads, tag("-", stdin=text).out.splitlines())
    assert (row["document"], row["type"]) == ("-", ["compassionate"])
    assert tag(place / "inbox/0001.txt", "--quiet").err == ""


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["inbox", "--json"], "stdout takes one of --table, --json and, without -o, the results"),
        (["inbox", "-o", "a.csv", "--json", "--table"], "stdout takes one of --table, --json"),
        (["inbox", "-o", "a.csv", "--scheduler", "tcp://x:1"], "for --engine dask"),
        (["inbox", "--level", "page"], "'page' is not one of"),
        (["inbox", "--level", "both"], "say where with -o"),
        (["inbox", "-o", "a.csv", "--log", "nowhere/run.log"], "No such file or directory"),
    ],
)
def test_wrong_usage(tag, arguments, fault):
    assert fault in tag(*arguments, check=2).err


@pytest.mark.parametrize(
    ("number", "code", "workers"), [(signal.SIGINT, 130, "1"), (signal.SIGTERM, 143, "2")]
)
def test_stopped_by_a_signal(tag, place, tmp_path, number, code, workers):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for i in range(600):
        (inbox / f"{i}.txt").write_text(f"The hospital of the town was there for us {i} times.")
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    log.touch()
    often = "import sys, textclass.cli.tag; sys.modules['textclass.cli.tag'].LOG_SECONDS = 0;"
    arguments = (inbox, "-o", out, "--workers", workers, "--log", log)
    running = start(often + COMMAND, place, *arguments)
    deadline = time.monotonic() + 60
    while not re.search(r" [1-9]\d+ of 600", log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(number)
    _, stderr = running.communicate(timeout=60)

    assert running.returncode == code, stderr
    assert "Traceback" not in stderr
    assert "of 600 inputs are done and kept in" in stderr
    assert not out.exists()
    summary = json.loads(tag(inbox, "-o", out, "--json", "--workers", "1").out)
    assert 10 <= summary["taken_up"] < 600
    assert summary["documents"] == 600


def test_progress_fits_a_narrow_terminal(tag, place, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        command = [sys.executable, "-c", COMMAND, "tag", "--model", "model", "inbox/0001.txt"]
        subprocess.run(
            command,
            cwd=place,
            env=ENVIRONMENT | os.environ,
            stdout=subprocess.DEVNULL,
            stderr=terminal,
            check=True,
        )
    told = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert re.search(r"\d of 1 inputs, .*…", told), told
    assert "passages/s" not in told


def test_the_summary_counts_in_plain_english(tag, place, tmp_path):
    options = ("-o", "a.csv", "--workers", "1")
    told = tag(place / "inbox/0001.txt", *options, "--report", "a.html").err.splitlines()
    assert told[0].startswith("1 input, in ")
    assert told[1:] == [
        "1 document (1 tagged), 3 passages",
        f"results: {tmp_path}/a.csv",
        "report: a.html",
    ]
    told = tag(place / "inbox/empty.txt", *options, check=3).err
    assert "0 documents, 0 passages\n" in told
    assert "results are without 1 input of earlier runs" in told
    told = tag(place / "inbox/0001.txt", *options, "--passages", "whole").err
    assert "\nreplaced: results of model@" in told
    (tmp_path / "null.jsonl").write_text('{"text": null}\n')
    told = tag("null.jsonl", *options, check=3).err
    assert "set aside: null.jsonl#1: line 1: its text is empty\n" in told


def test_a_full_disk_is_told_in_one_line(tag, place, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))

    out = tmp_path / "out.jsonl"
    options = (place / "inbox", "-o", out, "--workers", "1")
    full = start(COMMAND, place, *options, preexec_fn=limit)
    _, stderr = full.communicate(timeout=120)
    assert full.returncode == 1
    assert "is the disk full?" in stderr
    assert stderr.count("\n") == 1
    assert not out.exists()
    tag(*options, check=3)
    assert len(out.read_text().splitlines()) > 29
