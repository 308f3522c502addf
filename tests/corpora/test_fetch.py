import gzip
import json

import pytest

from tests.corpora.makers import (
    BREAD,
    OTHER,
    RIVER,
    TAXONOMY,
    git,
    make_repository,
    pointer,
    sources_yaml,
    write_jsonl,
)
from textclass.corpora import fetch as fetch_module
from textclass.corpora import fetch_texts, read_corpus
from textclass.errors import CorpusError
from textclass.results import text_id

FILES = {
    "a/river.txt": f"{RIVER}\ntoo short\n{OTHER}\n",
    "b/bread.txt": f"{BREAD}\n",
    "c/nobody asked.txt": "large and unwanted " * 1000,
}
WANTED = [(RIVER, "a/river.txt"), (OTHER, "a/river.txt"), (BREAD, "b/bread.txt")]


def make_corpus(folder, url, commit, wanted=WANTED):
    folder.mkdir(exist_ok=True)
    (folder / "sources.yaml").write_text(sources_yaml(url, commit))
    pointers = [
        pointer(text, path, start=max(FILES.get(path, "").find(text), 0)) for text, path in wanted
    ]
    write_jsonl(folder / "public" / "silver.jsonl", pointers)
    return folder


@pytest.fixture
def server(tmp_path):
    return tmp_path / "server", make_repository(tmp_path / "server", FILES)


@pytest.fixture
def corpus(tmp_path, server):
    folder, commit = server
    return make_corpus(tmp_path / "corpus", f"file://{folder}", commit)


def texts(folder):
    return {row.text for row in read_corpus(folder, TAXONOMY).rows}


def only(reports):
    (source,) = reports
    return source


def missing(reports):
    return sum(report.lacking for report in reports)


def reason(report):
    (only_reason,) = report.missing
    return only_reason


def stored_blobs(folder):
    objects = git(
        folder / "cache" / "git" / "news", "cat-file", "--batch-all-objects", "--batch-check"
    )
    return objects.count(" blob ")


def test_texts_come_from_git_and_only_the_files_wanted(corpus):
    report = fetch_texts(corpus)
    assert (only(report).wanted, missing(report), only(report).brought) == (3, 0, 3)
    assert texts(corpus) == {RIVER, OTHER, BREAD}
    assert stored_blobs(corpus) == 2


def test_a_server_that_cant_filter_sends_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "UPLOAD_PACK", "git upload-pack")
    commit = make_repository(tmp_path / "server", FILES, partial=False)
    corpus = make_corpus(tmp_path / "corpus", f"file://{tmp_path / 'server'}", commit)
    assert missing(fetch_texts(corpus)) == 0
    assert texts(corpus) == {RIVER, OTHER, BREAD}


def test_an_older_commit_is_found_under_newer_ones(corpus, server):
    folder, _ = server
    (folder / "a" / "river.txt").write_text("gone\n")
    git(folder, "commit", "--quiet", "--all", "-m", "newer")
    assert missing(fetch_texts(corpus)) == 0


def test_what_is_here_is_not_asked_for_again(corpus, server, tmp_path):
    fetch_texts(corpus)
    server[0].rename(tmp_path / "gone")
    report = fetch_texts(corpus)
    assert (only(report).here, only(report).brought, missing(report)) == (3, 0, 0)


def test_a_broken_download_goes_on_where_it_stopped(corpus, monkeypatch):
    monkeypatch.setattr(fetch_module, "BATCH", 1)

    def breaks(here, _wanted):
        if here == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_texts(corpus, progress=breaks)
    assert not (corpus / "cache" / "news.jsonl").exists()
    assert stored_blobs(corpus) == 1
    (corpus / "cache" / "git" / "news" / "shallow.lock").touch()  # as a killed git leaves it
    steps = []
    reports = fetch_texts(corpus, progress=lambda *step: steps.append(step))
    assert missing(reports) == 0
    assert steps == [(1, 2), (2, 2)]
    assert texts(corpus) == {RIVER, OTHER, BREAD}


def test_a_missing_file_and_an_altered_passage_are_told_apart(tmp_path, server):
    folder, commit = server
    altered, absent = RIVER.replace("ferry", "barge"), BREAD
    wanted = [(RIVER, "a/river.txt"), (altered, "a/river.txt"), (absent, "d/none.txt")]
    corpus = make_corpus(tmp_path / "corpus", f"file://{folder}", commit, wanted)
    report = only(fetch_texts(corpus))
    assert report.brought == 1
    assert {places[0][:16]: reason for reason, places in report.missing.items()} == {
        text_id(altered): "what stands in the file has another hash: it was altered",
        text_id(absent): "it isn't there",
    }
    assert json.loads((corpus / "cache" / "news.jsonl").read_text())["text"] == RIVER


def test_a_commit_that_isnt_there_is_told_and_other_sources_still_come(tmp_path, server):
    folder, commit = server
    corpus = make_corpus(tmp_path / "corpus", f"file://{folder}", "0" * 39 + "1", WANTED[:2])
    more = sources_yaml(f"file://{folder}", commit, name="more").partition("sources:\n")[2]
    with (corpus / "sources.yaml").open("a") as file:
        file.write(more)
    write_jsonl(corpus / "public" / "more.jsonl", [pointer(BREAD, "b/bread.txt", source="more")])
    news, more = fetch_texts(corpus)
    assert "git fetch" in reason(news)
    assert news.lacking == 2
    assert more.brought == 1


def test_a_server_that_isnt_there_is_told(tmp_path):
    corpus = make_corpus(tmp_path / "corpus", f"file://{tmp_path}/nowhere", "0" * 40)
    report = only(fetch_texts(corpus))
    assert "git fetch" in reason(report)
    assert report.lacking == 3


def test_a_link_in_the_repository_is_not_followed(tmp_path, server):
    folder, _ = server
    secret = tmp_path / "secret.txt"
    secret.write_text(f"{RIVER}\n")
    (folder / "link.txt").symlink_to(secret)
    git(folder, "add", "link.txt")
    git(folder, "commit", "--quiet", "-m", "link")
    commit = git(folder, "rev-parse", "HEAD")
    corpus = make_corpus(tmp_path / "corpus", f"file://{folder}", commit, [(RIVER, "link.txt")])
    assert missing(fetch_texts(corpus)) == 1
    for origin in (folder, folder.parent):
        assert missing(fetch_texts(corpus, origin=origin)) == 1


def test_texts_come_from_clones_of_any_kind(tmp_path, server):
    folder, commit = server
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), str(tmp_path / "clones" / "news"))
    fetch_texts(make_corpus(tmp_path / "other", f"file://{folder}", commit))  # the files wanted
    clones = (folder, tmp_path / "clones", tmp_path / "clones" / "news")
    for number, origin in enumerate((*clones, tmp_path / "other" / "cache" / "git")):
        corpus = make_corpus(tmp_path / f"corpus{number}", "https://invalid.invalid/x", commit)
        assert missing(fetch_texts(corpus, origin=origin)) == 0


def test_a_clone_gives_the_commit_not_what_lies_in_its_folder(tmp_path, server):
    folder, commit = server
    (folder / "b" / "bread.txt").write_text("changed\n")
    corpus = make_corpus(tmp_path / "corpus", "https://invalid.invalid/x", commit)
    assert missing(fetch_texts(corpus, origin=folder)) == 0


def test_texts_come_from_files_of_texts_and_altered_ones_are_missing(tmp_path, corpus):
    rows = [{"text": RIVER}, {"id": text_id(BREAD), "text": BREAD + " "}, {"id": 7}, {"text": 1}]
    write_jsonl(tmp_path / "given" / "a.jsonl", rows)
    (tmp_path / "given" / "b.jsonl.gz").write_bytes(
        gzip.compress(json.dumps({"id": text_id(OTHER), "text": OTHER}).encode() + b"\nbroken\n")
    )
    report = only(fetch_texts(corpus, origin=tmp_path / "given"))
    assert report.brought == 2
    assert report.missing == {"it isn't there": [f"{text_id(BREAD)} in b/bread.txt"]}
    write_jsonl(tmp_path / "rest.jsonl", [{"text": BREAD}])
    report = only(fetch_texts(corpus, origin=tmp_path / "rest.jsonl"))
    assert (report.here, report.brought, report.missing) == (2, 1, {})


def test_an_altered_text_in_the_cache_is_brought_again(corpus):
    fetch_texts(corpus)
    cache = corpus / "cache" / "news.jsonl"
    cache.write_text(cache.read_text().replace("ferry", "barge") + "half a li")
    report = only(fetch_texts(corpus))
    assert (report.here, report.brought, report.missing) == (2, 1, {})
    assert texts(corpus) == {RIVER, OTHER, BREAD}


def test_hostile_pointers_are_refused_all_at_once(corpus):
    bad = [
        {"path": "../../etc/passwd"},
        {"path": "/etc/passwd"},
        {"path": "--output=x"},
        {"path": ":(glob)**"},
        {"path": "a/../../x"},
        {"path": "a\nb"},
        {"path": "..\\x"},
        {"path": ""},
        {"id": "../../x"},
        {"id": "0123456789ABCDEF"},
        {"source": "../news"},
        {"source": "elsewhere"},
        {"start": 7, "end": 7},
        {"start": None},
        {"start": -9, "end": -1},
        {"end": 10**9},
        {"start": True},
        {"passages": "abc"},
        {"passages": [[1, 2, 3]]},
        {"passages": ["../x"]},
    ]
    rows = [{**pointer(RIVER, "a/river.txt"), **change} for change in bad]
    write_jsonl(corpus / "public" / "bad.jsonl", rows)
    with pytest.raises(CorpusError, match="20 bad rows"):
        fetch_texts(corpus)


def test_what_isnt_there_is_told(tmp_path, corpus):
    with pytest.raises(CorpusError, match="no such file or folder"):
        fetch_texts(corpus, origin=tmp_path / "nowhere")
    (corpus / "sources.yaml").unlink()
    with pytest.raises(CorpusError, match=r"sources\.yaml: can't be read"):
        fetch_texts(corpus)


def test_the_surroundings_cant_turn_git_elsewhere(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "none")
    assert missing(fetch_texts(corpus)) == 0


def test_without_git_the_way_out_is_told(corpus, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "--from" in reason(only(fetch_texts(corpus)))
