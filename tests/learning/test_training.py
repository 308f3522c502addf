from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone

from tests.conftest import TOY_LABELS, toy_rows, write_jsonl
from textclass.corpora import Corpus, Row, read_corpus
from textclass.errors import CorpusError
from textclass.learning import out_of_fold, train
from textclass.learning.provenance import source_facts
from textclass.tagger import Tagger
from textclass.taxonomy import parse_taxonomy


def test_a_toy_taxonomy_is_learnt_and_tagged(toy_model):
    tagger = Tagger.load(toy_model.path)
    assert tagger.tag("the ferry on the bank by the upstream delta")["topic"] == ("river",)
    assert tagger.tag("the rye loaf from the oven of the bakery")["topic"] == ("bread",)
    both = tagger.tag("the ferry upstream delta boat and the rye loaf oven dough")
    assert both["topic"] == ("river", "bread")
    assert set(both.to_dict()) >= {"topic", "scores", "evidence", "outcome", "model"}


def test_same_corpus_and_seed_same_bytes_whatever_the_cores(
    toy_corpus, toy_model, toy_pipeline, tmp_path
):
    two = clone(toy_pipeline).set_params(labelclassifier__n_jobs=2)
    with parallel_config(backend="threading"):
        again = train(toy_corpus, tmp_path / "toy", two)
    assert again.manifest == toy_model.manifest
    for name in ("manifest.json", "weights.safetensors", "out_of_fold.safetensors", "README.md"):
        assert (again.path / name).read_bytes() == (toy_model.path / name).read_bytes()


def test_out_of_fold_probabilities_are_of_rows_with_labels(toy_corpus, toy_pipeline):
    p = out_of_fold(toy_corpus, toy_pipeline)
    truth = toy_corpus.targets > 0
    assert ((p > 0.5) == truth).mean() > 0.9


@pytest.fixture
def soft_corpus(tmp_path, toy_taxonomy):
    rows = toy_rows(40)
    for number, row in enumerate(toy_rows(300, seed=9)):
        labels = row.pop("topic")
        scores = {name: 0.95 if name in labels else 0.02 for name in toy_taxonomy.names}
        rows.append({**row, "group": f"soft{number}", "scores": {"topic": scores}})
    write_jsonl(tmp_path / "soft.jsonl", rows)
    return read_corpus(tmp_path / "soft.jsonl", toy_taxonomy)


def test_probabilities_teach_but_do_not_set_thresholds(soft_corpus, tmp_path, toy_pipeline):
    hard = soft_corpus.select(lambda row: row.hard)
    test = [(r["text"], r["topic"]) for r in toy_rows(150, seed=5)]

    def right(model) -> float:
        scores = Tagger(model).score([text for text, _ in test]).scores
        truth = [[name in labels for name in model.taxonomy.names] for _, labels in test]
        return float(((scores > 0) == np.array(truth)).mean())

    taught = train(soft_corpus, tmp_path / "taught", toy_pipeline)
    alone = train(hard, tmp_path / "alone", toy_pipeline)
    assert right(taught.model) > right(alone.model)
    assert taught.manifest["training"]["passages"] == 40
    assert taught.manifest["training"]["soft_passages"] == 300


def test_soft_labels_alone_are_refused(soft_corpus, tmp_path, toy_pipeline):
    soft = soft_corpus.select(lambda row: not row.hard)
    with pytest.raises(CorpusError, match=r"0 documents with labels.*probabilities alone"):
        train(soft, tmp_path / "model", toy_pipeline)


def test_a_label_without_examples_is_never_given(tmp_path, toy_taxonomy, toy_pipeline):
    rows = toy_rows(120)
    for row in rows:
        row["topic"] = [label for label in row["topic"] if label != "no"]
    write_jsonl(tmp_path / "c.jsonl", rows)
    folder = train(read_corpus(tmp_path / "c.jsonl", toy_taxonomy), tmp_path / "m", toy_pipeline)
    tagger = Tagger.load(folder.path)
    assert not any("no" in tagger.tag(row["text"]).labels for row in rows)


def test_too_few_documents_are_told(tmp_path, toy_taxonomy, toy_pipeline):
    write_jsonl(tmp_path / "c.jsonl", toy_rows(4))
    with pytest.raises(CorpusError, match="2 documents with labels, 3 folds need at least as many"):
        train(read_corpus(tmp_path / "c.jsonl", toy_taxonomy), tmp_path / "m", toy_pipeline)


def test_a_target_precision_in_the_labels_comes_first(tmp_path, toy_corpus, toy_pipeline):
    labels = TOY_LABELS.replace("name: river,", "name: river, target_precision: 0.9,")
    corpus = replace(toy_corpus, taxonomy=parse_taxonomy(labels))
    rules = {
        name: fact["threshold_rule"]
        for name, fact in train(corpus, tmp_path / "m", toy_pipeline)
        .manifest["label_facts"]
        .items()
    }
    assert rules["river"].startswith("precision 0.9")
    assert rules["bread"] == "best F1"


def test_sources_are_counted(toy_taxonomy):
    def row(number, group, source=None, scores=None):
        columns = {"source": source, "licence": "CC0"} if source else {}
        labels = None if scores else frozenset()
        return Row(str(number), "text", labels, scores, group, columns)

    soft = dict.fromkeys(toy_taxonomy.names, 0.5)
    rows = (row(1, "a", "wh"), row(2, "a", "wh"), row(3, "b", "wh", soft), row(4, "c"))
    assert source_facts(Corpus(toy_taxonomy, rows)) == [
        {
            "source": "not said",
            "licence": "not said",
            "passages": 1,
            "soft_passages": 0,
            "documents": 1,
        },
        {"source": "wh", "licence": "CC0", "passages": 2, "soft_passages": 1, "documents": 2},
    ]
