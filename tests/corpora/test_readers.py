import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.corpora.makers import BREAD, OTHER, RIVER
from textclass.corpora import text_id
from textclass.corpora.readers import clean, cut_passages
from textclass.corpora.sources import load_sources

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


def texts(content, reader):
    return list(cut_passages(content.encode(), reader).values())


def test_markdown_loses_its_front_matter_and_marks():
    page = f"---\ntitle: x\ntags: y\n---\n\n**{RIVER}**\n \t\n> {BREAD}\n\nToo short.\n\n{OTHER}\n"
    assert texts(page, "front-matter-markdown") == [RIVER, BREAD, OTHER]
    assert texts(page.replace("\n", "\r\n"), "front-matter-markdown") == [RIVER, BREAD, OTHER]


def test_a_rule_further_down_is_no_front_matter():
    page = f"{RIVER}\n\n---\n\n{BREAD}\n\n---\n"
    assert texts(page, "front-matter-markdown") == [RIVER, BREAD]


def test_lines_are_passages_and_a_byte_order_mark_belongs_to_the_text():
    assert texts(f"\ufeff{RIVER}\n{BREAD}", "lines") == [f"\ufeff{RIVER}", BREAD]


def test_tei_gives_the_inside_of_paragraphs():
    page = f'<TEI><p>{RIVER}</p><pb/><p rend="x">{BREAD} <hi>well</hi></p><p>{OTHER}'
    assert texts(page, "tei-paragraphs") == [RIVER, f"{BREAD} well"]


def test_csv_gives_short_news_only():
    rows = [("news", RIVER), ("direct", BREAD), ("news", f"{OTHER} {OTHER}")]
    page = "id,message,genre\n" + "".join(f'1,"{text}",{genre}\n' for genre, text in rows)
    assert texts(page, "csv-messages") == [RIVER]


@pytest.mark.parametrize(
    ("piece", "cleaned"),
    [
        ("a &amp; b", "a & b"),
        ("see ![alt](x.png) here", "see here"),
        ("the [link text](http://x.org) here", "the link text here"),
        ("a<br/>b", "a b"),
        ("**bold** and `code` | # > x", "bold and code x"),
        ("COVID-\u206019 and\u00a0more", "COVID-19 and more"),
        (r"it\'s", "it's"),
        (" - • \t item - ", "item"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
    ],
)
def test_cleaning(piece, cleaned):
    assert clean(piece) == cleaned


def test_pieces_too_short_too_long_or_of_figures_are_left_out():
    words = "word " * 200
    lines = [words[: 5 * n].strip() for n in (21, 22, 160, 161)]
    assert texts("\n".join([*lines, "12 345 " * 15]), "lines") == lines[1:3]


def test_hostile_pieces_take_no_time():
    for mark in ("<", "[", "![", "[a](", "<p ", "&"):
        for reader in ("front-matter-markdown", "lines", "tei-paragraphs"):
            cut_passages((mark * 400_000).encode(), reader)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data with raw source files")
def test_every_labelled_passage_of_the_real_files_comes_out():
    wanted = defaultdict(set)
    for name in ("silver.jsonl", "silver_dev_documents.jsonl", "dev_gold.jsonl", "soft.jsonl.gz"):
        path = SHARED / name
        with (gzip.open if name.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                assert row["id"] == text_id(row["text"])
                assert clean(row["text"]) == row["text"]
                wanted[row["source"], row["path"]].add(row["id"])
    sources = load_sources(ROOT / "corpus" / "sources.yaml")
    checked = 0
    for (source, path), ids in wanted.items():
        file = SHARED / "raw" / source / path
        if file.exists():
            passages = cut_passages(file.read_bytes(), sources[source].reader)
            assert ids <= set(passages), file
            checked += len(ids)
    assert checked == 648
