"""The model card: data of the manifest in a template, so that only what was measured stands in it.

After Mitchell et al. (2019), "Model cards for model reporting".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from textclass.learning.metrics import wide
from textclass.model import ModelFolder, load_folder, save_model

if TYPE_CHECKING:
    from textclass.corpora import Corpus
    from textclass.learning.evaluator import Evaluation
    from textclass.model import LinearModel

CARD = "README.md"
NOT_SAID = "not said"
_SHOWN = ["precision", "recall", "f1", "average_precision", "ece"]
_OF_FACETS = ["micro_precision", "micro_recall", "micro_f1", "macro_f1", "exact_match", "any_f1"]


def corpus_facts(corpus: Corpus) -> list[dict[str, Any]]:
    """Return what each source brought, for the manifest: passages, documents, licence."""
    rows = pd.DataFrame(
        {
            "source": corpus.column("source", NOT_SAID),
            "licence": [str(row.columns.get("licence") or NOT_SAID) for row in corpus.rows],
            "passages": corpus.hard,
            "soft_passages": ~corpus.hard,
            "documents": corpus.groups,
        }
    )
    facts = rows.groupby("source").agg(
        licence=("licence", lambda values: ", ".join(sorted(set(values)))),
        passages=("passages", "sum"),
        soft_passages=("soft_passages", "sum"),
        documents=("documents", "nunique"),
    )
    return [{str(k): v for k, v in row.items()} for row in facts.reset_index().to_dict("records")]


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
        kept = evaluation.to_dict(short=True)
        name = ", ".join(Path(path).stem for path in evaluation.corpus["paths"]) or "a corpus"
        facts["held_out"] = {**_held_out(facts), f"{name} ({evaluation.level}s)": kept}
    card = model_card(loaded.model, facts)
    return save_model(loaded.model, folder, facts=facts, files={CARD: card.encode()})


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
    held_out = [
        {"name": name, "siblings": kept["model"].partition("@")[0], **kept, **_tables(kept)}
        for name, kept in _held_out(manifest).items()
    ]
    return environment.get_template("card.md").render(
        taxonomy=model.taxonomy,
        labels=list(zip(model.taxonomy.labels, model.thresholds.tolist(), strict=True)),
        facts=manifest.get("label_facts", {}),
        training=manifest.get("training", {}),
        out_of_fold=manifest.get("out_of_fold", {}),
        versions=manifest.get("versions", {}),
        stack=manifest.get("stack"),
        held_out=held_out,
    )


def _held_out(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evaluations that a manifest keeps, by name; none of an older form."""
    return {k: v for k, v in manifest.get("held_out", {}).items() if "figures" in v}


def _tables(kept: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    figures = pd.DataFrame(kept["figures"])
    own = figures[(figures["model"] == kept["model"]) & (figures["part"] == "")]
    micro = figures[figures["metric"] == "micro_f1"]
    of_facets = own[(own["label"] == "") & own["metric"].isin(_OF_FACETS)]
    of_labels = own[(own["label"] != "") & own["metric"].isin(_SHOWN)]
    return {
        "facet_table": wide(of_facets, ["metric"], "facet"),
        "label_table": wide(of_labels, ["label", "n"], "metric"),
        "others": wide(micro[micro["part"] == ""], ["model"], "facet"),
        "parts": wide(micro[micro["part"] != ""], ["part", "n"], "facet"),
    }
