"""Workers that die: nothing is lost, and only what kills twice is set aside."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.batch.makers import read_lines, write_inputs
from textclass.batch.engines import drive
from textclass.batch.formats import unpack
from textclass.batch.jobs import Batch, Cut, Facts, Input, Task
from textclass.documents import SetAside, Source
from textclass.errors import BatchError


class DiedError(Exception):
    pass


class FakePool:
    """Tasks whose input is in `kills` kill all that is under way, as often as said."""

    died = (DiedError,)
    ahead = 4

    def __init__(self, kills):
        self.kills = dict(kills)
        self.alone = False
        self.under_way = []

    def submit(self, task):
        future = Future()
        names = [one.source.id for one in task.inputs]
        names += [one.id for one in task.cut.documents] if task.cut else []
        self.under_way.append(future)
        killer = next((n for n in names if self.kills.get(n, 0) > 0), None)
        if killer:
            self.kills[killer] -= 1
            for one in self.under_way:
                if not one.done():
                    one.set_exception(DiedError())
            self.under_way = []
        elif self.alone or len(self.under_way) == self.ahead:
            for one in self.under_way:
                if not one.done():
                    one.set_result([Batch(0, 0, 1, b"", b"", b"", Facts())])
            self.under_way = []
        return future

    def renew(self, *, alone):
        self.alone = alone

    def close(self):
        pass


def given(name):
    return Input(Source(Path(name), name), "hash of " + name)


def file_tasks(count):
    return [Task((given(f"f{i}"),)) for i in range(count)]


@pytest.mark.parametrize(("times", "set_aside"), [(1, []), (2, ["f5"])])
def test_a_task_that_kills_is_tried_once_more_alone(times, set_aside):
    tasks = file_tasks(12)
    done = [one for one in drive(FakePool({"f5": times}), iter(tasks)) if one]
    names = [task.inputs[0].source.id for task, _ in done]
    assert sorted(names) == sorted(task.inputs[0].source.id for task in tasks)
    aside = [batch for _, (batch,) in done if batch.set_aside]
    assert [killed(batch) for batch in aside] == set_aside
    assert all(batch.again for batch in aside)


def killed(batch):
    row = json.loads(unpack(batch.set_aside))
    assert row["stage"] == "tag"
    assert "killed twice" in row["error"]
    return row["id"]


def test_of_files_together_only_the_one_that_kills_is_set_aside():
    task = Task(tuple(given(f"f{i}") for i in range(4)))
    done = [one for one in drive(FakePool({"f2": 9}), iter([task])) if one]
    assert [[one.source.id for one in task.inputs] for task, _ in done] == [
        ["f0"],
        ["f1"],
        ["f2"],
        ["f3"],
    ]
    assert [bool(batch.set_aside) for _, (batch,) in done] == [False, False, True, False]


def test_of_a_batch_of_rows_only_the_row_that_kills_is_set_aside():
    rows = tuple(SetAside(f"t#{i}", "t", None, "read", "") for i in range(5))
    task = Task((given("t"),), Cut(rows, 256))
    done = [one for one in drive(FakePool({"t#3": 9}), iter([task])) if one]
    assert [task.cut.first for task, _ in done] == [256, 257, 258, 259, 260]
    assert [bool(batch.set_aside) for _, (batch,) in done] == [False, False, False, True, False]
    assert killed(done[3][1][0]) == "t#3"
    assert done[3][1][0].first == 259


def test_a_caller_may_stop_while_tasks_are_tried_alone():
    pool = FakePool({"f5": 2})
    results = 0
    for one in drive(pool, iter(file_tasks(12))):
        if one is None and pool.alone:
            break
        results += one is not None
    assert results < 12
    assert pool.kills == {"f5": 1}


def test_a_lost_cluster_is_told():
    class Lost(FakePool):
        def submit(self, _task):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(BatchError, match="the cluster lost the run's tasks"):
        list(drive(Lost({}), iter(file_tasks(1))))


def test_a_killed_worker_loses_nothing(tag, tmp_path):
    inbox = write_inputs(tmp_path / "inbox", 60)
    killed = []

    def kill(progress):
        if progress.documents >= 10 and not killed:
            killed.extend(_workers()[:1])
            os.kill(killed[0], signal.SIGKILL)

    summary = tag(inbox, "killed.jsonl", workers=2, on_progress=kill)
    tag(inbox, "whole.jsonl")

    assert killed
    assert summary.set_aside == 3
    assert read_lines(tmp_path / "killed.jsonl") == read_lines(tmp_path / "whole.jsonl")


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
