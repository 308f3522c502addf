"""The evaluation of a model as one HTML page: figures with intervals, plots and worst errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from textclass.learning import Evaluation

Record = Mapping[str, Any]
"""A row of a frame of the evaluation."""

MOST_CONFUSED = 12
"""How many labels wide and high a map of confusions can be."""

MOST_PAIRS = 10
ENOUGH = 5
"""True passages that a label needs to count in a macro average."""

_MEANS = dict.fromkeys(("ece", "brier"), "mean over labels")
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
    labels: tuple[Record, ...]
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


def write_evaluation_report(evaluation: Evaluation | Record, path: str | Path) -> Path:
    """Write an evaluation as a page that opens from disk, loads nothing and runs no script.

    Parameters
    ----------
    evaluation : Evaluation or Mapping
        What `textclass.evaluate` returned, or `textclass evaluate --output` wrote.
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
    data = evaluation if isinstance(evaluation, Mapping) else evaluation.to_dict()
    context = {
        "title": f"Evaluation of {data['model']}",
        "metrics": data,
        "facets": [_facet(data, name) for name in data["at_95"]],
        "slices": list(_slices(data)),
        "comparison": list(_comparison(data)),
        "errors": [_error(error, data) for error in data["mistakes"]],
    }
    write_page(path, render_page("evaluation.jinja", context))
    return path


def _facet(data: Record, name: str) -> FacetView:
    whole = [f for f in data["figures"] if f["facet"] == name and not f["part"]]
    own = [f for f in whole if f["model"] == data["model"]]
    figures = {f["metric"]: f for f in own if not f["label"]}
    labels = tuple(_label(data, own, row) for row in data["labels"] if row["facet"] == name)
    pairs = [(c["true"], c["given"], c["count"]) for c in data["confusions"] if c["facet"] == name]
    shown = {
        "micro_f1": "micro F1",
        "micro_precision": "micro precision",
        "micro_recall": "micro recall",
        "macro_f1": "macro F1",
        "exact_match": "exact match",
        "any_f1": "none against any, F1",
        "ece": "calibration error",
        "brier": "Brier score",
    }
    return FacetView(
        name=name,
        facts=tuple(
            (
                title,
                as_figure(figures[metric]["value"]),
                _MEANS.get(metric) or between(figures[metric]),
            )
            for metric, title in shown.items()
            if metric in figures
        ),
        left_out=tuple(label["name"] for label in labels if label["support"] < ENOUGH),
        baselines=_baselines(name, [f for f in whole if f["metric"] == "micro_f1"]),
        by_label=_by_label(name, labels),
        labels=labels,
        curves=tuple(_curves(label) for label in labels if label["reliability"]),
        risk=_risk(data, name),
        confusions=_confusions(name, pairs, labels),
        pairs=tuple(pairs[:MOST_PAIRS]),
    )


def _label(data: Record, figures: Sequence[Record], row: Record) -> dict[str, Any]:
    """Return all that is told of a label: its figures by metric, its threshold, its curves."""
    name = row["label"]
    own = {f["metric"]: f for f in figures if f["label"] == name}
    reached = {"target": row["target"], "reached": row["reached"], **own["precision"]}
    return {
        **own,
        "name": name,
        "support": own["f1"]["n"],
        "predicted": int(own["given"]["value"]),
        "threshold": row["threshold"],
        "target_precision": reached if row["reached"] else None,
        "sweep": [point for point in data["sweep"] if point["label"] == name],
        "reliability": [b for b in data["reliability"] if b["label"] == name],
    }


def between(estimate: Record) -> str:
    """Return the ends of an interval in words, or nothing."""
    if estimate["low"] is None or estimate["high"] is None:
        return ""
    return f"{as_figure(estimate['low'])} to {as_figure(estimate['high'])}"


def _interval(name: str, estimate: Record, kind: str = "", more: str = "") -> Interval:
    value, low, high = (
        x if x is not None and math.isfinite(x) else None
        for x in (estimate["value"], estimate["low"], estimate["high"])
    )
    return Interval(name, value, low, high, kind, more)


def _baselines(facet: str, figures: Sequence[Record]) -> Plot | None:
    own, *others = figures
    if not others:
        return None
    rows = [
        _interval(own["model"], own),
        *(_interval(other["model"], other, "other") for other in others),
    ]
    drawing = interval_plot(f"Micro F1 against baselines, {facet}", rows)
    note = (
        "Micro F1 with 95% intervals; every baseline was fitted in the same run on the same data."
    )
    return Plot("Against baselines", note, drawing)


def _by_label(facet: str, labels: Sequence[Record]) -> Plot:
    rows = [_interval(label["name"], label["f1"]) for label in labels]
    return Plot("F1 by label", "With 95% intervals.", interval_plot(f"F1 of each {facet}", rows))


def _curves(label: Record) -> Plot:
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
    ece, brier = (as_figure(label[metric]["value"]) for metric in ("ece", "brier"))
    note = f"Calibration error {ece}, Brier score {brier}, {threshold}."
    return Plot(name, note, reliability_plot(f"Reliability of {name}", bins) + sweeps)


def _risk(data: Record, facet: str) -> Plot | None:
    points = [
        Point(at["coverage"], at["precision"]) for at in data["coverage"] if at["facet"] == facet
    ]
    if not points:
        return None
    widest = data["at_95"][facet]
    reached = Point(widest["coverage"], widest["precision"]) if widest else None
    things = f"{data['level']}s"
    share = f"{as_percent(reached.x)} of the {things}" if reached else f"No {things}"
    note = f"{share} can be tagged at {as_percent(TARGET)} precision."
    title = f"Precision by share of {things} tagged, {facet}"
    drawing = risk_coverage_plot(title, points, target=TARGET, reached=reached)
    return Plot("Risk and coverage", note, drawing)


def _confusions(
    facet: str, pairs: Sequence[tuple[str, str, int]], labels: Sequence[Record]
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


def _slices(data: Record) -> Iterable[Plot]:
    parts = [f for f in data["figures"] if f["part"]]
    for column in dict.fromkeys(f["part"].partition(": ")[0] for f in parts):
        for facet in data["at_95"]:
            rows = [
                _interval(f["part"].removeprefix(f"{column}: "), f, more=f"{f['n']:,}")
                for f in parts
                if f["facet"] == facet and f["part"].startswith(f"{column}: ")
            ]
            drawing = interval_plot(f"Micro F1 of {facet} by {column}", rows)
            note = f"Micro F1 and the number of {data['level']}s."
            yield Plot(f"{facet} by {column}", note, drawing)


def _comparison(data: Record) -> Iterable[Plot]:
    for facet in data["at_95"]:
        others = [other for other in data["differences"] if other["facet"] == facet]
        rows = [_interval(other["model"], other) for other in others]
        if not rows:
            continue
        ends = [
            abs(end) for row in rows for end in (row.low, row.value, row.high) if end is not None
        ]
        edge = math.ceil(max(ends, default=0) * 20 + 0.01) / 20
        tests = "; ".join(f"{other['model']}: p = {as_figure(other['p'])}" for other in others)
        drawing = interval_plot(
            f"Difference in micro F1, {facet}", rows, limits=(-edge, edge), digits=3
        )
        note = f"{data['model']} less the other; right of the line it is better. {tests}."
        yield Plot(facet, note, drawing)


def _error(error: Record, data: Record) -> ErrorView:
    lead = next(iter(data["at_95"]), "")
    facets = {label["label"]: label["facet"] for label in data["labels"]}
    marked = mark_text(error["text"], error["evidence"], first=[*error["wrong"], *error["missing"]])
    keys = {ground.label: ground.key for ground in marked.grounds}

    def tags(names: Sequence[str]) -> tuple[Tag, ...]:
        return tuple(
            Tag(n, facets.get(n) == lead, error["probabilities"].get(n), keys.get(n)) for n in names
        )

    return ErrorView(
        error["id"], error["group"], tags(error["missing"]), tags(error["wrong"]), marked
    )
