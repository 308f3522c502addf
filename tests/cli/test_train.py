import json

from tests.conftest import TOY_LABELS, toy_rows, write_jsonl


def test_own_labels_are_trained_and_tagged_with_no_code(textclass, tmp_path):
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    write_jsonl(tmp_path / "corpus.jsonl", toy_rows())
    write_jsonl(tmp_path / "test.jsonl", toy_rows(20))
    done = textclass(
        *("train", "corpus.jsonl", "--labels", "labels.yaml", "-o", "model"),
        *("--folds", 3, "--without", "test.jsonl"),
    )
    assert done.out == ""
    assert "220 passages, written to model" in done.err
    result = json.loads(
        textclass("predict", "-m", "model", "the ferry upstream boat bridge", "--json").out
    )
    assert result["topic"] == ["river"]


def test_bad_rows_are_all_told_with_their_lines(textclass, tmp_path):
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    rows = [{"text": "a", "topic": ["lake"]}, {"text": "", "topic": []}, {"text": "b"}]
    write_jsonl(tmp_path / "corpus.jsonl", rows)
    err = textclass("train", "corpus.jsonl", "--labels", "labels.yaml", "-o", "model", check=1).err
    assert "corpus.jsonl, line 1: unknown label 'lake'" in err
    assert "corpus.jsonl, line 2: " in err
    assert "corpus.jsonl, line 3: " in err
    assert not (tmp_path / "model").exists()


def test_soft_weights_are_checked(textclass, tmp_path):
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    write_jsonl(tmp_path / "corpus.jsonl", toy_rows(40))
    train = ("train", "corpus.jsonl", "--labels", "labels.yaml", "-o", "model", "--soft-weight")
    assert "'much' isn't a number of at least 0" in textclass(*train, "topic=much", check=2).err
    assert "'-1' isn't a number of at least 0" in textclass(*train, "-1", check=2).err
    assert "no facet 'tone' (the facets are topic)" in textclass(*train, "tone=1", check=2).err


def test_labels_with_few_examples_are_warned_of(textclass, tmp_path):
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    rows = toy_rows(60)
    for number, row in enumerate(rows):
        row["topic"] = [label for label in row["topic"] if label != "no" or number == 7]
    rows[7]["topic"] = ["no"]
    write_jsonl(tmp_path / "corpus.jsonl", rows)
    done = textclass(
        *("train", "corpus.jsonl", "--labels", "labels.yaml", "-o", "model"),
        *("--folds", 3, "--set", "vector_size=0", "--set", "min_df=2", "--set", "C=1"),
    )
    assert "warning: no: 1 example; its threshold means nothing" in done.err
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["training"]["features"]["vector_size"] == 0
    assert manifest["training"]["classifier"]["C"] == 1
    bad = ("train", "corpus.jsonl", "--labels", "labels.yaml", "-o", "other", "--set")
    assert (
        "no parameter 'colour' (the parameters are C, " in textclass(*bad, "colour=2", check=1).err
    )
    assert "C must be a number of at least 0, not 'much'" in textclass(*bad, "C=much", check=1).err
    assert "--set folds: expected NAME=VALUE" in textclass(*bad, "folds", check=2).err
