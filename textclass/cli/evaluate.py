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
    model_option,
    new_path,
    note,
    print_json,
    progress_bar,
    quiet_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textclass.corpora import Corpus
    from textclass.metrics import Metrics, MicroF1
    from textclass.taxonomy import Taxonomy


@click.command()
@click.argument("paths", metavar="CORPUS...", type=existing_path, nargs=-1, required=True)
@model_option
@click.option("--by", multiple=True, metavar="COLUMN", help="Slice by a column, or by length.")
@click.option(
    "--train",
    "training",
    type=existing_path,
    multiple=True,
    help="Also fit a TF-IDF baseline on this corpus: the model's own training data.",
)
@click.option("--compare", type=existing_path, multiple=True, help="Another model folder.")
@click.option("--output", "-o", type=new_path, help="Write all figures as JSON.")
@click.option("--report", type=new_path, help="Write an HTML report.")
@click.option(
    "--card",
    type=existing_path,
    metavar="FOLDER",
    help="Put the figures into the card and manifest of this model: the one measured, or one "
    "trained alike on more data.",
)
@click.option(
    "--samples",
    type=click.IntRange(100, 100_000),
    default=1000,
    show_default=True,
    help="Bootstrap samples for every interval.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@json_option
@quiet_option
def evaluate(
    *,
    paths: tuple[Path, ...],
    model_path: Path | None,
    by: tuple[str, ...],
    training: tuple[Path, ...],
    compare: tuple[Path, ...],
    output: Path | None,
    report: Path | None,
    card: Path | None,
    samples: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure a model on labelled passages, with 95 % intervals over documents.

    --by, --train and --compare can be given several times. The documents of CORPUS are left out of
    what --train gives.
    """
    check_outputs([output, report], [*paths, *training])
    from textclass.corpora import read_corpus
    from textclass.learning import EvaluationOptions, update_card
    from textclass.learning import evaluate as run
    from textclass.model import load_folder
    from textclass.taxonomy import shipped

    folder = load_folder(model_path or shipped("models/default"))
    taxonomy = folder.model.taxonomy
    options = EvaluationOptions(
        by=by,
        samples=samples,
        seed=seed,
        training=_training(training, taxonomy),
        compare=compare,
        paths=tuple(map(str, paths)),
    )
    corpus = read_corpus(paths, taxonomy)
    with progress_bar("fitting baselines", quiet=quiet) as progress:
        metrics = run(folder, corpus, options, progress=progress)
    if output:
        _write(output, json.dumps(metrics, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    if report:
        from textclass.report import write_evaluation_report

        write_evaluation_report(metrics, report)
    if card:
        update_card(card, metrics)
    _warn_of_leaks(metrics)
    if as_json:
        print_json(metrics)
    elif not quiet:
        _print(metrics)


def _training(paths: tuple[Path, ...], taxonomy: Taxonomy) -> Corpus | None:
    from textclass.corpora import read_corpus

    return read_corpus(paths, taxonomy) if paths else None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error


def _warn_of_leaks(metrics: Metrics) -> None:
    corpus: Any = metrics["corpus"]
    leaked = corpus["leaks"]
    if leaked is None:
        note("this model doesn't say what it was trained on, so leakage can't be told")
    elif leaked:
        note(
            f"warning: {len(leaked)} of {corpus['passages']} passages, or their documents, are in "
            "the model's training data: the figures are too good (textclass train --without)"
        )


def _print(metrics: Metrics) -> None:
    corpus = metrics["corpus"]
    console().print(
        f"[bold]{metrics['model']}[/bold] on {corpus['passages']} passages of "
        f"{corpus['documents']} documents; 95 % intervals from {metrics['bootstrap']['samples']} "
        "bootstrap samples of documents"
    )
    _print_labels(metrics)
    _print_facets(metrics)
    _print_others(metrics)
    _print_trust(metrics)


def _print_labels(metrics: Metrics) -> None:
    from textclass.learning import as_text

    rows = [
        (
            label["name"],
            str(label["support"]),
            str(label["predicted"]),
            as_text(label["precision"]),
            as_text(label["recall"]),
            as_text(label["f1"]),
            _number(label["average_precision"]["value"]),
            _number(label["ece"]),
        )
        for label in metrics["labels"]
    ]
    _table(("label", "true", "given", "precision", "recall", "F1", "AP", "ECE"), rows)


def _print_facets(metrics: Metrics) -> None:
    from textclass.learning import as_text

    columns: list[list[str]] = []
    for facet, figures in metrics["facets"].items():
        macro = figures["macro"]
        columns.append(
            [
                facet,
                as_text(figures["micro"]["precision"]),
                as_text(figures["micro"]["recall"]),
                as_text(figures["micro"]["f1"]),
                as_text(macro["f1"]),
                str(len(macro["labels"])),
                ", ".join(macro["left_out"]) or "-",
                as_text(figures["exact_match"]),
                as_text(figures["any"]["f1"]),
                _number(figures["ece"]),
                _number(figures["brier"]),
            ]
        )
    names = (
        "micro precision",
        "micro recall",
        "micro F1",
        "macro F1",
        "labels in macro",
        "left out (under 5 true)",
        "exact match",
        "any label or none, F1",
        "mean ECE",
        "mean Brier",
    )
    headers, *lines = zip(*columns, strict=True)
    _table(("", *headers), [(name, *line) for name, line in zip(names, lines, strict=True)])


def _print_others(metrics: Metrics) -> None:
    from textclass.learning import as_text

    facets = list(metrics["facets"])

    def cells(part: dict[str, MicroF1]) -> Iterable[str]:
        return (as_text(part[facet]["micro_f1"]) for facet in facets)

    rows = [
        ("", f"baseline: {part['name']}", *cells(part["facets"])) for part in metrics["baselines"]
    ]
    rows += [
        (str(part["passages"]), f"{part['column']}: {part['value']}", *cells(part["facets"]))
        for part in metrics["slices"]
    ]
    for other in metrics["comparison"]:
        differences = [other["facets"][facet] for facet in facets]
        rows.append(
            (
                "",
                f"less {other['model']}",
                *(f"{as_text(d['difference'])}, p {d['p']:.3f}" for d in differences),
            )
        )
    _table(("n", "micro F1", *facets), rows)


def _print_trust(metrics: Metrics) -> None:
    out = console()
    for facet, curve in metrics["risk_coverage"].items():
        point = curve["at_95"]
        out.print(
            f"{facet}: {point['coverage']:.1%} of passages can be tagged at "
            f"{point['precision']:.1%} precision"
            if point
            else f"{facet}: no point with 95 % precision"
        )
    if found := metrics["faithfulness"]:
        out.print(
            f"evidence: {found['dropped']} of {found['cases']} tags ({found['share']:.1%}) fall "
            f"without it; {found['control_share']:.1%} without as many other words"
        )
    for label in metrics["labels"]:
        if target := label["target_precision"]:
            out.print(
                f"{label['name']}: precision {target['target']:g} reached: {target['reached']}"
            )


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    out = console()
    out.print()
    out.print(table)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
