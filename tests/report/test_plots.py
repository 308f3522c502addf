from xml.etree import ElementTree

import pytest

from textclass.report.plots import (
    Bar,
    Bin,
    Cell,
    Curve,
    Grid,
    Interval,
    Point,
    bar_chart,
    curve_plot,
    heat_map,
    interval_plot,
    reliability_plot,
    risk_coverage_plot,
)

NASTY = '"><script>alert(1)</script>&'


def every_plot(name):
    line = (Point(0, 1, 0.9, 1), Point(0.5, 0.8, 0.7, 0.9), Point(1, 0.6, 0.4, 0.8))
    grid = Grid((name,), (name, "b"), ((Cell(1, "3", name), Cell(0)),))
    return {
        "bars": bar_chart(name, [Bar(name, 3, "3"), Bar("none", 0, "0")]),
        "intervals": interval_plot(name, [Interval(name, 0.5, 0.4, 0.6), Interval("?", None)]),
        "heat": heat_map(name, grid),
        "curve": curve_plot(name, [Curve(name, line)] * 2, axes=(name, name), marks=[(name, 0.3)]),
        "reliability": reliability_plot(name, [Bin(0.1, 0.2, 40), Bin(None, None, 0)]),
        "risk": risk_coverage_plot(name, line, target=0.95, reached=Point(0.2, 0.95)),
    }


@pytest.mark.parametrize("kind", every_plot("x"))
def test_a_plot_is_well_formed_named_and_without_style_attributes(kind):
    root = ElementTree.fromstring(every_plot(NASTY)[kind])
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert root.find("title").text == NASTY
    assert {element.tag for element in root.iter()} <= set(
        "svg title desc g rect text circle polyline polygon line".split()
    )
    assert not any("style" in element.attrib for element in root.iter())
    assert "nan" not in every_plot("x")[kind]


@pytest.mark.parametrize(
    "plot",
    [
        bar_chart("t", []),
        interval_plot("t", []),
        heat_map("t", Grid((), (), ())),
        curve_plot("t", [Curve("a", ())], axes=("x", "y")),
        reliability_plot("t", []),
        risk_coverage_plot("t", [], target=0.95, reached=None),
    ],
)
def test_nothing_to_draw_is_drawn_as_nothing(plot):
    ElementTree.fromstring(plot)


def test_a_single_document_of_ten_thousand_still_has_a_bar():
    root = ElementTree.fromstring(bar_chart("t", [Bar("a", 10_000, ""), Bar("b", 1, "")]))
    lengths = [float(r.get("width")) for r in root.iter("rect") if "bar" in r.get("class")]
    assert lengths[1] >= 2


def test_the_summary_in_words_holds_the_figures():
    svg = interval_plot("t", [Interval("dialogue", 0.5, 0.4, 0.6)])
    assert "<desc>dialogue: 0.50 (0.40 to 0.60)</desc>" in svg


def test_values_beyond_the_edge_stay_inside():
    svg = interval_plot("t", [Interval("a", 1.2, -0.5, 1.4)])
    root = ElementTree.fromstring(svg)
    assert float(root.find("circle").get("cx")) <= float(root.get("width"))
