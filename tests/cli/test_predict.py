import json
import os
import pty
import re
import subprocess
import sys

import pytest

TEXT = "The old ferry left the bank upstream; 🍞 the baker lit the oven for rye dough."


@pytest.fixture
def predict(textclass, toy_model):
    def run(*arguments, **options):
        return textclass("predict", "--model", toy_model.path, *arguments, **options)

    return run


def test_json_is_the_result_schema(predict, toy_model):
    result = json.loads(predict(TEXT, "--json").out)
    assert result["topic"] == ["river", "bread"]
    assert result["outcome"] == "tagged"
    assert result["reason"] is None
    assert set(result["scores"]["topic"]) == {"river", "bread", "no"}
    assert result["model"] == toy_model.model.name
    for evidence in result["evidence"]:
        assert TEXT[evidence["start"] : evidence["end"]] == evidence["text"]


def test_the_table_names_labels_and_words(predict):
    out = predict(TEXT).out
    assert TEXT in out
    assert re.search(r"topic\s+river\s+0\.\d\d\s+0\.\d\d\s+.*ferry", out)
    assert "\x1b" not in out


def test_text_comes_from_an_argument_a_file_or_stdin(predict, tmp_path):
    (tmp_path / "passage.txt").write_text(TEXT, encoding="utf-8-sig")
    as_argument = predict(TEXT, "--json").out
    assert predict("-", "--json", stdin=TEXT).out == as_argument
    assert predict("--json", stdin=TEXT).out == as_argument
    assert predict("--file", "passage.txt", "--json").out == as_argument


def test_a_long_text_gives_one_line_for_each_passage(predict):
    text = "The ferry left the bank upstream. " * 100
    results = [json.loads(line) for line in predict("-", "--json", stdin=text).out.splitlines()]
    assert len(results) == 4
    assert all(text[r["start"] : r["end"]] == r["text"] for r in results)


def test_none_and_unsure_say_why(predict):
    assert "unsure: too-short" in predict("ferry").out
    assert "none: below-threshold" in predict("it was morning on the old road near the town").out


def test_why_a_label_is_not_given(predict):
    out = predict(TEXT, "--explain", "no").out
    assert "no is not given: probability 0." in out
    explained = json.loads(predict(TEXT, "--explain", "no", "--json").out)
    total = sum(weight for _, weight in explained["words"])
    assert total + explained["intercept"] == pytest.approx(explained["score"], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--explain", "cheese", "a b c d"), 1, "unknown label 'cheese' (the labels are river"),
        (("--file", "missing.txt"), 1, "missing.txt"),
        (("text", "--file", "x"), 2, "a text or a file, not both"),
    ],
)
def test_bad_calls(predict, arguments, code, told):
    assert told in predict(*arguments, check=code).err


def test_bytes_that_are_no_text(predict):
    assert "textclass tag reads documents" in predict("-", stdin=b"\xff\xfe%PDF", check=2).err


def test_words_are_marked_on_a_terminal_and_no_color_is_honoured(toy_model):
    def on_terminal(**env) -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "textclass", "predict", "--model", str(toy_model.path)]
        variables = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "TERM"}}
        subprocess.run(
            [*command, TEXT],
            stdout=theirs,
            stdin=subprocess.DEVNULL,
            env={**variables, "TERM": "xterm", **env},
            timeout=120,
            check=True,
        )
        os.close(theirs)
        out = b""
        try:
            while part := os.read(ours, 4096):
                out += part
        except OSError:
            pass
        os.close(ours)
        return out.decode()

    assert "\x1b[" in on_terminal()
    assert "\x1b[" not in on_terminal(TERM="dumb")
