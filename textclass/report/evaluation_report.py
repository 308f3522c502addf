"""The evaluation of a model as one HTML page: figures with intervals, plots and worst errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textclass.metrics import (
    Baseline,
    CoveragePoint,
    Estimate,
    LabelMetrics,
    Metrics,
    RiskCoverage,
    Slice,
    WorstError,
)
from textclass.report.highlights import MarkedText, mark_text
from textclass.report.page import as_figure, as_percent, as_plural, render_page, write_page
from textclass.report.plots import (
    Bin,
    Cell,
    Curve,
    Grid,
    Interval,
    Plot,
    Point,
    curve_plot,
    heat_map,
    interval_plot,
    reliability_plot,
    risk_coverage_plot,
)
from textclass.report.views import Tag

MOST_CONFUSED = 12
"""How many labels wide and high a map of confusions can be."""

MOST_PAIRS = 10
TARGET = 0.95
NONE = "none"


@dataclass(frozen=True)
class FacetView:
    """A facet's figures and plots."""

    name: str
    facts: tuple[tuple[str, str, str], ...]
    left_out: tuple[str, ...]
    baselines: Plot | None
    by_label: Plot
    labels: tuple[LabelMetrics, ...]
    curves: tuple[Plot, ...]
    risk: Plot | None
    confusions: Plot | None
    pairs: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class ErrorView:
    """A passage tagged badly, as shown."""

    id: str
    group: str
    missing: tuple[Tag, ...]
    wrong: tuple[Tag, ...]
    marked: MarkedText


def write_evaluation_report(metrics: Metrics, path: str | Path) -> Path:
    """Write an evaluation as a page that opens from disk, loads nothing and runs no script.

    Parameters
    ----------
    metrics : Metrics
        As in `metrics_schema.py`.
    path : str or Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    TextclassError
        If it can't be written.
    """
    path = Path(path)
    context = {
        "title": f"Evaluation of {metrics['model']}",
        "metrics": metrics,
        "facets": [_facet(metrics, name) for name in metrics["facets"]],
        "slices": list(_slices(metrics["slices"])),
        "comparison": list(_comparison(metrics)),
        "errors": [_error(error, metrics) for error in metrics["worst_errors"]],
    }
    write_page(path, render_page("evaluation.jinja", context))
    return path


def _facet(metrics: Metrics, name: str) -> FacetView:
    figures = metrics["facets"][name]
    labels = tuple(label for label in metrics["labels"] if label["facet"] == name)
    pairs = [c for c in metrics["confusions"] if c["facet"] == name and c["count"]]
    pairs.sort(key=lambda c: -c["count"])
    facts = (
        _fact("micro F1", figures["micro"]["f1"]),
        _fact("micro precision", figures["micro"]["precision"]),
        _fact("micro recall", figures["micro"]["recall"]),
        _fact("macro F1", figures["macro"]["f1"]),
        _fact("exact match", figures["exact_match"]),
        _fact("none against any, F1", figures["any"]["f1"]),
        ("calibration error", as_figure(figures["ece"]), "mean over labels"),
        ("Brier score", as_figure(figures["brier"]), "mean over labels"),
    )
    return FacetView(
        name=name,
        facts=facts,
        left_out=tuple(figures["macro"]["left_out"]),
        baselines=_baselines(name, metrics["model"], figures["micro"]["f1"], metrics["baselines"]),
        by_label=_by_label(name, labels),
        labels=labels,
        curves=tuple(_curves(label) for label in labels),
        risk=_risk(name, metrics["risk_coverage"].get(name)),
        confusions=_confusions(name, [(c["true"], c["given"], c["count"]) for c in pairs], labels),
        pairs=tuple((c["true"], c["given"], c["count"]) for c in pairs[:MOST_PAIRS]),
    )


def _fact(name: str, estimate: Estimate) -> tuple[str, str, str]:
    return name, as_figure(estimate["value"]), between(estimate)


def between(estimate: Estimate) -> str:
    """Return the ends of an interval in words, or nothing."""
    if estimate["low"] is None or estimate["high"] is None:
        return ""
    return f"{as_figure(estimate['low'])} to {as_figure(estimate['high'])}"


def _interval(name: str, estimate: Estimate, kind: str = "", more: str = "") -> Interval:
    value, low, high = (
        x if x is not None and math.isfinite(x) else None
        for x in (estimate["value"], estimate["low"], estimate["high"])
    )
    return Interval(name, value, low, high, kind, more)


def _baselines(facet: str, model: str, own: Estimate, baselines: Sequence[Baseline]) -> Plot | None:
    others = [
        _interval(b["name"], b["facets"][facet]["micro_f1"], "other")
        for b in baselines
        if facet in b["facets"]
    ]
    if not others:
        return None
    drawing = interval_plot(
        f"Micro F1 against baselines, {facet}", [_interval(model, own), *others]
    )
    note = (
        "Micro F1 with 95% intervals; every baseline was fitted in the same run on the same data."
    )
    return Plot("Against baselines", note, drawing)


def _by_label(facet: str, labels: Sequence[LabelMetrics]) -> Plot:
    rows = [_interval(label["name"], label["f1"]) for label in labels]
    return Plot("F1 by label", "With 95% intervals.", interval_plot(f"F1 of each {facet}", rows))


def _curves(label: LabelMetrics) -> Plot:
    def curve(name: str, values: Iterable[tuple[float, float | None]]) -> Curve:
        return Curve(name, tuple(Point(x, y) for x, y in values if y is not None))

    name, sweep = label["name"], label["sweep"]
    bins = [Bin(b["mean"], b["share"], b["count"]) for b in label["reliability"]]
    threshold = f"threshold {as_figure(label['threshold'], 2)}"
    sweeps = curve_plot(
        f"Thresholds of {name}",
        [
            curve("F1", [(p["threshold"], p["f1"]) for p in sweep]),
            curve("precision", [(p["threshold"], p["precision"]) for p in sweep]),
            curve("recall", [(p["threshold"], p["recall"]) for p in sweep]),
        ],
        axes=("threshold", "F1, precision, recall"),
        marks=[(threshold, label["threshold"])],
    )
    ece, brier = as_figure(label["ece"]), as_figure(label["brier"])
    note = f"Calibration error {ece}, Brier score {brier}, {threshold}."
    return Plot(name, note, reliability_plot(f"Reliability of {name}", bins) + sweeps)


def _risk(facet: str, risk: RiskCoverage | None) -> Plot | None:
    if risk is None or not risk["curve"]:
        return None

    def point(at: CoveragePoint) -> Point:
        return Point(at["coverage"], at["precision"])

    reached = point(risk["at_95"]) if risk["at_95"] else None
    share = f"{as_percent(reached.x)} of the passages" if reached else "No passages"
    note = f"{share} can be tagged at {as_percent(TARGET)} precision."
    points = [point(at) for at in risk["curve"]]
    title = f"Precision by share of passages tagged, {facet}"
    drawing = risk_coverage_plot(title, points, target=TARGET, reached=reached)
    return Plot("Risk and coverage", note, drawing)


def _confusions(
    facet: str, pairs: Sequence[tuple[str, str, int]], labels: Sequence[LabelMetrics]
) -> Plot | None:
    if not pairs:
        return None
    order = [*(label["name"] for label in labels), NONE]
    counts = {(true, given): count for true, given, count in pairs}
    rows = _first(order, [true for true, _, _ in pairs])
    columns = _first(order, [given for _, given, _ in pairs])
    most = pairs[0][2]
    cells = tuple(
        tuple(
            Cell(
                n / most, f"{n:,}" if n else "", f"{true} tagged {given}: {as_plural(n, 'passage')}"
            )
            for given in columns
            for n in [counts.get((true, given), 0)]
        )
        for true in rows
    )
    drawing = heat_map(
        f"Confusions between {facet} labels", Grid(tuple(rows), tuple(columns), cells)
    )
    note = "Rows: what was true; columns: what was given instead; “none” is no label."
    return Plot("Most confused", note, drawing)


def _first(order: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """Return the first few distinct names `wanted`, in the order of the labels."""
    chosen = list(dict.fromkeys(wanted))[:MOST_CONFUSED]
    places = {name: place for place, name in enumerate(order)}
    return sorted(chosen, key=lambda name: places.get(name, len(order)))


def _slices(slices: Sequence[Slice]) -> Iterable[Plot]:
    for column in dict.fromkeys(part["column"] for part in slices):
        parts = [part for part in slices if part["column"] == column]
        for facet in dict.fromkeys(facet for part in parts for facet in part["facets"]):
            rows = [
                _interval(part["value"], facets[facet]["micro_f1"], more=f"{part['passages']:,}")
                for part in parts
                for facets in [part["facets"]]
                if facet in facets
            ]
            drawing = interval_plot(f"Micro F1 of {facet} by {column}", rows)
            yield Plot(f"{facet} by {column}", "Micro F1 and the number of passages.", drawing)


def _comparison(metrics: Metrics) -> Iterable[Plot]:
    for facet in metrics["facets"]:
        others = [other for other in metrics["comparison"] if facet in other["facets"]]
        rows = [_interval(o["model"], o["facets"][facet]["difference"]) for o in others]
        if not rows:
            continue
        ends = [
            abs(end) for row in rows for end in (row.low, row.value, row.high) if end is not None
        ]
        edge = math.ceil(max(ends, default=0) * 20 + 0.01) / 20
        tests = "; ".join(f"{o['model']}: p = {as_figure(o['facets'][facet]['p'])}" for o in others)
        drawing = interval_plot(
            f"Difference in micro F1, {facet}", rows, limits=(-edge, edge), digits=3
        )
        note = f"{metrics['model']} less the other; right of the line it is better. {tests}."
        yield Plot(facet, note, drawing)


def _error(error: WorstError, metrics: Metrics) -> ErrorView:
    lead = next(iter(metrics["facets"]), "")
    facets = {label["name"]: label["facet"] for label in metrics["labels"]}
    marked = mark_text(error["text"], error["evidence"], first=[*error["wrong"], *error["missing"]])
    keys = {ground.label: ground.key for ground in marked.grounds}

    def tags(names: Sequence[str]) -> tuple[Tag, ...]:
        return tuple(
            Tag(n, facets.get(n) == lead, error["probabilities"].get(n), keys.get(n)) for n in names
        )

    return ErrorView(
        error["id"], error["group"], tags(error["missing"]), tags(error["wrong"]), marked
    )
