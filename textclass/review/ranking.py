"""Which passages to ask about next: a quick model fitted on the answers, in a child process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from textclass.review.queue import doubt

MOST_POOL, MOST_TAUGHT = 3000, 2000
"""How many unanswered passages are ranked and how many labelled ones are learnt from, at most."""

FEWEST_EXAMPLES = 3
"""Passages with a label, and without it, before a model of it is fitted."""

_SPREAD = 100
"""How many of the best are put in an order in which neighbours are unlike each other."""

_CHILD = "from textclass.review.ranking import main; main()"


def rank_passages(
    pool: Sequence[str], taught: Sequence[str], targets: NDArray[np.float64], groups: Sequence[str]
) -> list[int]:
    """Return the numbers of passages, the most instructive first.

    A passage is worth the sum over labels of the entropy of its probability, rare labels counted
    more (uncertainty sampling: Lewis and Gale, 1994, A Sequential Algorithm for Training Text
    Classifiers, SIGIR). Among the best, those like a better one wait. Before there are labels to
    learn from, each next passage is the one least like all before it.

    Parameters
    ----------
    pool : sequence of str
        Passages to rank.
    taught : sequence of str
        Passages with labels.
    targets : ndarray of float64, shape (n_taught, n_labels)
    groups : sequence of str
        The document of each passage taught.
    """
    from textclass.learning import LabelClassifier, WordFeatures

    features = WordFeatures(min_df=3, vector_size=50).fit_transform([*taught, *pool])
    known, open_ones = features[: len(taught)], features[len(taught) :]
    positives = targets.sum(axis=0)
    columns = np.flatnonzero(
        (positives >= FEWEST_EXAMPLES) & (len(taught) - positives >= FEWEST_EXAMPLES)
    )
    if not len(columns):
        worth = np.ones(len(pool))
    else:
        fitted = LabelClassifier(folds=2).fit(known, targets[:, columns], groups=groups)
        p = fitted.predict_proba(open_ones)
        given = np.zeros(p.shape, dtype=bool)
        rows = {text: row for row, text in enumerate(taught)}
        for number, text in enumerate(pool):
            if (row := rows.get(text)) is not None:  # a corpus under review: it may be wrong
                p[number] = fitted.out_of_fold_[row]
                given[number] = targets[row, columns] > 0.5
        worth = doubt(p, given, 1 / np.sqrt(1 + positives[columns]))
    return _spread(open_ones, worth)


def _spread(features: Any, worth: NDArray[np.float64]) -> list[int]:  # noqa: ANN401 -- a sparse matrix
    """Return numbers by falling worth, of the first ones each unlike those before it."""
    order = np.argsort(-worth, kind="stable")
    best = order[: 5 * _SPREAD]
    rows = features[best]
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    alike = np.asarray((rows @ rows.T).todense()) / np.maximum(np.outer(lengths, lengths), 1e-12)
    left, likest = worth[best].astype(float), np.zeros(len(best))
    first: list[int] = []
    for _ in range(min(_SPREAD, len(best))):
        pick = int(np.argmax(left * (1 - np.minimum(likest, 0.99))))
        first.append(int(best[pick]))
        left[pick] = -1
        likest = np.maximum(likest, alike[pick])
    chosen = set(first)
    return first + [number for number in order.tolist() if number not in chosen]


async def rank_in_child(task: dict[str, Any]) -> list[int]:
    """Run `rank_passages` in a process of its own, which ends with whoever waits for it.

    Raises
    ------
    RuntimeError
        If the child fails, with its last words.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the server, which then ends the child
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        answer, fault = await child.communicate(orjson.dumps(task))
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    if child.returncode:
        raise RuntimeError(fault.decode(errors="replace").strip().rpartition("\n")[2])
    order: list[int] = orjson.loads(answer)
    return order


def main() -> None:
    """Rank what stands on standard input; the page comes first, so be nice."""
    os.nice(5)
    task = orjson.loads(sys.stdin.buffer.read())
    targets = np.array(task.pop("targets"), dtype=np.float64)
    targets = targets.reshape(len(task["taught"]), -1)
    sys.stdout.buffer.write(orjson.dumps(rank_passages(targets=targets, **task)))
