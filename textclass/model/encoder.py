"""A fine-tuned sentence encoder, run by onnxruntime: text to contextual token vectors.

The vector of a text is the mean of its token vectors, so what a linear layer makes of it is the sum
of what it makes of each token: the contribution of a token is exact. Long texts are cut into
windows, whose tokens all count the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textclass.errors import ModelError
from textclass.model.checked import read_checked
from textclass.model.onnx_check import check_onnx
from textclass.model.persistence import find_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENCODER = "encoder.onnx"
TOKENIZER = "tokenizer.json"
HEAD = "head.safetensors"
"""The linear layer that was fine-tuned with the encoder: `weight` (L, size) and `bias` (L,)."""
NOTICE = "NOTICE"
"""The licence of the base model, where it asks for one."""
ENCODER_FACTS = "encoder.json"
"""What an encoder is, the labels of its head, and the SHA-256 of its other files."""

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
        lengths = np.zeros((len(texts), 1), dtype=np.float32)
        for owner, _, _, vectors in self._windows(texts):
            sums[owner] += vectors.sum(axis=0)
            lengths[owner] += len(vectors)
        means: NDArray[np.float32] = np.divide(sums, np.maximum(lengths, 1), dtype=np.float32)
        return means

    def tokens(self, texts: Sequence[str], layer: NDArray[np.float32]) -> list[Tokens]:
        """Return the tokens of each text under a linear layer of shape (n_outputs, size)."""
        windows = [
            (owner, number, offsets, vectors @ layer.T)
            for owner, number, offsets, vectors in self._windows(texts)
        ]
        windows.sort(key=itemgetter(0, 1))
        found = []
        for _, of_text in groupby(windows, key=itemgetter(0)):
            _, _, offsets, values = zip(*of_text, strict=True)
            begins, ends = np.concatenate(offsets).T
            found.append(Tokens(begins, ends, np.concatenate(values)))
        return found

    def _windows(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[int, int, list[tuple[int, int]], NDArray[np.float32]]]:
        """Yield all windows, long ones first, some at once.

        Each with the number of its text, its own number in the text, and offsets and vectors of its
        tokens.
        """
        windows = [
            (owner, number, window)
            for owner, encoding in enumerate(self._tokenizer.encode_batch(list(texts)))
            for number, window in enumerate((encoding, *encoding.overflowing))
        ]
        windows.sort(key=lambda window: -len(window[2]))
        for first in range(0, len(windows), _WINDOWS_AT_ONCE):
            batch = windows[first : first + _WINDOWS_AT_ONCE]
            ids = np.zeros((len(batch), len(batch[0][2])), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, (_, _, window) in enumerate(batch):
                ids[row, : len(window)] = window.ids
                mask[row, : len(window)] = 1
            (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
            for (owner, number, window), rows in zip(batch, vectors, strict=True):
                yield owner, number, window.offsets, rows[: len(window)]


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
    files = encoder_files(folder, digest=digest)
    max_tokens = json.loads(files[ENCODER_FACTS])["max_tokens"]
    return Encoder(files[ENCODER], files[TOKENIZER], max_tokens=max_tokens, threads=threads)


def encoder_files(folder: str | Path, *, digest: str | None = None) -> dict[str, bytes]:
    """Return the files of an encoder by name, each with the SHA-256 that `encoder.json` tells.

    Raises
    ------
    ModelError
        If a file is missing or altered.
    """
    folder = find_model(folder)
    content = read_checked(folder / ENCODER_FACTS, digest)
    try:
        facts = json.loads(content)
        int(facts["max_tokens"])
        wanted = {ENCODER, TOKENIZER} | {HEAD, NOTICE} & set(facts["files"])
        digests = {name: str(facts["files"][name]) for name in sorted(wanted)}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"it lacks or misstates {error}", where=str(folder / ENCODER_FACTS)
        ) from error
    files = {name: read_checked(folder / name, digests[name]) for name in digests}
    return {ENCODER_FACTS: content, **files}
