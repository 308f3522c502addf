"""`textclass tag`: many documents to results."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TextIO

import click

from textclass.cli.common import (
    cascade_option,
    check_outputs,
    console,
    counted,
    help_on_terminal,
    interrupted,
    json_option,
    model_option,
    new_path,
    note,
    print_json,
    print_table,
    quiet_option,
)
from textclass.errors import TextclassError

if TYPE_CHECKING:
    from textclass.batch import Summary

INCOMPLETE = 3
"""Exit code of a run that is done, with something set aside or read in part."""

LOG_SECONDS = 60.0
"""Between two lines of the log."""


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1)
@click.option(
    "--output",
    "-o",
    "outputs",
    metavar="OUT",
    multiple=True,
    help="Where results go: .jsonl, .csv, .parquet, .xlsx, or a folder/ for partitioned Parquet; "
    "can be given again. JSONL on stdout by default.",
)
@click.option(
    "--level",
    type=click.Choice(["passage", "document", "both"]),
    default="passage",
    show_default=True,
    help="Rows of passages or of documents. Of both, out.csv becomes out.passages.csv and "
    "out.documents.csv; a workbook has two sheets, a folder two folders.",
)
@click.option(
    "--passages",
    type=click.Choice(["split", "whole"]),
    default="split",
    show_default=True,
    help="Cut documents and rows into passages, or tag each as one.",
)
@click.option(
    "--keep-boilerplate", is_flag=True, help="Tag advertising and navigation of web pages, too."
)
@click.option("--text-column", help="The column of tables that holds the text: text by default.")
@click.option("--id-column", help="The column of tables that names the row: id, or its number.")
@model_option
@cascade_option
@click.option("--report", type=new_path, help="Write an HTML report.")
@click.option("--table", is_flag=True, help="Print a table of the first 50 documents.")
@click.option(
    "--set-aside",
    type=new_path,
    help="A list of what can't be read; out.csv.set-aside.jsonl for -o out.csv.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes; all cores by default.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster, such as tcp://host:8786.")
@click.option("--fresh", is_flag=True, help="Forget what earlier runs into OUT did.")
@click.option(
    "--log", type=click.File("a", encoding="utf-8"), help="Append a line a minute to this file."
)
@quiet_option
@json_option
@click.pass_context
def tag(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click passes them by name
    """Tag documents: files, folders, globs, addresses such as s3://…, or standard input with -.

    Reads PDF, DOCX, PPTX, ODT, RTF, HTML, EPUB, EML, MSG, mbox, Markdown and text, tables in CSV,
    TSV, JSONL, Parquet, XLSX and ODS, and gzip and zip of these. What can't be read is set aside
    with its reason; what could be read only in part says what is missing.

    A document gets a label of a passage if the label's highest probabilities, those of a fifth of
    the passages and at least two, have a high enough mean: the document's probability, in sheets
    under FACET.LABEL. Its row also tells of each label that it has the share of words in passages
    with it, how many these are, and the strongest, counted from 0; primary.FACET is the label with
    the largest share.

    What is done is kept in OUT.ledger: a run that was stopped goes on where it was, and a run with
    more files does only the new ones. --json prints the summary as JSON.
    """
    if not options["paths"]:
        help_on_terminal(context)
    if options["as_json"] + options["table"] + (not options["outputs"]) > 1:
        raise click.UsageError("stdout takes one of --table, --json and, without -o, the results")
    if options["level"] == "both" and not options["outputs"]:
        raise click.UsageError("--level both makes two outputs: say where with -o")
    if options["scheduler"] and options["engine"] != "dask":
        raise click.UsageError("--scheduler is for --engine dask")
    summary = _run(options)
    if options["table"]:
        _print_documents(summary.first_documents)
    if options["as_json"]:
        print_json(summary.to_dict())
    elif not options["quiet"]:
        for line in _summary_lines(summary):
            note(line)
    if summary.stopped_by:
        context.exit(128 + summary.stopped_by)
    context.exit(INCOMPLETE if summary.set_aside or summary.partly_read else 0)


def _run(options: dict[str, Any]) -> Summary:
    from textclass.batch import Engine, Level, TagJob, TagOptions, tag_files

    paths, log = options["paths"] or ("-",), options["log"]
    check_outputs([Path(log.name)] if log else [], map(Path, paths))
    if log and not _continues(Path(log.name)):
        raise TextclassError("it is no log", where=log.name, hint="give --log a new file")
    same = ("outputs", "workers", "scheduler", "set_aside", "report", "fresh")
    changing = ("text_column", "id_column", "keep_boilerplate", "cascade")
    job = TagJob(
        paths=tuple(path for path in paths if path != "-"),
        stream=None if options["outputs"] else sys.stdout,
        stdin=sys.stdin.buffer if "-" in paths else None,
        model=options["model_path"],
        options=TagOptions(
            whole=options["passages"] == "whole", **{name: options[name] for name in changing}
        ),
        level=Level(options["level"]),
        engine=Engine(options["engine"]),
        **{name: options[name] for name in same},
    )
    with _watching(log, quiet=options["quiet"]) as watch:
        return tag_files(job, on_progress=watch)


def _continues(log: Path) -> bool:
    """Whether a log file is new, or begins as a log does."""
    if not log.is_file():
        return True
    with log.open("rb") as stream:
        start = stream.read(11)
    return not start or re.fullmatch(rb"\d{4}-\d\d-\d\dT", start) is not None


@contextmanager
def _watching(log: TextIO | None, *, quiet: bool) -> Iterator[Callable[[Summary], None]]:
    """Give what shows progress on a terminal and notes it in the log, a line a minute."""
    out = console(stderr=True)
    shown = out.is_terminal and not out.is_dumb_terminal and not quiet
    last, stage = time.monotonic(), ""

    def write(text: str) -> None:
        if log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")
            log.flush()

    def watch(progress: Summary) -> None:
        nonlocal last, stage
        if status:
            # A line that wraps would leave its pieces behind.
            status.update(shorten(_describe(progress), max(out.width - 2, 8), placeholder="…"))
        if time.monotonic() - last >= LOG_SECONDS or progress.stage != stage:
            last, stage = time.monotonic(), progress.stage
            write(_describe(progress))

    with out.status("starting") if shown else nullcontext() as status:
        try:
            yield watch
        except BaseException as error:
            write(f"ended: {error}")
            raise


def _describe(progress: Summary) -> str:
    """Return a run's progress in one line."""
    if progress.stage != "tagging":
        return f"{progress.stage}, {progress.inputs:,} inputs"
    seconds = max(progress.seconds, 1e-9)
    time_left = "time left unknown"
    if done := progress.finished - progress.taken_up:
        left = progress.seconds / done * (progress.inputs - progress.finished)
        time_left = f"{timedelta(seconds=round(left))} left"
    return (
        f"{progress.finished:,} of {progress.inputs:,} inputs, "
        f"{progress.documents / seconds:,.1f} documents/s, "
        f"{progress.passages / seconds:,.0f} passages/s, "
        f"{progress.set_aside:,} set aside, {time_left}"
    )


def _print_documents(documents: Sequence[Mapping[str, Any]]) -> None:
    facets = list(documents[0]["primary"]) if documents else []
    print_table(
        ["document", "outcome", *facets],
        (
            [row["document"], row["outcome"], *(", ".join(row[f]) for f in facets)]
            for row in documents
        ),
    )


def _summary_lines(summary: Summary) -> Iterator[str]:
    """Yield what a run came to, in lines."""
    for one in summary.first_set_aside:
        yield f"set aside: {one['id']}: {one['error']}"
    if more := summary.set_aside - len(summary.first_set_aside):
        yield f"set aside: and {more:,} more"
    if summary.stopped_by:
        yield interrupted(summary)
        return
    outcomes = ", ".join(f"{n:,} {outcome}" for outcome, n in summary.outcomes.items())
    earlier = f", {summary.taken_up:,} of them by an earlier run" if summary.taken_up else ""
    partly = f", {summary.partly_read:,} read in part" if summary.partly_read else ""
    decided = f" ({outcomes})" if outcomes else ""
    documents = f"{counted(summary.documents, 'document')}{partly}{decided}"
    yield f"{counted(summary.inputs, 'input')}{earlier}, in {summary.seconds:,.1f} s"
    yield f"{documents}, {counted(summary.passages, 'passage')}"
    if summary.left_out:
        kinds = ", ".join(f"{what} {n:,}" for what, n in summary.left_out.items())
        yield f"left out: {kinds}"
    if summary.gone:
        gone = counted(summary.gone, "input")
        yield f"results are without {gone} of earlier runs, no longer among the inputs"
    if summary.repeated:
        yield f"ids that came again, and so end in ~2, ~3, …: {summary.repeated:,}"
    yield from _output_lines(summary)
    if summary.set_aside:
        place = summary.set_aside_file
        reasons = f", each with its reason: {place}" if place else ""
        yield f"{summary.set_aside:,} set aside{reasons}"
    if summary.partly_read:
        yield f"{summary.partly_read:,} read in part: what is missing stands under `unread`"
    if summary.set_aside or summary.partly_read:
        yield "exit code 3: done, but not everything could be read"


def _output_lines(summary: Summary) -> Iterator[str]:
    yield from (f"results: {path}" for path in summary.outputs)
    if summary.replaced:
        yield f"replaced: {summary.replaced}"
    if summary.cut:
        told = f"{counted(summary.cut, 'cell')} of the workbook cut to 32,767 characters"
        yield f"{told}; JSONL, CSV and Parquet have them whole"
    if summary.report:
        yield f"report: {summary.report}"
