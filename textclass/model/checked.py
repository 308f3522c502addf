"""Files of a model folder: read with every check, arrays as safetensors, never unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_HEADER = 1_000_000
MAX_FILE = 500_000_000


def read_checked(path: Path, digest: str | None) -> bytes:
    """Return the bytes of a file of a model folder, with this SHA-256 if one is given."""
    if path.parent.resolve() != path.resolve().parent:
        raise ModelError("leads out of the model folder", where=str(path))
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ModelError(f"{size} bytes, at most {MAX_FILE} are read", where=str(path))
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"can't be read: {error.strerror}",
            where=str(path),
            hint="a model is a folder that textclass train wrote",
        ) from error
    if digest is not None and sha256(content) != digest:
        raise ModelError(
            "cut short or altered: its SHA-256 isn't the manifest's",
            where=str(path),
            hint="fetch or train the model again",
        )
    return content


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of a safetensors file."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def unpack_arrays(content: bytes, *, where: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a safetensors file.

    Raises
    ------
    ModelError
        If it isn't one.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    header = int.from_bytes(content[:8], "little")
    if header > MAX_HEADER:
        raise ModelError(f"a header of {header} bytes, at most {MAX_HEADER} are read", where=where)
    try:
        return dict(load(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"not a safetensors file: {error}", where=where) from error
