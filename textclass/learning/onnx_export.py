"""The network's encoder as an ONNX file, its matrices in 8-bit integers.

`quantize_dynamic` of onnxruntime takes one range for all tokens of a batch: an outlier in one makes
all others coarse, and what a passage scores depends on its neighbours. Here no token knows of
another. The operators are plain ONNX ones, made from two functions that are put in their place.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import onnx.inliner
import torch

from textclass.learning.network import Network, padded
from textclass.model import Encoder

_DOMAIN = "textclass.quantising"

_PRODUCT = """
<opset_import: ["": 17], domain: "textclass.quantising">
Product (states, matrix, scales) => (product)
{
    levels = Constant <value_float: float = 127.0> ()
    least = Constant <value_float: float = 1e-9> ()
    one = Constant <value_float: float = 1.0> ()
    middle = Constant <value = uint8 {128}> ()
    sizes = Abs (states)
    largest = ReduceMax <axes: ints = [-1], keepdims: int = 1> (sizes)
    range = Max (largest, least)
    steps = Div (range, levels)
    in_steps = Div (states, steps)
    rounded = QuantizeLinear (in_steps, one, middle)
    sums = MatMulInteger (rounded, matrix, middle)
    numbers = Cast <to: int = 1> (sums)
    by_token = Mul (numbers, steps)
    product = Mul (by_token, scales)
}
"""
"""States (…, n) times a matrix (n, m) of int8, whose columns are to be scaled."""

_ROWS = """
<opset_import: ["": 17], domain: "textclass.quantising">
Rows (matrix, places, scales) => (rows)
{
    taken = Gather (matrix, places)
    numbers = Cast <to: int = 1> (taken)
    of_rows = Gather (scales, places)
    rows = Mul (numbers, of_rows)
}
"""
"""Rows of a matrix of int8, each to be scaled."""


def export(
    network: Network, tokenizer: bytes, sample: Sequence[str], *, max_tokens: int
) -> tuple[bytes, float | None]:
    """Return the encoder in int8, and how far that moves vectors, as a share of their length.

    Parameters
    ----------
    network : Network
    tokenizer : bytes
    sample : sequence of str
        Texts whose vectors are compared.
    max_tokens : int, keyword-only
        Length of a window.
    """
    network.eval()
    network.attend_by("eager")
    axes = {0: "batch", 1: "length"}
    whole = io.BytesIO()
    torch.onnx.export(
        network,
        padded([[101, 2054, 102], [101, 102]]),
        whole,
        input_names=["input_ids", "attention_mask"],
        output_names=["last_hidden_state"],
        dynamic_axes=dict.fromkeys(["input_ids", "attention_mask", "last_hidden_state"], axes),
        opset_version=17,
        dynamo=False,
    )
    small = quantise(whole.getvalue())
    if not sample:
        return small, None
    exact, rounded = (
        Encoder(content, tokenizer, max_tokens=max_tokens).vectors(sample)
        for content in (whole.getvalue(), small)
    )
    apart = np.linalg.norm(exact - rounded, axis=1) / np.linalg.norm(exact, axis=1)
    return small, round(float(apart.mean()), 4)


def quantise(content: bytes) -> bytes:
    """Return a model with its products by matrices, and look-ups in them, in 8-bit integers.

    Parameters
    ----------
    content : bytes
        Of an ONNX file, opset 17.
    """
    model = onnx.load_from_string(content)
    matrices = {one.name: one for one in model.graph.initializer if len(one.dims) == 2}
    for node in model.graph.node:
        kind, place, axis = {"MatMul": ("Product", 1, 0), "Gather": ("Rows", 0, 1)}.get(
            node.op_type, ("", 0, 0)
        )
        if not kind or node.input[place] not in matrices:
            continue
        stored = matrices[node.input[place]]
        matrix = onnx.numpy_helper.to_array(stored)
        scales = np.abs(matrix).max(axis=axis, keepdims=True).clip(1e-9) / np.float32(127)
        small = np.rint(matrix / scales).astype(np.int8)
        stored.CopyFrom(onnx.numpy_helper.from_array(small, stored.name))
        scaled = f"{stored.name}.scales"
        model.graph.initializer.append(onnx.numpy_helper.from_array(scales, scaled))
        node.op_type, node.domain = kind, _DOMAIN
        node.input.append(scaled)
    model.functions.extend(map(onnx.parser.parse_function, (_PRODUCT, _ROWS)))
    model.opset_import.append(onnx.helper.make_opsetid(_DOMAIN, 1))
    return bytes(onnx.inliner.inline_local_functions(model).SerializeToString())
