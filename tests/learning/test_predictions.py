import json
from dataclasses import replace

import numpy as np
import pytest

from textclass.corpora import Corpus, Row
from textclass.errors import CorpusError, ModelError
from textclass.learning import leave_out, read_documents
from textclass.learning.predictions import BaselineScorer, by_cues, predict
from textclass.tagger import Tagger
from textclass.taxonomy import parse_taxonomy


def test_other_labels_are_refused(tagger, corpus):
    other = parse_taxonomy("facets: [{name: topic, labels: [{name: fish, definition: Fish.}]}]")
    with pytest.raises(ModelError, match=r"other labels than the model's: bread, fish, glad"):
        predict(tagger, Corpus(other, corpus.rows))


def test_labels_in_another_order_are_put_right(tagger, corpus):
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
    texts = ["The Harbour was full.", "lost at  sea", "Lost at sea!", "ovens"]
    assert by_cues(taxonomy, texts)[:, 0].tolist() == [True, False, True, False]


def test_baselines_learn_and_are_pooled_like_the_model(tagger, taxonomy, baselines, corpus):
    assert list(baselines) == [
        "word TF-IDF + logistic regression",
        "character TF-IDF + logistic regression",
    ]
    sea = "the harbour and the sailor under waves by the anchor in the deck with the captain"
    plain = "the morning street and the window under the road from the house of the people"
    document = Row("d", f"{plain}.\n\n{sea}.", frozenset({"sea"}), None, "d")
    empty = Row("e", "  ", frozenset(), None, "e")
    for pipeline in baselines.values():
        sea_bar, bread_bar, glad_bar, _ = pipeline[-1].thresholds_
        assert sea_bar == bread_bar != glad_bar  # one for each facet, as a model's
        baseline = Tagger(tagger.model, scorer=BaselineScorer(tagger.model, pipeline))
        alone = predict(baseline, corpus, evidence=False)
        assert (alone.given == pipeline.predict(corpus.texts)).all()
        assert (alone.truth == alone.given).mean() > 0.85
        pooled = predict(baseline, Corpus(taxonomy, (document, empty)), documents=True)
        assert pooled.given[0, 0]
        assert not pooled.given[1].any()
        assert not pooled.probabilities[1].any()


def test_documents_and_texts_are_left_out(training, corpus):
    stolen = corpus.rows[0]
    same_text = replace(stolen, text=f"{stolen.text.title()}  ", group="another")
    same_document = replace(stolen, text="never seen")
    more = Corpus(training.taxonomy, (*training.rows, same_text, same_document))
    assert leave_out(more, corpus).rows == training.rows


@pytest.fixture
def table(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("The sailor saw the harbour.\n\nThe tide rose.")
    path = tmp_path / "documents.csv"
    path.write_text("file,topic,mood\ntexts/a.txt,sea,[]\n")
    return path


def test_documents_are_read_from_files_beside_a_table(taxonomy, table):
    (row,) = read_documents([table], taxonomy).rows
    assert row.text == "The sailor saw the harbour.\n\nThe tide rose."
    assert row.labels == {"sea"}
    assert row.group == "texts/a.txt"


def test_a_file_that_is_not_there_is_told_with_the_row(taxonomy, table):
    table.write_text("file,topic,mood\ntexts/b.txt,sea,[]\n")
    with pytest.raises(CorpusError, match=r"documents\.csv, line 2: texts/b\.txt: "):
        read_documents([table], taxonomy)


def test_a_row_without_labels_is_told_with_its_line(taxonomy, table):
    table.write_text("file,topic,mood\ntexts/a.txt,sea,\n")
    with pytest.raises(CorpusError, match=r"documents\.csv, line 2: no answer for mood"):
        read_documents([table], taxonomy)


def test_documents_with_their_text(taxonomy, tmp_path):
    path = tmp_path / "documents.jsonl"
    path.write_text(json.dumps({"text": "The tide.", "topic": ["sea"], "mood": []}) + "\n")
    assert np.array_equal(read_documents([path], taxonomy).targets, [[1, 0, 0, 0]])
