"""The component in spaCy pipelines: what it fills, in batches, in processes, saved and scored."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy import displacy
from spacy.tokens import DocBin
from spacy.training import Example

from textclass.errors import ModelError
from textclass.model import save_model
from textclass.tagger import Tagger

TEXTS = [
    "the ferry left upstream when the flood reached the bridge near the old town",
    "the baker and the dough and the oven and the loaf of rye in the morning",
    "people saw the market by the road in the town and then it was day",
    "",
]


@pytest.fixture
def nlp(toy_model):
    made = spacy.blank("en")
    made.add_pipe("sentencizer")
    made.add_pipe("textclass", config={"model": str(toy_model.path)})
    ruler = made.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PLACE", "pattern": "old town"}])
    return made


@pytest.fixture
def tagger(toy_model):
    return Tagger(toy_model.model)


def rows(docs):
    # A DocBin makes tuples of lists.
    return [json.dumps((doc.text, doc.cats, doc._.textclass, spans(doc))) for doc in docs]


def spans(doc):
    return [(span.label_, span.start_char, span.end_char) for span in doc.spans["textclass"]]


def test_a_document_carries_probabilities_tags_and_evidence(nlp, tagger):
    doc, expected = nlp(TEXTS[0]), tagger.tag(TEXTS[0])
    assert doc.cats == {
        f"topic.{name}": expected.scores["topic"][name] for name in tagger.taxonomy.names
    }
    assert doc._.textclass == expected.to_dict()
    assert doc._.textclass["topic"] == ["river"]
    assert spans(doc) == [(e.label, e.start, e.end) for e in expected.evidence if e.weight > 0]
    assert [entity.text for entity in doc.ents] == ["old town"]
    assert len(list(doc.sents)) == 1


def test_batches_and_processes_give_what_single_calls_give(nlp):
    alone = rows(nlp(text) for text in TEXTS)
    assert rows(nlp.pipe(TEXTS, batch_size=3)) == alone
    assert rows(nlp.pipe(TEXTS, n_process=2, batch_size=2)) == alone


def test_documents_keep_their_tags_in_a_doc_bin(nlp):
    docs = list(nlp.pipe(TEXTS))
    content = DocBin(docs=docs, store_user_data=True).to_bytes()
    again = list(DocBin().from_bytes(content).get_docs(spacy.blank("en").vocab))
    assert rows(again) == rows(docs)


def test_a_saved_pipeline_holds_its_model(nlp, toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / toy_model.path.name)
    moved = spacy.blank("en")
    moved.add_pipe("textclass", config={"model": str(folder)})
    moved.to_disk(tmp_path / "pipeline")
    shutil.rmtree(folder)
    again = spacy.load(tmp_path / "pipeline")
    assert rows(again.pipe(TEXTS)) == rows(nlp.pipe(TEXTS))
    (weights,) = (tmp_path / "pipeline").rglob("weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="cut short or altered"):
        spacy.load(tmp_path / "pipeline")


def test_a_pipeline_is_saved_again_where_it_came_from(nlp, tmp_path):
    for _ in range(2):
        nlp.to_disk(tmp_path / "pipeline")
        nlp = spacy.load(tmp_path / "pipeline")
    (tmp_path / "pipeline").rename(tmp_path / "gone")
    nlp.to_disk(tmp_path / "again")
    assert rows(spacy.load(tmp_path / "again").pipe(TEXTS)) == rows(nlp.pipe(TEXTS))


def test_decisions_are_scored(nlp, tagger):
    examples = []
    for text in TEXTS[:3]:
        given = tagger.tag(text).labels
        cats = {f"topic.{name}": float(name in given) for name in tagger.taxonomy.names}
        examples.append(Example.from_dict(nlp.make_doc(text), {"cats": cats}))
    figures = nlp.evaluate(examples)
    assert figures["cats_micro_f"] == 1
    assert set(figures["cats_f_per_type"]) == {f"topic.{name}" for name in tagger.taxonomy.names}


def test_a_reference_that_the_pipeline_made_and_a_person_corrected_is_a_reference(nlp):
    given = nlp(TEXTS[0])
    given.cats = dict.fromkeys(given.cats, 0.0)
    assert nlp.evaluate([Example(nlp.make_doc(TEXTS[0]), given)])["cats_micro_f"] == 0


def test_two_models_write_and_are_scored_apart(nlp, toy_model, tmp_path):
    strict = replace(toy_model.model, thresholds=np.full(3, 2.0))
    save_model(strict, tmp_path / "strict", facts={})
    nlp.add_pipe("textclass", name="strict", config={"model": str(tmp_path / "strict")})
    doc = next(nlp.pipe(TEXTS[:1]))
    assert (doc._.textclass["topic"], doc._.strict["topic"]) == (["river"], [])
    assert spans(doc)
    assert not doc.spans["strict"]
    cats = {"topic.river": 1.0, "topic.bread": 0.0, "topic.no": 0.0}
    figures = nlp.evaluate([Example.from_dict(nlp.make_doc(TEXTS[0]), {"cats": cats})])
    assert (figures["cats_micro_f"], figures["cats_strict_micro_f"]) == (1, 0)


def test_evidence_shows_in_displacy(nlp):
    html = displacy.render(nlp(TEXTS[0]), style="span", options={"spans_key": "textclass"})
    assert "river" in html
    assert "ferry" in html


def test_a_model_that_is_not_there_is_told_in_one_line():
    nlp = spacy.blank("en")
    nlp.add_pipe("textclass", config={"model": "nowhere"})
    with pytest.raises(ModelError, match="nowhere: neither a model that ships nor a model folder"):
        nlp("text")


def test_the_entry_point_needs_no_import():
    script = (
        "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('textclass'); "
        "print(nlp('Surgeons sent by the government treated villagers abroad.').cats)"
    )
    root = Path(__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'type.compassionate': " in ran.stdout
