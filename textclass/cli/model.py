"""`textclass model`: look at a model folder, check it, set its thresholds anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from textclass.cli.common import (
    json_option,
    model_folder,
    note,
    note_unreached,
    print_json,
    print_table,
)


@click.group()
def model() -> None:
    """Look at a model folder, check it, set its thresholds anew."""


@model.command()
@click.argument("folder", type=model_folder, default="default", metavar="[MODEL]")
@json_option
def info(*, folder: Path, as_json: bool) -> None:
    """Tell what a model is: labels, training data, held-out figures."""
    from textclass.model import load_folder

    loaded = load_folder(folder)
    if as_json:
        print_json({"name": loaded.model.name, **loaded.manifest})
        return
    click.echo(loaded.model.name)
    manifest = loaded.manifest
    training = manifest.get("training", {})
    for key in ("passages", "soft_passages", "documents", "fingerprint"):
        click.echo(f"{key.replace('_', ' ')}: {training.get(key, 'not said')}")
    for corpus, measured in manifest.get("held_out", {}).items():
        for row in measured["figures"]:
            if (row["model"], row["part"], row["metric"]) == (measured["model"], "", "micro_f1"):
                click.echo(f"{corpus}, {row['facet']}, micro F1: {_estimate(row)}")
    facts = manifest.get("label_facts", {})
    rows = []
    for label in manifest["labels"]:
        fact = facts.get(label["name"], {})
        told = (fact.get(key, "") for key in ("threshold_rule", "positives"))
        rows.append((label["name"], f"{label['threshold']:.3f}", *told))
    print_table(("label", "threshold", "rule", "positives"), rows)


def _estimate(row: Mapping[str, Any]) -> str:
    """Return a figure with its interval, so far as they are known."""
    value, low, high = (row[key] for key in ("value", "low", "high"))
    known = "-" if value is None else f"{value:.3f}"
    if low is None:
        return known
    return f"{known} [-]" if low == high else f"{known} [{low:.3f}-{high:.3f}]"


@model.command()
@click.argument("folder", type=model_folder, default="default", metavar="[MODEL]")
def verify(*, folder: Path) -> None:
    """Check that every file of a model is whole and unaltered.

    The manifest has their hashes. Its own is the digest that stands after @ in the model's name:
    compare that with the one you know, for nothing in the folder vouches for it.
    """
    from textclass.model import load_folder

    loaded = load_folder(folder)
    loaded.files()
    click.echo(f"{loaded.model.name}: {len(loaded.manifest['files'])} files whole and unaltered")


@model.command()
@click.argument("folder", type=model_folder, metavar="MODEL")
@click.option("--target-precision", type=click.FloatRange(0, 1, min_open=True, max_open=True))
@click.option("--best-f1", is_flag=True, help="Go back to the thresholds of best F1.")
@click.option("--label", "labels", multiple=True, help="Only this label; can be given again.")
def thresholds(
    *, folder: Path, target_precision: float | None, best_f1: bool, labels: tuple[str, ...]
) -> None:
    """Set thresholds anew from the out-of-fold probabilities in the model folder."""
    from textclass.learning import set_thresholds
    from textclass.model import load_folder

    if best_f1 == (target_precision is not None):
        raise click.UsageError("give --target-precision or --best-f1")
    changed = set_thresholds(folder, target_precision=target_precision, labels=labels)
    note_unreached(load_folder(folder).manifest)
    for name, (before, after) in changed.items():
        click.echo(f"{name}\t{before:.3f}\t{after:.3f}")
    note(f"{len(changed)} thresholds set in {folder}")
