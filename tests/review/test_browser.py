"""The page in Chromium, as readers use it."""

import json
import signal
import sqlite3
from urllib.parse import quote

import pytest

from tests.conftest import write_jsonl
from tests.review.conftest import read_jsonl
from tests.review.payloads import PAYLOADS
from textclass.review import Kind, read_passages
from textclass.taxonomy import Taxonomy

LIVE = """() => [
  window.live,
  document.querySelectorAll("script:not([src='/static/review.js']), iframe, object, embed, base, "
    + "meta[http-equiv], link:not([href^='/static/']), style, video, math, template, img").length,
  [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes])
    .filter((a) => a.name.startsWith("on") || /^\\s*javascript:/i.test(a.value)).length,
]"""


def go(page, key):
    """Press a key that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)
    return page.locator("input[name=passage]").get_attribute("value")


@pytest.fixture
def start(serve, toy_results, toy_model):
    return lambda *more: serve(toy_results, "-m", toy_model.path, "-o", "reviewed.jsonl", *more)


def assert_accessible(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert not found.violations_count, found.generate_report()


def test_a_reader_s_walk_by_keyboard_outlives_the_server(start, tab, tmp_path):
    server, page = start(), tab()
    page.goto(server.address)
    page.wait_for_selector(".scripted #answer")
    shown = page.locator("input[name=passage]").get_attribute("value")

    # Find a label, and ask about one.
    box = page.locator("input[value=bread]")
    before = box.is_checked()
    page.keyboard.press("/")
    page.keyboard.type("bre")
    assert page.locator("li[data-column]:visible").count() == 1
    page.keyboard.press("Enter")
    assert box.is_checked() is not before
    assert page.locator("li[data-column]:visible").count() == 3
    page.locator("input[value=river]").focus()
    assert "Water that flows." in page.locator("#side").inner_text()
    page.keyboard.press("=")
    page.wait_for_selector("#side dl")
    assert "this label" in page.locator("#side").inner_text()

    # Label, comment, flag, take it back, go on.
    page.keyboard.press("r")
    page.keyboard.press("b")
    ticked = page.locator("input[name=label]:checked").count()
    page.keyboard.press("+")
    page.keyboard.type("r0 ? Zürich 😀")
    page.keyboard.press("Escape")
    page.keyboard.press("!")
    assert go(page, "Enter") != shown
    assert go(page, "Backspace") == shown
    asked = [shown]
    for number in range(8):
        asked += [go(page, ["Enter", "0", "?", "ArrowRight"][number % 4])]
    assert len(set(asked)) == 9
    assert go(page, "ArrowLeft") == asked[-2]

    # Without its script.
    plain = tab(java_script_enabled=False)
    plain.goto(server.address)
    plain.wait_for_url("**/passage/*")
    plain.locator("button:has-text('Unsure')").click()
    plain.goto(f"{server.origin}/answers?kind=unsure")
    assert plain.locator(".list > li").count() == 3
    for tab_open in (page, plain):
        tab_open.wait_for_load_state("networkidle")
    server.stop(signal.SIGKILL)

    base = sqlite3.connect(tmp_path / "reviewed.jsonl.review")
    rows = base.execute("select answer from review_answers order by number").fetchall()
    base.close()
    kept = [json.loads(row) for (row,) in rows]
    assert len(kept) == 11
    assert kept[0]["kind"] == ("accept" if ticked else "none")
    assert (kept[0]["comment"], kept[0]["flagged"]) == ("r0 ? Zürich 😀", True)
    assert kept[0]["seconds"] > 0
    assert [answer["kind"] for answer in kept].count("undo") == 1

    server = start()
    page.goto(server.address)
    page.wait_for_selector(".scripted #answer")
    assert page.locator("input[name=passage]").get_attribute("value") not in asked
    told = server.stop(signal.SIGINT)
    assert "reviewed.jsonl: 4 labelled passages; without 3 unsure, 2 skipped" in told
    assert len(read_jsonl(tmp_path / "reviewed.jsonl")) == 4


def test_two_readers_settle_on_accessible_pages(show, tab, open_session, tmp_path, toy_passages):
    for reader in ("anna", "ben"):
        session = open_session(reader=reader)
        for number in range(6):
            labels = ["no"] if number < 2 and reader == "ben" else ["river"]
            session.add(toy_passages.keys[number], Kind.ACCEPT, labels, comment=f"by {reader}")
    session, page = open_session(reader="carl", settle=True), tab()
    address = show(session)
    page.goto(f"{address}/?token=t")
    page.wait_for_selector(".scripted .sides")
    assert [h.inner_text() for h in page.locator(".sides h2").all()] == ["anna", "ben"]
    assert "by anna" in page.locator(".sides").inner_text()
    assert_accessible(page)
    page.locator("text=Take ben’s labels").click()
    go(page, "Enter")
    for path in ("/progress", "/answers", f"/document?name={toy_passages.documents[0]}"):
        page.goto(address + path)
        assert_accessible(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    page.wait_for_selector(".scripted .sides")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)
    page.locator("text=Take anna’s labels").click()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Nothing is left to settle" in page.locator("h1").inner_text()
    fates = session.answers.export(tmp_path / "reviewed.jsonl", toy_passages.taxonomy)
    assert fates == {"labelled": 6}
    rows = read_jsonl(tmp_path / "reviewed.jsonl")
    assert [row["topic"] for row in rows if row.get("settled")] == [["no"], ["river"]]
    assert len(read_jsonl(tmp_path / "reviewed.anna.jsonl")) == 6


def test_a_thousand_payloads_stay_text(show, tab, tmp_path, open_session):
    names = [p.translate(str.maketrans(",;|\n\t", "     "))[:64].strip() for p in PAYLOADS[:40]]
    names = list(dict.fromkeys(names))
    labels = [{"name": name, "definition": name, "source": name} for name in names]
    facet = {"name": "topic", "question": names[0], "labels": labels}
    taxonomy = Taxonomy.from_dict({"facets": [facet]})
    rows = []
    for number, text in enumerate(PAYLOADS):
        label = names[number % len(names)]
        row = {
            "id": text,
            "document": PAYLOADS[number // 200],
            "text": f"{number} {text}",
            "page": text,
        }
        row |= {"outcome": "tagged", "reason": text, "topic": [label], "start": 0, "model": text}
        row["scores"] = {"topic": dict.fromkeys(names, 0.5)}
        span = {"label": label, "start": 0, "end": len(row["text"]), "text": row["text"]}
        rows.append({**row, "evidence": [{**span, "weight": 1.0}]})
    write_jsonl(tmp_path / "tagged.jsonl", rows)
    session = open_session(
        read_passages([str(tmp_path / "tagged.jsonl")], taxonomy), reader="reader"
    )
    assert len(session.passages) == 1000
    kinds = [Kind.ACCEPT, Kind.NONE, Kind.UNSURE, Kind.SKIPPED]
    for number, key in enumerate(session.passages.keys[:200]):
        label = [names[number % len(names)]]
        session.add(
            key, kinds[number % 4], label, comment=PAYLOADS[number], flagged=number % 5 == 0
        )
    address, page = show(session), tab()
    page.goto(f"{address}/?token=t")
    page.wait_for_selector("main")
    paths = [f"/document?name={quote(PAYLOADS[n], safe='')}" for n in range(5)]
    paths += ["/answers", "/answers?kind=flagged"]
    paths += [f"/passage/{key}" for key in session.passages.keys[:3]]
    paths += ["/progress", f"/about/{session.passages.keys[0]}/3"]
    shown = 0
    for path in paths:
        assert page.goto(address + path).status == 200
        assert page.evaluate(LIVE) == [None, 0, 0], path
        shown += page.locator(".quote").count()
    assert shown == 1000 + 200 + 40
