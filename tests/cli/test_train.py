import json

import pytest
from click.testing import CliRunner
from joblib import parallel_config

from tests.conftest import TOY_LABELS, toy_rows, write_jsonl
from textclass.cli.predict import predict
from textclass.cli.train import train
from textclass.errors import TextclassError


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with labels and a corpus, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    write_jsonl(tmp_path / "corpus.jsonl", toy_rows())
    return tmp_path


def run(*arguments):
    options = ("corpus.jsonl", "--labels", "labels.yaml", "-o", "model", "--jobs", 1)
    arguments = [str(argument) for argument in (*options, *arguments)]
    return CliRunner().invoke(train, arguments, catch_exceptions=False)


def test_own_labels_are_trained_and_tagged_with_no_code(files):
    write_jsonl(files / "test.jsonl", toy_rows(20))
    with parallel_config(backend="sequential"):
        done = run("--folds", 3, "--without", "test.jsonl", "--jobs", 0)
    assert done.stdout == ""
    assert "20 passages left out\n" in done.stderr
    assert "220 passages, written to model" in done.stderr
    assert "no group" not in done.stderr
    tagged = ["--model", "model", "the ferry upstream boat bridge", "--json"]
    result = json.loads(CliRunner().invoke(predict, tagged).stdout)
    assert result["topic"] == ["river"]


def test_what_is_left_out_is_told_by_text_too_and_so_are_rows_without_a_document(files):
    rows = [{key: row[key] for key in ("text", "topic")} for row in toy_rows(60)]
    write_jsonl(files / "corpus.jsonl", rows)
    shouted = {**rows[0], "text": f" {rows[0]['text'].upper()}"}
    write_jsonl(files / "test.jsonl", [shouted, *toy_rows(20, seed=5)])
    small = ("--folds", 3, "--set", "vector_size=0")
    done = run(*small, "--without", "test.jsonl")
    assert "1 passages left out\n" in done.stderr
    assert "59 of 59 rows have no group: each counts as a document of its own" in done.stderr
    write_jsonl(files / "test.jsonl", toy_rows(20, seed=5))
    done = run(*small, "--without", "test.jsonl", "--quiet")
    assert done.stderr == "warning: --without has no document or text of the corpus\n"


def test_bad_rows_are_all_told_with_their_lines(files):
    rows = [{"text": "a", "topic": ["lake"]}, {"text": "", "topic": []}, {"text": "b"}]
    write_jsonl(files / "corpus.jsonl", rows)
    with pytest.raises(TextclassError) as caught:
        run()
    assert "corpus.jsonl, line 1: unknown label 'lake'" in str(caught.value)
    assert "corpus.jsonl, line 2: " in str(caught.value)
    assert "corpus.jsonl, line 3: " in str(caught.value)
    assert not (files / "model").exists()


def test_parameters_reach_the_pipeline_and_rare_labels_are_warned_of(files):
    rows = toy_rows(60)
    for number, row in enumerate(rows):
        row["topic"] = [label for label in row["topic"] if label != "no" or number == 7]
    rows[7]["topic"] = ["no"]
    write_jsonl(files / "corpus.jsonl", rows)
    given = ("vector_size=0", "min_df=2", "C=1", 'soft_weight={"topic": 0.5}')
    done = run("--folds", 3, *(part for text in given for part in ("--set", text)))
    assert "warning: no: 1 example; its threshold means nothing" in done.stderr
    training = json.loads((files / "model" / "manifest.json").read_text())["training"]
    assert training["features"]["vector_size"] == 0
    assert training["classifier"]["C"] == 1
    assert training["classifier"]["soft_weight"] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("colour=2", "no parameter 'colour' (the parameters are C, "),
        ("C=much", "The 'C' parameter of LabelClassifier must be a float in the range"),
        ("folds=1", "The 'folds' parameter of LabelClassifier must be an int in the range [2, inf"),
        ("min_df=0.05", "The 'min_df' parameter of WordFeatures must be an int"),
        ("shortest=9", "shortest=9 is more than longest=6"),
        ("target_precision=1.5", "target_precision must be a float in the range (0.0, 1.0)"),
        ("target_precision=[0.5]", "target_precision has 1 values for 3 labels"),
        ("soft_weight=[0.5, null, 1]", "soft_weight must be a float in the range [0.0, inf)"),
        ("soft_weight=[0.5]", "soft_weight has 1 values for 3 labels"),
        ('soft_weight={"tone": 1}', "soft_weight must be a number of at least 0 for each of topic"),
        ('soft_weight={"topic": -1}', "for each of topic, not {'topic': -1}"),
    ],
)
def test_parameters_are_checked(files, given, told):
    with pytest.raises(TextclassError) as caught:
        run("--set", given)
    assert told in str(caught.value)


def test_parameters_and_the_folder_are_checked_before_the_corpus_is_read(files):
    (files / "corpus.jsonl").write_text("{")
    with pytest.raises(TextclassError, match="The 'C' parameter"):
        run("--set", "C=x")
    (files / "model").write_text("")
    with pytest.raises(TextclassError, match="model: it isn't a folder"):
        run()


def test_features_that_leave_nothing_are_told_in_a_line(files):
    with pytest.raises(TextclassError, match=r"nothing can be learned .* \(if no feature is left"):
        run("--set", "min_df=99999", "--set", "vector_size=0")


def test_a_parameter_without_a_value_is_wrong_usage(files):
    done = run("--set", "folds")
    assert done.exit_code == 2
    assert "--set folds: expected NAME=VALUE" in done.stderr
