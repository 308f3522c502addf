"""Both reports in a real browser: what a reader would see, and that nothing complains."""

import pytest

from tests.report import examples
from textclass.report import write_evaluation_report, write_tag_report
from textclass.taxonomy import Taxonomy

REPORTS = ["tagged.html", "tagged-002.html", "evaluation.html"]

CONTRAST = """(() => {
  const parse = (text) => {
    const parts = (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    // Mixed colours are told in parts of 1: color(srgb 0.5 0.5 0.5).
    return text.startsWith("color(") ? parts.map((v, i) => (i < 3 ? 255 * v : v)) : parts;
  };
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
    const found = ratio(colour, behind(e));
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


# Colours don't depend on the width, nor the layout on the colours.
@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1280, "light")])
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_renders_readable_and_without_a_complaint(browser, reports, name, width, scheme):
    report = browser(reports / name, width=width, scheme=scheme)
    report.run("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert report.overflow() == 0
    assert report.run(CONTRAST) == []
    dark = report.run("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 23)"
    assert dark == (scheme == "dark")
    assert report.noise == []
    assert report.requests == [(reports / name).as_uri()]


def test_the_check_of_the_width_sees_a_page_that_is_too_wide(browser, reports):
    report = browser(reports / "tagged.html", width=400)
    report.run("document.querySelector('h1').insertAdjacentHTML('afterend', '<hr id=wide>')")
    report.run("document.getElementById('wide').style.width = '600px'")
    assert report.overflow() > 100


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("tagged.html", ["Overview", "Set aside", "Documents"]),
        (
            "evaluation.html",
            [
                "type",
                "principle",
                "Evidence",
                "Slices",
                "Worst errors",
                "Data",
            ],
        ),
    ],
)
def test_every_section_is_drawn(browser, reports, name, sections):
    report = browser(reports / name)
    seen = report.run(
        "[...document.querySelectorAll('section')].map((s) => [s.querySelector('h2').textContent,"
        " s.getBoundingClientRect().height])"
    )
    assert [heading for heading, _ in seen] == sections
    assert min(height for _, height in seen) > 60
    assert report.run("[...document.querySelectorAll('svg')].every((s) => s.clientWidth > 60)")
    assert len(report.page.screenshot(full_page=True)) > 100_000


def shown(report):
    return report.run(
        "[...document.querySelectorAll('.doc')].filter((d) => d.getClientRects().length)"
        ".map((d) => d.className)"
    )


def test_everything_can_be_read_without_a_script(browser, reports):
    report = browser(reports / "single.html", script=False)
    assert report.page.locator("form").is_hidden()
    assert len(shown(report)) == 12
    report.page.locator(".doc summary").first.click()
    assert report.page.locator(".doc .passage").first.is_visible()


def test_documents_are_filtered_by_labels_and_outcome(browser, reports):
    report = browser(reports / "single.html")
    everything = shown(report)
    report.page.get_by_text("Only with labels").click()
    report.page.locator("[value=l1]").check()
    chosen = [classes for classes in everything if "l1" in classes.split()]
    assert shown(report) == chosen
    assert 0 < len(chosen) < 12
    assert report.page.locator("#shown").text_content() == f"{len(chosen)} of 12 documents shown."
    report.page.locator("[name=outcome][value=none]").check()
    assert shown(report) == [c for c in chosen if "none" in c.split()]


def test_documents_can_be_sorted_and_found_by_name(browser, reports):
    report = browser(reports / "single.html")
    report.page.locator("#sort").select_option("name")
    report.page.locator("#find").fill("REPORT-001")
    found = report.page.locator(".doc:not([hidden]) .name").all_text_contents()
    places = ("east/report-0012", "field/report-0011", "west/report-0010")
    assert found == [f"inbox/{place}.pdf" for place in places]
    assert report.page.locator("#shown").text_content() == "3 of 12 documents shown."


def test_a_document_opens_from_the_keyboard(browser, reports):
    report = browser(reports / "single.html")
    report.page.keyboard.press("Tab")
    assert report.run("document.activeElement.className") == "skip"
    for _ in range(60):
        report.page.keyboard.press("Tab")
        if report.run("document.activeElement.matches('.doc summary')"):
            break
    assert report.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    report.page.keyboard.press("Enter")
    assert report.run("document.activeElement.parentElement.open")


def test_a_link_to_a_document_opens_it(browser, reports):
    report = browser(reports / "tagged.html")
    link = report.run("document.querySelector('a.row').href")
    report.page.locator("a.row").first.click()
    report.page.wait_for_url(link)
    assert report.run("document.querySelector(location.hash).closest('details').open")


@pytest.mark.parametrize("name", ["tagged-002.html", "evaluation.html"])
def test_print_is_black_on_white_whatever_the_screen_is(browser, reports, name):
    report = browser(reports / name, scheme="dark", media="print")
    style = report.run(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert style == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert report.run("[...document.querySelectorAll('form, nav')].every((e) => !e.offsetHeight)")
    assert report.run(CONTRAST) == []
