"""Who is let in, and what a request can do; without a browser."""

import re
import socket

import pytest
from starlette.testclient import TestClient

from tests.conftest import write_jsonl
from textclass.errors import TextclassError
from textclass.review import Kind, read_passages, serve
from textclass.review.app import label_keys, make_app, pool_answers
from textclass.tagger import Tagger
from textclass.taxonomy import Taxonomy

PORT = 8123
HOST = f"http://127.0.0.1:{PORT}"
PAGES = ["/", "/progress", "/answers", "/static/review.js", "/static/review.css", "/about/x/0"]


@pytest.fixture
def session(open_session):
    return open_session()


@pytest.fixture
def stranger(session):
    with TestClient(make_app(session, token="right", port=PORT), base_url=HOST) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
def client(stranger):
    assert stranger.get("/?token=right").status_code == 200
    return stranger


def post(client, path="/answer", *, origin=HOST, **fields):
    return client.post(path, data=fields, headers={"origin": origin} if origin else {})


def test_a_port_that_is_taken_is_told(session):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TextclassError, match=f"port {port} can't be used: .*--port"):
            serve(session, port=port, on_start=print)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_comes_in_without_the_token(stranger, page):
    assert stranger.get(page).status_code == 403
    assert stranger.get(page, params={"token": "wrong"}).status_code == 403
    stranger.cookies.set(f"textclass-review-{PORT}", "wrong")
    assert stranger.get(page).status_code == 403


def test_the_token_becomes_a_cookie_that_no_script_or_other_site_has(stranger):
    answer = stranger.get("/?token=right")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "right" not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:1", ""]
)
def test_another_host_name_is_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "", None])
def test_posts_of_other_sites_are_refused(client, session, origin):
    key = session.passages.keys[0]
    assert post(client, origin=origin, passage=key, kind="none").status_code == 403
    assert post(client, "/undo", origin=origin).status_code == 403
    assert not session.standing


def test_every_page_has_the_policy(client):
    for page in (*PAGES, "/nowhere"):
        headers = client.get(page).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "accept"},
        {"passage": "nothing", "kind": "accept"},
        {"passage": "KEY", "kind": "undo"},
        {"passage": "KEY", "kind": "delete"},
        {"passage": "KEY", "kind": "accept", "label": "unheard-of"},
        {"passage": "KEY", "kind": "accept", "seconds": "soon"},
        {"passage": "KEY", "kind": "accept", "seconds": "nan"},
    ],
)
def test_what_is_no_answer_is_refused(client, session, fields):
    fields = {
        name: value.replace("KEY", session.passages.keys[0]) for name, value in fields.items()
    }
    assert post(client, **fields).status_code == 400
    assert not session.standing


def test_an_answer_is_kept_with_all_that_belongs_to_it(client, session):
    key = session.passages.keys[0]
    fields = {"label": ["no", "river"], "comment": " see\n😀 ", "flag": "1", "seconds": "4.5"}
    assert post(client, passage=key, kind="accept", form="f", **fields).status_code == 303
    kept = session.standing[key]
    assert (kept.labels, kept.comment, kept.flagged, kept.seconds) == (
        ("river", "no"), "see\n😀", True, 4.5,
    )  # fmt: skip
    assert kept.suggested == session.passages.labels(0)
    assert kept.row["model"].startswith("toy@")
    page = client.get(f"/passage/{key}").text
    assert "you said river, no" in page
    assert "😀</textarea>" in page


def test_a_page_sent_twice_answers_once(client, session):
    page = client.get("/", follow_redirects=True).text
    form = re.search(r'name="form" value="([^"]+)"', page).group(1)
    key = re.search(r'name="passage" value="([^"]+)"', page).group(1)
    for kind in ("none", "unsure"):
        post(client, passage=key, kind=kind, form=form)
    assert session.standing[key].kind is Kind.NONE


def test_undo_shows_the_passage_again(client, session):
    key = session.passages.keys[4]
    post(client, passage=key, kind="none")
    assert post(client, "/undo").headers["location"] == f"/passage/{key}"
    assert not session.standing
    assert post(client, "/undo").headers["location"] == "/"


def test_a_document_can_be_read_through(client, session):
    name = session.passages.documents[6]
    page = client.get("/document", params={"name": name}).text
    assert all(session.passages.texts[n][:40] in page for n in session.passages.by_document[name])
    first, second = (session.passages.keys[n] for n in session.passages.by_document[name])
    shown = client.get("/", params={"within": name}, follow_redirects=True).text
    assert f'value="{first}"' in shown
    after = post(client, passage=first, kind="none", within=name).headers["location"]
    assert f'value="{second}"' in client.get(after, follow_redirects=True).text
    assert "change" in client.get("/document", params={"name": name}).text


def test_a_document_s_tags_follow_the_answers(session):
    document = session.passages.documents[0]
    for number in session.passages.by_document[document]:
        session.add(session.passages.keys[number], Kind.ACCEPT, ["no"])
    assert [label.label for label in pool_answers(session, document).labels] == ["no"]


def test_a_corpus_without_a_model_can_be_reviewed(open_session, tmp_path, toy_taxonomy):
    spans = [{"start": 4, "end": 9, "label": "river"}]
    row = {"text": "the ferry crossed", "topic": ["river"], "group": "g", "spans": spans}
    write_jsonl(tmp_path / "corpus.jsonl", [row])
    session = open_session(read_passages([str(tmp_path / "corpus.jsonl")], toy_taxonomy))
    with TestClient(make_app(session, token="t", port=PORT), base_url=HOST) as client:
        client.get("/?token=t")
        assert "ferry</mark>" in client.get("/").text
        assert "No model" in client.get(f"/about/{session.passages.keys[0]}/0").text
        assert client.get("/document?name=g").status_code == 200


def test_a_label_is_explained_with_examples(open_session, toy_model):
    session = open_session(tagger=Tagger.load(toy_model.path))
    for key in session.passages.keys[:3]:
        session.add(key, Kind.ACCEPT, ["river"])
    with TestClient(make_app(session, token="t", port=PORT), base_url=HOST) as client:
        client.get("/?token=t")
        told = client.get(f"/about/{session.passages.keys[9]}/0").text
    assert "Water that flows." in told
    assert "it tags from" in told
    assert "<dt>For</dt>" in told or "<dt>Against</dt>" in told
    assert told.count("you gave it") == 3


def test_answers_are_listed_by_kind(client, session):
    keys = session.passages.keys
    post(client, passage=keys[0], kind="unsure", comment="odd one")
    post(client, passage=keys[1], kind="none", flag="1")
    assert client.get("/answers?kind=unsure").text.count('class="quote"') == 1
    assert "odd one" in client.get("/answers").text
    assert f"/passage/{keys[1]}" in client.get("/answers?kind=flagged").text


def test_a_reader_doesn_t_see_another_s_answers(open_session):
    first, second = open_session(), open_session(reader="ben")
    key = first.passages.keys[0]
    first.add(key, Kind.ACCEPT, ["no"], comment="anna was here")
    second.refresh()
    with TestClient(make_app(second, token="t", port=PORT), base_url=HOST) as client:
        client.get("/?token=t")
        client.follow_redirects = True
        for page in ("/", f"/passage/{key}", "/answers", "/progress", f"/about/{key}/2"):
            assert "anna" not in client.get(page).text
    assert second.next() == open_session(reader="carl").next()


def test_the_document_end_is_told(client, session):
    for key in session.passages.keys:
        session.add(key, Kind.SKIPPED)
    page = client.get("/", follow_redirects=True).text
    assert "All passages are answered" in page
    assert "/answers?kind=skipped" in page


def test_every_label_of_ours_has_a_key_of_its_own():
    taxonomy = Taxonomy.load()
    keys = label_keys(taxonomy)
    assert len(set(keys.values())) == len(taxonomy.names)
    assert [keys[name] for name in taxonomy.names[:4]] == ["1", "2", "3", "4"]
    assert keys["humanity"] == "h"
