"""Both reports in a real browser: what a reader would see, and that nothing complains."""

import pytest

from tests.report import examples
from textclass.report import write_evaluation_report, write_tag_report
from textclass.taxonomy import Taxonomy

REPORTS = ["tagged.html", "tagged-002.html", "evaluation.html"]

CONTRAST = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
  };
  const poor = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    if (["SCRIPT", "title", "desc", "OPTION"].includes(e.tagName)) continue;
    if (!e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const colour = parse(e instanceof SVGElement ? style.fill : style.color);
    let back = behind(e);
    if (e.matches(".in-cell")) {
      // The darkest shade that a cell can have lies over the card.
      const heat = parse(getComputedStyle(document.querySelector(".heat")).fill);
      back = back.slice(0, 3).map((v, i) => 0.4 * v + 0.6 * heat[i]);
    }
    const found = ratio(colour, back);
    const name = `${e.tagName} ${e.className.baseVal ?? e.className}`;
    if (found < 4.5) poor.push([name, e.textContent, found]);
  }
  return poor.slice(0, 5);
})()"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder, taxonomy = tmp_path_factory.mktemp("reports"), Taxonomy.load()
    records = (examples.record(taxonomy, n) for n in range(1, 13))
    options = {"taxonomy": taxonomy, "page_bytes": 60_000, "model": "default@1a2b3c"}
    write_tag_report(records, examples.SET_ASIDE, folder / "tagged.html", **options)
    write_evaluation_report(examples.example_metrics(taxonomy), folder / "evaluation.html")
    records = (examples.record(taxonomy, n) for n in range(1, 13))
    write_tag_report(records, [], folder / "single.html", taxonomy=taxonomy)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_renders_readable_and_without_a_complaint(browser, reports, name, width, scheme):
    browser.open(reports / name, width=width, scheme=scheme)
    assert browser.noise() == []
    assert browser.requests() == [(reports / name).as_uri()]
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert browser.overflow() == 0
    assert browser.run(CONTRAST) == []
    dark = browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 23)"
    assert dark == (scheme == "dark")


def test_the_check_of_the_width_sees_a_page_that_is_too_wide(browser, reports):
    browser.open(reports / "tagged.html", width=400)
    browser.run("document.querySelector('h1').insertAdjacentHTML('afterend', '<hr id=wide>')")
    browser.run("document.getElementById('wide').style.width = '600px'")
    assert browser.overflow() > 100


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("tagged.html", ["Overview", "Set aside", "Documents"]),
        (
            "evaluation.html",
            ["type", "principle", "Evidence", "Slices", "Other models", "Worst errors", "Data"],
        ),
    ],
)
def test_every_section_is_drawn(browser, reports, tmp_path, name, sections):
    browser.open(reports / name)
    seen = browser.run(
        "[...document.querySelectorAll('section')].map((s) => [s.querySelector('h2').textContent,"
        " s.getBoundingClientRect().height])"
    )
    assert [heading for heading, _ in seen] == sections
    assert min(height for _, height in seen) > 60
    assert browser.run("[...document.querySelectorAll('svg')].every((s) => s.getBBox().width > 40)")
    browser.screenshot(tmp_path / "shot.png")
    assert (tmp_path / "shot.png").stat().st_size > 100_000


def shown(browser):
    return browser.run(
        "[...document.querySelectorAll('.doc')].filter((d) => d.getClientRects().length)"
        ".map((d) => d.className)"
    )


def test_the_filter_works_without_a_script(browser, reports):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(reports / "single.html")
        assert browser.run("document.getElementById('tools').hidden")
        everything = shown(browser)
        assert len(everything) == 12
        browser.run("document.getElementById('f1').checked = true")
        chosen = [classes for classes in everything if "l1" in classes.split()]
        assert shown(browser) == chosen
        assert 0 < len(chosen) < 12
        browser.run("document.getElementById('f-none').checked = true")
        assert shown(browser) == [c for c in chosen if "none" in c.split()]
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_documents_can_be_sorted_and_found_by_name(browser, reports):
    browser.open(reports / "single.html")
    browser.run(
        "const on = (id, value, kind) => { const box = document.getElementById(id);"
        " box.value = value; box.dispatchEvent(new Event(kind, {bubbles: true})) };"
        "on('sort', 'name', 'change'); on('find', 'REPORT-001', 'input')"
    )
    found = browser.run(
        "[...document.querySelectorAll('.doc:not([hidden]) .name')].map((n) => n.textContent)"
    )
    places = ("east/report-0012", "field/report-0011", "west/report-0010")
    assert found == [f"inbox/{place}.pdf" for place in places]
    assert browser.run("document.getElementById('shown').textContent") == "3 of 12 documents shown."


def press(browser, key, code):
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
        browser.send(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            code=key,
            windowsVirtualKeyCode=code,
            **text,
        )


def test_a_document_opens_from_the_keyboard(browser, reports):
    browser.open(reports / "single.html")
    press(browser, "Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    for _ in range(60):
        press(browser, "Tab", 9)
        if browser.run("document.activeElement.matches('.doc summary')"):
            break
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    press(browser, "Enter", 13)
    assert browser.run("document.activeElement.parentElement.open")


def test_a_link_to_a_document_opens_it(browser, reports):
    browser.open(reports / "tagged.html")
    link = browser.run("document.querySelector('a.row').href")
    browser.run("document.querySelector('a.row').click()")
    browser.wait()
    assert browser.run("location.href") == link
    assert browser.run("document.querySelector(location.hash).closest('details').open")


@pytest.mark.parametrize("name", ["tagged-002.html", "evaluation.html"])
def test_print_is_black_on_white_whatever_the_screen_is(browser, reports, name):
    browser.open(reports / name, scheme="dark", media="print")
    style = browser.run(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert style == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert browser.run("[...document.querySelectorAll('form, nav')].every((e) => !e.offsetHeight)")
    assert browser.run(CONTRAST) == []
