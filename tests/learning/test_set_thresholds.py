import shutil

import numpy as np
import pytest

from textclass.errors import ModelError, TaxonomyError
from textclass.learning import set_thresholds
from textclass.model import load_folder


def test_thresholds_are_set_anew_without_refitting(toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / "model")
    before = load_folder(folder)
    changed = set_thresholds(folder, target_precision=0.99)
    after = load_folder(folder)
    assert "README.md" in after.files()
    assert set(changed) == set(after.model.taxonomy.names)
    assert np.array_equal(after.model.feature_weights, before.model.feature_weights)
    assert after.model.name != before.model.name
    facts = after.manifest["label_facts"]
    assert all(facts[name]["threshold_rule"].startswith("precision 0.99") for name in facts)
    set_thresholds(folder)
    assert np.allclose(load_folder(folder).model.thresholds, before.model.thresholds, atol=1e-3)


def test_one_label_alone_and_a_label_that_is_not_there(toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / "model")
    before = load_folder(folder).model.thresholds
    assert set(set_thresholds(folder, target_precision=0.999, labels=["bread"])) == {"bread"}
    assert (load_folder(folder).model.thresholds != before).sum() <= 1
    with pytest.raises(TaxonomyError, match="unknown label 'cheese'"):
        set_thresholds(folder, labels=["cheese"])


def test_a_model_without_out_of_fold_probabilities_is_told(toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / "model")
    (folder / "out_of_fold.safetensors").unlink()
    with pytest.raises(ModelError, match=r"out_of_fold\.safetensors: can't be read"):
        set_thresholds(folder)
