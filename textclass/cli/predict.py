"""`textclass predict`: tag one passage, and show which words decided."""

from __future__ import annotations

import os
import shlex
import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from textclass.cli.common import (
    console,
    help_on_terminal,
    json_option,
    model_option,
    print_json,
    print_table,
)
from textclass.errors import DocumentError, TaxonomyError

if TYPE_CHECKING:
    from textclass.results import Explanation, PassageTags
    from textclass.tagger import Tagger


@click.command()
@click.argument("text", required=False)
@click.option("--file", "-f", type=click.File("rb"), help="Read a plain text file.")
@model_option
@click.option("--explain", metavar="LABEL", help="Show why LABEL is given, or why it is not.")
@click.option("--scores", is_flag=True, help="Show the probability of every label.")
@json_option
@click.pass_context
def predict(
    context: click.Context,
    *,
    text: str | None,
    file: BinaryIO | None,
    model_path: Path,
    explain: str | None,
    scores: bool,
    as_json: bool,
) -> None:
    """Tag a passage: TEXT, a text file with -f, or standard input with -.

    A text of more than 200 words is cut into passages. For PDF, DOCX and other documents, and for
    many texts, use textclass tag. --json prints one result per line.
    """
    if text is None and file is None:
        help_on_terminal(context)
    text = _read(text, file)
    from textclass.tagger import Tagger

    tagger = Tagger.load(model_path)
    if explain:
        try:
            tagger.taxonomy.column(explain)
        except TaxonomyError as error:
            raise click.BadParameter(str(error), param_hint="--explain") from error
    for number, passage in enumerate(_tag(tagger, text)):
        explanation = tagger.explain(passage.text, explain) if explain else None
        if as_json:
            print_json((explanation or passage).to_dict(), indent=None)
        elif explanation:
            _print_explanation(explanation, passage.text)
        else:
            if number:
                click.echo()
            _print_passage(tagger, passage, scores=scores)


def _read(text: str | None, file: BinaryIO | None) -> str:
    if text is not None and file is not None:
        raise click.UsageError("give a text or a file, not both")
    if text is not None and text != "-":
        if os.path.isfile(text):  # noqa: PTH113 - false where a text is too long for a name
            raise click.UsageError(f"{text} is a file: give it with -f, or to textclass tag")
        name = "TEXT"
    else:
        from textclass.documents import decode_text

        name = shlex.quote(file.name) if file else "-"
        try:
            text = decode_text((file or sys.stdin.buffer).read())
        except DocumentError as error:
            told = f"{name}: {error.message}; try textclass tag {name}"
            raise click.UsageError(told) from error
    if not text.strip():
        raise click.UsageError(f"{name}: the text is empty; give a passage to tag")
    return text


def _tag(tagger: Tagger, text: str) -> tuple[PassageTags, ...]:
    from textclass.language import MAX_WORDS

    if len(text.split()) <= MAX_WORDS:
        return (tagger.tag(text),)
    return tagger.tag_document(text).passages


def _print_passage(tagger: Tagger, passage: PassageTags, *, scores: bool) -> None:
    from rich.text import Text

    text = Text(passage.text)
    for one in passage.evidence:
        if one.weight > 0:
            text.stylize("bold underline", one.start - passage.start, one.end - passage.start)
    out = console()
    out.print(text)
    if passage.reason:
        out.print(f"\n{passage.outcome}: {passage.reason}")
    rows = []
    for column, label in enumerate(passage.taxonomy.names):
        given = label in passage.labels
        spans = [f"{e.text} {e.weight:+.2f}" for e in passage.evidence if e.label == label]
        if given or scores:
            facet, style = passage.taxonomy.facet_of_each[column], "bold" if given else ""
            p, threshold = passage.probabilities[column], tagger.model.thresholds[column]
            figures = (f"{p:.2f}", f"{threshold:.2f}")
            rows.append((facet, Text(label, style=style), *figures, ", ".join(spans)))
    if rows:
        out.print()
        print_table(("", "label", "probability", "threshold", "decided by"), rows)


def _print_explanation(explanation: Explanation, text: str) -> None:
    from textclass.results import Reason

    verdict = "given" if explanation.given else "not given"
    # That no label reaches its threshold says less of this one than its own probability.
    near = explanation.reason in (None, Reason.NEAR_THRESHOLD, Reason.BELOW_THRESHOLD)
    told = "" if near else f", {explanation.reason}"
    out = console()
    out.print(
        f"{explanation.label} is {verdict}: probability {explanation.probability:.2f}, "
        f"threshold {explanation.threshold:.2f}{told}"
    )
    out.print(text)
    sides = ([(word, f"{w:+.2f}") for word, w in side] for side in explanation.strongest(10))
    rows = (left + right for left, right in zip_longest(*sides, fillvalue=("", "")))
    print_table(("for", "", "against", ""), rows)
    out.print(
        f"All words add {explanation.score - explanation.intercept:+.2f} "
        f"to the starting score {explanation.intercept:+.2f}."
    )
