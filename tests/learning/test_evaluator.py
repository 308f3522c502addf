import json
import shutil
from dataclasses import replace
from string import ascii_lowercase

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from textclass.corpora import Corpus
from textclass.errors import CorpusError
from textclass.learning import evaluate, figure_tables, findings, set_thresholds
from textclass.model import save_model


@pytest.fixture(scope="module")
def options(folder, baselines, tmp_path_factory):
    mute = tmp_path_factory.mktemp("models") / "mute"
    save_model(replace(folder.model, thresholds=np.full(4, 0.999)), mute, facts={})
    return {
        "by": ("source", "length"),
        "samples": 100,
        "baselines": dict(list(baselines.items())[:1]),
        "compare": (folder.path, mute),
        "paths": ("held-out.jsonl",),
    }


@pytest.fixture(scope="module")
def found(folder, corpus, options):
    return evaluate(folder, corpus, **options)


def one(frame, **wanted):
    (row,) = frame[(frame[list(wanted)] == pd.Series(wanted)).all(axis=1)].to_dict("records")
    return row


def test_figures_are_those_of_what_the_tagger_gives(found, tagger, corpus):
    truth = corpus.targets > 0
    tags = list(tagger.tag_many(corpus.texts))
    given = np.array([[name in t.labels for name in corpus.taxonomy.names] for t in tags])
    own = found.figures[found.figures["model"] == tagger.model.name]
    for column, name in enumerate(corpus.taxonomy.names):
        row = one(own, label=name, metric="f1")
        assert row["value"] == f1_score(truth[:, column], given[:, column], zero_division=np.nan)
        assert row["n_true"] == truth[:, column].sum()
        assert row["n"] == len(truth)
    micro = one(own, part="", facet="topic", label="", metric="micro_f1")
    assert micro["value"] == f1_score(truth[:, :2], given[:, :2], average="micro")


def test_every_part_and_baseline_has_its_figure(found):
    micro = found.figures[
        (found.figures["metric"] == "micro_f1") & (found.figures["facet"] == "topic")
    ]
    assert set(micro["part"]) >= {"", "source: north", "source: south", "length: 1-44 words"}
    assert set(micro.loc[micro["part"] == "", "model"]) == {
        found.model,
        "keyword cues",
        "word TF-IDF + logistic regression",
    }


def test_a_model_is_no_better_than_itself_and_better_than_a_mute_one(found):
    same = one(found.differences, facet="topic", model=found.model)
    assert (same["value"], same["low"], same["high"], same["p"]) == (0, 0, 0, 1)
    mute = found.differences["model"].str.startswith("mute@")
    better = one(found.differences[mute], facet="topic")
    assert better["low"] > 0.3
    assert 0 < better["p"] < 0.03


def test_json_carries_all_and_nothing_else(found):
    data = found.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert set(data) == set(found.__dataclass_fields__)
    short = found.to_dict(short=True)
    assert set(data) - set(short) == {
        *("labels", "sweep", "reliability", "coverage", "confusions", "mistakes")
    }


def test_the_same_seed_gives_the_same_figures(found, folder, corpus, options):
    assert evaluate(folder.path, corpus, **options).to_dict() == found.to_dict()


def test_the_corpus_and_its_leaks_are_told(found, folder, options, training, corpus):
    assert found.corpus["units"] == 120
    assert found.corpus["documents"] == 60
    assert found.corpus["leaks"] == []
    assert found.corpus["paths"] == ["held-out.jsonl"]
    stolen = training.rows[3]
    again = stolen.text.upper().replace(" ", "  ")
    same_text = replace(stolen, id="x", group="another-document", text=again)
    same_document = replace(stolen, id="y", text="never seen before")
    more = Corpus(corpus.taxonomy, (*corpus.rows, same_text, same_document))
    assert evaluate(folder, more, samples=100).corpus["leaks"] == ["x", "y"]
    silent = evaluate(options["compare"][1], corpus, samples=100)
    assert silent.corpus["leaks"] is None


def test_leaks_of_a_model_compared_are_told(folder, options, training):
    mute, again = options["compare"][1], evaluate(options["compare"][1], training, samples=100)
    assert again.corpus["leaks"] is None
    assert again.corpus["compared"] == {}
    found = evaluate(mute, training, compare=(folder,), samples=100)
    assert len(found.corpus["compared"][folder.model.name]) == len(training)
    assert any(
        "that one was trained on 160 of these passages" in f for f in findings(as_json(found))
    )


def as_json(found):
    return json.loads(json.dumps(found.to_dict()))


def test_of_a_few_documents_there_is_no_interval_and_no_p(folder, corpus, options):
    few = Corpus(corpus.taxonomy, corpus.rows[:18])
    found = evaluate(folder, few, **options)
    assert found.corpus["documents"] == 9
    assert found.samples == 0
    assert found.figures[["low", "high"]].isna().all(axis=None)
    assert found.differences["p"].isna().all()
    assert found.labels["reached"].dropna().tolist() == ["unclear"]
    told = list(findings(as_json(found)))
    assert told[0] == "9 documents are too few for intervals and p"
    assert not any(", p " in sentence for sentence in told)
    assert "[" not in figure_tables(as_json(found))[0].to_string()


def test_labels_left_out_of_the_macro_averages_are_named(found):
    assert found.left_out == {"topic": [], "mood": ["rare"]}
    told = "mood: not in the macro averages, with fewer than 5 true passages (1): rare"
    assert told in list(findings(as_json(found)))


def test_a_facet_without_cues_has_no_baseline_of_cues(found):
    cues = found.figures["model"] == "keyword cues"
    assert set(found.figures.loc[cues, "facet"]) == {"topic"}
    cues = found.differences["model"] == "keyword cues"
    assert found.differences.loc[cues, "facet"].tolist() == ["topic"]


def test_every_figure_counts_rows_and_true_labels(found, corpus):
    part = one(found.figures, part="source: north", facet="topic")
    north = [row for row in corpus.rows if row.columns["source"] == "north"]
    assert part["n"] == len(north)
    assert part["n_true"] == sum(len(row.labels & {"sea", "bread"}) for row in north)
    assert set(found.figures.loc[found.figures["part"] == "", "n"]) == {120}


def test_what_the_rule_of_unfamiliar_words_costs_is_told(folder, corpus):
    strange = [
        replace(
            row, text=f"{row.text} " + " ".join(f"the {letter}zqx" for letter in ascii_lowercase)
        )
        for row in corpus.rows[:20]
    ]
    found = evaluate(folder, Corpus(corpus.taxonomy, tuple(strange)), samples=100)
    assert found.unfamiliar["passages"] == 20
    assert 20 >= found.unfamiliar["tagged"] >= found.unfamiliar["right"] > 0
    told = "unsure: unfamiliar: 20 of 20 passages; without that rule "
    assert any(sentence.startswith(told) for sentence in findings(as_json(found)))


def test_an_unknown_column_is_refused(folder, corpus):
    with pytest.raises(CorpusError, match=r"no row has a column 'colour' \(.*length"):
        evaluate(folder, corpus, by=("colour",), samples=100)


def test_a_promised_precision_is_checked(found, folder, corpus, tmp_path):
    labels = found.labels.set_index("label")
    assert labels.loc["glad", "target"] == 0.5
    assert labels.loc["glad", "reached"] in ("yes", "unclear")
    assert labels["reached"].isna().tolist() == [True, True, False, True]
    other = shutil.copytree(folder.path, tmp_path / "other")
    set_thresholds(other)
    assert evaluate(other, corpus, samples=100).labels["reached"].isna().all()
    set_thresholds(other, target_precision=0.999)
    asked = evaluate(other, corpus, samples=100).labels
    assert (asked["target"] == 0.999).all()
    assert asked["reached"].notna().all()


def test_sweep_and_reliability_are_of_every_label(found):
    assert found.sweep.groupby("label", sort=False).size().to_dict() == dict.fromkeys(
        ("sea", "bread", "glad", "rare"), 19
    )
    counts = found.reliability.groupby("label", sort=False)["count"].sum()
    assert counts.tolist() == [120] * 4
    assert set(found.coverage["facet"]) == set(found.at_95) == {"topic", "mood"}


def test_documents_have_no_calibrated_probability(folder, corpus):
    found = evaluate(folder, corpus, level="document", samples=100)
    assert found.reliability.empty
    assert not {"ece", "brier"} & set(found.figures["metric"])
    assert found.faithfulness is None
