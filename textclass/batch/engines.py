"""Who does the work: this process, or processes of joblib's loky; how deaths are survived."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

from textclass.batch.formats import json_line, pack
from textclass.batch.jobs import Batch, Cut, Facts, Input, Setup, Task
from textclass.batch.worker import Worker, start, work
from textclass.documents import SetAside
from textclass.errors import BatchError

AHEAD = 2
"""Tasks handed out for each worker: enough to keep it busy, few enough to bound memory.

With more, loky's queue would be full, and its thread fails on what is left when it is shut down.
"""

_HEARTBEAT = 0.25
_KILLED = (
    "its worker was killed twice, the second time alone: it may need more memory than there is"
)


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
        """Hand out a task; if the workers are gone, it counts as one that died with them."""
        try:
            future: Future[list[Batch]] = self.executor.submit(work, task)
        except self.died as error:
            future = Future()
            future.set_exception(error)
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
    """Processes of joblib's loky on this machine, `width` of them."""

    died = (BrokenProcessPool,)

    def __init__(self, setup: Setup, width: int) -> None:
        self.ahead = width * AHEAD
        self._setup = setup
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
        self._start(1 if alone else self.ahead // AHEAD)

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


def drive(pool: Pool, tasks: Iterable[Task]) -> Iterator[list[Batch]]:
    """Yield what becomes of each task, as they get done.

    A task whose worker dies is tried once more, alone; if that worker dies too, what kills it is
    set aside. Now and then nothing is yielded, as a sign of life.
    """
    tasks = iter(tasks)
    pending: dict[Future[list[Batch]], Task] = {}
    while True:
        for task in islice(tasks, pool.ahead - len(pending)):
            pending[pool.submit(task)] = task
        if not pending:
            return
        done, _ = wait(pending, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
        yield []
        suspects = []
        for future in done:
            task = pending.pop(future)
            if _died(pool, future):
                suspects.append(task)
            else:
                yield future.result()
        if suspects:
            # A stop from outside that killed the workers reaches this process a little later.
            time.sleep(_HEARTBEAT)
            yield []
            pool.renew(alone=True)
            for task in [*suspects, *pending.values()]:
                yield from _alone(pool, task)
            pending.clear()
            pool.renew(alone=False)


def _died(pool: Pool, future: Future[list[Batch]]) -> bool:
    if future.cancelled():
        raise BatchError(
            "the cluster lost the run's tasks",
            hint="what is done is kept; run the same command again",
        )
    return isinstance(future.exception(), pool.died)


def _alone(pool: Pool, task: Task) -> Iterator[list[Batch]]:
    """Do a task with nothing else under way, so that a death tells what kills."""
    future = pool.submit(task)
    if not _died(pool, future):
        yield future.result()
        return
    pool.renew(alone=True)
    parts = _parts(task)
    for part in parts:
        yield from _alone(pool, part)
    if not parts:
        yield [_killer(task[0])]


def _parts(task: Task) -> list[Task]:
    """Return each input, or each document, of a task that has several."""
    one = task[0]
    if len(task) > 1:
        return [(one,) for one in task]
    if isinstance(one, Input) or len(one.documents) == 1:
        return []
    return [
        (replace(one, documents=(each,), first=one.first + i, repeated=one.repeated * (not i)),)
        for i, each in enumerate(one.documents)
    ]


def _killer(one: Input | Cut) -> Batch:
    """Return the set-aside of what killed its worker twice."""
    cut = one if isinstance(one, Cut) else Cut(one, (), first=0, more=False, repeated=0)
    name, sha256 = cut.origin.source.id, cut.origin.content or None
    for document in cut.documents:
        name, sha256 = document.id, document.sha256
    aside = json_line(asdict(SetAside(name, cut.origin.place, sha256, "tag", _KILLED)))
    return Batch(
        key=cut.origin.key,
        first=cut.first,
        size=1,
        passages=b"",
        documents=b"",
        set_aside=pack([aside]),
        facts=Facts(Counter(set_aside=1, repeated=cut.repeated)),
        more=cut.more,
        again=True,
    )
