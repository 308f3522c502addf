import itertools
import math

import pandas as pd
import pytest

from textclass.errors import TextclassError
from textclass.results import Outcome
from textclass.tagger import Tagger

RIVER = "the old ferry left the bank upstream near the town "
BREAD = "the baker lit the oven for rye dough in the bakery "
PLAIN = "on the old road near the town it was morning and people saw the market "


@pytest.fixture(scope="module")
def tagger(toy_model):
    return Tagger.load(toy_model.path)


def test_many_texts_in_order_and_lazily(tagger):
    endless = (f"{RIVER} {n}" for n in itertools.count())
    results = list(itertools.islice(tagger.tag_many(endless, batch_size=8), 20))
    assert [r.text.split()[-1] for r in results] == [str(n) for n in range(20)]
    assert all(r["topic"] == ("river",) for r in results)


def test_one_text_is_not_taken_for_many(tagger):
    with pytest.raises(TypeError, match="tag takes one text"):
        next(tagger.tag_many(RIVER))


def test_what_is_no_text_is_told_with_its_place(tagger):
    with pytest.raises(TypeError, match="text 1 is NoneType, str was expected"):
        list(tagger.tag_many([RIVER, None]))
    with pytest.raises(TypeError, match="a DataFrame was expected, not Series; tag_many takes"):
        tagger.tag_frame(pd.Series([RIVER]))


def test_a_frame_keeps_its_index_and_columns(tagger):
    frame = pd.DataFrame({"body": [RIVER, PLAIN, ""], "year": [1, 2, 3]}, index=list("xyz"))
    tagged = tagger.tag_frame(frame, text_column="body")
    assert list(tagged.index) == ["x", "y", "z"]
    assert list(tagged["year"]) == [1, 2, 3]
    assert list(tagged["topic"]) == [["river"], [], []]
    assert tagged["topic.river"].dtype == float
    assert tagged.loc["x", "topic.river"] > 0.5
    assert "topic" not in frame.columns
    with pytest.raises(TextclassError, match=r"no column 'text' \(the columns are body, year\)"):
        tagger.tag_frame(frame)
    with pytest.raises(TextclassError, match=r"the columns are 0, 1"):
        tagger.tag_frame(frame.set_axis([0, 1], axis="columns"))
    again = tagger.tag_frame(tagged, text_column="body")
    assert list(again["input.topic"]) == list(tagged["topic"])
    frame.loc["y", "body"] = None
    with pytest.raises(TextclassError, match="row 'y': a text was expected, not nan"):
        tagger.tag_frame(frame, text_column="body")


def test_a_document_pools_its_passages(tagger):
    text = "\n\n".join([RIVER * 3, PLAIN * 3, BREAD * 3])
    tags = tagger.tag_document(text, document="a.txt", page_starts=[0, len(RIVER) * 3 + 2])
    assert tags["topic"] == ("river", "bread")
    assert [p.page for p in tags.passages] == [1, 2, 2]
    river = tags.labels[0]
    assert river.passages == 1
    assert river.strongest == (0,)
    assert river.share == pytest.approx(30 / tags.words)
    assert tags.primary["topic"] in {"river", "bread"}
    assert tags.to_dict()["document"] == "a.txt"


def test_a_document_without_labels_says_none_and_without_words_unsure(tagger):
    assert tagger.tag_document(PLAIN * 3).outcome is Outcome.NONE
    empty = tagger.tag_document("")
    assert empty.outcome is Outcome.UNSURE
    assert empty.primary == {"topic": None}


def test_a_document_label_takes_the_passages_most_certain_of_it(tagger):
    text = "\n\n".join([PLAIN * 4] * 9 + [RIVER + "ferry boat bridge delta"])
    tags = tagger.tag_document(text)
    first, second = sorted((p.probabilities[0] for p in tags.passages), reverse=True)[:2]
    assert "river" in tags.passages[-1]["topic"]
    assert ("river" in tags["topic"]) == (
        (first + second) / 2 >= tagger.taxonomy.facets[0].document
    )
    tags = tagger.tag_document(text + "\n\n" + RIVER + "ferry boat")
    count = max(2, math.ceil(len(tags.passages) / 5))
    highest = sorted(p.probabilities[0] for p in tags.passages)[-count:]
    assert tags.labels[0].probability == pytest.approx(sum(highest) / count)
