"""`textclass tag`, as a user starts it."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from textclass.cli.tag import tag; tag()"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a tiny model and an inbox of 12 files."""
    folder = tmp_path_factory.mktemp("cli")
    make = "import sys; from pathlib import Path; from tests.batch.makers import *;"
    make += "make_model(Path('model')); write_inputs(Path('inbox'), 8)"
    subprocess.run([sys.executable, "-c", make], cwd=folder, env=ENVIRONMENT, check=True)
    return folder


@pytest.fixture
def tag(place):
    def run(*arguments, **options):
        return subprocess.run(
            [*COMMAND, "--model", "model", *arguments],
            cwd=place,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )

    return run


def test_done_with_some_set_aside(tag, place):
    done = tag("inbox", "-o", "a.csv", "--workers", "1", "--log", "run.log")
    assert done.returncode == 3
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("set aside: empty.txt: the file is empty")
    assert lines[3].startswith("12 inputs, in ")
    assert lines[4].startswith("29 documents (29 tagged), ")
    assert lines[5:] == [
        f"results: {place}/a.csv",
        f"3 set aside, each with its reason: {place}/a.csv.set-aside.jsonl",
        "exit code 3: done, but not everything could be read",
    ]
    log = (place / "run.log").read_text()
    assert "tagging" not in log.splitlines()[0]
    assert "0 of 12 inputs" in log

    again = tag("inbox", "-o", "a.csv", "--json", "--quiet")
    assert again.stderr == ""
    summary = json.loads(again.stdout)
    assert (summary["inputs"], summary["taken_up"], summary["set_aside"]) == (12, 12, 3)


def test_standard_input_to_standard_output(tag):
    text = "The hospital of the town was there for the people and we were there for them."
    done = tag("-", input=text)
    assert done.returncode == 0
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["document"], row["type"]) == ("-", ["compassionate"])
    assert tag("inbox/0001.txt", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "fault"),
    [
        (["inbox", "--json"], 2, "--json needs -o"),
        (["inbox", "-o", "a.csv", "--scheduler", "tcp://x:1"], 2, "for --engine dask"),
        (["inbox", "--level", "page"], 2, "'page' is not one of"),
    ],
)
def test_wrong_usage(tag, arguments, code, fault):
    done = tag(*arguments)
    assert done.returncode == code
    assert fault in done.stderr
    assert "Traceback" not in done.stderr


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
    command = [*COMMAND[:2], often + COMMAND[2], "--model", "model", str(inbox)]
    command += ["-o", str(out), "--workers", workers, "--log", str(log)]
    running = subprocess.Popen(
        command, cwd=place, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
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
    done = tag(str(inbox), "-o", str(out), "--json")
    summary = json.loads(done.stdout)
    assert done.returncode == 0
    assert 10 <= summary["taken_up"] < 600
    assert summary["documents"] == 600


def test_a_full_disk_is_told_in_one_line(tag, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))

    out = tmp_path / "out.jsonl"
    done = tag("inbox", "-o", str(out), "--workers", "1", preexec_fn=limit)
    assert done.returncode == 1
    assert "is the disk full?" in done.stderr
    assert not out.exists()
    done = tag("inbox", "-o", str(out), "--workers", "1")
    assert done.returncode == 3
    assert len(out.read_text().splitlines()) > 29
