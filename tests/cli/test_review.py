import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import TOY_LABELS, write_jsonl
from tests.review.conftest import ROOT, Server, read_jsonl
from textclass.cli.review import review
from textclass.errors import MissingExtraError, TextclassError
from textclass.review import Answers, Kind
from textclass.review.answers import Answer


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder with a corpus, as far as it comes without a page."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "in.jsonl", [{"text": "a ferry", "topic": ["river"], "group": "d"}])
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)

    def invoke(*arguments):
        arguments = ("in.jsonl", "--labels", "labels.yaml", "--no-browser", *arguments)
        return CliRunner().invoke(review, arguments)

    return invoke


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "out.csv"], "written as .jsonl"),
        (["-o", "out.jsonl", "--reader", "../x"], "'../x': up to 40 characters"),
        (["-o", "out.jsonl", "--reader", ".x"], "no point first"),
    ],
)
def test_wrong_usage_is_told(run, arguments, told):
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output


def test_what_is_there_stays(run, tmp_path):
    (tmp_path / "there.jsonl").write_text("mine\n")
    (tmp_path / "new.ada.jsonl").write_text("mine\n")
    for output, told in (
        ("in.jsonl", "an input and an"),
        ("there.jsonl", "not by a review"),
        ("new.jsonl", "new.ada.jsonl: it is there already"),
    ):
        done = run("-o", output, "--reader", "ada")
        assert isinstance(done.exception, TextclassError)
        assert told in str(done.exception)
    assert (tmp_path / "there.jsonl").read_text() == "mine\n"


def test_inputs_are_checked_first(run):
    done = run("nope.jsonl", "-o", "out.jsonl")
    assert str(done.exception) == "nope.jsonl: no such file or folder"
    assert "tagging" not in done.output


def test_ctrl_c_while_documents_are_tagged_is_told_and_kept(tmp_path, toy_model):
    (tmp_path / "inbox").mkdir()
    for number in range(100):
        text = f"The ferry took {number} people over the river to the market in the old town."
        (tmp_path / f"inbox/{number}.txt").write_text(text)
    words = ["review", "inbox", "-m", toy_model.path, "-o", "out.jsonl", "--no-browser", "--quiet"]
    running = subprocess.Popen(
        [sys.executable, "-m", "textclass", *map(str, words)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "LOKY_MAX_CPU_COUNT": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    workers = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while not workers.read_text():
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert re.fullmatch(r"interrupted: \d+ of \d+ inputs .*the same command goes on\n", told)


def test_two_readers_are_told_of_their_files_and_how_to_settle(tmp_path, toy_model):
    write_jsonl(tmp_path / "in.jsonl", [{"text": "a ferry", "topic": ["river"], "group": "d"}])
    answers = Answers(tmp_path / "out.jsonl.review")
    for name, label in (("Ada Müller", "river"), ("Bo", "bread")):
        answers.add(Answer("p", name, Kind.ACCEPT, (label,), row={"id": "p", "text": "A passage."}))
    answers.close()
    words = (
        "in.jsonl",
        "-m",
        toy_model.path,
        "-o",
        "out.jsonl",
        "--reader",
        "Ada Mu\u0308ller",
    )
    told = Server(tmp_path, *words).stop()
    assert "out.jsonl: 0 labelled passages; without 1 differing\n" in told
    assert "out.Ada Müller.jsonl: those of Ada Müller alone\n" in told
    assert "the same command with --settle lets you decide" in told


def test_without_the_extra_the_way_to_get_it_is_told(run, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("textclass.review")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    done = run("-o", "out.jsonl")
    assert isinstance(done.exception, MissingExtraError)
    assert "pip install 'textclass[review]'" in str(done.exception)


def test_plain_documents_are_tagged_first_and_ctrl_c_writes_the_corpus(tmp_path, toy_model):
    text = "The ferry fought the current to the far bank, and the boat took on water all the way."
    (tmp_path / "letter.txt").write_text(f"{text}\n\n{text.replace('ferry', 'bakery')}\n" * 3)
    server = Server(tmp_path, "letter.txt", "-m", toy_model.path, "-o", "out.jsonl")
    told = server.stop(signal.SIGINT)
    assert server.process.returncode == 0, told
    assert "out.jsonl: 0 labelled passages" in told
    assert read_jsonl(tmp_path / "out.jsonl.tagged.jsonl")[0]["document"] == "letter.txt"
    assert (tmp_path / "out.jsonl").read_text() == ""
