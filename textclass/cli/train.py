"""`textclass train`: a labelled corpus to a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from textclass.corpora import Corpus
    from textclass.taxonomy import Taxonomy

_FEW = 10


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
@click.option(
    "--soft-rows", type=click.IntRange(0), help="At most so many rows with probabilities."
)
@click.option("-C", "strength", type=click.FloatRange(0, min_open=True), default=0.3,
              show_default=True, help="The larger, the closer the fit, as in scikit-learn.")
@click.option("--balance", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="How far rare labels weigh as much as frequent ones: 0 not at all, 1 wholly.")
@click.option("--vectors", type=click.IntRange(0), default=150, show_default=True,
              help="Length of the word vectors learnt from the texts; 0 for none.")
@click.option("--min-df", type=click.IntRange(1), default=4, show_default=True,
              help="In how many passages a word or part of a word must stand.")
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
    soft_rows: int | None,
    strength: float,
    balance: float,
    vectors: int,
    min_df: int,
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
    from textclass.learning import default_pipeline
    from textclass.learning import train as run
    from textclass.taxonomy import Taxonomy

    taxonomy = Taxonomy.load(labels_path)
    weights = _weights(soft_weights, taxonomy)
    corpus = read_corpus(paths, taxonomy)
    if without:
        corpus = corpus.without_groups(read_corpus(without, taxonomy).groups)
    _warn_of_rare_labels(corpus)
    pipeline = default_pipeline().set_params(
        wordfeatures__vector_size=vectors,
        wordfeatures__min_df=min_df,
        wordfeatures__random_state=seed,
        labelclassifier__C=strength,
        labelclassifier__soft_weight=weights,
        labelclassifier__balance=balance,
        labelclassifier__folds=folds,
        labelclassifier__target_precision=target_precision,
        labelclassifier__n_jobs=jobs,
        labelclassifier__random_state=seed,
    )
    with progress_bar("fitting", quiet=quiet) as progress:
        folder = run(corpus, output, pipeline, soft_rows=soft_rows, seed=seed, progress=progress)
    note_unreached(folder.manifest, quiet=quiet)
    note(f"{folder.model.name}: {len(corpus)} passages, written to {output}", quiet=quiet)


def _warn_of_rare_labels(corpus: Corpus) -> None:
    counts = corpus.targets[corpus.hard].sum(axis=0).astype(int).tolist()
    for name, count in zip(corpus.taxonomy.names, counts, strict=True):
        if not count:
            note(f"warning: {name}: no example; it is never given")
        elif count < _FEW:
            plural = "s" if count > 1 else ""
            note(f"warning: {name}: {count} example{plural}; its threshold means nothing")


def _weights(given: tuple[str, ...], taxonomy: Taxonomy) -> list[float]:
    """Read `0.3` or `type=0.5` into the weight of each label."""
    from textclass.errors import TaxonomyError

    weights = [0.3] * len(taxonomy.names)
    for text in sorted(given, key=lambda text: "=" in text):
        facet, named, number = text.rpartition("=")
        if named and facet not in taxonomy.slices:
            known = ", ".join(taxonomy.slices)
            raise TaxonomyError(f"no facet {facet!r}", hint=f"the facets are {known}")
        try:
            weight = float(number)
        except ValueError as error:
            raise click.UsageError(f"--soft-weight {text}: {number!r} isn't a number") from error
        if not 0 <= weight <= 10:
            raise click.UsageError(f"--soft-weight {text}: expected 0 to 10")
        columns = range(len(weights))[taxonomy.slices[facet] if named else slice(None)]
        for column in columns:
            weights[column] = weight
    return weights
