import signal
import sys

import pytest
from click.testing import CliRunner

from tests.conftest import TOY_LABELS, write_jsonl
from tests.review.conftest import Server, read_jsonl
from textclass.cli.review import review
from textclass.errors import MissingExtraError, TextclassError


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
        (["-o", "out.jsonl", "--reader", "../x"], "--reader: up to 40 letters"),
    ],
)
def test_wrong_usage_is_told(run, arguments, told):
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output


def test_what_is_there_stays(run, tmp_path):
    (tmp_path / "there.jsonl").write_text("mine\n")
    for output, told in (("in.jsonl", "an input and an"), ("there.jsonl", "not by a review")):
        done = run("-o", output)
        assert isinstance(done.exception, TextclassError)
        assert told in str(done.exception)
    assert (tmp_path / "there.jsonl").read_text() == "mine\n"


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
