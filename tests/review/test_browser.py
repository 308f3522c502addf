"""The page in Chromium, as readers use it."""

import json
import signal
import sqlite3
from urllib.parse import quote

import pytest

from tests.conftest import TOY_LABELS, toy_rows, write_jsonl
from tests.review.conftest import read_jsonl
from tests.review.payloads import PAYLOADS
from textclass.review import Kind, read_passages
from textclass.taxonomy import parse_taxonomy

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


def test_thirty_by_keyboard_alone_outlive_the_server(start, tab, tmp_path):
    server, page = start(), tab()
    page.goto(server.address)
    page.wait_for_selector(".scripted #answer")
    shown = page.locator("input[name=passage]").get_attribute("value")
    page.keyboard.press("r")
    page.keyboard.press("b")
    ticked = set(page.locator("input[name=label]:checked").evaluate_all("e => e.map(x => x.value)"))
    page.keyboard.press("+")
    page.keyboard.type("r0 ? Zürich 😀")
    page.keyboard.press("Escape")
    page.keyboard.press("!")
    assert go(page, "Enter") != shown
    assert go(page, "Backspace") == shown
    asked = [shown]
    for number in range(30):
        asked += [go(page, ["Enter", "0", "?", "ArrowRight"][number % 4])]
    assert len(set(asked)) == 31
    assert go(page, "ArrowLeft") == asked[-2]
    server.stop(signal.SIGKILL)

    base = sqlite3.connect(tmp_path / "reviewed.jsonl.review")
    kept = base.execute("select kind, labels, comment, flagged, seconds from answers").fetchall()
    base.close()
    assert len(kept) == 32
    assert kept[0][0] == ("accept" if ticked else "none")
    assert kept[0][2:4] == ("r0 ? Zürich 😀", 1)
    assert kept[0][4] > 0
    assert [row[0] for row in kept].count("undo") == 1

    server = start()
    page.goto(server.address)
    page.wait_for_selector(".scripted #answer")
    assert page.locator("input[name=passage]").get_attribute("value") == asked[-1]
    told = server.stop(signal.SIGTERM)
    assert "reviewed.jsonl: 16 labelled passages; without 7 unsure, 7 skipped" in told
    assert len(read_jsonl(tmp_path / "reviewed.jsonl")) == 16


def test_labels_are_found_explained_and_compared(start, tab, open_session):
    session = open_session(reader="reader")
    for key in session.passages.keys[:3]:
        session.add(key, Kind.ACCEPT, ["river"])
    page = tab()
    page.goto(start().address)
    page.wait_for_selector(".scripted #answer")
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
    told = page.locator("#side").inner_text()
    assert "this label" in told
    assert told.count("you gave it") == 3


def test_it_works_without_script(start, tab):
    page = tab(java_script_enabled=False)
    server = start()
    page.goto(server.address)
    page.goto(server.origin)
    page.locator("button:has-text('Unsure')").click()
    page.goto(f"{server.origin}/answers")
    assert page.locator(".list > li").count() == 1


def test_two_readers_settle_then_train_and_evaluate(
    start, tab, open_session, textclass, tmp_path, toy_passages
):
    sure = [n for n in range(120) if {*toy_passages.labels(n)} & {"river", "bread"}][:20]
    for reader in ("anna", "ben"):
        session = open_session(reader=reader)
        for place, number in enumerate(sure):
            labels = ["no"] if place < 2 and reader == "ben" else toy_passages.labels(number)
            session.add(toy_passages.keys[number], Kind.ACCEPT, labels, comment=f"by {reader}")
    server, page = start("--settle", "--reader", "carl"), tab()
    page.goto(server.address)
    page.wait_for_selector(".scripted .sides")
    assert [h.inner_text() for h in page.locator(".sides h2").all()] == ["anna", "ben"]
    assert "by anna" in page.locator(".sides").inner_text()
    page.locator("text=Take ben’s labels").click()
    go(page, "Enter")
    page.locator("text=Take anna’s labels").click()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Nothing is left to settle" in page.locator("h1").inner_text()
    told = server.stop()
    assert "20 labelled passages" in told
    rows = read_jsonl(tmp_path / "reviewed.jsonl")
    assert [row["topic"] for row in rows if row.get("settled")] == [
        ["no"], list(toy_passages.labels(sure[1])),
    ]  # fmt: skip

    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    write_jsonl(tmp_path / "more.jsonl", toy_rows(80, seed=8))
    write_jsonl(tmp_path / "test.jsonl", toy_rows(40, seed=9))
    labels = ("--labels", "labels.yaml")
    sides = textclass("corpus", "agreement", "reviewed.anna.jsonl", "reviewed.ben.jsonl", *labels)
    assert "second only" in sides.out
    textclass("train", "reviewed.jsonl", "more.jsonl", *labels, "-o", "mine", "--folds", 2)
    assert "topic" in textclass("evaluate", "test.jsonl", "--model", "mine").out


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(start, tab, open_session, scheme):
    from axe_playwright_python.sync_playwright import Axe

    for reader, labels in (("anna", ["no"]), ("ben", ["river"]), ("reader", ["bread"])):
        session = open_session(reader=reader)
        for key in session.passages.keys[:4]:
            session.add(key, Kind.ACCEPT, labels, comment="a remark", flagged=True)
    page = tab(color_scheme=scheme)
    server = start()
    page.goto(server.address)
    page.wait_for_selector(".scripted #answer")
    document = session.passages.documents[0]
    for path in ("/", "/progress", "/answers", f"/document?name={document}"):
        page.goto(server.origin + path)
        found = Axe().run(page)
        assert not found.violations_count, found.generate_report()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(server.origin)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page)
    assert not found.violations_count, found.generate_report()


def test_a_thousand_payloads_stay_text(serve, tab, tmp_path, open_session):
    names = [p.translate(str.maketrans(",;|\n\t", "     "))[:64].strip() for p in PAYLOADS[:40]]
    names = list(dict.fromkeys(names))
    labels = [{"name": name, "definition": name, "source": name} for name in names]
    (tmp_path / "labels.yaml").write_text(
        json.dumps({"facets": [{"name": "topic", "question": names[0], "labels": labels}]})
    )
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
    taxonomy = parse_taxonomy((tmp_path / "labels.yaml").read_text())
    session = open_session(
        read_passages([str(tmp_path / "tagged.jsonl")], taxonomy), reader="reader"
    )
    assert len(session.passages) == 1000
    kinds = [Kind.ACCEPT, Kind.NONE, Kind.UNSURE, Kind.SKIP]
    for number, key in enumerate(session.passages.keys):
        label = [names[number % len(names)]]
        session.add(
            key, kinds[number % 4], label, comment=PAYLOADS[number], flagged=number % 5 == 0
        )
    server, page = serve("tagged.jsonl", "-o", "reviewed.jsonl", "--labels", "labels.yaml"), tab()
    page.goto(server.address)
    page.wait_for_selector("main")
    paths = [f"/document?name={quote(PAYLOADS[n], safe='')}" for n in range(5)]
    paths += [f"/answers?kind={kind}" for kind in [*kinds, "flagged"]]
    paths += [f"/passage/{key}" for key in session.passages.keys[:10]]
    paths += ["/progress", f"/about/{session.passages.keys[0]}/3"]
    shown = 0
    for path in paths:
        assert page.goto(server.origin + path).status == 200
        assert page.evaluate(LIVE) == [None, 0, 0], path
        shown += page.locator(".quote").count()
    assert shown >= 1900
