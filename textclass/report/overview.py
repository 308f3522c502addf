"""Counts over a whole batch, taken while its documents stream by, or over a corpus; their plots."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclass.report.page import as_percent, as_plural, render_page, write_page
from textclass.report.plots import Bar, Cell, Grid, Plot, bar_chart, heat_map
from textclass.report.views import OUTCOMES, REASONS, known_outcome
from textclass.taxonomy import Facet, Taxonomy

if TYPE_CHECKING:
    from textclass.corpora import CorpusStats

MOST_COLUMNS = 12
"""How many folders have a column of their own; the rest share one."""

MOST_MONTHS = 36
"""Above this, time runs in years."""

MOST_ROWS = 40
"""How many labels of a facet a plot shows, the most frequent."""

OTHERS = "other folders"


class Tally:
    """Counts of a batch; `add` takes a document, `plots` draws what was counted."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.documents: Counter[str] = Counter()
        self.passages: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.words = 0
        self.partly_read = 0
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._totals: dict[str, Counter[str]] = {"month": Counter(), "folder": Counter()}
        self._columns: dict[str, defaultdict[str, Counter[str]]] = {
            "month": defaultdict(Counter),
            "folder": defaultdict(Counter),
        }

    def add(self, record: Mapping[str, Any]) -> None:
        """Count a document and its passages."""
        tags = record["document"]
        labels = [label["label"] for label in tags["labels"]]
        self.documents[known_outcome(tags["outcome"])] += 1
        self.words += int(tags["words"])
        self.partly_read += bool(tags.get("unread"))
        self.labels.update(labels)
        for passage in record["passages"]:
            self.passages[known_outcome(passage["outcome"])] += 1
            if passage.get("reason"):
                self.reasons[passage["reason"]] += 1
            given = [name for facet in self.taxonomy for name in passage.get(facet.name, ())]
            self._pairs.update(combinations(given, 2))
        for kind, column in (
            ("month", month_of(record.get("date"))),
            ("folder", record.get("folder")),
        ):
            if column:
                self._totals[kind][column] += 1
                self._columns[kind][column].update(labels)

    def plots(self) -> Iterable[Plot]:
        """Draw the overview."""
        yield self._outcomes()
        for facet in self.taxonomy:
            yield self._frequencies(facet)
        for facet in self.taxonomy:
            yield from self._by_month(facet)
        for facet in self.taxonomy:
            yield from self._by_folder(facet)
        yield from self._together()

    def _names(self, facet: Facet) -> Sequence[str]:
        """Labels of a facet that occur, in file order, the most frequent if they are many."""
        often = sorted(facet.names, key=lambda name: -self.labels[name])[:MOST_ROWS]
        return [name for name in facet.names if name in set(often) and self.labels[name]]

    def _outcomes(self) -> Plot:
        total = self.passages.total()
        bars = [
            Bar(outcome, n, _of(n, total), outcome)
            for outcome in ("tagged", "unsure", "none")
            if (n := self.passages[outcome]) or outcome in OUTCOMES
        ]
        why = "; ".join(f"{REASONS.get(r, r)}: {n:,}" for r, n in self.reasons.most_common())
        note = (
            f"Passages by outcome. Without a label because: {why}."
            if why
            else "Passages by outcome."
        )
        return Plot("What was decided", note, bar_chart("Passages by outcome", bars))

    def _frequencies(self, facet: Facet) -> Plot:
        total = self.documents.total()
        often = sorted(facet.names, key=lambda name: -self.labels[name])[:MOST_ROWS]
        bars = [Bar(name, self.labels[name], _of(self.labels[name], total)) for name in often]
        title = f"Documents with each {facet.name}"
        note = f"{title}, and their share; a document can have several."
        return Plot(f"By {facet.name}", note, bar_chart(title, bars))

    def _by_month(self, facet: Facet) -> Iterable[Plot]:
        totals, columns = self._totals["month"], self._columns["month"]
        if len(totals) < 2:
            return
        unit, names = "month", _months(min(totals), max(totals))
        if len(names) > MOST_MONTHS:
            totals, columns = _merge(totals, columns, {month: month[:4] for month in totals})
            # A mistaken date (1601, 9999) doesn't stretch the plot: empty years are left out.
            unit, names = "year", sorted(totals)[-MOST_MONTHS:]
        yield self._map(facet, unit, names, totals, columns)

    def _by_folder(self, facet: Facet) -> Iterable[Plot]:
        totals, columns = self._totals["folder"], self._columns["folder"]
        if len(totals) < 2:
            return
        if len(totals) > MOST_COLUMNS:
            kept = {name for name, _ in totals.most_common(MOST_COLUMNS - 1)}
            to = {name: name if name in kept else OTHERS for name in totals}
            totals, columns = _merge(totals, columns, to)
        yield self._map(
            facet, "folder", [name for name, _ in totals.most_common()], totals, columns
        )

    def _map(
        self,
        facet: Facet,
        unit: str,
        names: Sequence[str],
        totals: Mapping[str, int],
        columns: Mapping[str, Counter[str]],
    ) -> Plot:
        rows = self._names(facet)
        shares = [[columns[c][row] / max(totals[c], 1) for c in names] for row in rows]
        most = max((share for row in shares for share in row), default=0) or 1
        cells = tuple(
            tuple(
                Cell(
                    share / most,
                    f"{share:.0%}"[:-1] if share else "",
                    f"{row}, {c}: {columns[c][row]:,} of {as_plural(totals[c], 'document')}",
                )
                for c, share in zip(names, line, strict=True)
            )
            for row, line in zip(rows, shares, strict=True)
        )
        title = f"Share of each {unit}'s documents with each {facet.name}"
        grid = Grid(tuple(rows), tuple(names), cells)
        note = f"Per cent of the {unit}'s documents; the strongest shade is {as_percent(most)}."
        heading = f"{facet.name.capitalize()} by {unit}"
        return Plot(heading, note, heat_map(title, grid, tail=unit == "folder"))

    def _together(self) -> Iterable[Plot]:
        """Count pairs in passages: labels of the first facet against the others (or themselves)."""
        first, *others = self.taxonomy.facets
        for facet in others or [first]:
            columns = self._names(first)[:MOST_COLUMNS]
            rows = self._names(facet)
            counts = {(r, c): self._pairs[r, c] + self._pairs[c, r] for r in rows for c in columns}
            most = max(counts.values(), default=0)
            if not most:
                continue
            cells = tuple(
                tuple(
                    Cell(
                        n / most, f"{n:,}" if n else "", f"{r} with {c}: {as_plural(n, 'passage')}"
                    )
                    for c in columns
                    for n in [counts[r, c]]
                )
                for r in rows
            )
            title = f"Passages that have both a {first.name} and a {facet.name}"
            drawing = heat_map(title, Grid(tuple(rows), tuple(columns), cells))
            yield Plot("Together in a passage", "Passages that have both labels.", drawing)


def month_of(date: object) -> str:
    """Return the year and month of an ISO date, or nothing."""
    found = (
        re.match(r"\d{4}-(0[1-9]|1[0-2])(?!\d)", date, re.ASCII) if isinstance(date, str) else None
    )
    return found[0] if found else ""


def _months(first: str, last: str) -> list[str]:
    """Return all months from the first to the last, also those without documents."""
    ends = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last)]
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(ends[0], ends[1] + 1)]


def _of(part: int, whole: int) -> str:
    return f"{part:,} · {as_percent(part / whole if whole else 0)}"


def _merge(
    totals: Mapping[str, int], columns: Mapping[str, Counter[str]], to: Mapping[str, str]
) -> tuple[Counter[str], defaultdict[str, Counter[str]]]:
    new_totals: Counter[str] = Counter()
    new_columns: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, target in to.items():
        new_totals[target] += totals[name]
        new_columns[target].update(columns[name])
    return new_totals, new_columns


def write_corpus_page(stats: CorpusStats, path: str | Path, *, title: str = "Corpus") -> Path:
    """Write an HTML page of the counts, for light and dark screens down to 400 pixels wide.

    Parameters
    ----------
    stats : CorpusStats
    path : path
    title : str, keyword-only

    Raises
    ------
    TextclassError
        If the file can't be written.
    """
    plots = [
        _passages_by(facet, {**counts, "(none)": stats.none[facet]})
        for facet, counts in stats.labels.items()
    ]
    plots += [_passages_by(name, counts) for name, counts in stats.columns.items()]
    plots.append(_meetings(stats))
    path = Path(path)
    write_page(path, render_page("corpus.jinja", {"title": title, "stats": stats, "plots": plots}))
    return path


def _passages_by(name: str, counts: Mapping[str, int]) -> Plot:
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
