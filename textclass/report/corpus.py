"""The counts of a corpus as a page: plots in SVG, no script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textclass.corpora import CorpusStats
from textclass.report.page import render_page, write_page
from textclass.report.plots import Bar, Cell, Grid, Plot, bar_chart, heat_map


def write_corpus_page(stats: CorpusStats, path: str | Path, *, title: str = "Corpus") -> Path:
    """Write an HTML page of the counts, for light and dark screens down to 400 pixels wide.

    Parameters
    ----------
    stats : CorpusStats
    path : path
    title : str, keyword-only

    Raises
    ------
    BatchError
        If the file can't be written.
    """
    plots = [
        _bars(facet, {**counts, "(none)": stats.none[facet]})
        for facet, counts in stats.labels.items()
    ]
    plots += [_bars(name, counts) for name, counts in stats.columns.items()]
    plots.append(_meetings(stats))
    path = Path(path)
    write_page(path, render_page("corpus.jinja", {"title": title, "stats": stats, "plots": plots}))
    return path


def _bars(name: str, counts: Mapping[str, int]) -> Plot:
    bars = [Bar(value, count, f"{count:,}") for value, count in counts.items()]
    return Plot(name.capitalize(), "Passages.", bar_chart(f"Passages by {name}", bars))


def _meetings(stats: CorpusStats) -> Plot:
    totals = {name: n for counts in stats.labels.values() for name, n in counts.items()}
    names = tuple(totals)

    def cell(first: str, second: str) -> Cell:
        count = stats.together[first].get(second, 0)
        share = count / max(min(totals[first], totals[second]), 1)
        return Cell(min(share, 1.0), "", f"{first} and {second}: {count}" if count else "")

    grid = Grid(names, names, tuple(tuple(cell(a, b) for b in names) for a in names))
    note = "The darker, the larger the share of the rarer label's passages that have both."
    return Plot("Labels that meet", note, heat_map("Labels that meet", grid))
