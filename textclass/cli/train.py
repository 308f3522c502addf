"""`textclass train`: a labelled corpus to a model folder."""

from __future__ import annotations

from pathlib import Path

import click

from textclass.cli.common import (
    existing_path,
    labels_option,
    new_path,
    note,
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
    help="Leave out the documents of this corpus, to evaluate on it later.",
)
@click.option(
    "--target-precision",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Threshold every label at this out-of-fold precision instead of at best F1.",
)
@click.option(
    "--soft-weight",
    "soft_weights",
    metavar="[FACET=]WEIGHT",
    multiple=True,
    help="Weight of rows with probabilities beside rows with labels, 0.3 by default; of one facet "
    "alone if it is named. Can be given again.",
)
@click.option("--folds", type=click.IntRange(2, 20), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=int, default=-1, show_default=True, help="Processes; -1 is all cores.")
@quiet_option
def train(
    *,
    paths: tuple[Path, ...],
    output: Path,
    labels_path: Path | None,
    without: tuple[Path, ...],
    target_precision: float | None,
    soft_weights: tuple[str, ...],
    folds: int,
    seed: int,
    jobs: int,
    quiet: bool,
) -> None:
    """Train a model on labelled passages: files or folders of JSONL, CSV, Parquet.

    Each row has id, text, a list of labels per facet, and group (its document, never split across
    folds). Rows with scores instead of labels teach by probability.
    """
    from textclass.corpora import read_corpus
    from textclass.learning import FitOptions, TrainingOptions
    from textclass.learning import train as run
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    corpus = read_corpus(paths, taxonomy)
    if without:
        corpus = corpus.without_groups(read_corpus(without, taxonomy).groups)
    by_facet = _by_facet(soft_weights)
    fit = FitOptions(soft_weight=by_facet.pop("", 0.3), facet_soft_weights=by_facet)
    options = TrainingOptions(
        folds=folds, seed=seed, target_precision=target_precision, fit=fit, jobs=jobs
    )
    with progress_bar("fitting", quiet=quiet) as progress:
        folder = run(corpus, output, options, progress=progress)
    note_unreached(folder.manifest, quiet=quiet)
    note(f"{folder.model.name}: {len(corpus)} passages, written to {output}", quiet=quiet)


def _by_facet(weights: tuple[str, ...]) -> dict[str, float]:
    """Read `0.3` or `type=0.5`; the weight without a facet stands under an empty name."""
    found: dict[str, float] = {}
    for given in weights:
        facet, _, number = given.rpartition("=")
        try:
            found[facet] = float(number)
        except ValueError as error:
            raise click.UsageError(f"--soft-weight {given}: {number!r} isn't a number") from error
        if not 0 <= found[facet] <= 10:
            raise click.UsageError(f"--soft-weight {given}: expected 0 to 10")
    return found
