from html.parser import HTMLParser

from tests.corpora.test_stats import count
from textclass.report import write_corpus_page


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
    title = "<script>alert(1)</script>"
    write_corpus_page(count(tmp_path), tmp_path / "x.html", title=title)
    html = (tmp_path / "x.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert not {"script", "link", "img", "iframe", "b"} & set(page.tags)
    assert not {name for name, _ in page.attributes if name.startswith("on") or name == "style"}
    assert "http" not in html.replace("http-equiv", "")
    assert "<b>diary</b>" in page.text
    assert page.tags.count("figure") == 5
    assert ("title", "bread and warm") in page.attributes
