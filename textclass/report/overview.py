"""Counts over a whole batch, taken while its documents stream by, or over a corpus; their plots."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclass.report.page import as_percent, as_plural, write_page
from textclass.taxonomy import Facet, Taxonomy

if TYPE_CHECKING:
    from textclass.corpora import CorpusStats

OUTCOMES = ("unsure", "tagged", "none")
"""In the order in which people want to see them."""

REASONS = {
    "too-short": "too short to judge",
    "not-english": "not English",
    "unfamiliar": "words that the model hardly knows",
    "near-threshold": "just under a threshold",
    "below-threshold": "no label reaches its threshold",
    "unread": "part of it was not read",
}

MOST_COLUMNS = 24
"""How many months or folders a map shows; above this, time runs in years."""

MOST_ROWS = 40
"""How many labels of a facet a plot shows, the most frequent."""

SHADES = 9

ALL = ""
"""Under this name, which no label has, all documents of a month or folder are counted."""

Parts = defaultdict[str, Counter[str]]
"""Of each month or folder how many documents have each label."""


@dataclass(frozen=True)
class Bars:
    """Lying bars: each has its name, its length in per cent of the longest, and what it says."""

    heading: str
    note: str
    rows: tuple[tuple[str, float, str], ...]


@dataclass(frozen=True)
class HeatMap:
    """A table of shaded cells, row by row: each has its shade from 0 to 9, its text and a note."""

    heading: str
    note: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[tuple[int, str, str]]]


class Tally:
    """Counts of a batch; `add` takes a document, `bars` and `maps` draw what was counted."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.documents: Counter[str] = Counter()
        self.passages: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.words = 0
        self.partly_read = 0
        self._pairs: Counter[frozenset[str]] = Counter()
        self._months: Parts = defaultdict(Counter)
        self._folders: Parts = defaultdict(Counter)

    def add(self, record: Mapping[str, Any]) -> None:
        """Count a document and its passages."""
        tags = record["document"]
        labels = [label["label"] for label in tags["labels"]]
        self.documents[tags["outcome"]] += 1
        self.words += tags["words"]
        self.partly_read += bool(tags["unread"])
        self.labels.update(labels)
        for passage in record["passages"]:
            self.passages[passage["outcome"]] += 1
            self.reasons.update(filter(None, [passage["reason"]]))
            given = [name for facet in self.taxonomy for name in passage[facet.name]]
            self._pairs.update(map(frozenset, combinations(given, 2)))
        if month := month_of(record["date"]):
            self._months[month].update([ALL, *labels])
        if folder := record["folder"]:
            self._folders[folder].update([ALL, *labels])

    def bars(self) -> Iterable[Bars]:
        """Draw what was decided, and how many documents have each label."""
        reasons = self.reasons.most_common()
        why = "; ".join(f"{REASONS.get(reason, reason)}: {n:,}" for reason, n in reasons)
        note = f"Passages by outcome.{f' Without a label because: {why}.' if why else ''}"
        outcomes = {outcome: self.passages[outcome] for outcome in ("tagged", "unsure", "none")}
        yield draw_bars("What was decided", note, outcomes, self.passages.total())
        for facet in self.taxonomy:
            counts = {name: self.labels[name] for name in self._often(facet)}
            note = f"Documents with each {facet.name}, and their share; one can have several."
            yield draw_bars(f"By {facet.name}", note, counts, self.documents.total())

    def maps(self) -> Iterable[HeatMap]:
        """Draw labels by month and by folder, and those that meet in a passage."""
        kind, times = "month", self._months
        if len(times) > MOST_COLUMNS:
            kind, times = "year", defaultdict(Counter)
            for month, counts in self._months.items():
                times[month[:4]].update(counts)
        for part, counted in ((kind, times), ("folder", self._folders)):
            if len(counted) > 1:
                yield from (self._map(facet, part, counted) for facet in self.taxonomy)
        lead, *others = self.taxonomy.facets

        def meeting(row: str, column: str) -> tuple[int, str, str]:
            both = self._pairs[frozenset((row, column))]
            return both, f"{both:,}", f"{row} with {column}: {as_plural(both, 'passage')}"

        for facet in others or [lead]:
            rows, columns = self._names(facet), self._names(lead)
            note = "Passages that have both labels."
            yield draw_map("Together in a passage", note, rows, columns, meeting)

    def _map(self, facet: Facet, kind: str, parts: Parts) -> HeatMap:
        columns = sorted(parts, key=lambda name: -parts[name][ALL])[:MOST_COLUMNS]
        note = f"Per cent of the {kind}'s documents that have each {facet.name}."
        if left_out := len(parts) - len(columns):
            note += f" {as_plural(left_out, kind)} with fewer documents not shown."

        def share(label: str, column: str) -> tuple[float, str, str]:
            n, size = parts[column][label], parts[column][ALL]
            documents = as_plural(size, "document")
            return n / size, f"{n / size:.0%}"[:-1], f"{label}, {column}: {n:,} of {documents}"

        heading = f"{facet.name.capitalize()} by {kind}"
        order = columns if kind == "folder" else sorted(columns)
        return draw_map(heading, note, self._names(facet), order, share)

    def _often(self, facet: Facet) -> Sequence[str]:
        """Labels of a facet, the most frequent first."""
        return sorted(facet.names, key=lambda name: -self.labels[name])[:MOST_ROWS]

    def _names(self, facet: Facet) -> Sequence[str]:
        """Labels of a facet that occur, in file order."""
        often = {name for name in self._often(facet) if self.labels[name]}
        return [name for name in facet.names if name in often]


def month_of(date: object) -> str:
    """Return the year and month of an ISO date, or nothing."""
    found = re.match(r"\d{4}-(0[1-9]|1[0-2])(?!\d)", str(date), re.ASCII)
    return found[0] if found else ""


def draw_bars(heading: str, note: str, counts: Mapping[str, int], total: int = 0) -> Bars:
    """Return a bar for each count, with its share of `total` if that is given."""
    most = max(counts.values(), default=0) or 1
    rows = []
    for name, n in counts.items():
        text = f"{n:,} · {as_percent(n / total)}" if total else f"{n:,}"
        # A bar that isn't nothing is never too short to be seen.
        rows.append((name, max(100 * n / most, 2) if n else 0, text))
    return Bars(heading, note, tuple(rows))


def draw_map(
    heading: str,
    note: str,
    rows: Iterable[str],
    columns: Sequence[str],
    cell: Callable[[str, str], tuple[float, str, str]],
) -> HeatMap:
    """Return a shaded table: `cell` gives a cell's strength, its text and a note."""
    cells = {row: [cell(row, column) for column in columns] for row in rows}
    most = max((strength for line in cells.values() for strength, _, _ in line), default=0) or 1
    shaded = {
        row: [
            (math.ceil(SHADES * strength / most), text if strength else "", note)
            for strength, text, note in line
        ]
        for row, line in cells.items()
    }
    return HeatMap(heading, note, columns, shaded)


def write_corpus_page(stats: CorpusStats, path: str | Path, *, title: str = "Corpus") -> None:
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
    by_facet = {
        facet: {**counts, "(none)": stats.none[facet]} for facet, counts in stats.labels.items()
    }
    bars = [
        draw_bars(name.capitalize(), "Passages.", counts)
        for name, counts in [*by_facet.items(), *stats.columns.items()]
    ]
    totals = {name: n for counts in stats.labels.values() for name, n in counts.items()}

    def meeting(row: str, column: str) -> tuple[float, str, str]:
        both = stats.together[row].get(column, 0)
        return both / max(min(totals[row], totals[column]), 1), f"{both}", f"{row} and {column}"

    note = "Passages that have both; darker, the larger their share of the rarer label's passages."
    maps = [draw_map("Labels that meet", note, totals, list(totals), meeting)]
    context = {"title": title, "stats": stats, "bars": bars, "maps": maps}
    write_page(Path(path), "corpus.jinja", context)
