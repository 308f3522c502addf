"""Engines on this machine, and the loop that keeps any engine busy within bounds."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol

from textclass.batch.data import Part, RowsTask, Setup, Task
from textclass.batch.records import pack
from textclass.batch.worker import Worker, start, work
from textclass.documents import SetAside
from textclass.errors import BatchError

AHEAD = 3
"""Tasks handed out for each worker: enough to keep it busy, few enough to bound memory."""

_HEARTBEAT = 0.25


class Pool(Protocol):
    """Workers that do tasks.

    Attributes
    ----------
    ahead : int
        How many tasks to hand out at a time.
    died : tuple of exception types
        What a task raises whose worker was killed.
    """

    ahead: int
    died: tuple[type[Exception], ...]

    def submit(self, task: Task) -> Future[Part]:
        """Hand out a task."""

    def renew(self, *, alone: bool) -> None:
        """Replace dead workers, by one only if `alone`."""

    def close(self) -> None:
        """End the workers at once."""


class SerialPool:
    """No other process: tasks are done here."""

    ahead = 1
    died: tuple[type[Exception], ...] = ()

    def __init__(self, setup: Setup) -> None:
        self._worker = Worker(setup)

    def submit(self, task: Task) -> Future[Part]:
        """Do a task at once."""
        future: Future[Part] = Future()
        future.set_result(self._worker.work(task))
        return future

    def renew(self, *, alone: bool) -> None:
        """Do nothing: no worker dies alone."""

    def close(self) -> None:
        """End the reading process."""
        self._worker.close()


class LocalPool:
    """Processes of joblib's loky on this machine.

    Parameters
    ----------
    setup : Setup
    width : int
        How many.
    """

    def __init__(self, setup: Setup, width: int) -> None:
        from joblib.externals.loky.process_executor import BrokenProcessPool

        self.ahead = width * AHEAD
        self.died: tuple[type[Exception], ...] = (BrokenProcessPool,)
        self._setup = setup
        self._width = width
        self._executor = self._start(width)

    def _start(self, width: int) -> Any:  # noqa: ANN401 - joblib carries no types
        from joblib.externals.loky import ProcessPoolExecutor

        return ProcessPoolExecutor(
            width,
            initializer=_start_process,
            initargs=(self._setup, os.getpid()),
            # Each process is one worker; more threads inside would only crowd the cores.
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def submit(self, task: Task) -> Future[Part]:
        """Hand out a task."""
        future: Future[Part] = self._executor.submit(work, task)
        return future

    def renew(self, *, alone: bool) -> None:
        """Replace all processes."""
        self._executor.shutdown(wait=True, kill_workers=True)
        self._executor = self._start(1 if alone else self._width)

    def close(self) -> None:
        """End the processes at once."""
        self._executor.shutdown(wait=True, kill_workers=True)


def _start_process(setup: Setup, parent: int) -> None:
    # Ctrl-C on the terminal reaches all processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Standard output is for results; what a library prints goes where messages go.
    os.dup2(2, 1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    start(setup)


def _follow(parent: int) -> None:
    """End this process when its parent is killed: nobody would take its results."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def drive(
    pool: Pool, tasks: Iterator[Task], stopped: Callable[[], bool]
) -> Iterator[tuple[Task, Part] | None]:
    """Yield each task with its part, as they get done; None as a sign of life.

    A task whose worker dies is tried once more, alone; if that worker dies too, it is set aside.
    After `stopped` says so, nothing more is yielded.
    """
    pending: dict[Future[Part], Task] = {}
    while True:
        for task in islice(tasks, pool.ahead - len(pending)):
            yield None
            if stopped():
                return
            _hand_out(pool, task, pending)
        if not pending:
            return
        done, _ = wait(pending, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
        if stopped():
            return
        yield None
        suspects = [pending.pop(future) for future in done if _died(pool, future)]
        yield from [(pending.pop(future), future.result()) for future in done & pending.keys()]
        if suspects:
            yield from _tried_alone(pool, suspects + list(pending.values()), stopped)
            pending.clear()


def _hand_out(pool: Pool, task: Task, pending: dict[Future[Part], Task]) -> None:
    """Hand out a task; if the pool is broken, note it as one that died with it."""
    try:
        future = pool.submit(task)
    except pool.died as error:
        future = Future()
        future.set_exception(error)
    pending[future] = task


def _died(pool: Pool, future: Future[Part]) -> bool:
    if future.cancelled():
        raise BatchError(
            "the cluster lost the run's tasks",
            hint="what is done is kept; run the same command again",
        )
    return isinstance(future.exception(), pool.died)


def _tried_alone(
    pool: Pool, tasks: list[Task], stopped: Callable[[], bool]
) -> Iterator[tuple[Task, Part]]:
    """Do tasks one at a time, so that a death tells which of them kills."""
    # A stop from outside may have killed the workers just before its signal came here.
    time.sleep(_HEARTBEAT)
    pool.renew(alone=True)
    for task in tasks:
        if stopped():
            return
        yield task, _alone(pool, task)
    pool.renew(alone=False)


def _alone(pool: Pool, task: Task) -> Part:
    try:
        return pool.submit(task).result()
    except pool.died:
        pool.renew(alone=True)
    if isinstance(task, RowsTask) and len(task.documents) > 1:
        single = [
            _alone(pool, replace(task, first=task.first + i, documents=(document,)))
            for i, document in enumerate(task.documents)
        ]
        return _joined(single)
    return _killer(task)


def _joined(parts: list[Part]) -> Part:
    columns = dict.fromkeys(column for part in parts for column in part.columns)
    return Part(
        first=parts[0].first,
        records=tuple(record for part in parts for record in part.records),
        documents=sum(part.documents for part in parts),
        passages=sum(part.passages for part in parts),
        set_aside=sum(part.set_aside for part in parts),
        columns=tuple(columns),
        again=any(part.again for part in parts),
    )


def _killer(task: Task) -> Part:
    """Return the set-aside of a task that killed its worker twice."""
    error = (
        "its worker was killed twice, the second time alone: it may need more memory than there is"
    )
    place = task.input.place
    if isinstance(task, RowsTask):
        (one,) = task.documents
        found = SetAside(one.id, place, one.sha256, "tag", error)
        return Part(task.first, (pack(found),), set_aside=1, again=True)
    found = SetAside(task.input.source.id, place, task.input.content or None, "tag", error)
    return Part(0, (pack(found),), set_aside=1, again=True)
