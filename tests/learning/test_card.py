import shutil

import pytest

from textclass.corpora import Corpus, Row
from textclass.learning.card import corpus_facts, model_card, update_card
from textclass.learning.evaluation import EvaluationOptions, evaluate
from textclass.model import load_folder, verify_folder


@pytest.fixture
def folder(toy_model, tmp_path):
    shutil.copytree(toy_model.path, tmp_path / "toy")
    return tmp_path / "toy"


@pytest.fixture(scope="module")
def metrics(toy_model, toy_corpus):
    few = Corpus(toy_corpus.taxonomy, toy_corpus.rows[:60])
    return evaluate(toy_model, few, EvaluationOptions(by=("length",), samples=100))


def test_without_an_evaluation_the_figures_are_told_to_be_out_of_fold(folder, toy_corpus):
    update_card(folder)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Figures out of fold" in card
    assert "Figures on held-out passages" not in card
    manifest = verify_folder(folder).manifest
    for name in toy_corpus.taxonomy.names:
        found = manifest["out_of_fold"]["labels"][name]
        assert found["n"] == toy_corpus.targets[:, toy_corpus.taxonomy.columns[name]].sum()
        assert f"| {name} | {found['n']} | {found['precision']:.3f} |" in card
    assert "micro_f1" in manifest["out_of_fold"]["topic"]


def test_held_out_figures_stand_in_card_and_manifest_and_stay(folder, metrics):
    update_card(folder, metrics)
    update_card(folder)
    kept = verify_folder(folder).manifest["held_out"]
    assert kept["facets"] == metrics["facets"]
    assert "worst_errors" not in kept
    assert "sweep" not in kept["labels"][0]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Figures on held-out passages" in card
    assert "out of fold" not in card
    micro = metrics["facets"]["topic"]["micro"]["f1"]
    assert f"| topic | {micro['value']:.3f} [{micro['low']:.3f}-{micro['high']:.3f}] |" in card


def test_the_model_is_untouched(folder, toy_model, metrics):
    changed = update_card(folder, metrics)
    assert changed.model.score_thresholds().tolist() == (
        toy_model.model.score_thresholds().tolist()
    )
    for name, digest in toy_model.manifest["files"].items():
        if name != "README.md":
            assert load_folder(folder).manifest["files"][name] == digest


def test_thresholds_rules_and_shrinkage_are_told_of_every_label(toy_model):
    manifest = dict(toy_model.manifest)
    manifest["label_facts"] = {
        "river": {"positives": 7, "threshold_rule": "precision 0.9", "calibration_shrunk": True},
        "bread": {"positives": 90, "threshold_rule": "best F1", "calibration_shrunk": False},
    }
    card = model_card(manifest)
    threshold = {label["name"]: label["threshold"] for label in manifest["labels"]}
    assert (
        f"| river | 7 | {threshold['river']:.3f} | precision 0.9 | towards the common slope | "
        "Water that flows. |" in card
    )
    assert f"| bread | 90 | {threshold['bread']:.3f} | best F1 | its own |" in card
    assert f"| no | not said | {threshold['no']:.3f} | not said | not said |" in card


@pytest.mark.parametrize(
    ("leaked", "sentence"),
    [
        (None, "can't tell whether"),
        ([], "None of their documents"),
        (["a", "b"], "2 of them are in the training data"),
    ],
)
def test_leakage_is_told(toy_model, metrics, leaked, sentence):
    corpus = metrics["corpus"] | {"leaks": leaked}
    assert sentence in model_card(toy_model.manifest, metrics | {"corpus": corpus})


def test_a_bar_in_a_definition_does_not_break_the_table(toy_model):
    text = model_card(_with_definition(toy_model.manifest, "One | or\nthe other."))
    assert "| One \\| or the other. |" in text


def _with_definition(manifest, definition):
    facet = dict(manifest["taxonomy"]["facets"][0])
    facet["labels"] = [label | {"definition": definition} for label in facet["labels"]]
    return dict(manifest) | {"taxonomy": {"facets": [facet]}}


def test_sources_are_counted(toy_taxonomy):
    def row(number, group, source=None, scores=None):
        columns = {"source": source, "licence": "CC0"} if source else {}
        labels = None if scores else frozenset()
        return Row(str(number), "text", labels, scores, group, columns)

    soft = dict.fromkeys(toy_taxonomy.names, 0.5)
    rows = (row(1, "a", "wh"), row(2, "a", "wh"), row(3, "b", "wh", soft), row(4, "c"))
    assert corpus_facts(Corpus(toy_taxonomy, rows)) == [
        {
            "source": "not said",
            "licence": "not said",
            "passages": 1,
            "soft_passages": 0,
            "documents": 1,
        },
        {"source": "wh", "licence": "CC0", "passages": 2, "soft_passages": 1, "documents": 2},
    ]


def test_sources_stand_in_the_card(toy_model):
    sources = [
        {"source": "wh", "licence": "CC0", "passages": 2, "soft_passages": 1, "documents": 2}
    ]
    manifest = dict(toy_model.manifest)
    manifest["training"] = manifest["training"] | {"sources": sources}
    assert "| wh | CC0 | 2 | 1 | 2 |" in model_card(manifest)
