"""The engine on a Dask cluster: the same function, the model sent once to each worker."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textclass.batch.engines import AHEAD, Pool
from textclass.batch.jobs import Setup
from textclass.batch.worker import start
from textclass.errors import BatchError, missing_extra

try:
    import distributed
except ImportError as error:
    raise missing_extra("distributed", "dask") from error

dask: Any = distributed  # half of it carries no types


class DaskPool(Pool):
    """Workers of a Dask cluster, which replaces dead ones itself.

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

    died = (dask.KilledWorker,)

    def __init__(self, setup: Setup, scheduler: str | None, width: int) -> None:
        with ExitStack() as stack:
            cluster = scheduler or stack.enter_context(
                dask.LocalCluster(
                    n_workers=width, threads_per_worker=1, processes=True, dashboard_address=None
                )
            )
            try:
                client = stack.enter_context(dask.Client(cluster, set_as_default=False))
                client.register_plugin(ModelPlugin(setup))
                threads = client.nthreads().values()
            except (OSError, ValueError) as error:
                raise BatchError(
                    f"the scheduler doesn't answer: {error}", where=scheduler, hint="is it running?"
                ) from error
            self.ahead = max(sum(threads), 1) * AHEAD
            self.executor = client.get_executor(pure=False)
            self._client = client
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Let go of the cluster; end it if it was started here."""
        # A cluster that is gone must not hide why.
        with self._stack, suppress(OSError):
            self._client.unregister_worker_plugin(ModelPlugin.name)
            self.executor.shutdown(wait=False)


class ModelPlugin(distributed.WorkerPlugin):
    """Puts the model folder on a worker's disk when the worker joins."""

    name = "textclass-model"

    def __init__(self, setup: Setup) -> None:
        self.given = setup
        self.files = {
            path.name: path.read_bytes() for path in setup.model.iterdir() if path.is_file()
        }

    def setup(self, worker: Any) -> None:  # noqa: ANN401, ARG002 - distributed's signature
        """Write the files and say what they are for."""
        self.folder = TemporaryDirectory(prefix="textclass-model-")
        # The folder's name is part of the model's.
        model = Path(self.folder.name, self.given.model.name)
        model.mkdir()
        for name, content in self.files.items():
            (model / name).write_bytes(content)
        start(replace(self.given, model=model))

    def teardown(self, worker: Any) -> None:  # noqa: ANN401, ARG002 - distributed's signature
        """Remove them."""
        self.folder.cleanup()
