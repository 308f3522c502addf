"""The counts of a corpus as one self-contained HTML page: plots in SVG, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from textclass.corpora.stats import NOT_SAID, CorpusStats

_WIDTH, _ROW, _NAMES, _LABELS = 400, 18, 150, 95
_SHORTENED = 26


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart: name, count, and the bar's place in the drawing."""

    name: str
    count: int
    y: int
    width: float


@dataclass(frozen=True)
class Chart:
    """A bar chart; sizes are in units of its drawing, which is 400 wide."""

    title: str
    bars: tuple[Bar, ...]
    height: int


@dataclass(frozen=True)
class Cell:
    """A square of the chart of labels that meet; `share` is that of the rarer label's passages."""

    x: float
    y: float
    title: str
    share: float


def stats_page(stats: CorpusStats, *, title: str = "Corpus") -> str:
    """Return an HTML page of the counts, for light and dark screens down to 400 pixels wide."""
    from jinja2 import Environment, StrictUndefined

    folder = resources.files("textclass.corpora")
    style = (folder / "stats.css").read_text(encoding="utf-8")
    template = (folder / "stats.html.jinja").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    names = [name for counts in stats.labels.values() for name in counts]
    size = (_WIDTH - _LABELS) / max(len(names), 1)
    charts = [
        _chart(facet, {**counts, "(none)": stats.none[facet]})
        for facet, counts in stats.labels.items()
    ]
    charts += [_chart(name, counts) for name, counts in stats.columns.items()]
    page = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    return page.from_string(template).render(
        title=title,
        stats=stats,
        style=style,
        digest=digest,
        charts=charts,
        cells=_cells(stats, names, size),
        names=[(name, _LABELS + (i + 0.5) * size) for i, name in enumerate(names)],
        size=size,
        left=_NAMES,
        labels_left=_LABELS,
    )


def _chart(title: str, counts: Mapping[str, int]) -> Chart:
    drawn = {name: count for name, count in counts.items() if name != NOT_SAID}
    scale = (_WIDTH - _NAMES - 45) / max([*drawn.values(), 1])
    bars = [
        Bar(_shorten(name), count, number * _ROW, round(scale * drawn.get(name, 0), 1))
        for number, (name, count) in enumerate(counts.items())
    ]
    return Chart(title, tuple(bars), len(bars) * _ROW)


def _cells(stats: CorpusStats, names: list[str], size: float) -> list[Cell]:
    totals = {name: n for counts in stats.labels.values() for name, n in counts.items()}
    cells = []
    for row, first in enumerate(names):
        for column, second in enumerate(names):
            count = stats.together[first].get(second, 0)
            if count:
                share = count / min(totals[first], totals[second])
                title = f"{first} and {second}: {count}"
                cells.append(Cell(_LABELS + column * size, row * size, title, round(share, 3)))
    return cells


def _shorten(name: str) -> str:
    return name if len(name) <= _SHORTENED else name[: _SHORTENED - 1] + "…"
