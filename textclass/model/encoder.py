"""A fine-tuned sentence encoder, run by onnxruntime: text to contextual token vectors.

The vector of a text is the mean of its token vectors, so what a linear layer makes of it is the sum
of what it makes of each token: the contribution of a token is exact. Long texts are cut into
windows, whose tokens all count the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclass.errors import ModelError
from textclass.model.onnx_check import check_onnx
from textclass.model.persistence import find_model, read_checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENCODER = "encoder.onnx"
TOKENIZER = "tokenizer.json"
NOTICE = "NOTICE"
"""The licence of the base model, where it asks for one."""
ENCODER_FACTS = "encoder.json"
"""What an encoder is, with the SHA-256 of its two files."""

_WINDOWS_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of one text, in order, with what a linear layer makes of each.

    Attributes
    ----------
    begins, ends : ndarray of int64, shape (n_tokens,)
        Code-point offsets into the text; equal for the marks that begin and end a window.
    values : ndarray of float32, shape (n_tokens, n_outputs)
        Their mean is what the layer makes of the text.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: NDArray[np.float32]


class Encoder:
    """Turns texts into contextual token vectors of length `size`.

    Parameters
    ----------
    onnx : bytes
        A model with the inputs `input_ids` and `attention_mask`, (batch, length), and one output,
        (batch, length, size).
    tokenizer : bytes
        The `tokenizer.json` of the `tokenizers` library.
    max_tokens : int, keyword-only
        Length of a window, its two marks included.
    threads : int, keyword-only

    Raises
    ------
    ModelError
        If the libraries aren't there, or the files aren't what an encoder needs.
    """

    def __init__(
        self, onnx: bytes, tokenizer: bytes, *, max_tokens: int = 200, threads: int = 1
    ) -> None:
        check_onnx(onnx, where=ENCODER)
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelError(
                f"the accurate model needs {error.name}, which isn't installed",
                hint="pip install 'textclass[accurate]', or use --model default",
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
            self._session = onnxruntime.InferenceSession(
                onnx, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise their own kinds, some plain Exception
            fault = " ".join(str(error).split())
            raise ModelError(f"the encoder can't be opened: {fault}", where=ENCODER) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        output = self._session.get_outputs()[0]
        inputs = {one.name for one in self._session.get_inputs()}
        if inputs != {"input_ids", "attention_mask"} or len(output.shape) != 3:
            raise ModelError("not an encoder of tokens: other inputs or outputs", where=ENCODER)
        self.size = int(output.shape[2])

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean token vector of each text, shape (len(texts), size)."""
        sums = np.zeros((len(texts), self.size), dtype=np.float32)
        lengths = np.zeros(len(texts), dtype=np.int64)
        for windows, vectors in self._run(self._windows(texts)):
            for (owner, _, encoding), rows in zip(windows, vectors, strict=True):
                n_tokens = len(encoding)
                sums[owner] += rows[:n_tokens].sum(axis=0)
                lengths[owner] += n_tokens
        means: NDArray[np.float32] = (sums / np.maximum(lengths, 1)[:, None]).astype(np.float32)
        return means

    def tokens(self, texts: Sequence[str], layer: NDArray[np.float32]) -> list[Tokens]:
        """Return the tokens of each text under a linear layer of shape (n_outputs, size)."""
        found: dict[tuple[int, int], tuple[Any, NDArray[np.float32]]] = {}
        for windows, vectors in self._run(self._windows(texts)):
            values = vectors @ layer.T
            for (owner, number, encoding), rows in zip(windows, values, strict=True):
                found[owner, number] = encoding, rows[: len(encoding)]
        parts: list[list[tuple[Any, NDArray[np.float32]]]] = [[] for _ in texts]
        for owner, number in sorted(found):
            parts[owner].append(found[owner, number])
        return [_joined(one) for one in parts]

    def _windows(self, texts: Sequence[str]) -> list[tuple[int, int, Any]]:
        """Return the windows of all texts with the number of their text, longest first."""
        windows = [
            (owner, number, window)
            for owner, encoding in enumerate(self._tokenizer.encode_batch(list(texts)))
            for number, window in enumerate((encoding, *encoding.overflowing))
        ]
        return sorted(windows, key=lambda window: -len(window[2]))

    def _run(
        self, windows: list[tuple[int, int, Any]]
    ) -> Iterator[tuple[list[tuple[int, int, Any]], NDArray[np.float32]]]:
        """Yield some windows of like length with their token vectors, (n, length, size)."""
        for first in range(0, len(windows), _WINDOWS_AT_ONCE):
            batch = windows[first : first + _WINDOWS_AT_ONCE]
            ids = np.zeros((len(batch), len(batch[0][2])), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, (_, _, encoding) in enumerate(batch):
                ids[row, : len(encoding)] = encoding.ids
                mask[row, : len(encoding)] = 1
            feed = {"input_ids": ids, "attention_mask": mask}
            yield batch, self._session.run(None, feed)[0]


def _joined(parts: list[tuple[Any, NDArray[np.float32]]]) -> Tokens:
    offsets = np.array([span for encoding, _ in parts for span in encoding.offsets], dtype=np.int64)
    return Tokens(offsets[:, 0], offsets[:, 1], np.concatenate([values for _, values in parts]))


def load_encoder(folder: str | Path, *, digest: str | None = None, threads: int = 1) -> Encoder:
    """Open the encoder of a folder, its files checked first.

    Parameters
    ----------
    folder : str or Path
        Name of a model that ships, or a folder with `encoder.json` and what it names.
    digest : str, keyword-only, optional
        SHA-256 that `encoder.json` must have.
    threads : int, keyword-only

    Raises
    ------
    ModelError
        If a file is missing or altered, or the encoder can't be run here.
    """
    folder = find_model(folder)
    try:
        facts = json.loads(read_checked(folder / ENCODER_FACTS, digest))
        digests, max_tokens = facts["files"], int(facts["max_tokens"])
        onnx, tokenizer = (
            read_checked(folder / name, digests[name]) for name in (ENCODER, TOKENIZER)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"it lacks or misstates {error}", where=str(folder / ENCODER_FACTS)
        ) from error
    return Encoder(onnx, tokenizer, max_tokens=max_tokens, threads=threads)


def encoder_files(folder: str | Path) -> dict[str, bytes]:
    """Return the files of an encoder by name, its licence notice too."""
    folder = find_model(folder)
    names = [ENCODER_FACTS, ENCODER, TOKENIZER]
    names += [NOTICE] if (folder / NOTICE).exists() else []
    return {name: read_checked(folder / name, None) for name in names}
