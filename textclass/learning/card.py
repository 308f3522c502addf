"""What is told of an evaluation, on the terminal and in the card of a model.

The card is the data of the manifest in a template, so that only what was measured stands in it:
Mitchell et al. (2019), "Model cards for model reporting".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from textclass.learning.metrics import ENOUGH, as_text, wide
from textclass.model import ModelFolder, load_folder, save_model

if TYPE_CHECKING:
    from textclass.learning.evaluator import Evaluation
    from textclass.model import LinearModel

_OF_LABELS = ["given", "precision", "recall", "f1", "average_precision", "ece"]


def figure_tables(measured: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Return what `Evaluation.to_dict` gives as tables of text: labels, facets, baselines, parts.

    Tables without a figure are left out.
    """
    figures = pd.DataFrame(measured["figures"])
    own, whole = figures["model"] == measured["model"], figures["part"] == ""
    of_label, micro = figures["label"] != "", figures["metric"] == "micro_f1"
    baseline, part = "baseline, micro F1", "part, micro F1"
    figures = figures.assign(**{baseline: figures["model"], part: figures["part"]})
    shown = of_label & figures["metric"].isin(_OF_LABELS)
    tables = [
        wide(figures[own & whole & shown], ["label", "n_true"], "metric"),
        wide(figures[own & whole & ~of_label], ["metric"], "facet"),
        wide(figures[micro & whole & ~own], [baseline], "facet"),
        wide(figures[micro & ~whole], [part, "n"], "facet"),
    ]
    return [table for table in tables if not table.empty]


def findings(measured: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else `Evaluation.to_dict` tells, a sentence each."""
    units, corpus = f"{measured['level']}s", measured["corpus"]
    if not measured["samples"]:
        yield f"{corpus['documents']} documents are too few for intervals and p"
    for row in measured["differences"]:
        told = "" if pd.isna(row["p"]) else f", p {row['p']:.3f}"
        if leaked := corpus["compared"].get(row["model"]):
            told += f" (that one was trained on {len(leaked)} of these {units})"
        yield f"{row['facet']}, micro F1 less {row['model']}: {as_text(row)}{told}"
    for facet, names in measured["left_out"].items():
        if names:
            yield (
                f"{facet}: not in the macro averages, with fewer than {ENOUGH} true {units} "
                f"({len(names)}): {', '.join(names)}"
            )
    # A manifest sorts its keys; the figures stand in the order of the facets.
    for facet in dict.fromkeys(figure["facet"] for figure in measured["figures"]):
        told = "no point with 95 % precision"
        if point := measured["at_95"][facet]:
            told = (
                f"{point['coverage']:.1%} of {units} ({point['found']:.1%} of those with a label) "
                f"can be tagged at {point['precision']:.1%} precision (cut chosen on these {units})"
            )
        yield f"{facet}: {told}"
    if found := measured["faithfulness"]:
        yield (
            f"evidence: {found['dropped']} of {found['cases']} tags ({found['share']:.1%}) fall "
            f"without it; {found['control_share']:.1%} without as many other words"
        )
    if (found := measured["unfamiliar"]) and found["passages"]:
        yield (
            f"unsure: unfamiliar: {found['passages']} of {corpus['units']} passages; without that "
            f"rule {found['tagged']} of them would have a label, {found['right']} a right one"
        )


def update_card(folder: str | Path, evaluation: Evaluation | None = None) -> ModelFolder:
    """Write the card of a model folder, and keep its held-out figures in the manifest.

    Parameters
    ----------
    folder : path
    evaluation : Evaluation, optional
        Of this model on passages or documents that it never saw, or of one trained alike without
        them. Evaluations of other corpora stay beside it.

    Returns
    -------
    ModelFolder
        As read back from disk; its name changes with its manifest.
    """
    loaded = load_folder(folder)
    facts = dict(loaded.manifest)
    if evaluation is not None:
        name = ", ".join(Path(path).stem for path in evaluation.corpus["paths"]) or "a corpus"
        kept = {f"{name} ({evaluation.level}s)": evaluation.to_dict(short=True)}
        facts["held_out"] = facts.get("held_out", {}) | kept
    return save_with_card(loaded.model, folder, facts)


def save_with_card(
    model: LinearModel,
    folder: str | Path,
    facts: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
) -> ModelFolder:
    """Write a model folder as `save_model` does, with a card of its facts."""
    card = model_card(model, facts).encode()
    return save_model(model, folder, facts=facts, files={**(files or {}), "README.md": card})


def model_card(model: LinearModel, manifest: Mapping[str, Any]) -> str:
    """Return a model's card as Markdown.

    Parameters
    ----------
    model : LinearModel
    manifest : Mapping
        Its facts. Without held-out figures the card has those out of fold, said to be such.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("textclass.learning"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 -- Markdown; cells are escaped by `cell`
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment.get_template("card.md").render(
        taxonomy=model.taxonomy,
        labels=list(zip(model.taxonomy.labels, model.thresholds.tolist(), strict=True)),
        facts=manifest.get("label_facts", {}),
        training=manifest.get("training", {}),
        out_of_fold=manifest.get("out_of_fold", {}),
        versions=manifest.get("versions", {}),
        stack=manifest.get("stack"),
        held_out=sorted(manifest.get("held_out", {}).items()),
        figure_tables=figure_tables,
        findings=findings,
    )
