import gzip
import json
from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, sources_yaml, write_jsonl
from textclass.corpora import fetch_texts, read_corpus, read_form, write_form
from textclass.corpora.public_texts import clean, load_sources, make_pointer
from textclass.errors import CorpusError
from textclass.results import text_id

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("piece", "cleaned"),
    [
        ("a<!-- b\nc -->d", "a d"),
        ("a<note n='1'>b</note>c <TABLE>d</TABLE>e", "a c e"),
        ("a<figure>b<p>c</p></figure>d<script>e</script><style>f</style>g", "a d g"),
        ("a<noted>b</noted>c", "a b c"),
        ("a &amp; b", "a & b"),
        ("see ![alt](x.png) here", "see here"),
        ("the [link text](http://x.org) here", "the link text here"),
        ("a<br/>b", "a b"),
        ("**bold** and `code` | # > x", "bold and code x"),
        ("COVID-\u206019 and\u00a0more", "COVID-19 and more"),
        (r"it\'s 5\. a\b", r"it's 5. a\b"),
        (" - • \t item - ", "item"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
    ],
)
def test_cleaning(piece, cleaned):
    assert clean(piece) == cleaned


def test_hostile_pieces_take_no_time():
    for mark in ("<", "[", "![", "[a](", "<p ", "&", "<!--", "<note>", "\\"):
        clean((mark * 2_000)[:2_000])


def cut(content, text, **place):
    return make_pointer({"id": text_id(text), "path": "a", **place}).cut(content)


def test_a_text_is_cut_by_code_points_whatever_the_line_ends_and_the_mark_before():
    page = f"🙂 é\n\n**{RIVER}**\n{BREAD}"
    start = page.index("**")
    for content in (page, "\ufeff" + page, page.replace("\n", "\r\n"), page.replace("\n", "\r")):
        assert cut(content.encode(), RIVER, start=start, end=start + len(RIVER) + 4) == RIVER
    assert cut(page.encode(), RIVER, start=start + 9, end=start + len(RIVER)) is None
    assert cut(b"\xff" + page.encode(), RIVER, start=start + 1, end=start + len(RIVER) + 5) == RIVER


def test_a_document_is_made_of_its_passages():
    page = f"---\ntitle: x\n---\n\n{RIVER}\n\n<ul><li>{BREAD}</li></ul>\nline\n{OTHER}"
    whole = "\n\n".join((RIVER, BREAD, OTHER))
    start = page.index(RIVER)
    passages = [[start, start + len(RIVER)], text_id(BREAD), text_id(OTHER)]
    assert cut(page.encode(), whole, passages=passages) == whole
    assert cut(page.encode(), whole, passages=passages[:2]) is None


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_what_a_pointer_was_made_of_comes_out_again(before, piece, after):
    whole = "".join(character for character in before + piece + after if character != "\r")
    content = whole.encode("utf-8", "replace")
    whole = content.decode().removeprefix("\ufeff")
    start, end = len(whole) // 3, len(whole) // 3 + len(piece) + 1
    text = clean(whole[start:end])
    assert cut(content, text, start=start, end=end) == text


def test_pointers_hold_no_text_and_come_back_whole_from_a_file_of_texts(tmp_path):
    place = {"source": "news", "start": 0, "end": 9}
    rows = [
        row(topic=["river"], path="a.txt", group="news:a.txt", **place),
        row(BREAD, path="b.txt", group="elsewhere", **place),
    ]
    scores = {"topic": {"river": 0.12345, "bread": 0.0}, "tone": {"warm": 0.0004}}
    soft = {"text": RIVER + " Again.", "scores": scores, "path": "c.txt", **place}
    path = write_jsonl(tmp_path / "given.jsonl", [*rows, soft])
    pointers = write_form(read_corpus(path, TAXONOMY), "pointers")
    stripped = [json.loads(line) for line in pointers.splitlines()]
    assert RIVER not in json.dumps(stripped)
    keys = ["end", "group", "id", "path", "source", "start"]
    assert [sorted(set(p) - set(keys)) for p in stripped] == [["tone", "topic"]] * 2 + [["scores"]]
    assert stripped[2]["scores"] == {"topic": {"river": 0.1235}, "tone": {}}
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "public.jsonl.gz").write_bytes(gzip.compress(pointers))
    (tmp_path / "corpus" / "sources.yaml").write_text(sources_yaml("https://x.org/y", COMMIT))
    fetch_texts(tmp_path / "corpus", origin=path)
    given, back = read_corpus(path, TAXONOMY), read_corpus(tmp_path / "corpus", TAXONOMY)
    assert (back.texts, back.groups) == (given.texts, given.groups)
    assert back.targets == pytest.approx(given.targets, abs=5e-4)
    assert back.column("licence") == ["CC0-1.0"] * 3
    (tmp_path / "corpus" / "public.jsonl").write_bytes(pointers)
    again = read_form(tmp_path / "corpus" / "public.jsonl", "pointers", TAXONOMY).corpus
    assert write_form(again, "pointers") == pointers


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "source and path"),
        ({"source": "news"}, "source and path"),
        ({"source": "news", "path": "a", "id": "0" * 16}, "isn't the hash"),
        ({"source": "news", "path": "a"}, "start and end"),
        ({"source": "news", "path": "../a", "start": 0, "end": 1}, "isn't a path"),
    ],
)
def test_a_row_that_cant_be_fetched_again_is_told(tmp_path, columns, said):
    given = read_corpus(write_jsonl(tmp_path / "a.jsonl", [row(**columns)]), TAXONOMY)
    with pytest.raises(CorpusError, match=f"a.jsonl, line 1: .*{said}"):
        write_form(given, "pointers")


def test_the_sources_of_the_house_are_whole():
    sources = load_sources(ROOT / "corpus" / "sources.yaml")
    assert len(sources) == 25
    assert all(source.url.startswith("https://github.com/") for source in sources.values())
    for file in (ROOT / "corpus" / "public").glob("*.jsonl"):
        for line in file.read_text().splitlines():
            pointer = json.loads(line)
            assert pointer["source"] in sources
            assert "text" not in pointer
            make_pointer(pointer)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "ssh://host/x",
        "http://host/x",
        "--upload-pack=x",
        "https://-oProxyCommand=x",
        "file:///a b",
        "/srv/x",
    ],
)
def test_only_https_and_file_addresses(tmp_path, url):
    (tmp_path / "s.yaml").write_text(sources_yaml(f"'{url}'", COMMIT))
    with pytest.raises(CorpusError, match=r"s\.yaml: line 5: .*\.url: string should match"):
        load_sources(tmp_path / "s.yaml")


def test_all_faults_of_sources_are_told_with_their_lines(tmp_path):
    good = sources_yaml("https://x.org/y", COMMIT).partition("sources:\n")[2]
    text = sources_yaml("https://x.org/y", "1" * 40, name="../x").replace('"', "")
    (tmp_path / "s.yaml").write_text(f"{text}    branch: main\n{good}{good}")
    with pytest.raises(CorpusError) as caught:
        load_sources(tmp_path / "s.yaml")
    for said in (
        "line 3: sources[0].name: string should match pattern",
        "line 6: sources[0].commit: input should be a valid string",
        "line 8: sources[0].branch: unknown key",
    ):
        assert said in str(caught.value)
    (tmp_path / "s.yaml").write_text(f"sources:\n{good}{good}")
    with pytest.raises(CorpusError, match="two sources have the same name"):
        load_sources(tmp_path / "s.yaml")


@pytest.mark.parametrize("text", ["", "sources: []", "sources: x", "a: [", "- 1", "sources: [1]"])
def test_what_is_no_list_of_sources_is_told(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(CorpusError):
        load_sources(tmp_path / "s.yaml")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data with raw source files")
def test_every_labelled_text_of_the_real_files_comes_out():
    checked = Counter()
    contents = {}
    for name in ("silver", "silver_dev_documents", "dev_gold", "dev_new_gold", "documents_dev"):
        committed = (ROOT / "corpus" / "public" / f"{name}.jsonl").read_text().splitlines()
        pointers = {pointer["id"]: pointer for pointer in map(orjson.loads, committed)}
        data = (SHARED / f"{name}.jsonl").read_bytes().splitlines()
        if name == "silver":
            data += gzip.decompress((SHARED / "soft.jsonl.gz").read_bytes()).splitlines()
        for passage in map(orjson.loads, data):
            # Some passages of the data that have probabilities there have labels here.
            has_labels = "scores" not in passage
            if not has_labels and passage["id"] not in pointers:
                continue
            pointer = pointers.pop(passage["id"])
            # Labels that a second reader settled here are no longer those of the data.
            if has_labels and pointer["labelled"] != "settled":
                assert pointer["type"] == passage["type"]
                assert pointer["principle"] == passage["principle"]
            assert text_id(passage["text"]) == passage["id"]
            file = SHARED / "raw" / passage["source"] / passage["path"]
            if file not in contents:
                contents[file] = file.read_bytes() if file.exists() else None
            if contents[file] is not None:
                assert make_pointer(pointer).cut(contents[file]) == passage["text"]
                checked[name] += 1
        assert not pointers
    assert checked["silver"] > 350
    assert checked["documents_dev"] == 2
    with gzip.open(ROOT / "corpus" / "public" / "soft.jsonl.gz") as lines:
        for line in lines:
            pointer = orjson.loads(line)
            content = contents.get(SHARED / "raw" / pointer["source"] / pointer["path"])
            if content is not None:
                assert make_pointer(pointer).cut(content) is not None
                checked["soft"] += 1
    assert checked["soft"] > 200
