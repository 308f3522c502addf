"""Engines on this machine, and the loop that keeps any engine busy within bounds."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

from textclass.batch.formats import json_line, pack
from textclass.batch.jobs import Batch, Cut, Facts, Setup, Task
from textclass.batch.worker import Worker, start, work
from textclass.documents import SetAside
from textclass.errors import BatchError

AHEAD = 3
"""Tasks handed out for each worker: enough to keep it busy, few enough to bound memory."""

_HEARTBEAT = 0.25


class Pool:
    """Workers that do tasks.

    Attributes
    ----------
    ahead : int
        How many tasks to hand out at a time.
    died : tuple of exception types
        What a task raises whose worker was killed.
    executor : concurrent.futures.Executor
    """

    ahead = 1
    died: tuple[type[Exception], ...] = ()
    executor: Any  # neither joblib nor distributed carries types

    def submit(self, task: Task) -> Future[list[Batch]]:
        """Hand out a task."""
        future: Future[list[Batch]] = self.executor.submit(work, task)
        return future

    def renew(self, *, alone: bool) -> None:
        """Replace dead workers, by one only if `alone`."""

    def close(self) -> None:
        """End the workers at once."""


class SerialPool(Pool):
    """No other process: tasks are done here."""

    def __init__(self, setup: Setup) -> None:
        self._worker = Worker(setup)

    def submit(self, task: Task) -> Future[list[Batch]]:
        """Do a task at once."""
        future: Future[list[Batch]] = Future()
        future.set_result(self._worker.work(task))
        return future

    def close(self) -> None:
        """End the reading process."""
        self._worker.reader.close()


class LocalPool(Pool):
    """Processes of joblib's loky on this machine.

    Parameters
    ----------
    setup : Setup
    width : int
        How many.
    """

    died = (BrokenProcessPool,)

    def __init__(self, setup: Setup, width: int) -> None:
        self.ahead = width * AHEAD
        self._setup = setup
        self._width = width
        self._start(width)

    def _start(self, width: int) -> None:
        self.executor = ProcessPoolExecutor(
            width,
            initializer=_start_process,
            initargs=(self._setup, os.getpid()),
            # Each process is one worker; more threads inside would only crowd the cores.
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def renew(self, *, alone: bool) -> None:
        """Replace all processes."""
        self.close()
        self._start(1 if alone else self._width)

    def close(self) -> None:
        """End the processes at once."""
        self.executor.shutdown(wait=True, kill_workers=True)


def _start_process(setup: Setup, parent: int) -> None:
    # Ctrl-C on the terminal reaches all processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(50_000)  # as the command does
    # Standard output is for results; what a library prints goes where messages go.
    os.dup2(2, 1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    start(setup)


def _follow(parent: int) -> None:
    """End this process when its parent is killed: nobody would take its results."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def drive(pool: Pool, tasks: Iterator[Task]) -> Iterator[tuple[Task, list[Batch]] | None]:
    """Yield each task with its batches, as they get done; None as a sign of life.

    A task whose worker dies is tried once more, alone; if that worker dies too, it is set aside.
    A caller who wants no more may stop at any None: what is then under way is left undone.
    """
    pending: dict[Future[list[Batch]], Task] = {}
    while True:
        for task in islice(tasks, pool.ahead - len(pending)):
            yield None
            pending[_submitted(pool, task)] = task
        if not pending:
            return
        done, _ = wait(pending, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
        # A stop from outside may have killed the workers just before.
        yield None
        suspects = [pending.pop(future) for future in done if _died(pool, future)]
        yield from [(pending.pop(future), future.result()) for future in done & pending.keys()]
        if suspects:
            yield from _tried_alone(pool, suspects + list(pending.values()))
            pending.clear()


def _submitted(pool: Pool, task: Task) -> Future[list[Batch]]:
    """Hand out a task; if the pool is broken, it counts as one that died with it."""
    try:
        return pool.submit(task)
    except pool.died as error:
        future: Future[list[Batch]] = Future()
        future.set_exception(error)
        return future


def _died(pool: Pool, future: Future[list[Batch]]) -> bool:
    if future.cancelled():
        raise BatchError(
            "the cluster lost the run's tasks",
            hint="what is done is kept; run the same command again",
        )
    return isinstance(future.exception(), pool.died)


def _tried_alone(pool: Pool, tasks: list[Task]) -> Iterator[tuple[Task, list[Batch]] | None]:
    """Do tasks one at a time, so that a death tells which of them kills."""
    # The signal of a stop that killed the workers may come a little later.
    time.sleep(_HEARTBEAT)
    pool.renew(alone=True)
    for task in tasks:
        yield from _alone(pool, task)
    pool.renew(alone=False)


def _alone(pool: Pool, task: Task) -> Iterator[tuple[Task, list[Batch]] | None]:
    yield None
    future = _submitted(pool, task)
    if not _died(pool, future):
        yield task, future.result()
        return
    pool.renew(alone=True)
    parts = list(_parts(task))
    for part in parts:
        yield from _alone(pool, part)
    if not parts:
        yield task, [_killer(task)]


def _parts(task: Task) -> Iterator[Task]:
    """Yield each input, or each document, of a task that has several."""
    cut = task.cut
    if len(task.inputs) > 1:
        yield from (replace(task, inputs=(one,)) for one in task.inputs)
    elif cut and len(cut.documents) > 1:
        for i, document in enumerate(cut.documents):
            yield replace(
                task, cut=Cut((document,), cut.first + i, repeated=cut.repeated * (not i))
            )


def _killer(task: Task) -> Batch:
    """Return the set-aside of a task that killed its worker twice."""
    error = (
        "its worker was killed twice, the second time alone: it may need more memory than there is"
    )
    (origin,), cut = task.inputs, task.cut or Cut(())
    name, sha256 = origin.source.id, origin.content or None
    if cut.documents:
        name, sha256 = cut.documents[0].id, cut.documents[0].sha256
    aside = json_line(asdict(SetAside(name, origin.place, sha256, "tag", error)))
    facts = Facts(Counter(set_aside=1, repeated=cut.repeated))
    return Batch(origin.position, cut.first, 1, b"", b"", pack([aside]), facts, again=True)
