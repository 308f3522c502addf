"""Bars, intervals and heat maps as SVG: numbers in, `Markup` out.

Colours come from the classes and custom properties of `templates/style.css`. Plots with axes are
in `curves.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from textclass.report.page import as_figure
from textclass.report.svg import WIDTH, element, label, path, picture

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
