"""`textclass predict`: tag one passage, and show which words decided."""

from __future__ import annotations

import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textclass.cli.common import (
    console,
    help_on_terminal,
    json_option,
    model_option,
    print_json,
)

if TYPE_CHECKING:
    from textclass.results import Explanation, PassageTags
    from textclass.tagger import Tagger


@click.command()
@click.argument("text", required=False)
@click.option("--file", "-f", "path", type=click.Path(path_type=Path), help="Read a text file.")
@model_option
@click.option("--explain", metavar="LABEL", help="Show why LABEL is given, or why it is not.")
@click.option("--scores", is_flag=True, help="Show the probability of every label.")
@json_option
@click.pass_context
def predict(
    context: click.Context,
    *,
    text: str | None,
    path: Path | None,
    model_path: Path,
    explain: str | None,
    scores: bool,
    as_json: bool,
) -> None:
    """Tag a passage: TEXT, a file, or standard input with -.

    A text of more than 200 words is cut into passages. For PDF, DOCX and other documents, and for
    many texts, use textclass tag. --json prints one result per line.
    """
    if text is None and path is None:
        help_on_terminal(context)
    text = _read(text, path)
    from textclass.tagger import Tagger

    tagger = Tagger.load(model_path)
    if explain:
        for passage in _tag(tagger, text):
            _print_explanation(tagger.explain(passage.text, explain), passage.text, as_json=as_json)
        return
    passages = _tag(tagger, text)
    for number, passage in enumerate(passages):
        if as_json:
            print_json(passage.to_dict(), indent=None)
            continue
        if number:
            click.echo()
        _print_passage(tagger, passage, scores=scores)


def _read(text: str | None, path: Path | None) -> str:
    if text is not None and path is not None:
        raise click.UsageError("give a text or a file, not both")
    if path is None and text not in (None, "-"):
        return str(text)
    try:
        content = sys.stdin.buffer.read() if path is None else path.read_bytes()
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"{path or 'stdin'} isn't text in UTF-8; textclass tag reads documents"
        ) from error


def _tag(tagger: Tagger, text: str) -> tuple[PassageTags, ...]:
    from textclass.language import MAX_WORDS

    if len(text.split()) <= MAX_WORDS:
        return (tagger.tag(text),)
    return tagger.tag_document(text).passages


def _print_passage(tagger: Tagger, passage: PassageTags, *, scores: bool) -> None:
    from rich.table import Table

    out = console()
    out.print(_marked(passage))
    if passage.reason:
        out.print(f"\n{passage.outcome}: {passage.reason}")
    shown = passage.taxonomy.names if scores else passage.labels
    if not shown:
        return
    table = Table(box=None, pad_edge=False)
    for header in ("", "label", "probability", "threshold", "decided by"):
        table.add_column(header, overflow="fold")
    for facet, columns in passage.taxonomy.slices.items():
        for column in range(columns.start, columns.stop):
            label = passage.taxonomy.names[column]
            if label in shown:
                table.add_row(
                    facet,
                    f"[bold]{label}[/bold]" if label in passage.labels else label,
                    f"{passage.probabilities[column]:.2f}",
                    f"{tagger.model.thresholds[column]:.2f}",
                    _spans(passage, label),
                )
    out.print()
    out.print(table)


def _spans(passage: PassageTags, label: str) -> str:
    from rich.markup import escape

    spans = [e for e in passage.evidence if e.label == label]
    return ", ".join(f"{escape(e.text)} {e.weight:+.2f}" for e in spans)


def _signed(weight: float | None) -> str:
    return "" if weight is None else f"{weight:+.2f}"


def _marked(passage: PassageTags) -> object:
    from rich.text import Text

    text = Text(passage.text)
    for evidence in passage.evidence:
        if evidence.weight > 0:
            start, end = evidence.start - passage.start, evidence.end - passage.start
            text.stylize("bold underline", start, end)
    return text


def _print_explanation(explanation: Explanation, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(explanation.to_dict(), indent=None)
        return
    from rich.table import Table
    from rich.text import Text

    verdict = "given" if explanation.given else "not given"
    out = console()
    out.print(
        f"{explanation.label} is {verdict}: probability {explanation.probability:.2f}, "
        f"threshold {explanation.threshold:.2f}"
        + (f", {explanation.reason}" if explanation.reason else "")
    )
    out.print(Text(text))
    table = Table(box=None, pad_edge=False)
    table.add_column("for")
    table.add_column("")
    table.add_column("against")
    table.add_column("")
    blank = ("", None)
    for left, right in zip_longest(*explanation.strongest(10), fillvalue=blank):
        cells = [cell for word, weight in (left, right) for cell in (word, _signed(weight))]
        table.add_row(*map(Text, cells))
    out.print(table)
    out.print(
        f"All words add {explanation.score - explanation.intercept:+.2f} "
        f"to the starting score {explanation.intercept:+.2f}."
    )
