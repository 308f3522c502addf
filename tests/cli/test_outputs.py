"""No command writes over what a user gave it."""

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
        "tag . -m MODEL -o out.jsonl --log labels.yaml",
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
