"""Workers that die: nothing is lost, and only what kills twice is set aside."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.batch.makers import read_lines, write_inputs
from textclass.batch.data import Input, Part, Task
from textclass.batch.ledger import unpack
from textclass.batch.pools import drive
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
        names = [one.id for one in task.documents or ()]
        self.under_way.append(future)
        killer = next((n for n in [task.input.source.id, *names] if self.kills.get(n, 0) > 0), None)
        if killer:
            self.kills[killer] -= 1
            for one in self.under_way:
                if not one.done():
                    one.set_exception(DiedError())
            self.under_way = []
        elif self.alone or len(self.under_way) == self.ahead:
            for one in self.under_way:
                if not one.done():
                    one.set_result(Part((b"",), documents=1))
            self.under_way = []
        return future

    def renew(self, *, alone):
        self.alone = alone

    def close(self):
        pass


def given(name):
    return Input(Source(Path(name), name), "hash of " + name)


def file_tasks(count):
    return [Task(given(f"f{i}")) for i in range(count)]


@pytest.mark.parametrize(("times", "set_aside"), [(1, []), (2, ["f5"])])
def test_a_task_that_kills_is_tried_once_more_alone(times, set_aside):
    tasks = file_tasks(12)
    done = [one for one in drive(FakePool({"f5": times}), iter(tasks)) if one]
    assert sorted(task.input.source.id for task, _ in done) == sorted(
        task.input.source.id for task in tasks
    )
    aside = [part for _, part in done if part.set_aside]
    assert [unpack(part.records[0]).id for part in aside] == set_aside
    for part in aside:
        assert part.again
        assert unpack(part.records[0]).stage == "tag"
        assert "killed twice" in unpack(part.records[0]).error


def test_of_a_batch_of_rows_only_the_row_that_kills_is_set_aside():
    rows = tuple(SetAside(f"t#{i}", "t", None, "read", "") for i in range(5))
    task = Task(given("t"), rows, 256)
    done = [one for one in drive(FakePool({"t#3": 9}), iter([task])) if one]
    assert [task.first for task, _ in done] == [256, 257, 258, 259, 260]
    assert [part.documents for _, part in done] == [1, 1, 1, 0, 1]
    assert [part.set_aside for _, part in done] == [0, 0, 0, 1, 0]
    assert unpack(done[3][1].records[0]).id == "t#3"


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
