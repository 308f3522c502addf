import json

import pytest

from tests.corpora.makers import BREAD, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import point, read_corpus
from textclass.corpora import write_jsonl as write
from textclass.corpora.pointers import TextCache
from textclass.errors import CorpusError


def test_pointers_hold_no_text_and_come_back_whole_with_the_cache(tmp_path):
    rows = [
        row(topic=["river"], source="news", path="a.txt", group="news:a.txt"),
        row(BREAD, source="news", path="b.txt", group="elsewhere"),
    ]
    scores = {"topic": {"river": 0.12345, "bread": 0.0}, "tone": {"warm": 0.0004}}
    soft = {"text": RIVER + " Again.", "scores": scores, "source": "news", "path": "c.txt"}
    given = read_corpus(write_jsonl(tmp_path / "given.jsonl", [*rows, soft]), TAXONOMY)
    path = tmp_path / "corpus" / "public.jsonl.gz"
    write(path, point(given, labelled="silver"))
    pointers = list(point(given, labelled="silver"))
    assert RIVER not in json.dumps(pointers)
    assert [sorted(p) for p in pointers] == [
        ["id", "labelled", "path", "source", "tone", "topic"],
        ["group", "id", "labelled", "path", "source", "tone", "topic"],
        ["id", "labelled", "path", "scores", "source"],
    ]
    assert pointers[2]["scores"] == {"topic": {"river": 0.123}, "tone": {}}
    TextCache(tmp_path / "corpus" / "cache").store("news", {r.id: r.text for r in given.rows})
    back = read_corpus(path, TAXONOMY)
    assert back.texts == given.texts
    assert back.groups == given.groups
    assert back.targets == pytest.approx(given.targets, abs=5e-4)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "source and path"),
        ({"source": "news"}, "source and path"),
        ({"source": "news", "path": "../a"}, "source and path"),
        ({"source": "news", "path": "a", "id": "0" * 16}, "isn't the hash"),
    ],
)
def test_a_row_that_cant_be_fetched_again_is_told(tmp_path, columns, said):
    given = read_corpus(write_jsonl(tmp_path / "a.jsonl", [row(**columns)]), TAXONOMY)
    with pytest.raises(CorpusError, match=f"a.jsonl, line 1: .*{said}"):
        list(point(given, labelled="gold"))
