"""`textclass evaluate`: what a model is worth on labelled passages that it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textclass.cli.common import (
    check_outputs,
    console,
    existing_path,
    json_option,
    model_folder,
    model_option,
    new_path,
    note,
    print_json,
    progress_bar,
    quiet_option,
)

if TYPE_CHECKING:
    from textclass.learning import Evaluation

_LABEL_METRICS = ["given", "precision", "recall", "f1", "average_precision", "ece"]


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
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=int, default=-1, show_default=True, help="Processes; -1 is all cores.")
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
    seed: int,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure a model on labelled passages or documents, with 95 % intervals over documents.

    --by, --train and --compare can be given several times. The documents and texts of CORPUS are
    left out of what --train gives.
    """
    check_outputs([output, report], [*paths, *training])
    from textclass.atomic import write_atomically
    from textclass.corpora import read_corpus
    from textclass.learning import evaluate as run
    from textclass.learning import fit_baselines, leave_out, read_documents, update_card
    from textclass.model import load_folder

    folder = load_folder(model_path)
    taxonomy = folder.model.taxonomy
    read = read_documents if level == "document" else read_corpus
    corpus = read(paths, taxonomy)
    baselines = {}
    if training:
        rows = leave_out(read_corpus(training, taxonomy), corpus)
        with progress_bar("fitting baselines", quiet=quiet) as progress:
            baselines = dict(fit_baselines(rows, jobs=jobs, progress=progress))
    measured = run(
        folder,
        corpus,
        level=level,
        by=by,
        baselines=baselines,
        compare=compare,
        samples=samples,
        seed=seed,
        paths=tuple(map(str, paths)),
    )
    if output:
        figures = json.dumps(measured.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
        write_atomically(output, f"{figures}\n".encode())
    if report:
        from textclass.report import write_evaluation_report

        write_evaluation_report(measured, report)
    if card:
        update_card(card, measured)
    _warn_of_leaks(measured)
    if as_json:
        print_json(measured.to_dict())
    elif not quiet:
        _print(measured)


def _warn_of_leaks(measured: Evaluation) -> None:
    leaked = measured.corpus["leaks"]
    if leaked is None:
        note("this model doesn't say what it was trained on, so leakage can't be told")
    elif leaked:
        note(
            f"warning: {len(leaked)} of {measured.corpus['units']} {measured.level}s, or their "
            "documents, are in the model's training data: the figures are too good "
            "(textclass train --without)"
        )


def _print(measured: Evaluation) -> None:
    from textclass.learning import as_text, wide

    corpus, figures = measured.corpus, measured.figures
    console().print(
        f"[bold]{measured.model}[/bold] on {corpus['units']} {measured.level}s of "
        f"{corpus['documents']} documents; 95 % intervals from {measured.samples} bootstrap "
        "samples of documents"
    )
    own = figures[(figures["model"] == measured.model) & (figures["part"] == "")]
    of_labels = own[(own["label"] != "") & own["metric"].isin(_LABEL_METRICS)]
    _table(wide(of_labels, ["label", "n"], "metric"))
    _table(wide(own[own["label"] == ""], ["metric"], "facet"))
    micro = figures[figures["metric"] == "micro_f1"]
    others = micro[(micro["part"] == "") & (micro["model"] != measured.model)]
    _table(
        wide(
            others.rename(columns={"model": "baseline, micro F1"}), ["baseline, micro F1"], "facet"
        )
    )
    parts = micro[micro["part"] != ""].rename(columns={"part": "part, micro F1"})
    _table(wide(parts, ["part, micro F1", "n"], "facet"))
    out = console()
    out.print()
    for row in measured.differences.to_dict("records"):
        out.print(f"{row['facet']}, micro F1 less {row['model']}: {as_text(row)}, p {row['p']:.3f}")
    for facet, point in measured.at_95.items():
        told = "no point with 95 % precision"
        if point:
            share, precision = point["coverage"], point["precision"]
            told = f"{share:.1%} of {measured.level}s can be tagged at {precision:.1%} precision"
        out.print(f"{facet}: {told}")
    if found := measured.faithfulness:
        out.print(
            f"evidence: {found['dropped']} of {found['cases']} tags ({found['share']:.1%}) fall "
            f"without it; {found['control_share']:.1%} without as many other words"
        )
    for row in measured.labels.dropna(subset=["reached"]).to_dict("records"):
        out.print(f"{row['label']}: precision {row['target']:g} reached: {row['reached']}")


def _table(frame: Any) -> None:  # noqa: ANN401 -- a DataFrame; pandas isn't imported here
    from rich.table import Table
    from rich.text import Text

    if frame.empty:
        return
    table = Table(box=None, pad_edge=False)
    for header in [*frame.index.names, *frame.columns]:
        table.add_column(Text(str(header).replace("_", " ")), overflow="fold")
    for row in frame.reset_index().itertuples(index=False):
        table.add_row(*(Text(str(cell)) for cell in row))
    out = console()
    out.print()
    out.print(table)
