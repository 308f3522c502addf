import shutil
from dataclasses import replace

import pytest

from textclass.corpora import Corpus
from textclass.learning import evaluate
from textclass.learning.card import model_card, update_card
from textclass.learning.metrics import as_text
from textclass.model import load_folder


@pytest.fixture
def folder(toy_model, tmp_path):
    shutil.copytree(toy_model.path, tmp_path / "toy")
    return tmp_path / "toy"


@pytest.fixture(scope="module")
def measured(toy_model, toy_corpus):
    few = Corpus(toy_corpus.taxonomy, toy_corpus.rows[:60])
    return evaluate(toy_model, few, by=("length",), samples=100, paths=("gold.jsonl",))


def card_of(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def test_without_an_evaluation_the_figures_are_told_to_be_out_of_fold(folder, toy_corpus):
    card = card_of(folder)
    assert "Figures out of fold" in card
    assert "held-out passages" not in card
    assert "Features were counted on all texts" in card
    manifest = load_folder(folder).manifest
    for name in toy_corpus.taxonomy.names:
        found = manifest["out_of_fold"][name]
        assert found["n"] == toy_corpus.targets[:, toy_corpus.taxonomy.columns[name]].sum()
        assert f"| {name} | {found['n']:.0f} | {found['precision']:.3f} |" in card


def test_held_out_figures_stand_in_card_and_manifest_and_stay(folder, measured):
    update_card(folder, measured)
    update_card(folder, replace(measured, corpus={**measured.corpus, "paths": ["a/other.jsonl"]}))
    update_card(folder)
    loaded = load_folder(folder)
    assert "README.md" in loaded.files()
    kept = loaded.manifest["held_out"]
    assert list(kept) == ["gold (passages)", "other (passages)"]
    assert kept["gold (passages)"]["figures"] == measured.to_dict()["figures"]
    assert "mistakes" not in kept["gold (passages)"]
    card = card_of(folder)
    assert "## Figures on held-out passages: gold" in card
    assert "## Figures on held-out passages: other" in card
    assert "out of fold" not in card
    (micro,) = measured.figures.query(
        "metric == 'micro_f1' and part == '' and model == @measured.model"
    ).to_dict("records")
    assert f"| micro_f1 | {as_text(micro)} |" in card
    assert "| keyword cues |" in card
    assert "- topic, micro F1 less keyword cues: " in card
    assert "| length: 1-44 words |" in card


def test_tables_are_markdown(folder, measured):
    update_card(folder, measured)
    lines = card_of(folder).splitlines()
    heads = [n for n, line in enumerate(lines) if line.startswith("| ---")]
    assert len(heads) > 4
    for n in heads:
        assert lines[n - 2] == ""
        width = lines[n].count("|")
        assert lines[n - 1].count("|") == width
        body = next(m for m in range(n, len(lines)) if not lines[m])
        assert body > n + 1
        assert all(line.count("|") == width for line in lines[n:body])


def test_a_card_written_again_is_the_same(folder, measured):
    update_card(folder, replace(measured, corpus={**measured.corpus, "paths": ["z.jsonl"]}))
    update_card(folder, measured)
    card = card_of(folder)
    update_card(folder)
    assert card_of(folder) == card
    assert card.index("gold (passages)") < card.index("z (passages)")


def test_the_model_is_untouched(folder, toy_model, measured):
    changed = update_card(folder, measured)
    before, after = toy_model.model, changed.model
    assert after.score_thresholds().tolist() == before.score_thresholds().tolist()
    for name, digest in toy_model.manifest["files"].items():
        if name != "README.md":
            assert load_folder(folder).manifest["files"][name] == digest


@pytest.mark.parametrize(
    ("leaked", "sentence"),
    [
        (None, "can't tell whether"),
        ([], "None of their documents"),
        (["a", "b"], "2 of them are in the training data"),
    ],
)
def test_leakage_is_told(folder, measured, leaked, sentence):
    update_card(folder, replace(measured, corpus={**measured.corpus, "leaks": leaked}))
    assert sentence in card_of(folder)


def test_thresholds_and_rules_are_told_of_every_label(toy_model):
    facts = {"label_facts": {"river": {"positives": 7, "threshold_rule": "precision 0.9"}}}
    card = model_card(toy_model.model, facts)
    river, _, no = toy_model.model.thresholds
    assert f"| river | 7 | {river:.3f} | precision 0.9 | Water that flows. |" in card
    assert f"| no | not said | {no:.3f} | not said |" in card


def test_a_bar_in_a_definition_does_not_break_the_table(toy_model):
    (facet,) = toy_model.model.taxonomy.facets
    labels = tuple(replace(label, definition="One | or\nthe other.") for label in facet.labels)
    taxonomy = replace(toy_model.model.taxonomy, facets=(replace(facet, labels=labels),))
    card = model_card(replace(toy_model.model, taxonomy=taxonomy), toy_model.manifest)
    assert "| One \\| or the other. |" in card


def test_sources_stand_in_the_card(toy_model):
    sources = [
        {"source": "wh", "licence": "CC0", "passages": 2, "soft_passages": 1, "documents": 2}
    ]
    card = model_card(toy_model.model, {"training": {"sources": sources}})
    assert "| wh | CC0 | 2 | 1 | 2 |" in card
