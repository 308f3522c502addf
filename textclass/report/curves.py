"""Plots with two axes as SVG: curves with bands, reliability, risk and coverage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from textclass.report.page import as_figure, as_percent
from textclass.report.svg import WIDTH, element, label, path, picture

LEFT, RIGHT, TOP, BOTTOM = 40, 12, 10, 36
DASHES = ("solid", "dashed", "dotted")
"""How the first, second and third curve of a plot are told apart without colour."""


@dataclass(frozen=True)
class Point:
    """A place on a curve, both from 0 to 1; `low` and `high` bound its band where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """A named curve."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Bin:
    """Probabilities of one bin: their mean, how many of them came true, and how many they are."""

    mean: float | None
    share: float | None
    count: int


@dataclass(frozen=True)
class Frame:
    """The box that a plot with axes is drawn in; both axes run from 0 to 1."""

    height: float = 220

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies on the picture."""
        wide, high = WIDTH - LEFT - RIGHT, self.height - TOP - BOTTOM
        return LEFT + wide * min(max(x, 0), 1), TOP + high * (1 - min(max(y, 0), 1))

    def axes(self, x_name: str, y_name: str) -> Iterable[Markup]:
        """Draw the grid, its figures and the names of both axes."""
        for tick in (0, 0.25, 0.5, 0.75, 1):
            yield path([self.at(tick, 0), self.at(tick, 1)], "grid")
            yield path([self.at(0, tick), self.at(1, tick)], "grid")
            if tick != 0.25 and tick != 0.75:
                text = as_figure(tick, 1)
                yield label(text, self.at(tick, 0)[0], self.height - 20, "tick middle")
                yield label(text, LEFT - 6, self.at(0, tick)[1] + 4, "tick end")
        yield label(x_name, self.at(0.5, 0)[0], self.height - 4, "axis middle", most=60)
        turn = f"translate(11 {self.at(0, 0.5)[1]:.1f}) rotate(-90)"
        yield element("g", label(y_name, 0, 0, "axis middle", most=40), transform=turn)


def curve_plot(
    title: str,
    curves: Sequence[Curve],
    *,
    axes: tuple[str, str],
    marks: Sequence[tuple[str, float]] = (),
    summary: str = "",
) -> Markup:
    """Draw up to three curves with their bands and a key.

    Parameters
    ----------
    title : str
    curves : sequence of Curve
    axes : tuple of str, keyword-only
        Names of the horizontal and of the vertical axis; both run from 0 to 1.
    marks : sequence of tuple of str and float, keyword-only
        Upright lines with their names.
    summary : str, keyword-only
        The plot in words.
    """
    frame = Frame()
    parts = list(frame.axes(*axes))
    for name, x in marks:
        line = element("title", name)
        (x1, y1), (x2, y2) = frame.at(x, 0), frame.at(x, 1)
        parts.append(element("line", line, x1=x1, y1=y1, x2=x2, y2=y2, class_="mark"))
    for curve, dash in zip(curves, DASHES, strict=False):
        parts += _draw(frame, curve, dash)
    height = frame.height
    if len(curves) > 1:
        parts += _key(curves, height + 14)
        height += 22
    return picture(title, summary or _ends(curves), parts, height=height)


def _draw(frame: Frame, curve: Curve, dash: str) -> Iterable[Markup]:
    points = [point for point in curve.points if math.isfinite(point.x + point.y)]
    band = [(p.x, p.low, p.high) for p in points if p.low is not None and p.high is not None]
    if len(band) > 1:
        above = [frame.at(x, high) for x, _, high in band]
        below = [frame.at(x, low) for x, low, _ in reversed(band)]
        yield path(above + below, "band", closed=True)
    line = [frame.at(point.x, point.y) for point in points]
    if line:
        yield path(line, f"curve {dash}")


def _key(curves: Sequence[Curve], y: float) -> Iterable[Markup]:
    room = (WIDTH - LEFT) / min(len(curves), len(DASHES))
    for number, (curve, dash) in enumerate(zip(curves, DASHES, strict=False)):
        x = LEFT + number * room
        yield path([(x, y - 4), (x + 22, y - 4)], f"curve {dash}")
        yield label(curve.name, x + 28, y, "legend", most=12)


def _ends(curves: Sequence[Curve]) -> str:
    return "; ".join(
        f"{curve.name} from {as_figure(first.y, 2)} to {as_figure(last.y, 2)}"
        for curve in curves
        if curve.points
        for first, last in [(curve.points[0], curve.points[-1])]
    )


def reliability_plot(title: str, bins: Sequence[Bin]) -> Markup:
    """Draw how often probabilities came true against the probabilities; the larger, the more.

    Calibrated probabilities lie on the diagonal.
    """
    frame = Frame()
    parts = list(frame.axes("probability given", "share that came true"))
    parts.append(path([frame.at(0, 0), frame.at(1, 1)], "diagonal"))
    # A bin without cases has neither mean nor share.
    known = [
        (b.mean, b.share, b.count)
        for b in bins
        if b.count and b.mean is not None and b.share is not None
    ]
    most = max((count for *_, count in known), default=1)
    said = []
    for mean, share, count in known:
        x, y = frame.at(mean, share)
        said.append(f"{as_percent(mean)} given, {as_percent(share)} came true, {count:,} cases")
        radius = 2.5 + 6 * math.sqrt(count / most)
        note = element("title", said[-1])
        parts.append(element("circle", note, cx=x, cy=y, r=radius, class_="bubble"))
    return picture(title, "; ".join(said), parts, height=frame.height)


def risk_coverage_plot(
    title: str, points: Sequence[Point], *, target: float, reached: Point | None
) -> Markup:
    """Draw precision against the share of passages tagged, and the point that keeps `target`."""
    frame = Frame()
    parts = list(frame.axes("share of passages tagged", "precision"))
    parts.append(path([frame.at(0, target), frame.at(1, target)], "goal"))
    goal = f"{as_percent(target)} precision"
    parts.append(
        label(goal, frame.at(1, 0)[0] - 4, frame.at(0, target)[1] + 14, "tick end", most=30)
    )
    parts += _draw(frame, Curve("precision", tuple(points)), "solid")
    summary = f"{goal} is not reached."
    if reached:
        x, y = frame.at(reached.x, reached.y)
        summary = f"{goal} is kept for {as_percent(reached.x)} of the passages."
        parts.append(element("circle", element("title", summary), cx=x, cy=y, r=5, class_="dot"))
    return picture(title, summary, parts, height=frame.height)
