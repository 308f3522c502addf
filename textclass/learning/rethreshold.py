"""Thresholds of a model set anew, without refitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textclass.errors import ModelError
from textclass.learning.card import update_card
from textclass.learning.thresholds import OUT_OF_FOLD, choose_thresholds
from textclass.model import load_folder, save_model


def set_thresholds(
    folder: str | Path, *, target_precision: float | None = None, labels: Sequence[str] = ()
) -> Mapping[str, tuple[float, float]]:
    """Set thresholds of a model folder anew, from its out-of-fold probabilities.

    Held-out figures of the old thresholds leave the manifest and the card.

    Parameters
    ----------
    folder : path
    target_precision : float, keyword-only, optional
        Best F1 where it isn't given.
    labels : sequence of str, keyword-only
        Which labels; all where none is given.

    Returns
    -------
    Mapping of str to (float, float)
        The threshold of each label before and after.

    Raises
    ------
    TaxonomyError
        If the model has no such label.
    ModelError
        If the folder can't be used, or was trained without out-of-fold probabilities.
    """
    loaded = load_folder(folder)
    model = loaded.model
    kept = loaded.arrays(OUT_OF_FOLD)
    if not {"probabilities", "truth", "weights"} <= set(kept):
        raise ModelError(f"{OUT_OF_FOLD} lacks its arrays", where=str(folder))
    columns = [model.taxonomy.column(label) for label in labels or model.taxonomy.names]
    p, truth = kept["probabilities"].astype(np.float64), kept["truth"].astype(bool)
    weights = kept["weights"].astype(np.float64)
    targets = [target_precision] * len(columns)
    chosen = choose_thresholds(p[:, columns], truth[:, columns], weights, targets)
    before = model.thresholds.copy()
    facts = {key: value for key, value in loaded.manifest.items() if key != "held_out"}
    for column, threshold in zip(columns, chosen, strict=True):
        model.thresholds[column] = threshold.value
        name = model.taxonomy.names[column]
        facts["label_facts"][name]["threshold_rule"] = threshold.rule
    save_model(model, folder, facts=facts)
    update_card(folder)
    return {
        model.taxonomy.names[c]: (float(before[c]), float(model.thresholds[c])) for c in columns
    }
