import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from textclass.errors import ModelError
from textclass.model import load_folder


@pytest.fixture
def folder(toy_model, tmp_path) -> Path:
    return Path(shutil.copytree(toy_model.path, tmp_path / "model"))


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_folder(folder).files()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_saved_model_loads_as_it_was(toy_model, folder):
    again = load_folder(folder).model
    assert again.taxonomy == toy_model.model.taxonomy
    assert again.spec == toy_model.model.spec
    for name in ("feature_keys", "feature_weights", "bigram_weights", "word_idf", "thresholds"):
        assert np.array_equal(getattr(again, name), getattr(toy_model.model, name))
    assert again.name.startswith("model@")
    assert "README.md" in load_folder(folder).files()


@pytest.mark.parametrize("name", ["weights.safetensors", "out_of_fold.safetensors", "README.md"])
def test_one_changed_byte_is_refused(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name}: cut short or altered" in refusal(folder)


def test_a_truncated_file_is_refused(folder):
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert "cut short or altered" in refusal(folder)


def vouch_for(folder: Path, content: bytes) -> None:
    """Write weights that the manifest's digest agrees with."""
    import hashlib

    (folder / "weights.safetensors").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["weights.safetensors"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_header_of_two_megabytes_is_refused(folder):
    header = b" " * 2_000_000
    vouch_for(folder, len(header).to_bytes(8, "little") + header)
    assert "a header of 2000000 bytes, at most 1000000 are read" in refusal(folder)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_a_pickle_under_the_name_of_the_weights_is_refused_and_not_run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    vouch_for(folder, pickle.dumps(Bomb()))
    refusal(folder)
    assert not (folder / "exploded").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "format 2, this version reads 1"),
        ({"labels": []}, "the labels of the manifest aren't those of its taxonomy"),
        ({"unseen_idf": None}, "lacks or misstates"),
        ({"files": {}}, "the model has no weights.safetensors"),
        ({"features": {"shortest": 4, "pattern": "(a+)+$"}}, "lacks or misstates"),
        ({"taxonomy": {}}, "lacks or misstates"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, change, told):
    manifest = json.loads((folder / "manifest.json").read_text()) | change
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert told in refusal(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b"[1]", "not the man"),
    ],
)
def test_what_is_no_manifest_is_refused(folder, content, told):
    (folder / "manifest.json").write_bytes(content)
    assert told in refusal(folder)


def test_a_file_that_leads_out_of_the_folder_is_refused(folder, tmp_path):
    outside = tmp_path / "weights"
    (folder / "weights.safetensors").rename(outside)
    (folder / "weights.safetensors").symlink_to(outside)
    assert "leads out of the model folder" in refusal(folder)


def test_no_model_there(tmp_path):
    with pytest.raises(ModelError, match="neither a model that ships nor a model folder"):
        load_folder(tmp_path / "none")
