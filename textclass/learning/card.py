"""The model card: what a model was made from, what it is worth, and what it is not for.

After Mitchell et al. (2019), "Model cards for model reporting". Only what was measured or counted
stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.learning.evaluation import as_text
from textclass.learning.thresholds import OUT_OF_FOLD
from textclass.model import ModelFolder, load_folder, save_model
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    from textclass.corpora import Corpus
    from textclass.metrics import Metrics

CARD = "README.md"
_KEPT = ("corpus", "facets", "labels", "baselines", "slices", "faithfulness", "bootstrap")
_LONG = ("reliability", "sweep")
NOT_SAID = "not said"

_LIMITS = """\
## What it does not do

- It reads English only; passages in other languages are set aside as `not-english`.
- It judges words, not facts: it can't tell who acts, irony, or whether a statement is true.
- Passages under 4 words, or with few words that the training data knows, get no label.
- Texts of other kinds than the training data's are tagged less well; the slices show by how much.
- Names of people or places are not left out of what it learns: a label may lean on them.
- It makes no decision about a person, and was not measured for one.

## Intended use

To find, count and sort passages and documents about diplomacy, with a person looking at what
matters. For figures about a collection of your own, label a sample and run `textclass evaluate`.
"""


def corpus_facts(corpus: Corpus) -> list[dict[str, Any]]:
    """Return what each source brought, for the manifest: passages, documents, licence."""
    facts = []
    for source in sorted(set(corpus.column("source", NOT_SAID))):
        rows = [row for row in corpus.rows if str(row.columns.get("source", NOT_SAID)) == source]
        licences = {str(row.columns.get("licence") or NOT_SAID) for row in rows}
        facts.append(
            {
                "source": source,
                "licence": ", ".join(sorted(licences)),
                "passages": sum(row.hard for row in rows),
                "soft_passages": sum(not row.hard for row in rows),
                "documents": len({row.group for row in rows}),
            }
        )
    return facts


def update_card(folder: str | Path, metrics: Metrics | None = None) -> ModelFolder:
    """Write the card of a model folder, and keep its held-out figures in the manifest.

    Parameters
    ----------
    folder : path
    metrics : Metrics, optional
        Of this model on passages that it never saw, or of one trained alike without them; without
        figures, those of an earlier evaluation stay.

    Returns
    -------
    ModelFolder
        As read back from disk; its name changes with its manifest.
    """
    loaded = load_folder(folder)
    facts = dict(loaded.manifest)
    if metrics is not None:
        facts["held_out"] = held_out(metrics)
        measured = metrics["model"]
        if measured.partition("@")[0] != loaded.model.name.partition("@")[0]:
            facts["held_out"]["measured"] = measured
    if OUT_OF_FOLD in loaded.manifest["files"]:
        facts["out_of_fold"] = facts.get("out_of_fold", {}) | {"labels": _out_of_fold(loaded)}
    card = model_card(facts, facts.get("held_out"))
    return save_model(loaded.model, folder, facts=facts, files={CARD: card.encode()})


def held_out(metrics: Metrics) -> dict[str, Any]:
    """Return what a manifest keeps of an evaluation: all but plots and texts."""
    kept: dict[str, Any] = {key: value for key, value in metrics.items() if key in _KEPT}
    kept["labels"] = [
        {key: value for key, value in label.items() if key not in _LONG}
        for label in metrics["labels"]
    ]
    kept["at_95"] = {facet: curve["at_95"] for facet, curve in metrics["risk_coverage"].items()}
    return kept


def model_card(manifest: Mapping[str, Any], metrics: Mapping[str, Any] | None = None) -> str:
    """Return a model's card.

    Parameters
    ----------
    manifest : Mapping
        Of a model folder.
    metrics : Mapping, optional
        Held-out figures: what `held_out` keeps, or all of an evaluation. Without them the card has
        the figures out of fold, said to be such.

    Returns
    -------
    str
        Markdown.
    """
    taxonomy = Taxonomy.from_dict(manifest["taxonomy"])
    figures = _held_out(metrics) if metrics else _figures_out_of_fold(manifest)
    parts = [_head(taxonomy), _data(manifest), figures, _labels(manifest, taxonomy), _LIMITS]
    return "\n".join([*parts, _versions(manifest)])


def _head(taxonomy: Taxonomy) -> str:
    facets = "\n".join(
        f"- `{facet.name}`: {facet.question or 'which apply?'} {len(facet.names)} labels."
        for facet in taxonomy
    )
    return (
        "# Model card\n\nA linear model on words and parts of words that tags passages of English "
        f"text. A passage can have several labels of a facet, or none.\n\n{facets}\n"
    )


def _data(manifest: Mapping[str, Any]) -> str:
    training = manifest.get("training", {})
    lines = [
        "## Training data\n",
        f"{training.get('passages', 0):,} passages with labels, of "
        f"{training.get('documents', 0):,} documents, and {training.get('soft_passages', 0):,} "
        "with another model's probabilities in the place of labels.",
    ]
    lines.append("Thresholds and calibration come from passages with labels only.\n")
    if sources := training.get("sources"):
        header = ("source", "licence", "labelled", "by probability", "documents")
        keys = ("source", "licence", "passages", "soft_passages", "documents")
        lines.append(_table(header, ([str(source[key]) for key in keys] for source in sources)))
    lines.append(f"Fingerprint of the corpus: `{training.get('fingerprint', NOT_SAID)}`.\n")
    return "\n".join(lines)


def _held_out(metrics: Mapping[str, Any]) -> str:
    corpus = metrics["corpus"]
    leaked = corpus.get("leaks")
    lines = [
        "## Figures on held-out passages\n",
        *_sibling(metrics.get("measured")),
        f"{corpus['passages']} passages of {corpus['documents']} documents; in brackets 95 % "
        f"intervals from {metrics['bootstrap']['samples']} bootstrap samples of documents. "
        f"{_leak_note(leaked)}\n",
        _facet_table(metrics),
        _label_table(metrics),
    ]
    if metrics["slices"]:
        lines += ["Micro F1 by part of the corpus:\n", _slice_table(metrics)]
    if found := metrics.get("faithfulness"):
        lines.append(
            f"Evidence: of {found['cases']} tags, {found['share']:.1%} fall when their evidence is "
            f"taken out of the text, {found['control_share']:.1%} when as many other words are.\n"
        )
    return "\n".join(lines)


def _sibling(measured: str | None) -> list[str]:
    if not measured:
        return []
    told = f"Measured on `{measured}`, trained in the same way without these passages' documents;"
    return [f"{told} the model of this card has learnt from them too.\n"]


def _leak_note(leaked: Sequence[str] | None) -> str:
    if leaked is None:
        return "The model can't tell whether they were in its training data."
    if leaked:
        return f"**{len(leaked)} of them are in the training data: the figures are too good.**"
    return "None of their documents or texts is in the training data."


def _facet_table(metrics: Mapping[str, Any]) -> str:
    rows = [
        (
            facet,
            as_text(figures["micro"]["f1"]),
            f"{as_text(figures['macro']['f1'])} ({len(figures['macro']['labels'])} labels)",
            as_text(figures["exact_match"]),
            as_text(figures["any"]["f1"]),
            _number(figures["ece"]),
        )
        for facet, figures in metrics["facets"].items()
    ]
    for baseline in metrics["baselines"]:
        rows += [
            (f"{facet}, {baseline['name']}", as_text(part["micro_f1"]), "", "", "", "")
            for facet, part in baseline["facets"].items()
        ]
    header = ("", "micro F1", "macro F1", "exact match", "any label, F1", "mean ECE")
    return _table(header, rows)


def _label_table(metrics: Mapping[str, Any]) -> str:
    rows = [
        (
            label["name"],
            str(label["support"]),
            as_text(label["precision"]),
            as_text(label["recall"]),
            as_text(label["f1"]),
            _number(label["ece"]),
        )
        for label in metrics["labels"]
    ]
    return _table(("label", "n", "precision", "recall", "F1", "ECE"), rows)


def _slice_table(metrics: Mapping[str, Any]) -> str:
    facets = list(metrics["facets"])
    rows = [
        (
            f"{part['column']}: {part['value']}",
            str(part["passages"]),
            *(as_text(part["facets"][facet]["micro_f1"]) for facet in facets),
        )
        for part in metrics["slices"]
    ]
    return _table(("part", "n", *facets), rows)


def _figures_out_of_fold(manifest: Mapping[str, Any]) -> str:
    found = manifest.get("out_of_fold", {})
    n = manifest.get("training", {}).get("passages", 0)
    lines = [
        "## Figures out of fold\n",
        f"No held-out figures yet. These are of the {n:,} labelled training passages, each scored "
        "by a fit that never saw its document; calibration and thresholds were chosen on them, so "
        "they are somewhat too good.\n",
    ]
    micro = [(k, f"{v['micro_f1']:.3f}") for k, v in found.items() if "micro_f1" in v]
    if micro:
        lines.append(_table(("facet", "micro F1"), micro))
    if labels := found.get("labels"):
        keys = ("precision", "recall", "f1")
        rows = [(k, str(v["n"]), *(_number(v[key]) for key in keys)) for k, v in labels.items()]
        lines.append(_table(("label", "n", "precision", "recall", "F1"), rows))
    return "\n".join(lines)


def _out_of_fold(loaded: ModelFolder) -> dict[str, Any]:
    kept = loaded.arrays(OUT_OF_FOLD)
    truth = kept["truth"].astype(bool)
    given = kept["probabilities"].astype(np.float64) >= loaded.model.thresholds
    figures = {}
    for column, name in enumerate(loaded.model.taxonomy.names):
        true, said = int(truth[:, column].sum()), int(given[:, column].sum())
        hits = int((truth & given)[:, column].sum())
        figures[name] = {
            "n": true,
            "precision": round(hits / said, 4) if said else None,
            "recall": round(hits / true, 4) if true else None,
            "f1": round(2 * hits / (said + true), 4) if said + true else None,
        }
    return figures


def _labels(manifest: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    facts = manifest.get("label_facts", {})
    rows = []
    for label, kept in zip(taxonomy.labels, manifest["labels"], strict=True):
        fact = facts.get(label.name, {})
        shrunk = "towards the common slope" if fact.get("calibration_shrunk") else "its own"
        rows.append(
            (
                label.name,
                str(fact.get("positives", NOT_SAID)),
                f"{kept['threshold']:.3f}",
                str(fact.get("threshold_rule", NOT_SAID)),
                shrunk if fact else NOT_SAID,
                label.definition,
            )
        )
    header = ("label", "training n", "threshold", "set for", "calibration", "definition")
    return "## Labels\n\n" + _table(header, rows)


def _versions(manifest: Mapping[str, Any]) -> str:
    named = ", ".join(f"{k} {v}" for k, v in sorted(manifest.get("versions", {}).items()))
    return f"Made with {named}.\n" if named else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    escaped = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
