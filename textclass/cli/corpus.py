"""`textclass corpus`: labelled corpora fetched, checked, counted, converted and compared."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path

import click

from textclass.cli.common import (
    check_outputs,
    counted,
    existing_path,
    json_option,
    labels_option,
    new_path,
    note,
    print_json,
    print_table,
    progress_bar,
    quiet_option,
)
from textclass.errors import CorpusError

FORMS = click.Choice(
    "textclass pointers spacy spacy-jsonl doccano label-studio prodigy argilla".split()
)
SET_ASIDE = 3
"""Exit code when some texts came and others didn't."""

SHOWN = 90
"""Characters of a passage that are printed."""

FEWEST = 5
"""Answers that a figure of agreement needs."""

corpus_paths = click.argument(
    "paths", metavar="CORPUS...", type=existing_path, nargs=-1, required=True
)


@click.group()
def corpus() -> None:
    """Fetch, check, count, convert and compare labelled corpora."""


@corpus.command()
@click.argument("folder", type=existing_path, default="corpus")
@click.option("--from", "origin", type=existing_path, help="Take the texts from here.")
@json_option
@quiet_option
@click.pass_context
def fetch(
    context: click.Context, *, folder: Path, origin: Path | None, as_json: bool, quiet: bool
) -> None:
    """Bring the texts that labels on public texts point to, into FOLDER/cache.

    They come from the network; or with --from out of a file of texts, a git clone, or a folder of
    such files or of a clone for each source. Every text is checked against its hash. A broken
    download goes on where it stopped. Exits with 3 when some texts are missing, with 1 when all
    are.
    """
    from textclass.corpora import fetch_texts

    with progress_bar("files", quiet=quiet) as progress:
        reports = fetch_texts(folder, origin=origin, progress=progress)
    wanted, missing = (sum(getattr(r, name) for r in reports) for name in ("wanted", "lacking"))
    if as_json:
        sources = [asdict(report) for report in reports]
        print_json({"wanted": wanted, "missing": missing, "sources": sources})
    else:
        counts = [(r.source, r.wanted, r.here, r.brought, r.lacking) for r in reports]
        print_table(("source", "wanted", "here", "brought", "missing"), counts)
        for report in reports:
            for reason, places in report.missing.items():
                told = f"{len(places)} missing: {reason}, such as {places[0]}"
                note(f"{report.source}: {told}", quiet=quiet)
    if missing:
        context.exit(1 if missing == wanted else SET_ASIDE)


@corpus.command()
@corpus_paths
@labels_option
@click.option("--held-out", type=existing_path, multiple=True, help="Tell what leaks from here.")
@click.option("--label-errors", is_flag=True, help="Also fit a model and rank labels it doubts.")
@click.option("--most", type=click.IntRange(0), default=20, help="Lines of each kind [20].")
@json_option
@quiet_option
@click.pass_context
def check(
    context: click.Context,
    *,
    paths: tuple[Path, ...],
    labels_path: Path | None,
    held_out: tuple[Path, ...],
    label_errors: bool,
    most: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Tell what is wrong with a corpus; exit with 1 if there is an error, not for warnings.

    Labels with few examples, bad rows, unknown labels, readers who differ, duplicates and leaks,
    labels against the guideline, texts that are too short or not English, stock phrases.
    """
    from textclass.corpora import check_corpus, read_corpus, scan_corpus
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    scan = scan_corpus(paths, taxonomy)
    others = read_corpus(held_out, taxonomy) if held_out else None
    probabilities = None
    if label_errors:
        from textclass.learning import out_of_fold

        try:
            probabilities = out_of_fold(scan.corpus)
        except CorpusError as error:
            note(f"warning: no label is doubted: {error.message}")
    findings = check_corpus(scan, held_out=others, probabilities=probabilities)
    levels = Counter(finding.level for finding in findings)
    if as_json:
        told = [asdict(finding) for finding in findings]
        print_json({"ok": not levels["error"], "passages": len(scan.corpus), "findings": told})
    else:
        told_of = defaultdict[str, list[str]](list)
        for finding in findings:
            where = "; ".join(finding.where[:3]) + (" …" if len(finding.where) > 3 else "")
            line = f"{finding.level} [{finding.kind}] {finding.message}"
            kind = f"{finding.level}s [{finding.kind}]"
            told_of[kind].append(f"{where}: {line}" if where else line)
        for kind, lines in told_of.items():
            _print_most(lines, most, kind)
    counts = [counted(levels[level], level) for level in ("error", "warning")]
    note(", ".join([counted(len(scan.corpus), "passage"), *counts]), quiet=quiet)
    if levels["error"]:
        context.exit(1)


@corpus.command()
@corpus_paths
@labels_option
@click.option("--html", "page", type=new_path, help="Also write a page with plots.")
@json_option
def stats(
    *, paths: tuple[Path, ...], labels_path: Path | None, page: Path | None, as_json: bool
) -> None:
    """Count passages by label, register, decade, region and source, and labels that meet."""
    check_outputs([page], paths, ["report"])
    from textclass.corpora import count_corpus, read_corpus
    from textclass.documents import visible
    from textclass.taxonomy import Taxonomy

    counts = count_corpus(read_corpus(paths, Taxonomy.load(labels_path)))
    if page is not None:
        from textclass.report import write_corpus_page

        title = f"Corpus {', '.join(path.name for path in paths)}"
        write_corpus_page(counts, page, title=title)
    if as_json:
        print_json(asdict(counts))
        return
    click.echo(
        f"{counts.passages} passages ({counts.soft} with probabilities instead of labels) from "
        f"{counts.documents} documents, {counts.words} words"
    )
    for facet, labels in counts.labels.items():
        rows: list[tuple[object, ...]] = []
        for label, count in labels.items():
            often = Counter(counts.together[label]).most_common(3)
            rows.append((label, count, ", ".join(f"{other} {n}" for other, n in often)))
        click.echo()
        print_table((facet, "passages", "most often with"), [*rows, ("(none)", counts.none[facet])])
    for name, values in counts.columns.items():
        listed = ", ".join(f"{value} {count}" for value, count in values.items())
        click.echo("\n" + visible(f"{name}: {listed}"))


@corpus.command()
@click.argument("path", metavar="FILE", type=existing_path)
@click.option("--from", "source", type=FORMS, default="textclass", show_default=True)
@click.option("--to", "target", type=FORMS, default="textclass", show_default=True)
@click.option("--text-column", help="What holds the texts, if that isn't called text.")
@click.option("--output", "-o", type=new_path, help="The file to write; standard output if none.")
@click.option("--overwrite", is_flag=True, help="Write over a file that is there.")
@labels_option
@quiet_option
def convert(
    *,
    path: Path,
    source: str,
    target: str,
    text_column: str | None,
    output: Path | None,
    overwrite: bool,
    labels_path: Path | None,
    quiet: bool,
) -> None:
    """Convert a corpus to or from the form of spaCy, doccano, Label Studio, Prodigy or Argilla.

    Pointers are labels on public texts without the texts, which corpus fetch can bring again.
    """
    check_outputs([output], [path])
    if output and output.exists() and not overwrite:
        fault, hint = "it is there already", "give another -o, or --overwrite"
        raise CorpusError(fault, where=str(output), hint=hint)
    from textclass.atomic import write_atomically
    from textclass.corpora import read_form, write_form
    from textclass.taxonomy import Taxonomy

    if target == "spacy" and output is None and sys.stdout.isatty():
        raise click.UsageError("a DocBin is no text: give --output")
    scan = read_form(path, source, Taxonomy.load(labels_path), text_column=text_column)
    content = write_form(scan.corpus, target)
    if output is None:
        click.echo(content, nl=False)
    else:
        write_atomically(output, content)
    skipped = f", {len(scan.faults)} that nobody labelled left out" if scan.faults else ""
    note(f"{counted(len(scan.corpus), 'passage')}{skipped}", quiet=quiet)


@corpus.command()
@click.argument("first", type=existing_path)
@click.argument("second", type=existing_path, required=False)
@click.option("--readers", nargs=2, help="Two of the names in FIRST, if it has more.")
@labels_option
@click.option("--most", type=click.IntRange(0), default=50, help="Differences to list.")
@json_option
def agreement(
    *,
    first: Path,
    second: Path | None,
    readers: tuple[str, str] | None,
    labels_path: Path | None,
    most: int,
    as_json: bool,
) -> None:
    """Compare the labels that two readers gave to the same passages.

    Of a file for each; or of FIRST alone, whose column reader says who labelled a row.
    """
    from textclass.corpora import compare_readers, read_corpus
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    given = [read_corpus(path, taxonomy, each_reader=True) for path in (first, second) if path]
    result = compare_readers(*given, readers=readers)
    if as_json:
        frames = {"figures": result.figures, "differences": result.differences}
        listed = {name: json.loads(part.to_json(orient="records")) for name, part in frames.items()}
        print_json({**vars(result), **listed})
        return
    figures = result.figures.round(3).astype(object)
    seldom = figures[["both", "first_only", "second_only"]].sum(axis=1) < FEWEST
    figures.loc[seldom, ["f1", "kappa", "alpha"]] = ""  # of one or two they mean nothing
    print_table(figures.columns, figures.fillna("").itertuples(index=False))
    click.echo()
    lines = [
        f"{one.id}: {one.label} by the {one.given_by} reader only: "
        f"{textwrap.shorten(str(one.text), SHOWN, placeholder='…')}"
        for one in result.differences.itertuples()
    ]
    _print_most(lines, most, "differences")
    note(
        f"{result.passages} passages read by both, {result.first_alone} by the first only, "
        f"{result.second_alone} by the second only"
    )


def _print_most(lines: list[str], most: int, kind: str) -> None:
    from textclass.documents import visible

    for line in lines[:most]:
        click.echo(visible(line))
    if len(lines) > most:
        click.echo(f"{len(lines) - most} more {kind}; --most or --json shows them")
