"""Plots as SVG: numbers in, `Markup` out.

All text is escaped, and no style attribute is used: colours come from the classes and custom
properties of `templates/style.css`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from textclass.report.page import as_figure, as_percent

WIDTH = 352
"""Width of a plot in CSS pixels: it stands unscaled on a screen 400 pixels wide."""


def element(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """Return an SVG element; children that aren't `Markup` are escaped.

    Parameters
    ----------
    name : str
    *children : str or Markup
    **attributes : str or float
        `class_` stands for `class`, underscores for hyphens.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), number(value))
        for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    # The element names are this package's own words; everything else was escaped above.
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704 -- names are ours, values escaped


def number(value: str | float) -> str:
    """Return a coordinate with at most two decimals; text as it is."""
    return value if isinstance(value, str) else f"{round(float(value), 2):g}"


def picture(title: str, summary: str, parts: Iterable[Markup], *, height: float) -> Markup:
    """Return a whole plot with its name and a summary in words for those who can't see it."""
    return element(
        "svg",
        element("title", title),
        element("desc", summary),
        *parts,
        class_="plot",
        role="img",
        width=WIDTH,
        height=height,
        viewBox=f"0 0 {WIDTH} {number(height)}",
    )


def label(
    text: str, x: float, y: float, kind: str = "", *, tail: bool = False, most: int = 20
) -> Markup:
    """Return a line of text, shortened with an ellipsis (in front if `tail`) and named whole."""
    shown = text
    if len(text) > most:
        shown = "…" + text[1 - most :] if tail else text[: most - 1] + "…"
    whole = [element("title", text)] if shown != text else []
    return element("text", shown, *whole, x=x, y=y, class_=kind)


def path(points: Iterable[tuple[float, float]], kind: str, *, closed: bool = False) -> Markup:
    """Return straight lines through `points`."""
    steps = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return element("polygon" if closed else "polyline", points=steps, class_=kind)


NAMES = 138
"""Width of the column of names."""

ROW = 24
CELL = 22
"""Height of a row of bars, and of a heat map."""

MOST_SAID = 12
"""How many cells of a heat map its summary in words names."""


@dataclass(frozen=True)
class Plot:
    """A drawing with its heading and a line that says how to read it."""

    heading: str
    note: str
    drawing: Markup


@dataclass(frozen=True)
class Bar:
    """A bar: its name, its length and what is written beside it; `kind` is a CSS class."""

    name: str
    value: float
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval, None where unknown.

    `kind` is a CSS class; `more` is written beside the value.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    kind: str = ""
    more: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a heat map: its shade from 0 to 1, what is written in it, and what it says."""

    shade: float
    text: str = ""
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A heat map's names and its cells, row by row."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]


def bar_chart(title: str, bars: Sequence[Bar]) -> Markup:
    """Draw lying bars, the longest over the whole width."""
    most = max((bar.value for bar in bars), default=0) or 1
    room = WIDTH - NAMES - 78
    parts = []
    for row, bar in enumerate(bars):
        y = row * ROW
        # A bar that isn't nothing is never too short to be seen.
        length = max(room * bar.value / most, 2) if bar.value else 0
        box = {"x": NAMES, "y": y + 5, "height": ROW - 10, "rx": 2}
        note = element("title", f"{bar.name}: {bar.text}")
        parts += [
            label(bar.name, NAMES - 10, y + 16, "name"),
            element("rect", **box, width=room, class_="track"),
            element("rect", note, **box, width=length, class_=f"bar {bar.kind}".rstrip()),
            label(bar.text, NAMES + room + 8, y + 16, "value"),
        ]
    summary = "; ".join(f"{bar.name}: {bar.text}" for bar in bars)
    return picture(title, summary, parts, height=ROW * len(bars))


def interval_plot(
    title: str, rows: Sequence[Interval], *, limits: tuple[float, float] = (0, 1), digits: int = 2
) -> Markup:
    """Draw each value as a dot on the line of its interval.

    Parameters
    ----------
    title : str
    rows : sequence of Interval
    limits : tuple of float, keyword-only
        The values at the left and at the right edge; if zero lies between them it gets a line.
    digits : int, keyword-only
    """
    low, high = limits
    room = WIDTH - NAMES - (96 if any(row.more for row in rows) else 52)

    def place(value: float) -> float:
        return NAMES + room * (min(max(value, low), high) - low) / (high - low)

    height = ROW * len(rows) + 20
    parts = []
    for tick in (low, (low + high) / 2, high):
        x = place(tick)
        parts.append(path([(x, 0), (x, height - 18)], "grid"))
        parts.append(label(as_figure(tick, digits), x, height - 4, "tick middle"))
    if low < 0 < high:
        parts.append(path([(place(0), 0), (place(0), height - 18)], "zero"))
    for number, row in enumerate(rows):
        y = number * ROW + ROW / 2
        parts.append(label(row.name, NAMES - 10, y + 4, "name"))
        value = " · ".join(filter(None, (as_figure(row.value, digits), row.more)))
        parts.append(label(value, WIDTH, y + 4, "value end"))
        if row.low is not None and row.high is not None:
            parts.append(path([(place(row.low), y), (place(row.high), y)], f"whisker {row.kind}"))
        if row.value is not None:
            note = element("title", interval_text(row, digits))
            dot = element("circle", note, cx=place(row.value), cy=y, r=4, class_=f"dot {row.kind}")
            parts.append(dot)
    summary = "; ".join(interval_text(row, digits) for row in rows)
    return picture(title, summary, parts, height=height)


def interval_text(row: Interval, digits: int = 2) -> str:
    """Return an interval in words."""
    between = f" ({as_figure(row.low, digits)} to {as_figure(row.high, digits)})"
    return f"{row.name}: {as_figure(row.value, digits)}{between if row.low is not None else ''}"


def heat_map(title: str, grid: Grid, *, tail: bool = False) -> Markup:
    """Draw a grid of shaded cells with its columns' names slanted above.

    Parameters
    ----------
    title : str
    grid : Grid
    tail : bool, keyword-only
        Shorten column names at the front and not at the end (paths).
    """
    wide = max((WIDTH - NAMES - 14) / max(len(grid.columns), 1), 1)
    # Only as many column names as there is room for: each takes 15 pixels across.
    every = math.ceil(15 / wide)
    top = min(max((len(name) for name in grid.columns), default=0), 14) * 5.2 + 12
    parts = []
    for number, name in enumerate(grid.columns):
        if number % every == 0:
            x = NAMES + (number + 0.5) * wide
            text = label(name, 0, 0, "slant", tail=tail, most=14)
            turn = f"translate({x + 4:.1f} {top - 6:.1f}) rotate(-55)"
            parts.append(element("g", text, transform=turn))
    for number, (name, cells) in enumerate(zip(grid.rows, grid.cells, strict=True)):
        y = top + number * CELL
        parts.append(label(name, NAMES - 10, y + CELL / 2 + 4, "name"))
        parts += _cells(cells, y, wide)
    named = [
        (cell.shade, cell.note)
        for cells in grid.cells
        for cell in cells
        if cell.shade and cell.note
    ]
    named.sort(key=lambda pair: -pair[0])
    summary = "; ".join(note for _, note in named[:MOST_SAID])
    return picture(title, summary, parts, height=top + CELL * len(grid.rows) + 2)


def _cells(cells: Iterable[Cell], y: float, wide: float) -> Iterable[Markup]:
    gap = 1 if wide > 6 else 0
    for number, cell in enumerate(cells):
        x = NAMES + number * wide
        note = [element("title", cell.note)] if cell.note else []
        box = {"x": x, "y": y, "width": wide - gap, "height": CELL - 1}
        yield element("rect", class_="empty", **box)
        if cell.shade:
            # Never more than 0.6, so that the ink keeps its contrast on every shade.
            shade = 0.06 + 0.54 * min(cell.shade, 1)
            yield element("rect", *note, class_="heat", fill_opacity=shade, **box)
        if cell.text and wide >= 8 * len(cell.text):
            yield label(cell.text, x + wide / 2, y + CELL / 2 + 4, "in-cell")


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
