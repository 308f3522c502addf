"""Where the work is done: here, on joblib's processes, or on Dask's; how deaths are survived."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

from textclass.batch.jobs import Batch, Cut, Setup, Task
from textclass.batch.worker import batch_of, stop_working, work
from textclass.documents import SetAside
from textclass.errors import BatchError, missing_extra

AHEAD = 2
"""Tasks handed out for each worker: enough to keep it busy, few enough to bound memory.

With more, loky's queue would be full, and its thread fails on what is left when it is shut down.
"""

_HEARTBEAT = 0.25
_unpacking = threading.Lock()
_KILLED = (
    "its worker was killed twice, the second time alone: it may need more memory than there is"
)


class Pool:
    """Workers on this machine: processes, started when there is more than one task for them.

    Parameters
    ----------
    setup : Setup
    width : int
        How many; one is this process itself.

    Attributes
    ----------
    is_here : bool
        Whether this process could do the work as well.
    died : type of exception
        What a task raises whose worker was killed.
    function : callable
        What a worker does with the setup and a task.
    executor : concurrent.futures.Executor or None
        Runs it; None while there are no workers.
    """

    is_here = True
    died: type[Exception] = BrokenProcessPool
    function: Callable[[Setup, Task], list[Batch]] = staticmethod(work)
    executor: Any = None  # neither joblib nor distributed carries types

    def __init__(self, setup: Setup, width: int) -> None:
        self.setup = setup
        self.width = width

    def submit(self, task: Task) -> Future[list[Batch]]:
        """Hand out a task; if the workers are gone, it counts as one that died with them."""
        try:
            future: Future[list[Batch]] = self.executor.submit(self.function, self.setup, task)
        except self.died as error:
            future = Future()
            future.set_exception(error)
        return future

    def start(self, width: int) -> None:
        """Start so many workers."""
        self.executor = ProcessPoolExecutor(
            width,
            initializer=_start_process,
            initargs=(os.getpid(),),
            # Each process is one worker; more threads inside would only crowd the cores.
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def stop(self) -> None:
        """End the workers and what they do at once; the next task starts others."""
        if self.executor:
            self.executor.shutdown(wait=True, kill_workers=True)
        self.executor = None

    def close(self) -> None:
        """End all that was started."""
        stop_working()
        self.stop()


def _start_process(parent: int) -> None:
    # Ctrl-C on the terminal reaches all processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(50_000)  # as the command does
    # Standard output is for results; what a library prints goes where messages go.
    os.dup2(2, 1)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End this process when its parent is killed: nobody would take its results."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _work_there(setup: Setup, task: Task) -> list[Batch]:
    """Do a task on a worker of a cluster, with the model that was sent there."""
    from distributed import get_worker

    home = Path(get_worker().local_directory)
    sent = home / setup.model_name
    with _unpacking:
        if not sent.is_dir():
            shutil.unpack_archive(home / f"{sent.name}.zip", sent)
    return work(replace(setup, model=sent / setup.model.name), task)


class Cluster(Pool):
    """Workers of a Dask cluster, which replaces dead ones itself; the model is sent to each once.

    Parameters
    ----------
    setup : Setup
    width : int
        How many processes to start; with a `scheduler`, its workers count.
    scheduler : str or None
        Its address; None starts a cluster of processes on this machine.

    Notes
    -----
    A cluster's workers must see the inputs: by a shared disk, or by fsspec addresses. Dask itself
    tries a task again elsewhere when its worker dies, as often as `distributed.scheduler.
    allowed-failures` says.
    """

    is_here = False
    function = staticmethod(_work_there)

    def __init__(self, setup: Setup, width: int, scheduler: str | None) -> None:
        try:
            import distributed
            from distributed.diagnostics.plugin import UploadFile
        except ImportError as error:
            raise missing_extra("distributed", "dask") from error
        dask: Any = distributed  # half of it carries no types
        self.died = dask.KilledWorker
        with ExitStack() as stack:
            cluster = scheduler or stack.enter_context(
                dask.LocalCluster(
                    n_workers=width, threads_per_worker=1, processes=True, dashboard_address=None
                )
            )
            try:
                self._client = stack.enter_context(dask.Client(cluster, set_as_default=False))
                with TemporaryDirectory(prefix="textclass-") as folder:
                    model, name = setup.model, setup.model_name
                    sent = shutil.make_archive(f"{folder}/{name}", "zip", model.parent, model.name)
                    self._client.register_plugin(UploadFile(sent, load=False), name=name)
                stack.callback(self._client.unregister_worker_plugin, name)
                threads = sum(self._client.nthreads().values())
            except (OSError, ValueError) as error:
                raise BatchError(
                    f"the scheduler doesn't answer: {error}", where=scheduler, hint="is it running?"
                ) from error
            self._stack = stack.pop_all()
        super().__init__(setup, max(threads, 1))

    def start(self, width: int) -> None:  # noqa: ARG002 - how many workers there are is Dask's
        """Have tasks taken."""
        self.executor = self._client.get_executor(pure=False)

    def stop(self) -> None:
        """Give up what is under way."""
        if self.executor:
            self.executor.shutdown(wait=False)
        self.executor = None

    def close(self) -> None:
        """Let go of the cluster; end it if it was started here."""
        # A cluster that is gone must not hide why.
        with suppress(OSError), self._stack:
            self.stop()


def drive(pool: Pool, tasks: Iterable[Task]) -> Iterator[list[Batch]]:
    """Yield what becomes of each task, as they get done.

    A task whose worker dies is tried once more, alone; if that worker dies too, what kills it is
    set aside. Now and then nothing is yielded, as a sign of life.
    """
    tasks = iter(tasks)
    first = list(islice(tasks, 2))
    tasks = chain(first, tasks)
    if pool.is_here and (pool.width == 1 or (len(first) == 1 and not pool.executor)):
        yield from (work(pool.setup, task) for task in tasks)
    else:
        yield from _hand_out(pool, tasks)


def _hand_out(pool: Pool, tasks: Iterable[Task], *, alone: bool = False) -> Iterator[list[Batch]]:
    """Have tasks done by the workers of a pool; alone, one at a time, a death tells what kills."""
    tasks = iter(tasks)
    ahead, width = (1, 1) if alone else (pool.width * AHEAD, pool.width)
    pending: dict[Future[list[Batch]], Task] = {}
    while True:
        for task in islice(tasks, ahead - len(pending)):
            if not pool.executor:
                pool.start(width)
            pending[pool.submit(task)] = task
        if not pending:
            return
        done, _ = wait(pending, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
        yield []
        died = [future for future in done if _died(pool, future)]
        for future in done.difference(died):
            del pending[future]
            yield future.result()
        if died:
            # A stop from outside that killed the workers reaches this process a little later.
            time.sleep(_HEARTBEAT)
            yield []
            pool.stop()
            again = list(pending.values())
            pending.clear()
            if alone:
                killer = again[0]
                again = _pieces(killer)
                if not again:
                    yield [_killer_batch(killer[0])]
            yield from _hand_out(pool, again, alone=True)
            pool.stop()


def _died(pool: Pool, future: Future[list[Batch]]) -> bool:
    """Whether the worker of a task that is done died."""
    try:
        return isinstance(future.exception(), pool.died)
    except CancelledError as error:
        raise BatchError(
            "the cluster lost the run's tasks",
            hint="what is done is kept; run the same command again",
        ) from error


def _pieces(task: Task) -> list[Task]:
    """Return the files of a task that were to be read, or the documents of one that was.

    A single one can't be divided.
    """
    pieces = [
        replace(cut, documents=(one,), first=cut.first + i, repeated=cut.repeated * (not i))
        for cut in task
        for i, one in enumerate(cut.documents)
    ] or list(task)
    return [(piece,) for piece in pieces] if len(pieces) > 1 else []


def _killer_batch(killer: Cut) -> Batch:
    """Return the set-aside of a file or document that killed its worker twice."""
    name, sha256 = killer.origin.source.id, killer.origin.content or None
    for document in killer.documents:
        name, sha256 = document.id, document.sha256
    aside = SetAside(name, killer.origin.place, sha256, "tag", _KILLED)
    return batch_of(replace(killer, documents=(aside,)), [aside], {}, again=True)
