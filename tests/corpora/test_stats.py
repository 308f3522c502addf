import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, write_jsonl
from textclass.corpora import count_corpus, read_corpus, stats_page

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


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_takes_no_markup_from_the_corpus(tmp_path):
    html = stats_page(count(tmp_path), title="<script>alert(1)</script>")
    page = Page()
    page.feed(html)
    assert not {"script", "link", "img", "iframe", "b"} & set(page.tags)
    assert not {name for name, _ in page.attributes if name.startswith("on") or name == "style"}
    assert "http" not in html.replace("http-equiv", "")
    assert "<b>diary</b>" in page.text
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in html
    assert "prefers-color-scheme: dark" in style
    assert page.tags.count("svg") == 5
    assert "bread and warm: 1" in page.text
