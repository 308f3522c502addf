"""The evaluation of a model as one HTML page: figures with intervals, plots and worst errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textclass.report.marked_text import mark_text
from textclass.report.page import write_page

Record = Mapping[str, Any]
"""A row of a frame of the evaluation."""

FACTS = {
    "micro_f1": "micro F1",
    "micro_precision": "micro precision",
    "micro_recall": "micro recall",
    "macro_f1": "macro F1",
    "exact_match": "exact match",
    "any_f1": "none against any, F1",
    "ece": "calibration error",
    "brier": "Brier score",
}
"""A facet's figures, as they are headed."""

MOST_PAIRS = 15


def write_evaluation_report(evaluation: Record, path: str | Path) -> None:
    """Write an evaluation as a page that opens from disk, loads nothing and runs no script.

    Parameters
    ----------
    evaluation : Mapping
        What `Evaluation.to_dict` returned, or `textclass evaluate --output` wrote.
    path : str or Path

    Raises
    ------
    TextclassError
        If it can't be written.
    """
    facets = [_facet(evaluation, name) for name in evaluation["at_95"]]
    context = {
        "title": f"Evaluation of {evaluation['model']}",
        "metrics": evaluation,
        "facts": FACTS,
        "facets": facets,
        "lead": [label["name"] for label in facets[0]["labels"]] if facets else [],
        "slices": _slices(evaluation["figures"]),
        "errors": [
            {
                **one,
                "marked": mark_text(
                    one["text"], one["evidence"], first=[*one["wrong"], *one["missing"]]
                ),
            }
            for one in evaluation["mistakes"]
        ],
    }
    write_page(Path(path), "evaluation.jinja", context)


def _facet(data: Record, name: str) -> dict[str, Any]:
    tables = ("figures", "labels", "coverage", "confusions", "differences")
    own = {table: [row for row in data[table] if row["facet"] == name] for table in tables}
    whole = [row for row in own["figures"] if not row["part"]]
    figures = [row for row in whole if row["model"] == data["model"]]
    labels = [_label(data, figures, row) for row in own["labels"]]
    return {
        "name": name,
        "figures": {row["metric"]: row for row in figures if not row["label"]},
        "left_out": data["left_out"][name],
        "models": [row for row in whole if row["metric"] == "micro_f1"],
        "differences": own["differences"],
        "labels": labels,
        "coverage": own["coverage"],
        "at_95": data["at_95"][name],
        "pairs": own["confusions"][:MOST_PAIRS],
    }


def _label(data: Record, figures: Sequence[Record], row: Record) -> dict[str, Any]:
    """Return all that is told of a label: its figures by metric, its threshold, its curves."""
    name = row["label"]
    return {
        "name": name,
        **row,
        **{figure["metric"]: figure for figure in figures if figure["label"] == name},
        "sweep": [point for point in data["sweep"] if point["label"] == name],
        "reliability": [b for b in data["reliability"] if b["label"] == name and b["count"]],
    }


def _slices(figures: Sequence[Record]) -> Mapping[str, Sequence[Record]]:
    """Return the figures of the parts of the corpus, by facet and by what it was cut at."""
    slices = defaultdict(list)
    for row in figures:
        column, _, value = row["part"].partition(": ")
        if column:
            slices[f"{row['facet']} by {column}"].append({**row, "name": value})
    return slices
