"""What several commands share: consoles, progress, shared options, input from a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textclass.errors import ModelError, TextclassError

if TYPE_CHECKING:
    from rich.console import Console

    from textclass.batch import Summary
    from textclass.corpora import Corpus

existing_path = click.Path(exists=True, path_type=Path)
"""A path that must be there; click says so if it isn't."""


new_path = click.Path(path_type=Path)
"""A path to write to."""


def model_folder(value: str | Path) -> Path:
    """Return the folder of a model by the name of one that ships, or by its path."""
    from textclass.model import find_model

    try:
        return find_model(value)
    except ModelError as error:
        raise click.BadParameter(str(error)) from error


def check_outputs(
    outputs: Iterable[Path | None], inputs: Iterable[Path], kinds: Iterable[str] = ()
) -> None:
    """Refuse, before any work is done, places that can't or shall not be written to.

    `kinds` say what the first outputs are, and so which files of ours they may replace.

    Raises
    ------
    TextclassError
        If one is an input or another output, is a folder or a file that isn't ours, or its folder
        isn't there.
    """
    from textclass.documents import refuse_stranger

    taken = {path.resolve(): "an input" for path in inputs}
    for path, kind in zip_longest(outputs, kinds):
        if path is None:
            continue
        place, fault, hint = path.resolve(), "", "give another file"
        if place in taken:
            fault = f"it is both {taken[place]} and an output"
        elif place.is_dir():
            fault = "it is a folder"
        elif not place.parent.is_dir():
            fault, hint = "its folder doesn't exist", "make it first"
        if fault:
            raise TextclassError(fault, where=str(path), hint=hint)
        taken[place] = "another output"
        if kind:
            refuse_stranger(path, kind)


model_option = click.option(
    "--model",
    "-m",
    "model_path",
    type=model_folder,
    metavar="MODEL",
    default="default",
    help="A model folder, or the name of a model that ships with textclass: default, accurate.",
)
cascade_option = click.option(
    "--cascade",
    is_flag=True,
    help="With --model accurate: ask the encoder only where the words aren't sure.",
)
labels_option = click.option(
    "--labels",
    "labels_path",
    type=existing_path,
    help="A labels.yaml; the one that ships with textclass by default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
jobs_option = click.option(
    "--jobs", type=int, default=-1, show_default=True, help="Processes; 0 or -1 is all cores."
)
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help="Only errors on stderr, no progress or summary."
)


def console(*, stderr: bool = False) -> Console:
    """Return a rich console; it honours NO_COLOR and TERM=dumb and is plain off a terminal.

    It prints text as it stands: names and passages may hold what rich takes for markup or emoji.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 120
    return Console(
        stderr=stderr,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=not stream.isatty(),
    )


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Print JSON on stdout, in UTF-8, without NaN."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False))


def print_table(headers: Iterable[object], rows: Iterable[Iterable[object]]) -> None:
    """Print a table without lines, its cells as they are; rich text keeps its style."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(Text(str(header)), overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    console().print(table)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 document`, `2 documents`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def note(message: str, *, quiet: bool = False) -> None:
    """Tell something on stderr, unless quiet."""
    if not quiet:
        click.echo(message, err=True)


def interrupted(summary: Summary) -> str:
    """Return how far a stopped run came, in a line."""
    kept = f" and kept in {summary.ledger}; the same command goes on" if summary.ledger else ""
    return f"interrupted: {summary.finished:,} of {summary.inputs:,} inputs are done{kept}"


def note_unreached(manifest: Mapping[str, Any], *, quiet: bool = False) -> None:
    """Name the labels of a model that no threshold brings to their target precision."""
    facts = manifest.get("label_facts", {})
    names = [name for name, fact in facts.items() if "not reached" in fact["threshold_rule"]]
    if names:
        told = f"{len(names)} of {len(facts)} labels don't reach it and are never given"
        note(f"warning: target precision: {told}: {', '.join(names)}", quiet=quiet)


def note_rows(corpus: Corpus, *, quiet: bool = False) -> None:
    """Tell how many rows name no document, and how many say again what another says."""
    from textclass.corpora import ungrouped

    for told in ungrouped(corpus):
        note(told, quiet=quiet)
    if corpus.merged:
        told = f"{counted(corpus.merged, 'row')} merged with others of the same document and text"
        note(told, quiet=quiet)


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Give a function `(done, total)` that shows progress on a terminal, and nothing elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    out = console(stderr=True)
    off = quiet or not out.is_terminal
    with Progress(*columns, console=out, transient=True, disable=off) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def help_on_terminal(context: click.Context) -> None:
    """Show the help and exit with the code of wrong usage, where stdin is a terminal."""
    if sys.stdin.isatty():
        click.echo(context.get_help(), err=True)
        context.exit(2)
