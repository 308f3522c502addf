import json
import shutil

import pytest
from click.testing import CliRunner

from tests.conftest import toy_rows, write_jsonl
from textclass.cli.evaluate import evaluate
from textclass.cli.model import info
from textclass.errors import CorpusError, TextclassError
from textclass.learning.metrics import as_text
from textclass.model import load_folder, save_model


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpora") / "unseen.jsonl"
    rows = toy_rows(60, seed=9)
    for number, row in enumerate(rows):
        row |= {"group": f"unseen{number // 2}", "source": "letters"}
    write_jsonl(path, rows)
    return path


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpora") / "seen.jsonl"
    write_jsonl(path, toy_rows(40))
    return path


@pytest.fixture
def run(toy_model):
    def run(*arguments):
        options = ("--model", toy_model.path, "--samples", 100, "--jobs", 1)
        arguments = [str(argument) for argument in (*options, *arguments)]
        return CliRunner().invoke(evaluate, arguments, catch_exceptions=False)

    return run


def test_a_name_that_looks_like_markup_is_printed_as_it_is(run, unseen, toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / "[red] :cat: model")
    assert run(unseen, "--model", folder).stdout.startswith("[red] :cat: model@")


def test_too_little_to_fit_baselines_on_is_told(run, unseen):
    with pytest.raises(CorpusError, match=r"^0 passages with labels are too few for baselines"):
        run(unseen, "--train", unseen)


def test_the_table_shows_what_the_file_holds(run, unseen, tmp_path):
    output = tmp_path / "metrics.json"
    done = run(unseen, "--by", "source", "--output", output)
    assert done.exit_code == 0
    assert done.stderr == ""
    metrics = json.loads(output.read_text(encoding="utf-8"))
    of_labels = [f for f in metrics["figures"] if f["label"] and f["metric"] == "f1"]
    assert [f["label"] for f in of_labels] == ["river", "bread", "no"]
    for f1 in of_labels:
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f1["label"] + " ")]
        assert as_text(f1) in line
        assert str(f1["n_true"]) in line.split()
    assert "60 passages of 30 documents" in done.stdout
    assert "source: letters" in done.stdout
    assert "keyword cues" in done.stdout
    point = metrics["at_95"]["topic"]
    assert f"topic: {point['coverage']:.1%} of passages (" in done.stdout
    assert "precision (cut chosen on these passages)" in done.stdout
    assert metrics["corpus"]["paths"] == [str(unseen)]


def test_rows_without_a_document_are_told(run, tmp_path):
    rows = [{key: row[key] for key in ("text", "topic")} for row in toy_rows(20, seed=9)]
    others = [{**row, "id": str(n), "group": n} for n, row in enumerate(toy_rows(20, seed=8))]
    write_jsonl(tmp_path / "alone.jsonl", [*rows, *others])
    assert "20 of 40 rows have no group" in run(tmp_path / "alone.jsonl").stderr


def test_rows_that_stand_twice_and_whole_documents_are_told(run, tmp_path):
    rows = [{**row, "level": "document"} for row in toy_rows(20, seed=9)]
    write_jsonl(tmp_path / "twice.jsonl", [*rows, *rows[:3]])
    done = run(tmp_path / "twice.jsonl")
    assert done.stderr.splitlines()[:2] == [
        "3 rows merged with others of the same document and text",
        "warning: all rows say that they are documents: give --level document",
    ]
    assert done.stdout.startswith("toy@")
    assert "20 passages" in done.stdout


def test_json_is_all_that_stands_on_stdout(run, unseen):
    metrics = json.loads(run(unseen, "--json").stdout)
    assert metrics["samples"] == 100
    assert metrics["level"] == "passage"


def test_evaluating_on_training_data_is_warned_of_even_if_quiet(run, seen):
    done = run(seen, "--quiet")
    assert done.stdout == ""
    assert done.stderr.startswith("warning: 40 of 40 passages")


def test_another_model_that_was_trained_on_the_passages_is_named(run, seen, toy_model, tmp_path):
    other = tmp_path / "older"
    save_model(toy_model.model, other, facts={})
    done = run(seen, "--compare", toy_model.path, "--model", other, "--quiet")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("older@")
    assert lines[0].endswith(" doesn't say what it was trained on, so leakage can't be told")
    assert f"are in the training data of {toy_model.model.name}: its figures" in lines[1]


def test_other_models_and_a_fitted_baseline(run, unseen, seen, toy_model):
    done = run(unseen, "--compare", toy_model.path, "--train", seen)
    assert "topic, micro F1 less word TF-IDF + logistic regression: " in done.stdout
    assert "topic, micro F1 less character TF-IDF + logistic regression: " in done.stdout
    assert "less toy@" in done.stdout
    assert "p 1.000" in done.stdout


def test_a_report_is_written(run, unseen, tmp_path):
    report = tmp_path / "evaluation.html"
    assert run(unseen, "--report", report, "--quiet").exit_code == 0
    assert "river" in report.read_text(encoding="utf-8")


def test_the_card_gets_the_figures_that_were_printed(run, unseen, toy_model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(toy_model.path, copy)
    printed = run(unseen, "--card", copy)
    assert printed.exit_code == 0
    (kept,) = load_folder(copy).manifest["held_out"].values()
    card = (copy / "README.md").read_text(encoding="utf-8")
    for figure in kept["figures"]:
        if figure["metric"] in ("f1", "micro_f1"):
            assert as_text(figure) in card
            assert as_text(figure) in printed.stdout
    assert "unseen (passages), topic, micro F1: " in CliRunner().invoke(info, [str(copy)]).stdout


def test_documents_are_measured_as_documents(run, unseen, toy_model, tmp_path):
    passages = [json.loads(line) for line in unseen.read_text().splitlines()]
    rows = []
    for number in range(0, len(passages), 3):
        part = passages[number : number + 3]
        labels = sorted({label for row in part for label in row["topic"]})
        text = "\n\n".join(row["text"].capitalize() + "." for row in part)
        rows.append({"text": text, "topic": labels, "group": f"whole{number}"})
    write_jsonl(tmp_path / "documents.jsonl", rows)
    output, copy = tmp_path / "metrics.json", shutil.copytree(toy_model.path, tmp_path / "copy")
    done = run(
        *(tmp_path / "documents.jsonl", "--level", "document", "--train", unseen),
        *("--output", output, "--card", copy, "--report", tmp_path / "report.html"),
    )
    assert "20 documents of 20 documents" in done.stdout
    metrics = json.loads(output.read_text(encoding="utf-8"))
    names = {figure["model"].partition("@")[0] for figure in metrics["figures"]}
    word = "word TF-IDF + logistic regression"
    assert {"toy", "keyword cues", word, f"{word}, on the whole text"} <= names
    assert metrics["reliability"] == []
    (f1,) = [
        f for f in metrics["figures"] if f["model"][:4] == "toy@" and f["metric"] == "micro_f1"
    ]
    assert f1["value"] > 0.8
    card = (copy / "README.md").read_text(encoding="utf-8")
    assert "## Figures on held-out documents: documents" in card
    assert "river" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_unknown_column_is_our_error(run, unseen):
    with pytest.raises(CorpusError, match="no row has a column 'year'"):
        run(unseen, "--by", "year")


def test_a_file_that_cannot_be_written_is_named(run, unseen, tmp_path):
    with pytest.raises(TextclassError, match=r"nowhere/metrics.json: its folder doesn't exist"):
        run(unseen, "--quiet", "--output", tmp_path / "nowhere" / "metrics.json")


def test_figures_of_a_sibling_are_told_as_such(run, unseen, toy_model, tmp_path):
    full = shutil.copytree(toy_model.path, tmp_path / "full")
    run(unseen, "--card", full)
    card = (full / "README.md").read_text(encoding="utf-8")
    assert f"Measured on `{toy_model.model.name}`" in card
