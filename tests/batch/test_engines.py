"""Workers that die, here and on a cluster: nothing is lost, only what kills twice is set aside."""

from __future__ import annotations

import json
import os
import signal
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.batch.makers import read_lines, with_all_columns, write_inputs
from textclass.batch import Engine, Level
from textclass.batch.engines import drive
from textclass.batch.formats import unpack
from textclass.batch.jobs import Batch, Cut, Facts, Input
from textclass.documents import SetAside, Source
from textclass.errors import BatchError, MissingExtraError


class DiedError(Exception):
    pass


class FakePool:
    """Tasks whose input is in `kills` kill all that is under way, as often as said."""

    is_here = False
    died = DiedError
    width = 2
    full = 4

    def __init__(self, kills):
        self.kills = dict(kills)
        self.under_way = []
        self.stop()

    def submit(self, task):
        future = Future()
        names = [name for one in task for name in names_in(one)]
        self.under_way.append((future, task))
        killer = next((n for n in names if self.kills.get(n, 0) > 0), None)
        if killer:
            self.kills[killer] -= 1
            for one, _ in self.under_way:
                one.set_exception(DiedError())
            self.under_way = []
        elif self.alone or len(self.under_way) == self.full:
            for one, done in self.under_way:
                one.set_result(batches_of(done))
            self.under_way = []
        return future

    def start(self, width):
        self.executor, self.alone = True, width == 1

    def stop(self):
        self.executor, self.alone = None, False


def names_in(cut):
    return [document.id for document in cut.documents] or [cut.origin.source.id]


def batches_of(task):
    """What a worker that lives makes of a task: batches with the names of what is in it."""
    return [
        Batch(0, cut.first, 1, " ".join(names_in(cut)).encode(), b"", b"", Facts()) for cut in task
    ]


def given(name):
    return Cut(Input(Source(Path(name), name), "hash of " + name))


def file_tasks(count):
    return [(given(f"f{i}"),) for i in range(count)]


def names_of(done):
    """Names of what was done, and of what was set aside as a killer."""
    every = [batch for batches in done for batch in batches]
    assert all(batch.again for batch in every if batch.set_aside)
    names = [batch.passages.decode() for batch in every if not batch.set_aside]
    return names, [killed(batch) for batch in every if batch.set_aside]


def killed(batch):
    row = json.loads(unpack(batch.set_aside))
    assert row["stage"] == "tag"
    assert "killed twice" in row["error"]
    return row["id"]


@pytest.mark.parametrize(("times", "set_aside"), [(1, []), (2, ["f5"])])
def test_a_task_that_kills_is_tried_once_more_alone(times, set_aside):
    names, aside = names_of(drive(FakePool({"f5": times}), file_tasks(12)))
    assert aside == set_aside
    assert sorted(names + aside) == sorted(f"f{i}" for i in range(12))


def test_of_files_together_only_the_one_that_kills_is_set_aside():
    task = tuple(given(f"f{i}") for i in range(4))
    names, aside = names_of(drive(FakePool({"f2": 9}), [task]))
    assert (names, aside) == (["f0", "f1", "f3"], ["f2"])


def test_of_a_batch_of_rows_only_the_row_that_kills_is_set_aside():
    rows = tuple(SetAside(f"t#{i}", "t", None, "read", "") for i in range(5))
    cut = Cut(given("t").origin, rows, first=256, more=True, repeated=2)
    done = [batches for batches in drive(FakePool({"t#3": 9}), [(cut,)]) if batches]
    assert names_of(done) == (["t#0", "t#1", "t#2", "t#4"], ["t#3"])
    assert [batch.first for (batch,) in done] == [256, 257, 258, 259, 260]
    # The run finishes the input when all of it is done.
    assert done[3][0].more


def test_a_lost_cluster_is_told():
    class Lost(FakePool):
        def submit(self, _task):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(BatchError, match="the cluster lost the run's tasks"):
        list(drive(Lost({}), file_tasks(1)))


def test_same_bytes_as_with_one_worker_though_one_of_two_is_killed(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 60)
    killed = []

    def kill(progress):
        if progress.documents >= 10 and not killed:
            killed.extend(_workers()[:1])
            os.kill(killed[0], signal.SIGKILL)

    endings = ("jsonl", "csv", "parquet")
    two = (f"killed.{ending}" for ending in endings)
    summary = tag(inbox, *two, workers=2, on_progress=kill)
    tag(inbox, *(f"whole.{ending}" for ending in endings))

    assert killed
    assert summary.set_aside == 3
    for ending in (*endings, "jsonl.set-aside.jsonl"):
        one, other = ((tmp_path / f"{n}.{ending}").read_bytes() for n in ("killed", "whole"))
        assert one == other, ending
        assert one


def _workers():
    """Return the ids of this process's loky workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"popen_loky" in command:
            found.append(int(folder.name))
    return found


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
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
    with pytest.raises(MissingExtraError, match=r"pip install 'textclass\[dask\]'"):
        tag(inbox, "out.jsonl", engine=Engine.DASK)
