"""`textclass train`: a labelled corpus to a model folder."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from textclass.cli.common import (
    existing_path,
    jobs_option,
    labels_option,
    model_folder,
    new_path,
    note,
    note_rows,
    note_unreached,
    progress_bar,
    quiet_option,
)


@click.command()
@click.argument("paths", metavar="CORPUS...", type=existing_path, nargs=-1, required=True)
@click.option("--output", "-o", type=new_path, required=True, help="The model folder to write.")
@labels_option
@click.option(
    "--without",
    type=existing_path,
    multiple=True,
    help="Leave out the documents and the texts of this corpus, to evaluate on it later.",
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Threshold every label at this out-of-fold precision instead of at best F1.",
)
@click.option(
    "--set",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of WordFeatures or LabelClassifier, such as C=1, min_df=2, vector_size=0, "
    'or soft_weight={"type": 0.5, "principle": 0.3}. Can be given again.',
)
@click.option("--folds", type=click.IntRange(2, 20), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@jobs_option
@click.option(
    "--accurate", is_flag=True, help="Add a fine-tuned encoder; needs textclass[accurate]."
)
@click.option(
    "--encoder",
    type=model_folder,
    help="Where the encoder is, if not in the accurate model that ships: a folder that "
    "textclass.learning.finetune wrote, or a model.",
)
@click.option(
    "--words",
    type=model_folder,
    help="For --accurate: a model of words trained on the same corpus, instead of training one.",
)
@quiet_option
def train(
    *,
    paths: tuple[Path, ...],
    output: Path,
    labels_path: Path | None,
    without: tuple[Path, ...],
    target_precision: float | None,
    parameters: tuple[str, ...],
    folds: int,
    seed: int,
    jobs: int,
    accurate: bool,
    encoder: Path | None,
    words: Path | None,
    quiet: bool,
) -> None:
    """Train a model on labelled passages: files or folders of JSONL, CSV, Parquet.

    Each row has id, text, a list of labels per facet, and group (its document, never split across
    folds). Rows with scores instead of labels teach by probability.
    """
    from textclass.corpora import rare_labels, read_corpus
    from textclass.learning import default_pipeline, for_labels, leave_out, train_accurate
    from textclass.learning import train as run
    from textclass.model import check_place, load_folder
    from textclass.taxonomy import Taxonomy

    if words and not accurate:
        raise click.UsageError("--words is for --accurate")
    if words and target_precision:
        raise click.UsageError("--words brings the target precision that it was trained for")
    check_place(output)
    taxonomy = Taxonomy.load(labels_path)
    options: dict[str, Any] = {"folds": folds, "random_state": seed, "n_jobs": jobs or -1}
    options |= {"target_precision": target_precision, **_parameters(parameters)}
    pipeline = for_labels(default_pipeline(**options), taxonomy)
    corpus = whole = read_corpus(paths, taxonomy)
    if without:
        corpus = leave_out(whole, read_corpus(without, taxonomy))
        left_out = len(whole) - len(corpus)
        note(f"{left_out} passages left out", quiet=quiet)
        if not left_out:
            note("warning: --without has no document or text of the corpus")
    note_rows(corpus, quiet=quiet)
    for told in rare_labels(corpus):
        note(f"warning: {told}")
    with ExitStack() as stack:
        progress = stack.enter_context(progress_bar("fitting", quiet=quiet))
        pipeline.set_params(labelclassifier__progress=progress)
        place = Path(stack.enter_context(TemporaryDirectory())) if accurate else output
        folder = load_folder(words) if words else run(corpus, place, pipeline)
        if accurate:
            folder = train_accurate(corpus, folder, encoder or "accurate", output)
    note_unreached(folder.manifest, quiet=quiet)
    note(f"{folder.model.name}: {len(corpus)} passages, written to {output}", quiet=quiet)


def _parameters(given: tuple[str, ...]) -> dict[str, Any]:
    """Read `min_df=2`: JSON where it is, anything else as text."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"--set {text}: expected NAME=VALUE")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
