"""`textclass review`: people check tags on a local page."""

from __future__ import annotations

import re
import unicodedata
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textclass.cli.common import (
    check_outputs,
    interrupted,
    labels_option,
    model_option,
    new_path,
    note,
    quiet_option,
)
from textclass.errors import TextclassError, missing_extra

if TYPE_CHECKING:
    from textclass.review import Order


def _existing_input(path: str) -> str:
    from textclass.documents import expand_path

    expand_path(path)
    return path


def _part_of_a_file_name(name: str) -> str:
    # ü and u with two dots look the same, and shall be one reader.
    name = unicodedata.normalize("NFC", name.strip())
    if not name.isprintable() or not re.fullmatch(r'(?!\.)[^/\\:*?"<>|;]{1,40}', name):
        raise click.BadParameter(f'{name!r}: up to 40 characters, no point first, no /\\:*?"<>|;')
    return name


@click.command()
@click.argument("paths", metavar="FILE...", type=_existing_input, nargs=-1, required=True)
@click.option("--output", "-o", type=new_path, required=True, help="The corpus to make, .jsonl.")
@model_option
@labels_option
@click.option(
    "--reader",
    type=_part_of_a_file_name,
    metavar="NAME",
    default="reader",
    show_default=True,
    help="Who answers: up to 40 characters that can stand in a file's name, such as 'Ada Müller'.",
)
@click.option(
    "--queue",
    type=click.Choice(["unsure", "model", "order", "random"]),
    default="unsure",
    show_default=True,
    help="What comes first: what the tags are unsure of; what a model of the answers so far is "
    "unsure of; the order of the files; chance.",
)
@click.option("--settle", is_flag=True, help="Decide where two readers differ.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="A free one by default.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@quiet_option
@click.pass_context
def review(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    output: Path,
    model_path: Path,
    labels_path: Path | None,
    reader: str,
    queue: Order,
    settle: bool,
    port: int,
    no_browser: bool,
    quiet: bool,
) -> None:
    """Check tags on a local page: results of tag (JSONL, Parquet), a corpus, or documents.

    Every answer is kept at once in OUT.review; the corpus is written when you stop with Ctrl-C, and
    the same command goes on where you were. Two people read the same files with a --reader each,
    without seeing each other's answers; --settle then shows where they differ.
    """
    store = output.with_name(output.name + ".review")
    check_outputs([output], map(Path, paths))
    if output.suffix != ".jsonl":
        raise click.UsageError(f"-o {output}: a corpus is written as .jsonl")
    _refuse_there(output, known=store.exists())

    from textclass.tagger import Tagger
    from textclass.taxonomy import Taxonomy

    try:
        from textclass.review import Answers, Session, file_of_reader, read_passages, serve
    except ImportError as error:
        raise missing_extra(error.name or "starlette", "review") from error

    loaded = Tagger.load(model_path)
    taxonomy = Taxonomy.load(labels_path) if labels_path else loaded.taxonomy
    tagger = loaded if loaded.taxonomy.names == taxonomy.names else None

    def tag(documents: Sequence[str]) -> Path:
        from textclass.batch import TagJob, tag_files

        tagged = output.with_name(output.name + ".tagged.jsonl")
        note(f"tagging into {tagged}", quiet=quiet)
        done = tag_files(TagJob(tuple(documents), (str(tagged),), model=model_path))
        if done.stopped_by:
            note(interrupted(done))
            context.exit(128 + done.stopped_by)
        for one in done.first_set_aside:
            note(f"set aside: {one['id']}: {one['error']}", quiet=quiet)
        return tagged

    def tell(address: str) -> None:
        click.echo(address)
        note(f"{len(passages):,} passages; stop with Ctrl-C", quiet=quiet)
        if not no_browser:
            webbrowser.open(address)

    passages = read_passages(paths, taxonomy, strict=labels_path is None, tagger=tagger, tag=tag)
    answers = Answers(store)
    known = any(one.reader == reader for one in answers.standing())
    _refuse_there(file_of_reader(output, reader), known=known)
    session = Session(passages, answers, reader=reader, order=queue, settle=settle, tagger=tagger)
    serve(session, port=port, on_start=tell)
    left = answers.export(output, taxonomy)
    own = answers.files_of_readers(output)
    answers.close()
    for line in _closing_lines(output, left, own):
        note(line, quiet=quiet)


def _refuse_there(path: Path, *, known: bool) -> None:
    if path.exists() and not known:
        raise TextclassError(
            "it is there already, and not by a review", where=str(path), hint="give another -o"
        )


def _closing_lines(
    output: Path, fates: Mapping[str, int], own: Mapping[str, Path]
) -> Iterator[str]:
    """Yield what a review came to, in lines."""
    without = ", ".join(f"{n:,} {what}" for what, n in fates.items() if what != "labelled")
    told = f"; without {without}" if without else ""
    yield f"{output}: {fates.get('labelled', 0):,} labelled passages{told}"
    yield from (f"{path}: those of {name} alone" for name, path in own.items())
    if "differing" in fates:
        yield "readers differ: the same command with --settle lets you decide"
