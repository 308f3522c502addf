import base64
import hashlib
import re

import pytest
from jinja2 import UndefinedError

from tests.report import examples
from textclass.errors import TextclassError
from textclass.report import write_evaluation_report, write_tag_report
from textclass.report.page import (
    as_figure,
    as_line,
    as_percent,
    as_plural,
    write_page,
)

TAXONOMY = examples.small_taxonomy()


def digests(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.fixture
def pages(tmp_path):
    records = [examples.record(TAXONOMY, n) for n in range(1, 4)]
    write_tag_report(records, [], tmp_path / "tags.html", taxonomy=TAXONOMY)
    write_evaluation_report(examples.example_metrics(TAXONOMY), tmp_path / "evaluation.html")
    return {file.stem: file.read_text("utf-8") for file in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["tags", "evaluation"])
def test_the_policy_lets_only_the_very_style_and_script_through(pages, name):
    page = pages[name]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    policy = policy.replace("&#39;", "'")
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    wanted = ["default-src 'none'", f"style-src '{digests(styles[0])}'"]
    wanted += [f"script-src '{digests(script)}'" for script in scripts]
    assert policy.split("; ") == [*wanted, "base-uri 'none'", "form-action 'none'"]
    assert (len(styles), len(scripts)) == (1, 1 if name == "tags" else 0)


@pytest.mark.parametrize("name", ["tags", "evaluation"])
def test_a_page_names_no_outside_resource_and_no_inline_style(pages, name):
    assert not re.findall(r"""\s(?:src|srcset|style|on\w+)=["']""", pages[name])
    assert not re.findall(r"https?:|url\(|@import|data:", pages[name])


def test_a_page_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.html"
    old = '<meta name="generator" content="textclass 0">'
    path.write_text(old)
    with pytest.raises(UndefinedError, match="stats"):
        write_page(path, "corpus.jinja", {"title": "new"})
    assert [file.read_text() for file in tmp_path.iterdir()] == [old]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(TextclassError, match="can't be written: No such file"):
        write_tag_report([], [], tmp_path / "missing" / "x.html", taxonomy=TAXONOMY)


def test_what_html_or_utf8_cannot_carry_is_replaced(tmp_path):
    record = examples.record(TAXONOMY, 1)
    record["document"]["document"] = "a\x00b\ud800c\x9bd\te"
    (path,) = write_tag_report([record], [], tmp_path / "x.html", taxonomy=TAXONOMY)
    assert "<bdi>a\ufffdb\ufffdc\ufffdd\te</bdi>" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.001, "<1%"), (0.5, "50%"), (0.999, ">99%"), (1, "100%"), (None, "–")],
)
def test_shares_never_round_to_nothing_or_all(share, text):
    assert as_percent(share) == text


def test_figures():
    assert as_figure(None) == "–"
    assert as_figure(-0.5, 1) == "−0.5"
    assert as_figure(0.216, 2, "+") == "+0.22"
    assert (as_plural(1, "document"), as_plural(1200, "document")) == (
        "1 document",
        "1,200 documents",
    )


def test_a_line_leaves_out_what_is_not_known():
    points = [{"x": 0, "y": 0.25}, {"x": 0.5, "y": None}, {"x": 1, "y": 1}]
    assert as_line(points, "x", "y") == "0.0,75.0 100.0,0.0"
