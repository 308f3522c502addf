"""The model folder: written whole, read with every check, never unpickled.

`manifest.json` says what the model is and holds the SHA-256 of every other file;
`weights.safetensors` holds the arrays. Nothing in a folder is code or a pattern.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from textclass.atomic import write_atomically
from textclass.errors import ModelError, TaxonomyError, did_you_mean
from textclass.language import FeatureSpec
from textclass.model.checked import pack_arrays, read_checked, sha256, unpack_arrays
from textclass.model.linear import LinearModel
from textclass.taxonomy import Taxonomy, shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
STACK = "stack.safetensors"
"""The file of an accurate model that holds how its encoder speaks for the labels."""

_ARRAYS = {
    "feature_keys": ("uint64",),
    "feature_weights": ("float16", "float32"),
    "bigram_keys": ("uint64",),
    "bigram_weights": ("float16", "float32"),
    "word_keys": ("uint64",),
    "word_idf": ("float32",),
}
_PER_LABEL = {
    "intercept": "intercept",
    "slope": "slope",
    "offset": "offset",
    "threshold": "thresholds",
}
"""What the manifest tells of each label, and where the model has it."""


@dataclass(frozen=True)
class ModelFolder:
    """A model folder as it was read.

    Attributes
    ----------
    path : Path
    digest : str
        SHA-256 of the manifest, which holds those of the other files.
    manifest : Mapping
        The whole manifest.
    model : LinearModel
    """

    path: Path
    digest: str
    manifest: Mapping[str, Any]
    model: LinearModel

    @property
    def is_accurate(self) -> bool:
        """Whether the model has an encoder beside its words."""
        return STACK in self.manifest["files"]

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of another safetensors file of the folder, checked.

        Raises
        ------
        ModelError
            If the manifest doesn't know the file, or it isn't what the manifest says.
        """
        return _arrays(self.path, name, self.manifest)

    def files(self) -> dict[str, bytes]:
        """Return the content of every file, each checked.

        Raises
        ------
        ModelError
            If one isn't what the manifest says.
        """
        digests = {MANIFEST: self.digest, **self.manifest["files"]}
        return {name: read_checked(self.path / name, digest) for name, digest in digests.items()}


def find_model(model: str | Path) -> Path:
    """Return the folder of a model; a text that names a model that ships (`default`) means that.

    Raises
    ------
    ModelError
        If there is neither such a model nor such a folder.
    """
    models = shipped("models")
    names = sorted(folder.name for folder in models.iterdir()) if models.is_dir() else []
    if isinstance(model, str) and model in names:
        return models / model
    if not Path(model).is_dir():
        known = f"the models are {', '.join(names)}; a folder is one that textclass train wrote"
        raise ModelError(
            "neither a model that ships nor a model folder",
            where=str(model),
            hint=did_you_mean(str(model), names) or known,
        )
    return Path(model)


def check_place(folder: str | Path) -> Path:
    """Return the path of a folder that a model may be written to.

    Raises
    ------
    ModelError
        If it is a file, or a folder that holds other files and no model.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ModelError("it isn't a folder", where=str(folder), hint="give a new folder")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and WEIGHTS not in names:  # many a program's folder has a manifest.json
        raise ModelError(
            "the folder holds other files and no model",
            where=str(folder),
            hint="give a new or empty folder",
        )
    return folder


def save_model(
    model: LinearModel,
    folder: str | Path,
    *,
    facts: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
) -> ModelFolder:
    """Write a model folder: all files first, the manifest that vouches for them last.

    Parameters
    ----------
    model : LinearModel
    folder : path
        Made if it isn't there; its name is the model's name.
    facts : Mapping, keyword-only
        What else the manifest tells: training data, held-out figures, versions.
    files : Mapping of str to bytes, keyword-only, optional
        Further files of the folder.

    Returns
    -------
    ModelFolder
        As read back from disk.

    Raises
    ------
    ModelError
        If the folder holds other files and no model.
    """
    folder = check_place(folder)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {WEIGHTS: pack_arrays({name: getattr(model, name) for name in _ARRAYS})}
    contents.update(files or {})
    for name, content in contents.items():
        write_atomically(folder / name, content)
    kept = {name: digest for name, digest in facts.get("files", {}).items() if name not in contents}
    manifest = {
        **facts,
        "format": FORMAT,
        "taxonomy": model.taxonomy.to_dict(),
        "features": asdict(model.spec),
        "unseen_idf": model.unseen_idf,
        "labels": [
            {"name": name}
            | {key: float(getattr(model, kept)[column]) for key, kept in _PER_LABEL.items()}
            for column, name in enumerate(model.taxonomy.names)
        ],
        "files": kept | {name: sha256(content) for name, content in contents.items()},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    write_atomically(folder / MANIFEST, text.encode() + b"\n")
    return load_folder(folder)


def load_folder(model: str | Path = "default") -> ModelFolder:
    """Read a model folder.

    Parameters
    ----------
    model : str or Path
        Name of a model that ships, or a folder.

    Raises
    ------
    ModelError
        If a file is missing, too large, cut short or altered, if the format number is another, or
        if arrays and labels don't fit each other.
    """
    folder = find_model(model)
    where = str(folder / MANIFEST)
    content = read_checked(folder / MANIFEST, None)
    try:
        manifest = orjson.loads(content)
    except ValueError as error:
        raise ModelError(f"not valid JSON: {error}", where=where) from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ModelError("not the manifest of a textclass model", where=where)
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"format {manifest['format']!r}, this version reads {FORMAT}",
            where=where,
            hint="train the model again, or use the version of textclass that wrote it",
        )
    try:
        loaded = _assemble(manifest, _arrays(folder, WEIGHTS, manifest))
    except (KeyError, TypeError, AttributeError, TaxonomyError) as error:
        raise ModelError(f"the manifest lacks or misstates {error}", where=where) from error
    except ValueError as error:
        raise ModelError(str(error), where=str(folder)) from error
    digest = sha256(content)
    loaded = replace(loaded, name=f"{folder.resolve().name}@{digest[:8]}")
    return ModelFolder(folder, digest, manifest, loaded)


def _assemble(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LinearModel:
    taxonomy = Taxonomy.from_dict(manifest["taxonomy"])
    labels = manifest["labels"]
    if tuple(label["name"] for label in labels) != taxonomy.names:
        raise ValueError("the labels of the manifest aren't those of its taxonomy")
    shapes = {
        name: (len(arrays[keys]), *more)
        for keys, name, more in (
            ("feature_keys", "feature_weights", (len(labels),)),
            ("bigram_keys", "bigram_weights", (len(labels),)),
            ("word_keys", "word_idf", ()),
        )
    }
    for name, kinds in _ARRAYS.items():
        array = arrays[name]
        if array.dtype.name not in kinds or array.shape != shapes.get(name, array.shape):
            raise ValueError(f"{name} is {array.dtype.name} of shape {array.shape} in {WEIGHTS}")
    per_label = {
        field: np.array([float(label[key]) for label in labels], dtype=np.float64)
        for key, field in _PER_LABEL.items()
    }
    columns: dict[str, Any] = per_label | {name: arrays[name] for name in _ARRAYS}
    return LinearModel(
        taxonomy=taxonomy,
        spec=FeatureSpec(**manifest["features"]),
        unseen_idf=float(manifest["unseen_idf"]),
        **columns,
    )


def _arrays(folder: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    if name not in manifest["files"]:
        raise ModelError(f"the model has no {name}", where=str(folder))
    content = read_checked(folder / name, manifest["files"][name])
    return unpack_arrays(content, where=str(folder / name))
