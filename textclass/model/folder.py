"""The model folder: written whole, read with every check, never unpickled.

`manifest.json` says what the model is and holds the SHA-256 of every other file;
`weights.safetensors` holds the arrays. Nothing in a folder is code or a pattern.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from textclass.errors import ModelError, TaxonomyError
from textclass.language import FeatureSpec
from textclass.model.linear import LinearModel
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
MAX_HEADER = 1_000_000
MAX_MANIFEST = 8_000_000
MAX_FILE = 500_000_000

_ARRAYS = {
    "feature_keys": ("uint64",),
    "feature_weights": ("float16", "float32"),
    "bigram_keys": ("uint64",),
    "bigram_weights": ("float16", "float32"),
    "word_keys": ("uint64",),
    "word_idf": ("float32",),
}
_PER_LABEL = ("intercept", "slope", "offset", "threshold")


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

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of another safetensors file of the folder, checked.

        Raises
        ------
        ModelError
            If the manifest doesn't know the file, or it isn't what the manifest says.
        """
        if name not in self.manifest["files"]:
            raise ModelError(f"the model has no {name}", where=str(self.path))
        return _arrays(self.path / name, self.manifest["files"][name])


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
    if names and not names & {MANIFEST, WEIGHTS}:
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
        _write(folder / name, content)
    kept = {p: h for p, h in facts.get("files", {}).items() if p not in contents}
    manifest = {
        **facts,
        "format": FORMAT,
        "taxonomy": model.taxonomy.to_dict(),
        "features": asdict(model.spec),
        "unseen_idf": model.unseen_idf,
        "labels": [
            {
                "name": name,
                "intercept": float(model.intercept[column]),
                "slope": float(model.slope[column]),
                "offset": float(model.offset[column]),
                "threshold": float(model.thresholds[column]),
            }
            for column, name in enumerate(model.taxonomy.names)
        ],
        "files": kept | {name: _sha256(content) for name, content in contents.items()},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    _write(folder / MANIFEST, text.encode() + b"\n")
    return load_folder(folder)


def load_folder(folder: str | Path) -> ModelFolder:
    """Read a model folder.

    Raises
    ------
    ModelError
        If a file is missing, too large, cut short or altered, if the format number is another, or
        if arrays and labels don't fit each other.
    """
    folder = Path(folder)
    content = _read(folder / MANIFEST, MAX_MANIFEST)
    try:
        manifest = json.loads(content, parse_constant=_no_constant)
    except ValueError as error:
        raise ModelError(f"not valid JSON: {error}", where=str(folder / MANIFEST)) from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ModelError("not the manifest of a textclass model", where=str(folder / MANIFEST))
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"format {manifest['format']!r}, this version reads {FORMAT}",
            where=str(folder / MANIFEST),
            hint="train the model again, or use the version of textclass that wrote it",
        )
    try:
        arrays = _arrays(folder / WEIGHTS, manifest["files"][WEIGHTS])
        model = _assemble(manifest, arrays)
    except (KeyError, TypeError, AttributeError, TaxonomyError) as error:
        raise ModelError(
            f"the manifest lacks or misstates {error}", where=str(folder / MANIFEST)
        ) from error
    except ValueError as error:
        raise ModelError(str(error), where=str(folder)) from error
    digest = _sha256(content)
    model = replace(model, name=f"{folder.resolve().name}@{digest[:8]}")
    return ModelFolder(folder, digest, manifest, model)


def verify_folder(folder: str | Path) -> ModelFolder:
    """Read a model folder and check every file that its manifest names.

    Raises
    ------
    ModelError
        As `load_folder`, for each file of the folder.
    """
    loaded = load_folder(folder)
    for name, digest in loaded.manifest["files"].items():
        _checked(loaded.path / name, digest)
    return loaded


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of a safetensors file."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def _assemble(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LinearModel:
    taxonomy = Taxonomy.from_dict(manifest["taxonomy"])
    labels = manifest["labels"]
    if tuple(label["name"] for label in labels) != taxonomy.names:
        raise ValueError("the labels of the manifest aren't those of its taxonomy")
    for name, kinds in _ARRAYS.items():
        if name not in arrays or arrays[name].dtype.name not in kinds:
            raise ValueError(f"{WEIGHTS} lacks the array {name} of type {' or '.join(kinds)}")
    n_features, n_words = len(arrays["feature_keys"]), len(arrays["word_keys"])
    wanted = {
        "feature_weights": (n_features, len(labels)),
        "bigram_weights": (len(arrays["bigram_keys"]), len(labels)),
        "word_idf": (n_words,),
    }
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, expected {shape}")
    per_label = {
        key: np.array([float(label[key]) for label in labels], dtype=np.float64)
        for key in _PER_LABEL
    }
    if not all(np.isfinite(values).all() for values in per_label.values()):
        raise ValueError("a label's numbers aren't finite")
    return LinearModel(
        taxonomy=taxonomy,
        spec=FeatureSpec(**manifest["features"]),
        unseen_idf=float(manifest["unseen_idf"]),
        intercept=per_label["intercept"],
        slope=per_label["slope"],
        offset=per_label["offset"],
        thresholds=per_label["threshold"],
        feature_keys=arrays["feature_keys"],
        feature_weights=arrays["feature_weights"],
        bigram_keys=arrays["bigram_keys"],
        bigram_weights=arrays["bigram_weights"],
        word_keys=arrays["word_keys"],
        word_idf=arrays["word_idf"],
    )


def _arrays(path: Path, digest: str) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = _checked(path, digest)
    try:
        return dict(load(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"not a safetensors file: {error}", where=str(path)) from error


def _checked(path: Path, digest: str) -> bytes:
    """Return the bytes of a file that are what the manifest says."""
    content = _read(path, MAX_FILE)
    if path.suffix == ".safetensors":
        header = int.from_bytes(content[:8], "little")
        if header > MAX_HEADER:
            raise ModelError(
                f"a header of {header} bytes, at most {MAX_HEADER} are read", where=str(path)
            )
    if _sha256(content) != digest:
        raise ModelError(
            "cut short or altered: its SHA-256 isn't the manifest's",
            where=str(path),
            hint="fetch or train the model again",
        )
    return content


def _read(path: Path, limit: int) -> bytes:
    if path.parent.resolve() != path.resolve().parent:
        raise ModelError("leads out of the model folder", where=str(path))
    try:
        size = path.stat().st_size
        if size > limit:
            raise ModelError(f"{size} bytes, at most {limit} are read", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"can't be read: {error.strerror}",
            where=str(path),
            hint="a model is a folder that textclass train wrote",
        ) from error


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't a number")
