import json

import pytest
from click.testing import CliRunner

from tests.corpora.makers import BREAD, OTHER, RIVER, make_repository, sources_yaml, write_jsonl
from textclass.cli.corpus import FORMS as OFFERED
from textclass.cli.corpus import corpus
from textclass.corpora import FORMS
from textclass.errors import CorpusError
from textclass.results import text_id


def run(*arguments):
    return CliRunner().invoke(corpus, [str(argument) for argument in arguments])


def row(text=RIVER, **columns):
    return {"text": text, "type": [], "principle": [], **columns}


def pointer(text, path, start=0):
    place = {"source": "news", "path": path, "start": start, "end": start + len(text)}
    return {"id": text_id(text), **place, "type": [], "principle": []}


@pytest.fixture
def folder(tmp_path):
    commit = make_repository(tmp_path / "server", {"a.txt": f"{RIVER}\n{BREAD}\n"})
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "sources.yaml").write_text(sources_yaml(f"file://{tmp_path}/server", commit))
    write_jsonl(
        folder / "public.jsonl", [pointer(RIVER, "a.txt"), pointer(BREAD, "a.txt", len(RIVER) + 1)]
    )
    return folder


def test_fetch_then_check_then_stats(folder):
    result = run("fetch", folder)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split() == ["news", "2", "0", "2", "0"]
    assert run("check", folder).exit_code == 0
    assert "2 passages" in run("stats", folder).stdout


def test_fetch_tells_what_is_missing_and_exits_with_3_or_1(folder):
    write_jsonl(folder / "more.jsonl", [pointer(OTHER, "a.txt")])
    result = run("fetch", folder)
    assert result.exit_code == 3
    assert "1 missing: what stands in the file has another hash" in result.stderr
    assert text_id(OTHER) in result.stderr
    as_json = json.loads(run("fetch", folder, "--json").stdout)
    assert (as_json["wanted"], as_json["missing"]) == (3, 1)
    assert list(as_json["sources"][0]["missing"].values()) == [[f"{text_id(OTHER)} in a.txt"]]
    (folder / "public.jsonl").unlink()
    assert run("fetch", folder).exit_code == 1


def test_check_exits_with_1_for_errors_only(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row(principle=["impartiality"])])
    result = run("check", path)
    assert result.exit_code == 0
    assert result.stdout.startswith("warning [rare-label] compassionate, humanitarian, ")
    assert f"\n{path}, line 1: warning [label-pair] impartiality without" in result.stdout
    assert result.stderr == "1 passage, 0 errors, 4 warnings\n"
    write_jsonl(path, [row(type=["sea"]), row(type=["river"])])
    result = run("check", path, "--most", "1")
    assert result.exit_code == 1
    assert f"{path}, line 1: error [row] unknown label 'sea'" in result.stdout
    assert "1 more errors [row]" in result.stdout
    as_json = json.loads(run("check", path, "--json", "-q").stdout)
    assert not as_json["ok"]
    assert [finding["kind"] for finding in as_json["findings"]] == ["rare-label", "row", "row"]


def test_check_tells_leaks_into_held_out_passages(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row(group="x")])
    held_out = write_jsonl(tmp_path / "b.jsonl", [row(group="y")])
    result = run("check", path, "--held-out", held_out)
    assert result.exit_code == 1
    assert "error [leak] the same text in two splits" in result.stdout


def test_check_ranks_label_errors(tmp_path, monkeypatch):
    import numpy as np

    rows = [row(RIVER, type=["citizen"]), row(BREAD), row(OTHER)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)

    def out_of_fold(given):
        probabilities = np.zeros((3, len(given.taxonomy.names)))
        probabilities[:, given.taxonomy.columns["citizen"]] = 0.6, 0.1, 0.9
        return probabilities

    monkeypatch.setattr("textclass.learning.out_of_fold", out_of_fold)
    result = run("check", path, "--label-errors")
    told = "citizen is not given, probability 0.90: Trains stop"
    assert f"{path}, line 3: warning [label-doubt] {told}" in result.stdout


def test_check_tells_what_is_wrong_though_no_model_can_be_fitted(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row(), row(BREAD, type=["citizens"])])
    result = run("check", path, "--label-errors")
    assert result.exit_code == 1
    assert "unknown label 'citizens'" in result.stdout
    assert "no label is doubted: 1 documents with labels, 5 folds need" in result.stderr


def test_stats_as_json_and_as_a_page(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row(type=["citizen"], register="[bold]blog[/bold]")])
    result = run("stats", path, "--html", tmp_path / "page.html", "--json")
    assert json.loads(result.stdout)["labels"]["type"]["citizen"] == 1
    assert "<svg" in (tmp_path / "page.html").read_text()
    assert "[bold]blog[/bold] 1" in run("stats", path).stdout


def test_convert_there_and_back(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row("Ein 😀 " + RIVER, type=["citizen"])])
    there = run("convert", path, "--to", "prodigy")
    assert there.stderr == "1 passage\n"
    assert json.loads(there.stdout)["accept"] == ["citizen"]
    (tmp_path / "p.jsonl").write_text(there.stdout)
    with (tmp_path / "p.jsonl").open("a") as file:
        file.write('{"text": "x", "answer": "ignore"}\n')
    back = run("convert", tmp_path / "p.jsonl", "--from", "prodigy")
    assert json.loads(back.stdout)["type"] == ["citizen"]
    assert "group" not in json.loads(back.stdout)
    assert "1 that nobody labelled left out" in back.stderr
    result = run("convert", path, "--to", "spacy", "-o", tmp_path / "x.spacy", "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert run("convert", tmp_path / "x.spacy", "--from", "spacy").stdout == back.stdout


def test_every_form_can_be_asked_for():
    assert set(OFFERED.choices) == set(FORMS)


def test_agreement(tmp_path):
    first = write_jsonl(tmp_path / "a.jsonl", [row(type=["citizen"]), row(BREAD)])
    second = write_jsonl(tmp_path / "b.jsonl", [row(BREAD), row("\x1b[2J" + OTHER), row(RIVER)])
    result = run("agreement", first, second)
    assert f"{text_id(RIVER)}: citizen by the first reader only" in result.stdout
    assert result.stdout.split()[:10] == [
        *("label", "both", "first_only", "second_only", "f1", "kappa", "alpha"),
        *("compassionate", "0", "0"),
    ]
    assert "2 passages read by both, 0 by the first only, 1 by the second only" in result.stderr
    as_json = json.loads(run("agreement", first, second, "--json").stdout)
    assert as_json["figures"][-1]["kappa"] == 0
    assert as_json["figures"][0]["kappa"] is None


def test_a_text_cant_give_orders_to_the_terminal(tmp_path):
    text = "\x1b[2J" + RIVER
    first = write_jsonl(tmp_path / "a.jsonl", [row(text, type=["citizen"], register="\x1b[2J")])
    second = write_jsonl(tmp_path / "b.jsonl", [row(text)])
    for arguments in (("agreement", first, second), ("stats", first), ("check", first, second)):
        assert "\x1b" not in run(*arguments).stdout


def test_convert_to_pointers(tmp_path):
    place = {"source": "news", "path": "a.txt", "start": 0, "end": 9, "labelled": "gold"}
    path = write_jsonl(tmp_path / "a.jsonl", [row(**place)])
    result = run("convert", path, "--to", "pointers")
    assert result.exit_code == 0
    assert RIVER not in result.stdout
    assert json.loads(result.stdout)["labelled"] == "gold"
    result = run(
        "convert", write_jsonl(path, [row()]), "--to", "pointers", "-o", tmp_path / "q.jsonl"
    )
    assert isinstance(result.exception, CorpusError)
    assert not (tmp_path / "q.jsonl").exists()
