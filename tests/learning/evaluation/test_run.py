import json

import pytest
from sklearn import metrics as sk

from textclass.errors import CorpusError
from textclass.learning.evaluation import EvaluationOptions, evaluate


@pytest.fixture(scope="module")
def options(training, folder):
    return EvaluationOptions(
        by=("source", "length"),
        samples=100,
        training=training,
        compare=(folder.path,),
        paths=("held-out.jsonl",),
    )


@pytest.fixture(scope="module")
def metrics(folder, corpus, options):
    return evaluate(folder, corpus, options)


def keys(annotation):
    return set(annotation.__annotations__)


def test_the_schema_is_kept(metrics):
    from textclass import metrics as schema

    assert set(metrics) == keys(schema.Metrics)
    assert set(metrics["facets"]["topic"]) == keys(schema.FacetMetrics)
    assert set(metrics["labels"][0]) == keys(schema.LabelMetrics)
    assert set(metrics["slices"][0]) == keys(schema.Slice)
    assert set(metrics["worst_errors"][0]) == keys(schema.WorstError)
    assert set(metrics["faithfulness"]) == keys(schema.Faithfulness)
    assert set(metrics["corpus"]) == keys(schema.Corpus)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_figures_are_those_of_what_the_tagger_gives(metrics, tagger, corpus):
    truth = corpus.targets > 0
    tags = list(tagger.tag_many(corpus.texts))
    for column, label in enumerate(metrics["labels"]):
        given = [label["name"] in passage.labels for passage in tags]
        assert label["predicted"] == sum(given)
        assert label["support"] == truth[:, column].sum()
        if sum(given):
            expected = sk.precision_score(truth[:, column], given)
            assert label["precision"]["value"] == pytest.approx(expected, abs=1e-6)
    assert [label["name"] for label in metrics["labels"]] == ["sea", "bread", "glad", "rare"]
    assert [label["facet"] for label in metrics["labels"]] == ["topic", "topic", "mood", "mood"]


def test_what_was_promised_is_checked(metrics):
    promised = {label["name"]: label["target_precision"] for label in metrics["labels"]}
    assert promised["glad"]["target"] == 0.5
    assert promised["sea"] is None


def test_the_same_seed_gives_the_same_figures(metrics, folder, corpus, options):
    assert evaluate(folder.path, corpus, options) == metrics


def test_the_corpus_and_its_leaks_are_told(metrics, folder, tagger, training, corpus):
    facts = metrics["corpus"]
    assert (facts["passages"], facts["documents"], facts["leaks"]) == (120, 60, [])
    assert facts["paths"] == ["held-out.jsonl"]
    few = EvaluationOptions(samples=100)
    assert len(evaluate(folder, training, few)["corpus"]["leaks"]) == len(training)
    assert evaluate(tagger, corpus, few)["corpus"]["leaks"] is None


def test_an_unknown_column_is_refused(folder, corpus):
    with pytest.raises(CorpusError, match="no row has a column 'colour'"):
        evaluate(folder, corpus, EvaluationOptions(by=("colour",), samples=100))


def test_progress_tells_the_fits_of_the_baseline(folder, corpus, training):
    told = []
    options = EvaluationOptions(samples=100, training=training)
    evaluate(folder, corpus, options, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (24, 24)
