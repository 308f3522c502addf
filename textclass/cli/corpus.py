"""`textclass corpus`: labelled corpora fetched, checked, counted, converted and compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    print_doubts,
    print_fetched,
    print_findings,
    print_stats,
)

if TYPE_CHECKING:
    from textclass.corpora import Corpus, Doubt

FORM_NAMES = "textclass spacy spacy-jsonl doccano label-studio prodigy argilla".split()
"""As `textclass.corpora.forms` has them; written here so that --help needn't import it."""

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
        report = fetch_texts(folder, origin=origin, only=only, progress=progress)
    if as_json:
        print_json(report.to_dict())
    else:
        print_fetched(report, quiet=quiet)
    if report.missing:
        context.exit(1 if report.missing == report.wanted else SET_ASIDE)


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

    Bad rows, unknown labels, duplicates and leaks, stock phrases, labels against the guideline,
    texts that are too short or not English.
    """
    from textclass.corpora import check_corpus, read_corpus, scan_corpus
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    scan = scan_corpus(paths, taxonomy)
    others = read_corpus(held_out, taxonomy) if held_out else None
    report = check_corpus(scan, held_out=others)
    doubts = _doubts(scan.corpus) if label_errors else []
    if as_json:
        ranked = {"label_errors": [doubt.to_dict() for doubt in doubts]} if label_errors else {}
        print_json({**report.to_dict(), **ranked})
    else:
        print_findings(report, most)
        print_doubts(doubts, most)
    errors = len(report.errors)
    warnings = len(report.findings) - errors
    note(f"{report.passages} passages, {errors} errors, {warnings} warnings", quiet=quiet)
    if not report.ok:
        context.exit(1)


def _doubts(corpus: Corpus) -> list[Doubt]:
    from textclass.corpora import rank_doubts
    from textclass.learning import out_of_fold

    return rank_doubts(corpus, out_of_fold(corpus))


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
@click.option("--from", "source", type=click.Choice(FORM_NAMES), default="textclass")
@click.option("--to", "target", type=click.Choice(FORM_NAMES), default="textclass")
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
    converted = read_form(path, source, Taxonomy.load(labels_path), utf16=utf16)
    content = write_form(converted.corpus, target, utf16=utf16)
    if output is None:
        click.echo(content, nl=False)
    else:
        output.write_bytes(content)
    skipped = f", {converted.skipped} that nobody labelled left out" if converted.skipped else ""
    note(f"{len(converted.corpus)} passages{skipped}", quiet=quiet)


@corpus.command()
@click.argument("first", type=existing_path)
@click.argument("second", type=existing_path)
@labels_option
@click.option("--most", type=click.IntRange(0), default=50, help="Differences to list.")
@json_option
def agreement(
    *, first: Path, second: Path, labels_path: Path | None, most: int, as_json: bool
) -> None:
    """Compare the labels that two readers gave to the same passages."""
    from textclass.corpora import compare_readers, read_corpus
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    result = compare_readers(read_corpus(first, taxonomy), read_corpus(second, taxonomy))
    if as_json:
        print_json(result.to_dict())
    else:
        print_agreement(result, most)


@corpus.command()
@click.argument("path", metavar="CORPUS", type=existing_path)
@click.option("--labelled", required=True, help="How the labels came about: gold, silver, soft.")
@click.option("--output", "-o", type=new_path, required=True, help="A .jsonl or .jsonl.gz file.")
@labels_option
@quiet_option
def point(
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
