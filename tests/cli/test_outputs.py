"""No command writes over what a user gave it."""

import json

import pytest
from click.testing import CliRunner

from tests.conftest import TOY_LABELS, toy_rows, write_jsonl
from textclass.cli.main import cli
from textclass.errors import TextclassError


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "c.jsonl", toy_rows(20))
    (tmp_path / "labels.yaml").write_text(TOY_LABELS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "evaluate c.jsonl -m MODEL -o c.jsonl",
        "evaluate c.jsonl -m MODEL --report c.jsonl",
        "corpus stats c.jsonl --labels labels.yaml --html c.jsonl",
        "corpus convert c.jsonl --labels labels.yaml --to doccano -o c.jsonl",
        "tag c.jsonl -m MODEL -o out.jsonl --log c.jsonl",
        "tag c.jsonl -m MODEL -o out.jsonl --report out.jsonl",
        "tag c.jsonl -m MODEL -o out.jsonl -o out.jsonl",
        "evaluate c.jsonl -m MODEL -o nowhere/out.json",
        "corpus convert c.jsonl --labels labels.yaml --to doccano -o nowhere/out.jsonl",
        "train c.jsonl --labels labels.yaml -o c.jsonl",
        "train c.jsonl --labels labels.yaml -o .",
    ],
)
def test_an_output_in_the_wrong_place_is_refused(command, folder, toy_model, monkeypatch):
    monkeypatch.chdir(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    words = command.replace("MODEL", str(toy_model.path)).split()
    with pytest.raises(TextclassError, match=r"give|make it first|in one place"):
        CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_why_a_passage_has_no_label_at_all_is_explained(toy_model):
    words = ["predict", "ferry delta", "-m", str(toy_model.path), "--explain", "river", "--json"]
    result = CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert json.loads(result.stdout)["reason"] == "too-short"


def test_a_long_text_is_explained_passage_by_passage(toy_model):
    text = "\n\n".join(["the ferry on the bank by the upstream delta " * 20, "oven and loaf " * 60])
    words = ["predict", text, "-m", str(toy_model.path), "--explain", "river", "--json"]
    result = CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    explained = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["given"] for one in explained] == [True, False]
