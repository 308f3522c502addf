import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from textclass.corpora import Corpus
from textclass.errors import CorpusError
from textclass.learning import evaluate, set_thresholds
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
        assert row["n"] == truth[:, column].sum()
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
    same_text = replace(stolen, id="x", group="another-document")
    same_document = replace(stolen, id="y", text="never seen before")
    more = Corpus(corpus.taxonomy, (*corpus.rows, same_text, same_document))
    assert evaluate(folder, more, samples=100).corpus["leaks"] == ["x", "y"]
    silent = evaluate(options["compare"][1], corpus, samples=100)
    assert silent.corpus["leaks"] is None


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
