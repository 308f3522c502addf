import json
import shutil

import pytest
from click.testing import CliRunner

from tests.conftest import toy_rows, write_jsonl
from textclass.cli.evaluate import evaluate
from textclass.errors import CorpusError, TextclassError
from textclass.learning.evaluation import training_groups
from textclass.model import load_folder, save_model


@pytest.fixture(scope="module")
def model(toy_model, toy_corpus, tmp_path_factory):
    """A copy of the toy model that says what it was trained on."""
    folder = tmp_path_factory.mktemp("models") / "toy"
    shutil.copytree(toy_model.path, folder)
    files = {"groups.safetensors": training_groups(toy_corpus)}
    save_model(toy_model.model, folder, facts=toy_model.manifest, files=files)
    return folder


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
def run(model):
    def run(*arguments):
        arguments = [*map(str, arguments), "--model", str(model), "--samples", "100"]
        return CliRunner().invoke(evaluate, arguments, catch_exceptions=False)

    return run


def test_the_table_shows_what_the_file_holds(run, unseen, tmp_path):
    output = tmp_path / "metrics.json"
    done = run(unseen, "--by", "source", "--output", output)
    assert done.exit_code == 0
    assert done.stderr == ""
    metrics = json.loads(output.read_text(encoding="utf-8"))
    for label in metrics["labels"]:
        (line,) = [
            line for line in done.stdout.splitlines() if line.startswith(label["name"] + " ")
        ]
        f1 = label["f1"]
        assert f"{f1['value']:.3f} [{f1['low']:.3f}-{f1['high']:.3f}]" in line
        assert str(label["support"]) in line.split()
    assert "60 passages of 30 documents" in done.stdout
    assert "source: letters" in done.stdout
    assert "baseline: keyword cues" in done.stdout
    point = metrics["risk_coverage"]["topic"]["at_95"]
    assert f"topic: {point['coverage']:.1%} of passages can be tagged" in done.stdout
    assert metrics["corpus"]["paths"] == [str(unseen)]


def test_json_is_all_that_stands_on_stdout(run, unseen):
    metrics = json.loads(run(unseen, "--json").stdout)
    assert metrics["bootstrap"] == {"samples": 100, "unit": "document"}


def test_evaluating_on_training_data_is_warned_of_even_if_quiet(run, seen):
    done = run(seen, "--quiet")
    assert done.stdout == ""
    assert done.stderr.startswith("warning: 40 of 40 passages")


def test_other_models_and_a_fitted_baseline(run, unseen, seen, toy_model):
    done = run(unseen, "--compare", toy_model.path, "--train", seen)
    assert "word TF-IDF + logistic regression" in done.stdout
    assert "less toy@" in done.stdout
    assert "p 1.000" in done.stdout


def test_a_report_is_written(run, unseen, tmp_path):
    report = tmp_path / "evaluation.html"
    assert run(unseen, "--report", report, "--quiet").exit_code == 0
    assert "river" in report.read_text(encoding="utf-8")


def test_the_card_gets_the_figures_that_were_printed(run, unseen, model, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    printed = CliRunner().invoke(
        evaluate, [str(unseen), "--model", str(copy), "--samples", "100", "--card", str(copy)]
    )
    assert printed.exit_code == 0
    loaded = load_folder(copy)
    card = (copy / "README.md").read_text(encoding="utf-8")
    for label in loaded.manifest["held_out"]["labels"]:
        figure = f"{label['f1']['value']:.3f} [{label['f1']['low']:.3f}-"
        assert figure in card
        assert figure in printed.stdout


def test_an_unknown_column_is_our_error(run, unseen):
    with pytest.raises(CorpusError, match="no row has a column 'year'"):
        run(unseen, "--by", "year")


def test_a_file_that_cannot_be_written_is_named(run, unseen, tmp_path):
    with pytest.raises(TextclassError, match=r"nowhere/metrics.json: its folder doesn't exist"):
        run(unseen, "--quiet", "--output", tmp_path / "nowhere" / "metrics.json")


def test_figures_of_a_sibling_are_told_as_such(run, unseen, model, tmp_path):
    full = shutil.copytree(model, tmp_path / "full")
    CliRunner().invoke(
        evaluate,
        [str(unseen), "--model", str(model), "--samples", "100", "--card", str(full)],
        catch_exceptions=False,
    )
    card = (full / "README.md").read_text(encoding="utf-8")
    assert f"Measured on `{model.name}@" in card
