"""How the results of `textclass corpus` are shown: tables, one line for each finding, notes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from textclass.cli.common import console, note

if TYPE_CHECKING:
    from rich.table import Table

    from textclass.corpora import Agreement, CheckReport, CorpusStats, LabelIssue, SourceReport

FEWEST = 5
"""Answers that a figure needs."""


def print_fetched(reports: list[SourceReport], *, quiet: bool) -> None:
    """Print what came from each source, and why the rest did not."""
    table = _table("source", "wanted", "already here", "came now", "missing")
    for source in reports:
        counts = (source.wanted, source.here, source.brought, source.lacking)
        table.add_row(source.source, *map(str, counts))
    console().print(table)
    for source in reports:
        if source.error:
            note(f"{source.source}: {source.error}", quiet=quiet)
        for reason, places in source.missing.items():
            missing = f"{len(places)} missing: {reason}, such as {places[0]}"
            note(f"{source.source}: {missing}", quiet=quiet)


def print_findings(report: CheckReport, most: int) -> None:
    """Print each finding, at most `most` of a kind."""
    printed: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        key = (finding.level, finding.kind)
        printed[key] += 1
        if printed[key] <= most:
            where = "; ".join(finding.where[:3]) + (" …" if len(finding.where) > 3 else "")
            place = f"{where}: " if where else ""
            click.echo(f"{place}{finding.level} [{finding.kind}] {finding.message}")
    for (level, kind), count in printed.items():
        if count > most:
            click.echo(f"{count - most} more {level}s [{kind}]; --most or --json shows them")


def print_label_issues(issues: list[LabelIssue], most: int) -> None:
    """Print the labels most in doubt."""
    for issue in issues[:most]:
        given = "given" if issue.given else "not given"
        click.echo(
            f"{issue.where}: {issue.label} is {given}, probability {issue.probability:.2f}: "
            f"{_snippet(issue.text)}"
        )
    if len(issues) > most:
        click.echo(f"{len(issues) - most} more labels in doubt; --most or --json shows them")


def print_stats(counts: CorpusStats) -> None:
    """Print the counts, a table for each facet."""
    from rich.markup import escape

    out = console()
    out.print(
        f"{counts.passages} passages ({counts.soft} with probabilities instead of labels) from "
        f"{counts.documents} documents, {counts.words} words"
    )
    for facet, labels in counts.labels.items():
        table = _table("label", "passages", "most often with", title=facet)
        for label, count in labels.items():
            often = Counter(counts.together[label]).most_common(3)
            table.add_row(label, str(count), ", ".join(f"{name} {n}" for name, n in often))
        table.add_row("(none)", str(counts.none[facet]), "")
        out.print()
        out.print(table)
    for name, values in counts.columns.items():
        listed = ", ".join(f"{value} {count}" for value, count in values.items())
        out.print(f"\n[bold]{name}[/bold]: {escape(listed)}")


def print_agreement(result: Agreement, most: int) -> None:
    """Print the agreement on each label, then the differences."""
    table = _table("label", "both", "first only", "second only", "F1", "kappa", "alpha")
    for row in (*result.labels, *result.facets, result.overall):
        counts = (row.both, row.first_only, row.second_only)
        few = sum(counts) < FEWEST  # a figure of one or two passages means nothing
        scores = ("" if few or s is None else f"{s:.3f}" for s in (row.f1, row.kappa, row.alpha))
        table.add_row(row.name, *map(str, counts), *scores)
    console().print(table)
    click.echo()
    for difference in result.differences[:most]:
        reader = f"{difference.given_by} reader"
        click.echo(
            f"{difference.id}: {difference.label} by the {reader} only: {_snippet(difference.text)}"
        )
    if len(result.differences) > most:
        click.echo(
            f"{len(result.differences) - most} more differences; --most or --json shows them"
        )
    note(
        f"{result.passages} passages read by both, {result.first_alone} by the first only, "
        f"{result.second_alone} by the second only"
    )


def _table(*headers: str, title: str | None = None) -> Table:
    """Return an empty table; the columns of words are on the left, those of numbers right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for header in headers:
        words = header in ("source", "label", "most often with")
        table.add_column(header, justify="left" if words else "right")
    return table


def _snippet(text: str, length: int = 90) -> str:
    """Return the beginning of a text on one line, without what a terminal could take as orders."""
    line = " ".join(text.split())
    shown = line if len(line) <= length else line[: length - 1] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
