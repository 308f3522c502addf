"""The Dask engine: real workers in processes of their own, one of them killed on the way."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.batch.makers import read_lines, with_all_columns, write_inputs
from textclass.batch import Engine, Level
from textclass.errors import BatchError, MissingExtraError

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def test_same_rows_as_the_local_engine_though_a_worker_is_killed(cluster, tag, tmp_path):
    from distributed import Client

    inbox = write_inputs(tmp_path / "inbox", 80)
    killed = []

    def kill(progress):
        if progress.documents >= 15 and not killed:
            with Client(cluster.scheduler_address, set_as_default=False) as client:
                killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    options = {"engine": Engine.DASK, "scheduler": cluster.scheduler_address, "level": Level.BOTH}
    summary = tag(inbox, "dask.jsonl", "dask/", on_progress=kill, **options)
    tag(inbox, "local.jsonl", level=Level.BOTH)

    assert killed
    assert (summary.inputs, summary.set_aside) == (84, 3)
    import pyarrow.parquet as pq

    for level in ("passages", "documents"):
        local = read_lines(tmp_path / f"local.{level}.jsonl")
        assert read_lines(tmp_path / f"dask.{level}.jsonl") == local
        table = pq.read_table(tmp_path / "dask" / level).to_pylist()
        assert table == with_all_columns(local)
    aside = (tmp_path / f"{name}.jsonl.set-aside.jsonl" for name in ("dask", "local"))
    assert len({path.read_bytes() for path in aside}) == 1


def test_workers_fetch_addresses_and_the_next_run_takes_up(cluster, tag, inbox, tmp_path):
    options = {"engine": Engine.DASK, "scheduler": cluster.scheduler_address}
    tag([f"file://{inbox}/*.txt"], "dask.jsonl", **options)
    tag(inbox, "local.jsonl")
    local = [r for r in read_lines(tmp_path / "local.jsonl") if r["document"].endswith(".txt")]
    fields = "document start text type evidence".split()
    assert [[r[f] for f in fields] for r in read_lines(tmp_path / "dask.jsonl")] == [
        [r[f] for f in fields] for r in local
    ]
    assert tag([f"file://{inbox}/*.txt"], "dask.jsonl", **options).taken_up == 26


def test_a_scheduler_that_does_not_answer_is_told(tag, inbox, monkeypatch):
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(BatchError, match="the scheduler doesn't answer"),
    ):
        tag(inbox, "out.jsonl", engine=Engine.DASK, scheduler="tcp://127.0.0.1:9")


def test_without_dask_the_way_to_install_it_is_told(tag, inbox, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "textclass.batch.cluster", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'textclass\[dask\]'"):
        tag(inbox, "out.jsonl", engine=Engine.DASK)
