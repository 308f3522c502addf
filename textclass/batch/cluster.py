"""The engine on a Dask cluster: the same function, the model sent once to each worker."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from textclass.batch.data import Part, Setup, Task
from textclass.batch.pools import AHEAD
from textclass.batch.worker import start, work
from textclass.errors import BatchError, missing_extra

PLUGIN = "textclass-model"


class DaskPool:
    """Workers of a Dask cluster.

    Parameters
    ----------
    setup : Setup
    scheduler : str or None
        Its address; None starts a cluster of processes on this machine.
    width : int
        How many processes to start; with a `scheduler`, its workers count.

    Notes
    -----
    A cluster's workers must see the inputs: by a shared disk, or by fsspec addresses. Dask itself
    tries a task again elsewhere when its worker dies, as often as `distributed.scheduler.
    allowed-failures` says.
    """

    def __init__(self, setup: Setup, scheduler: str | None, width: int) -> None:
        try:
            import distributed
        except ImportError as error:
            raise missing_extra("distributed", "dask") from error
        dask: Any = distributed  # half of it carries no types
        self.died: tuple[type[Exception], ...] = (dask.KilledWorker,)
        self._cluster = None
        if scheduler is None:
            self._cluster = dask.LocalCluster(
                n_workers=width, threads_per_worker=1, processes=True, dashboard_address=None
            )
        try:
            self.client = dask.Client(self._cluster or scheduler, set_as_default=False)
            self.client.register_plugin(_plugin(setup))
            threads = self.client.nthreads().values()
        except (OSError, ValueError) as error:
            self._end()
            raise BatchError(
                f"the scheduler doesn't answer: {error}", where=scheduler, hint="is it running?"
            ) from error
        self.ahead = max(sum(threads), 1) * AHEAD
        self._executor = self.client.get_executor(pure=False)

    def submit(self, task: Task) -> Future[Part]:
        """Hand out a task."""
        future: Future[Part] = self._executor.submit(work, task)
        return future

    def renew(self, *, alone: bool) -> None:
        """Do nothing: the cluster replaces its workers itself."""

    def close(self) -> None:
        """Let go of the cluster; end it if it was started here."""
        # A cluster that is gone must not hide why.
        with suppress(OSError):
            self.client.unregister_worker_plugin(PLUGIN)
            self._executor.shutdown(wait=False)
        self.client.close()
        self._end()

    def _end(self) -> None:
        if self._cluster is not None:
            self._cluster.close()


def _plugin(setup: Setup) -> Any:  # noqa: ANN401 - distributed carries no types
    from distributed import WorkerPlugin

    class ModelPlugin(WorkerPlugin):
        """Puts the model folder on a worker's disk when the worker joins."""

        name = PLUGIN

        def __init__(self) -> None:
            self.files = {
                path.name: path.read_bytes() for path in setup.model.iterdir() if path.is_file()
            }

        def setup(self, worker: Any) -> None:  # noqa: ANN401, ARG002 - distributed's signature
            self.folder = Path(tempfile.mkdtemp(prefix="textclass-model-"))
            # The folder's name is part of the model's.
            model = self.folder / setup.model.resolve().name
            model.mkdir()
            for name, content in self.files.items():
                (model / name).write_bytes(content)
            start(replace(setup, model=model))

        def teardown(self, worker: Any) -> None:  # noqa: ANN401, ARG002 - distributed's signature
            shutil.rmtree(self.folder, ignore_errors=True)

    return ModelPlugin()
