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
    for name in ("mine.html", "mine.json", "mine.jsonl"):
        (tmp_path / name).write_text('{"model": "mine"}\n', encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/manifest.json").write_text("{}", encoding="utf-8")
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
        "train c.jsonl --labels labels.yaml -o site",
        "tag c.jsonl -m MODEL -o out.jsonl --report mine.html",
        "tag c.jsonl -m MODEL -o out.jsonl --report new.pdf",
        "evaluate c.jsonl -m MODEL -o mine.json",
        "evaluate c.jsonl -m MODEL --report mine.html",
        "evaluate c.jsonl -m MODEL --report new.pdf",
        "corpus stats c.jsonl --labels labels.yaml --html mine.html",
        "corpus convert c.jsonl --labels labels.yaml -o mine.jsonl",
    ],
)
def test_an_output_in_the_wrong_place_is_refused(command, folder, toy_model, monkeypatch):
    monkeypatch.chdir(folder)
    before = contents(folder)
    words = command.replace("MODEL", str(toy_model.path)).split()
    with pytest.raises(TextclassError, match=r"give|make it first|in one place"):
        CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert contents(folder) == before


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        "evaluate c.jsonl -m MODEL --samples 100 -q -o new.json --report new.html",
        "corpus stats c.jsonl --labels labels.yaml --html new.html",
        "corpus convert c.jsonl --labels labels.yaml --overwrite -o mine.jsonl",
    ],
)
def test_a_file_of_an_earlier_run_is_replaced(command, folder, toy_model, monkeypatch):
    monkeypatch.chdir(folder)
    words = command.replace("MODEL", str(toy_model.path)).split()
    for _ in range(2):
        CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert (folder / words[-1]).stat().st_size > 1000
