"""Coverage, confusions, slices, comparison, baselines, faithfulness, leakage: hand examples."""

import numpy as np
import pytest

from textclass.corpora import Corpus, Row
from textclass.errors import CorpusError, ModelError
from textclass.language import Tokenizer
from textclass.learning.evaluation import leaks, training_groups
from textclass.learning.evaluation.baselines import baselines, by_cues
from textclass.learning.evaluation.bootstrap import Bootstrap
from textclass.learning.evaluation.comparison import compare, two_sided
from textclass.learning.evaluation.coverage import risk_coverage
from textclass.learning.evaluation.faithfulness import erase, faithfulness
from textclass.learning.evaluation.mistakes import confusions, worst_errors
from textclass.learning.evaluation.predictions import Predictions, predict
from textclass.learning.evaluation.slices import slice_metrics, slice_values
from textclass.model import save_model


def rows_of(taxonomy, *texts, labels=frozenset(), **columns):
    rows = (Row(f"id{i}", t, labels, None, f"g{i}", columns) for i, t in enumerate(texts))
    return Corpus(taxonomy, tuple(rows))


def predictions_of(taxonomy, truth, given, p=None):
    """Predictions with one row of four flags per passage, as strings such as `x..x`."""
    corpus = rows_of(taxonomy, *(f"text {i}" for i in range(len(truth))))
    flags = [np.array([[c == "x" for c in row] for row in side]) for side in (truth, given)]
    p = np.where(flags[1], 0.9, 0.1) if p is None else np.array(p)
    return Predictions(corpus, *flags, p, ())


def test_coverage_by_hand():
    # Four passages; the third is not tagged, the fourth is tagged wrongly with little certainty.
    p = np.array([[0.99, 0.1], [0.9, 0.8], [0.3, 0.2], [0.6, 0.1]])
    given = p >= 0.5
    truth = np.array([[True, False], [True, True], [False, False], [False, False]])
    found = risk_coverage(p, truth, given)
    assert [(c["coverage"], c["precision"]) for c in found["curve"]] == [
        (0.25, 1.0),
        (0.5, 1.0),
        (0.5, 1.0),
        (0.75, 0.75),
    ]
    assert found["at_95"] == {"coverage": 0.5, "precision": 1.0}


def test_coverage_of_no_tag_and_of_nothing_right():
    nothing = np.zeros((3, 2), dtype=bool)
    p = np.full((3, 2), 0.4)
    assert risk_coverage(p, nothing, nothing) == {"curve": [], "at_95": None}
    assert risk_coverage(p, nothing, ~nothing)["at_95"] is None


def test_confusions_count_each_missing_label_against_each_wrong_one(taxonomy):
    predictions = predictions_of(
        taxonomy,
        ["x...", "x...", "....", ".x..", "xx..", "..x."],
        [".x..", ".x..", "x...", "....", "xx..", "..x."],
    )
    found = [(c["facet"], c["true"], c["given"], c["count"]) for c in confusions(predictions)]
    assert found == [
        ("topic", "sea", "bread", 2),
        ("topic", "bread", "none", 1),
        ("topic", "none", "sea", 1),
    ]


def test_the_surest_mistake_is_the_worst(tagger, corpus):
    predictions = predict(tagger, corpus)
    errors = worst_errors(predictions)
    assert errors
    wrong = (predictions.truth != predictions.given).any(axis=1)
    assert len(errors) == min(25, wrong.sum())
    ids = {row.id: i for i, row in enumerate(corpus.rows)}

    def loss(error):
        i = ids[error["id"]]
        truth, given, p = (predictions.truth[i], predictions.given[i], predictions.probabilities[i])
        return sum(
            -np.log(p[c] if truth[c] else 1 - p[c]) for c in range(4) if truth[c] != given[c]
        )

    losses = [loss(error) for error in errors]
    assert losses == sorted(losses, reverse=True)
    for error in errors:
        assert error["missing"] or error["wrong"]
        assert set(error["missing"] + error["wrong"]) <= set(error["probabilities"])
        for span in error["evidence"]:
            assert error["text"][span["start"] : span["end"]] == span["text"]


def test_slices_cut_by_column_and_by_length(taxonomy):
    predictions = predictions_of(taxonomy, ["x...", "x...", ".x.."], ["x...", "....", ".x.."])
    sources = ("b", "b", "a")
    rows = tuple(
        Row(row.id, row.text, row.labels, None, row.group, {"source": source})
        for row, source in zip(predictions.corpus.rows, sources, strict=True)
    )
    predictions = Predictions(
        Corpus(taxonomy, rows), predictions.truth, predictions.given, predictions.probabilities, ()
    )
    bootstrap = Bootstrap(predictions.corpus.groups, samples=50, seed=0)
    found = slice_metrics(bootstrap, predictions, ["source", "length"])
    figures = [
        (s["value"], s["passages"], s["facets"]["topic"]["micro_f1"]["value"]) for s in found
    ]
    assert figures == [
        ("a", 1, 1.0),
        ("b", 2, pytest.approx(2 / 3, abs=1e-6)),
        ("1-44 words", 3, pytest.approx(0.8)),
    ]
    assert found[0]["facets"]["mood"]["micro_f1"]["value"] is None


def test_slice_values(taxonomy):
    corpus = rows_of(taxonomy, "one", " ".join(["word"] * 45), " ".join(["word"] * 85), source=None)
    assert slice_values(corpus, "length") == ["1-44 words", "45-84 words", "85 or more words"]
    assert slice_values(corpus, "source") == ["not said"] * 3
    with pytest.raises(CorpusError, match=r"no row has a column 'sorce' \(.*length, source"):
        slice_values(corpus, "sorce")


def test_p_is_two_sided_and_never_zero():
    assert two_sided(np.array([0.1, *[0.1] * 99])) == pytest.approx(2 / 100)
    assert two_sided(np.array([0.0, *[0.0] * 99])) == 1
    assert two_sided(np.array([0.0, *[0.1] * 50, *[-0.1] * 49])) == pytest.approx(1.0)
    assert two_sided(np.array([-0.1, *[-0.1] * 89, *[0.1] * 10])) == pytest.approx(22 / 100)


def test_a_model_is_no_better_than_itself_and_better_than_a_mute_one(
    tagger, folder, corpus, tmp_path
):
    from dataclasses import replace

    from textclass.tagger import Tagger

    mute = Tagger(replace(folder.model, thresholds=np.full(4, 0.999)))
    predictions = predict(tagger, corpus)
    bootstrap = Bootstrap(corpus.groups, samples=200, seed=0)
    same, better = compare(bootstrap, predictions, [tagger, mute])
    assert same["facets"]["topic"] == {"difference": {"value": 0, "low": 0, "high": 0}, "p": 1}
    assert better["facets"]["topic"]["difference"]["low"] > 0.3
    assert better["facets"]["topic"]["p"] < 0.02


def test_other_labels_are_refused(tagger, corpus):
    from textclass.taxonomy import parse_taxonomy

    other = parse_taxonomy("facets: [{name: topic, labels: [{name: fish, definition: Fish.}]}]")
    with pytest.raises(ModelError, match=r"other labels than the model's: bread, fish, glad"):
        predict(tagger, Corpus(other, corpus.rows))


def test_labels_in_another_order_are_put_right(tagger, corpus):
    from dataclasses import replace

    facets = tuple(
        replace(facet, labels=tuple(reversed(facet.labels))) for facet in corpus.taxonomy.facets
    )
    turned = replace(corpus, taxonomy=replace(corpus.taxonomy, facets=facets))
    straight, other = predict(tagger, corpus), predict(tagger, turned)
    order = [1, 0, 3, 2]
    assert (other.truth == straight.truth[:, order]).all()
    assert (other.given == straight.given[:, order]).all()
    assert (other.probabilities == straight.probabilities[:, order]).all()


def test_soft_rows_are_not_evaluated_on(tagger, taxonomy, corpus):
    soft = Row("s", "waves at the harbour", None, dict.fromkeys(taxonomy.names, 0.5), "s")
    assert len(predict(tagger, Corpus(taxonomy, (*corpus.rows, soft))).corpus) == len(corpus)
    with pytest.raises(CorpusError, match="no row with labels"):
        predict(tagger, Corpus(taxonomy, (soft,)))


def test_cues_are_whole_words_in_any_case(taxonomy):
    corpus = rows_of(taxonomy, "The Harbour was full.", "lost at  sea", "Lost at sea!", "ovens")
    assert by_cues(corpus).tolist() == [
        [True, False, False, False],
        [False] * 4,
        [True, False, False, False],
        [False] * 4,
    ]


def test_baselines_are_fitted_on_other_documents_only(training, corpus):
    bootstrap = Bootstrap(corpus.groups, samples=100, seed=0)
    without = baselines(bootstrap, corpus, None, seed=0)
    assert [b["name"] for b in without] == ["always none", "keyword cues"]
    assert without[0]["facets"]["topic"]["micro_f1"]["value"] == 0
    fitted = baselines(bootstrap, corpus, training, seed=0)
    assert fitted[2]["facets"]["topic"]["micro_f1"]["value"] > 0.7
    assert baselines(bootstrap, corpus, training + corpus, seed=0) == fitted


def test_words_are_erased_with_their_offsets():
    text = "Über-boats 🚢 left; the harbour slept."
    spans = Tokenizer().spans(text)
    words = [text[s:e] for s, e in zip(spans.starts, spans.ends, strict=True)]
    chosen = np.array([word in ("boats", "harbour") for word in words])
    assert erase(text, spans, chosen) == "Über-  🚢 left; the   slept."


def test_tags_fall_without_their_evidence(tagger, corpus):
    predictions = predict(tagger, corpus)
    found = faithfulness(tagger, predictions, seed=0)
    assert found["cases"] == predictions.given.sum()
    assert found["share"] == pytest.approx(found["dropped"] / found["cases"], abs=1e-6)
    assert found["share"] > 0.95
    assert found["control_share"] < 0.2
    assert faithfulness(tagger, predictions, seed=0) == found


def test_without_a_tag_there_is_nothing_to_check(tagger, taxonomy):
    silent = predict(tagger, rows_of(taxonomy, "too short"))
    assert faithfulness(tagger, silent, seed=0) is None


def test_leaks_are_told_by_document_and_by_text(folder, training, corpus, taxonomy):
    assert leaks(folder, corpus) == []
    stolen = training.rows[3]
    same_text = Row("x", stolen.text, stolen.labels, None, "another-document")
    same_document = Row("y", "never seen before", stolen.labels, None, stolen.group)
    assert leaks(folder, Corpus(taxonomy, (*corpus.rows, same_text, same_document))) == ["x", "y"]


def test_a_model_without_hashes_cannot_tell(folder, corpus, tmp_path):
    facts = {key: value for key, value in folder.manifest.items() if key != "files"}
    assert leaks(save_model(folder.model, tmp_path / "old", facts=facts), corpus) is None


def test_hashes_of_the_training_data_do_not_depend_on_row_order(training):
    turned = Corpus(training.taxonomy, training.rows[::-1])
    assert training_groups(turned) == training_groups(training)
