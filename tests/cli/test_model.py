import json
import re
import shutil

from click.testing import CliRunner

from textclass.cli.main import cli


def test_info_and_verify(textclass, toy_model):
    out = textclass("model", "info", toy_model.path).out
    assert "river" in out
    assert "best F1" in out
    info = json.loads(textclass("model", "info", toy_model.path, "--json").out)
    assert info["name"] == toy_model.model.name
    assert info["training"]["passages"] == 240
    assert "whole and unaltered" in textclass("model", "verify", toy_model.path).out


def test_an_altered_model_is_refused_with_one_line(textclass, toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / "model")
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    done = textclass("predict", "--model", "model", "a b c d", check=1)
    assert done.err.count("\n") == 1
    assert "cut short or altered" in done.err


def test_thresholds_are_set_anew(textclass, toy_model, tmp_path):
    shutil.copytree(toy_model.path, tmp_path / "model")
    done = textclass("model", "thresholds", "model", "--target-precision", "0.95")
    assert len(done.out.splitlines()) == 3
    textclass("model", "verify", "model")
    assert (
        "give --target-precision or --best-f1"
        in textclass("model", "thresholds", "model", check=2).err
    )


def test_labels_that_are_never_given_are_told_first(toy_model, tmp_path):
    folder = shutil.copytree(toy_model.path, tmp_path / "model")
    words = ["model", "thresholds", str(folder), "--target-precision", "0.99999"]
    told = CliRunner().invoke(cli, words).output
    assert re.match(r"warning: .* [123] of 3 labels .* never given: (river|bread|no)", told), told


def test_a_model_that_ships_is_not_changed_in_place(textclass):
    done = textclass("model", "thresholds", "default", "--best-f1", "--label", "none", check=1)
    assert "copy it, and give the copy: cp -r " in done.err
