"""`textclass labels`: what the tags mean."""

from __future__ import annotations

from pathlib import Path

import click

from textclass.cli.common import json_option, labels_option, model_folder, print_json, print_table


@click.command()
@labels_option
@click.option("--model", "-m", "model_path", type=model_folder, help="Those of this model.")
@json_option
def labels(*, labels_path: Path | None, model_path: Path | None, as_json: bool) -> None:
    """List the labels and their definitions, of labels.yaml or of a model."""
    from textclass.model import load_folder
    from textclass.taxonomy import Taxonomy

    if labels_path and model_path:
        raise click.UsageError("give --labels or --model, not both")
    taxonomy = load_folder(model_path).model.taxonomy if model_path else Taxonomy.load(labels_path)
    if as_json:
        print_json(taxonomy.to_dict())
        return
    for facet in taxonomy:
        click.echo(f"{facet.name}: {facet.question}")
        rows = [(label.name, label.definition, label.source) for label in facet.labels]
        print_table(("label", "definition", "source"), rows)
        click.echo()
