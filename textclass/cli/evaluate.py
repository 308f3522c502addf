"""`textclass evaluate`: what a model is worth on labelled passages that it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from textclass.cli.common import (
    check_outputs,
    console,
    existing_path,
    jobs_option,
    json_option,
    model_folder,
    model_option,
    new_path,
    note,
    note_rows,
    print_json,
    print_table,
    progress_bar,
    quiet_option,
)


@click.command()
@click.argument("paths", metavar="CORPUS...", type=existing_path, nargs=-1, required=True)
@model_option
@click.option(
    "--level",
    type=click.Choice(["passage", "document"]),
    default="passage",
    show_default=True,
    help="What a row of CORPUS is. Documents stand in it with their text, or with the path of "
    "their file, beside the table, in a column `file`.",
)
@click.option("--by", multiple=True, metavar="COLUMN", help="Slice by a column, or by length.")
@click.option(
    "--train",
    "training",
    type=existing_path,
    multiple=True,
    help="Also fit TF-IDF baselines on this corpus: the model's own training data.",
)
@click.option("--compare", type=model_folder, multiple=True, help="Another model.")
@click.option("--output", "-o", type=new_path, help="Write all figures as JSON.")
@click.option("--report", type=new_path, help="Write an HTML report.")
@click.option(
    "--card",
    type=existing_path,
    metavar="FOLDER",
    help="Put the figures into the card and manifest of this model: the one measured, or one "
    "trained alike on more data. Figures of other corpora stay there.",
)
@click.option(
    "--samples",
    type=click.IntRange(100, 100_000),
    default=1000,
    show_default=True,
    help="Bootstrap samples for every interval.",
)
@jobs_option
@json_option
@quiet_option
def evaluate(
    *,
    paths: tuple[Path, ...],
    model_path: Path,
    level: str,
    by: tuple[str, ...],
    training: tuple[Path, ...],
    compare: tuple[Path, ...],
    output: Path | None,
    report: Path | None,
    card: Path | None,
    samples: int,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure a model on labelled passages or documents, with 95 % intervals over documents.

    --by, --train and --compare can be given several times. The documents and texts of CORPUS are
    left out of what --train gives. Of a facet, micro_* count all labels together, macro_* are means
    over labels (one that is true but never given, in CORPUS or in a bootstrap sample, has precision
    0 there), any_* are of any label given against any label true, whichever.
    """
    check_outputs([output, report], [*paths, *training], ["evaluation", "report"])
    from textclass.atomic import write_atomically
    from textclass.corpora import read_corpus
    from textclass.learning import evaluate as run
    from textclass.learning import fit_baselines, leave_out, read_documents, update_card
    from textclass.model import load_folder

    folder = load_folder(model_path)
    taxonomy = folder.model.taxonomy
    read = read_documents if level == "document" else read_corpus
    corpus = read(paths, taxonomy)
    if level == "passage":
        note_rows(corpus, quiet=quiet)
        if set(corpus.column("level")) == {"document"}:
            note("warning: all rows say that they are documents: give --level document")
    baselines = {}
    if training:
        rows = leave_out(read_corpus(training, taxonomy), corpus)
        with progress_bar("fitting baselines", quiet=quiet) as progress:
            baselines = dict(fit_baselines(rows, jobs=jobs or -1, progress=progress))
    measured = run(
        folder,
        corpus,
        level=level,
        by=by,
        baselines=baselines,
        compare=compare,
        samples=samples,
        paths=tuple(map(str, paths)),
    )
    data = measured.to_dict()
    if output:
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        write_atomically(output, f"{text}\n".encode())
    if report:
        from textclass.report import write_evaluation_report

        write_evaluation_report(data, report)
    if card:
        update_card(card, measured)
    _warn_of_leaks(data)
    if as_json:
        print_json(data)
    elif not quiet:
        _print(data)


def _warn_of_leaks(measured: dict[str, Any]) -> None:
    corpus = measured["corpus"]
    for name, leaks in {measured["model"]: corpus["leaks"], **corpus["compared"]}.items():
        if leaks is None:
            note(f"{name} doesn't say what it was trained on, so leakage can't be told")
        elif leaks:
            note(
                f"warning: {len(leaks)} of {corpus['units']} {measured['level']}s, or their "
                f"documents, are in the training data of {name}: its figures are too good "
                "(textclass train --without)"
            )


def _print(measured: dict[str, Any]) -> None:
    from rich.text import Text

    from textclass.learning import figure_tables, findings

    out, corpus, samples = console(), measured["corpus"], measured["samples"]
    intervals = f"; 95 % intervals from {samples} bootstrap samples of documents" if samples else ""
    told = f" on {corpus['units']} {measured['level']}s of {corpus['documents']} documents"
    out.print(Text.assemble((measured["model"], "bold"), told, intervals))
    for frame in figure_tables(measured):
        out.print()
        headers = [str(header).replace("_", " ") for header in [*frame.index.names, *frame.columns]]
        print_table(headers, frame.reset_index().itertuples(index=False))
    out.print()
    for finding in findings(measured):
        out.print(finding)
    for row in measured["labels"]:
        if row["reached"]:
            out.print(f"{row['label']}: precision {row['target']:g} reached: {row['reached']}")
