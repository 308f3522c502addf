"""Whether passages to evaluate on were in the training data, told by hashes in the model folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from textclass.model import ModelFolder, pack_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from textclass.corpora import Corpus

TRAINING_GROUPS = "groups.safetensors"
"""The file of a model folder that holds hashes of what it was trained on."""


def training_groups(corpus: Corpus) -> bytes:
    """Return the hashes of a corpus's documents and texts, as the bytes of a safetensors file.

    Returns
    -------
    bytes
        Arrays `groups` and `texts` of uint64, rising: the first 8 bytes of each SHA-256.
    """
    return pack_arrays(
        {"groups": np.unique(_hashes(corpus.groups)), "texts": np.unique(_hashes(corpus.texts))}
    )


def leaks(folder: ModelFolder, corpus: Corpus) -> list[str] | None:
    """Return the ids of passages whose document or text the model was trained on.

    Parameters
    ----------
    folder : ModelFolder
    corpus : Corpus

    Returns
    -------
    list of str or None
        In row order; None where the folder doesn't say what it was trained on.

    Raises
    ------
    ModelError
        If the file isn't what the manifest says.
    """
    if TRAINING_GROUPS not in folder.manifest["files"]:
        return None
    known = folder.arrays(TRAINING_GROUPS)
    nothing = np.zeros(0, dtype=np.uint64)
    leaked = np.isin(_hashes(corpus.groups), known.get("groups", nothing))
    leaked |= np.isin(_hashes(corpus.texts), known.get("texts", nothing))
    return [row.id for row, found in zip(corpus.rows, leaked, strict=True) if found]


def _hashes(values: Iterable[str]) -> NDArray[np.uint64]:
    digests = (hashlib.sha256(value.encode("utf-8", "surrogatepass")) for value in values)
    numbers = [int.from_bytes(digest.digest()[:8], "little") for digest in digests]
    return np.array(numbers, dtype=np.uint64)
