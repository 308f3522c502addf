"""`textclass corpus`: labelled corpora fetched, checked, counted, converted and compared."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from textclass.cli.common import (
    check_outputs,
    existing_path,
    json_option,
    labels_option,
    new_path,
    note,
    print_json,
    progress_bar,
    quiet_option,
)
from textclass.cli.corpus_results import (
    print_agreement,
    print_fetched,
    print_findings,
    print_label_issues,
    print_stats,
)

FORMS = "textclass, spacy, spacy-jsonl, doccano, label-studio, prodigy or argilla"
SET_ASIDE = 3
"""Exit code when some texts came and others didn't."""

corpus_paths = click.argument(
    "paths", metavar="CORPUS...", type=existing_path, nargs=-1, required=True
)


@click.group()
def corpus() -> None:
    """Fetch, check, count, convert and compare labelled corpora."""


@corpus.command()
@click.argument("folder", type=existing_path, default="corpus")
@click.option(
    "--from",
    "origin",
    type=existing_path,
    help="Take the texts from here, not from the network: a file of texts, a git clone, or a "
    "folder with such files, or with a clone or the plain files of each source.",
)
@click.option("--source", "only", multiple=True, help="Only this source; can be given again.")
@json_option
@quiet_option
@click.pass_context
def fetch(
    context: click.Context,
    *,
    folder: Path,
    origin: Path | None,
    only: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Bring the texts that labels on public texts point to, into FOLDER/cache.

    Every text is checked against its hash. A broken download goes on where it stopped. Exits with 3
    when some texts are missing, with 1 when all are.
    """
    from textclass.corpora import fetch_texts

    with progress_bar("files", quiet=quiet) as progress:
        reports = fetch_texts(folder, origin=origin, only=only, progress=progress)
    wanted, missing = (sum(getattr(r, n) for r in reports) for n in ("wanted", "lacking"))
    if as_json:
        sources = [asdict(report) for report in reports]
        print_json({"wanted": wanted, "missing": missing, "sources": sources})
    else:
        print_fetched(reports, quiet=quiet)
    if missing:
        context.exit(1 if missing == wanted else SET_ASIDE)


@corpus.command()
@corpus_paths
@labels_option
@click.option(
    "--held-out",
    type=existing_path,
    multiple=True,
    help="Passages that nobody may train on: tell what leaks from them into CORPUS.",
)
@click.option(
    "--label-errors",
    is_flag=True,
    help="Also fit a model and rank the labels that it doubts, out of fold.",
)
@click.option(
    "--most", type=click.IntRange(0), default=20, show_default=True, help="Lines of each kind."
)
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
    from textclass.corpora import check_corpus, rank_label_issues, read_corpus, scan_corpus
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    scan = scan_corpus(paths, taxonomy)
    others = read_corpus(held_out, taxonomy) if held_out else None
    report = check_corpus(scan, held_out=others)
    issues = []
    if label_errors:
        from textclass.learning import out_of_fold

        issues = rank_label_issues(scan.corpus, out_of_fold(scan.corpus))
    if as_json:
        ranked = {"label_errors": [issue.to_dict() for issue in issues]} if label_errors else {}
        print_json({**report.to_dict(), **ranked})
    else:
        print_findings(report, most)
        print_label_issues(issues, most)
    errors = len(report.errors)
    warnings = len(report.findings) - errors
    note(f"{report.passages} passages, {errors} errors, {warnings} warnings", quiet=quiet)
    if not report.ok:
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
    check_outputs([page], paths)
    from textclass.corpora import count_corpus, read_corpus
    from textclass.taxonomy import Taxonomy

    counts = count_corpus(read_corpus(paths, Taxonomy.load(labels_path)))
    if page is not None:
        from textclass.report import write_corpus_page

        title = f"Corpus {', '.join(path.name for path in paths)}"
        write_corpus_page(counts, page, title=title)
    if as_json:
        print_json(counts.to_dict())
    else:
        print_stats(counts)


@corpus.command()
@click.argument("path", metavar="FILE", type=existing_path)
@click.option("--from", "source", metavar="FORM", default="textclass", help=f"{FORMS}.")
@click.option("--to", "target", metavar="FORM", default="textclass", help="The same.")
@click.option("--text-column", help="What holds the texts, if that isn't called text.")
@click.option("--output", "-o", type=new_path, help="The file to write; standard output if none.")
@click.option(
    "--offsets",
    type=click.Choice(["code-points", "utf-16"]),
    default="code-points",
    show_default=True,
    help="How the other tool counts span offsets; those that run in a browser may use utf-16.",
)
@labels_option
@quiet_option
def convert(
    *,
    path: Path,
    source: str,
    target: str,
    text_column: str | None,
    output: Path | None,
    offsets: str,
    labels_path: Path | None,
    quiet: bool,
) -> None:
    """Convert a corpus to or from the form of spaCy, doccano, Label Studio, Prodigy or Argilla."""
    check_outputs([output], [path])
    from textclass.corpora import read_form, write_form
    from textclass.taxonomy import Taxonomy

    if target == "spacy" and output is None and sys.stdout.isatty():
        raise click.UsageError("a DocBin is no text: give --output")
    utf16 = offsets == "utf-16"
    taxonomy = Taxonomy.load(labels_path)
    converted = read_form(path, source, taxonomy, utf16=utf16, text_column=text_column)
    content = write_form(converted.corpus, target, utf16=utf16)
    if output is None:
        click.echo(content, nl=False)
    else:
        output.write_bytes(content)
    skipped = f", {converted.skipped} that nobody labelled left out" if converted.skipped else ""
    note(f"{len(converted.corpus)} passages{skipped}", quiet=quiet)


@corpus.command()
@click.argument("first", type=existing_path)
@click.argument("second", type=existing_path, required=False)
@click.option(
    "--readers", nargs=2, help="Two names of the column reader; needed if FIRST has more than two."
)
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
        print_json(result.to_dict())
    else:
        print_agreement(result, most)


@corpus.command("strip-texts")
@click.argument("path", metavar="CORPUS", type=existing_path)
@click.option("--labelled", required=True, help="How the labels came about: gold, silver, soft.")
@click.option("--output", "-o", type=new_path, required=True, help="A .jsonl or .jsonl.gz file.")
@labels_option
@quiet_option
def strip(
    *, path: Path, labelled: str, output: Path, labels_path: Path | None, quiet: bool
) -> None:
    """Write labels on public texts without the texts, which corpus fetch can bring again.

    Each row needs the source (a name of sources.yaml) and the path that its text is from.
    """
    check_outputs([output], [path])
    from textclass.corpora import read_corpus, strip_texts, write_jsonl
    from textclass.taxonomy import Taxonomy

    given = read_corpus(path, Taxonomy.load(labels_path))
    write_jsonl(output, strip_texts(given, labelled=labelled))
    note(f"{len(given)} pointers, no text, written to {output}", quiet=quiet)
