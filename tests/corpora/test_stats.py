import json

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import count_corpus, read_corpus

ROWS = [
    row(topic=["river", "bread"], tone=["warm"], group="d", register="blog", decade="1990s"),
    row(BREAD, topic=["bread"], group="d", register="<b>diary</b>", decade="1980s"),
    row(OTHER, register="blog"),
    {"text": RIVER + " Again.", "scores": {"topic": {"river": 1}, "tone": {}}},
]


def count(tmp_path):
    return count_corpus(read_corpus(write_jsonl(tmp_path / "a.jsonl", ROWS), TAXONOMY))


def test_counts(tmp_path):
    stats = count(tmp_path)
    assert (stats.passages, stats.documents, stats.soft) == (4, 3, 1)
    assert stats.labels == {"topic": {"river": 1, "bread": 2}, "tone": {"warm": 1}}
    assert stats.none == {"topic": 1, "tone": 2}
    assert stats.together["bread"] == {"river": 1, "warm": 1}
    assert stats.columns == {
        "register": {"blog": 2, "<b>diary</b>": 1, "(not said)": 1},
        "decade": {"1980s": 1, "1990s": 1, "(not said)": 2},
    }
    assert stats.words == sum(len(r["text"].split()) for r in ROWS)
    assert json.loads(json.dumps(stats.to_dict()))["lengths"]["shortest"] == 30
