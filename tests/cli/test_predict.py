import json
import os
import pty
import re
import sys

import pytest
from click.testing import CliRunner

from textclass.cli.main import cli

TEXT = "The old ferry left the bank upstream; 🍞 the baker lit the oven for rye dough."


@pytest.fixture
def predict(toy_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=None):
        """Run the command in this process; return what it printed."""
        words = ["predict", "--model", str(toy_model.path), *arguments]
        return CliRunner().invoke(cli, words, input=stdin, catch_exceptions=False).output

    return run


def test_json_is_the_result_schema(predict, toy_model):
    result = json.loads(predict(TEXT, "--json"))
    assert result["topic"] == ["river", "bread"]
    assert result["outcome"] == "tagged"
    assert result["reason"] is None
    assert set(result["scores"]["topic"]) == {"river", "bread", "no"}
    assert result["model"] == toy_model.model.name
    for evidence in result["evidence"]:
        assert TEXT[evidence["start"] : evidence["end"]] == evidence["text"]


def test_the_table_names_labels_and_words(predict):
    out = predict(TEXT)
    assert TEXT in out
    assert re.search(r"topic\s+river\s+0\.\d\d\s+0\.\d\d\s+.*ferry", out)
    assert "\x1b" not in out


def test_text_comes_from_an_argument_a_file_or_stdin(predict, tmp_path):
    (tmp_path / "passage.txt").write_text(TEXT, encoding="utf-8-sig")
    as_argument = predict(TEXT, "--json")
    assert predict("-", "--json", stdin=TEXT) == as_argument
    assert predict("--json", stdin=TEXT) == as_argument
    assert predict("--file", "passage.txt", "--json") == as_argument
    (tmp_path / "notepad.txt").write_text(TEXT, encoding="utf-16")
    assert predict("--file", "notepad.txt", "--json") == as_argument
    assert "passage.txt is a file: give it with -f" in predict("passage.txt")


def test_a_long_text_gives_one_line_for_each_passage(predict):
    text = "The ferry left the bank upstream. " * 100
    results = [json.loads(line) for line in predict("-", "--json", stdin=text).splitlines()]
    assert len(results) == 4
    assert all(text[r["start"] : r["end"]] == r["text"] for r in results)


def test_none_and_unsure_say_why(predict):
    assert "unsure: too-short" in predict("ferry")
    assert "none: below-threshold" in predict("it was morning on the old road near the town")


def test_why_a_label_is_not_given(predict):
    text = f"{TEXT} [red] :cat: [/x]"
    out = predict(text, "--explain", "no")
    assert "no is not given: probability 0." in out
    assert text in out
    # The passage's other labels are no reason of this one's.
    assert ", below" not in predict("it was morning on the old road", "--explain", "no")
    explained = json.loads(predict(TEXT, "--explain", "topic.No", "--json"))
    assert explained["label"] == "no"
    total = sum(weight for _, weight in explained["words"])
    assert total + explained["intercept"] == pytest.approx(explained["score"], abs=1e-4)


def test_why_a_passage_has_no_label_at_all_is_explained(predict):
    assert (
        json.loads(predict("ferry delta", "--explain", "river", "--json"))["reason"] == "too-short"
    )


def test_a_long_text_is_explained_passage_by_passage(predict):
    text = "\n\n".join(["the ferry on the bank by the upstream delta " * 20, "oven and loaf " * 60])
    lines = predict(text, "--explain", "river", "--json").splitlines()
    assert [json.loads(line)["given"] for line in lines] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--explain", "cheese", "a b c d"), "unknown label 'cheese' (the labels are river"),
        (("--model", "acurate", "a b c d"), "(did you mean accurate?)"),
        ((" ",), "TEXT: the text is empty"),
        (("-",), "-: the text is empty"),
        (("--file", "missing.txt"), "missing.txt"),
        (("text", "--file", "my page.pdf"), "a text or a file, not both"),
        (("--file", "my page.pdf"), "it isn't plain text; try textclass tag 'my page.pdf'"),
    ],
)
def test_bad_calls(textclass, toy_model, tmp_path, arguments, told):
    (tmp_path / "my page.pdf").write_bytes(b"%PDF-1.4")
    assert told in textclass("predict", "-m", toy_model.path, *arguments, check=2).err


def test_words_are_marked_on_a_terminal_unless_it_is_dumb(toy_model, monkeypatch):
    def on_terminal(term: str) -> str:
        monkeypatch.setenv("TERM", term)
        monkeypatch.delenv("NO_COLOR", raising=False)
        ours, theirs = pty.openpty()
        with open(theirs, "w") as terminal, monkeypatch.context() as patch:  # noqa: PTH123 - no path
            patch.setattr(sys, "stdout", terminal)
            cli(["predict", "--model", str(toy_model.path), TEXT], standalone_mode=False)
            terminal.flush()
            out = os.read(ours, 100_000)
        os.close(ours)
        return out.decode()

    assert "\x1b[" in on_terminal("xterm")
    assert "\x1b[" not in on_terminal("dumb")
