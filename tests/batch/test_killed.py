"""Runs killed with SIGKILL at random moments and started again: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import textclass
from tests.batch.makers import read_lines, write_inputs
from textclass.batch.export import PARTIAL

KILLS = {1: 6, 2: 3}
"""By number of workers; `make soak` sets TEXTCLASS_KILLS to 500 for each."""

if kills := os.environ.get("TEXTCLASS_KILLS"):
    KILLS = dict.fromkeys(KILLS, int(kills))

GIVE_UP = 60


class Runner:
    """Starts runs, and kills them after a while."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("killable.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(textclass.__file__).parents[1])},
        )

    def run(self, kill_after: float | None = None, **job) -> int:
        """Return the exit code of a run: -9 if it was killed before its end."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        timer = threading.Timer(kill_after or 600, os.kill, (pid, signal.SIGKILL))
        timer.start()
        code = int(self._process.stdout.readline())
        timer.cancel()
        return code

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def runner():
    runner = Runner()
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def job(runner, model, tmp_path_factory):
    """A job, its unbroken result, and how long it takes."""
    folder = tmp_path_factory.mktemp("killed")
    inputs = write_inputs(folder / "inbox", 150)
    job = {"inputs": str(inputs), "model": str(model), "ledger": True}
    took = {}
    for workers in KILLS:
        begun = time.monotonic()
        assert runner.run(**job, workers=workers, output=str(folder / f"whole{workers}.jsonl")) == 0
        took[workers] = time.monotonic() - begun
    return job, folder / "whole1.jsonl", took


ENDINGS = ("", ".parquet", ".set-aside.jsonl")


def remove(output: Path) -> None:
    for path in output.parent.glob(output.name + "*"):
        path.unlink()


@pytest.mark.parametrize("workers", KILLS)
def test_killed_at_random_moments(workers, runner, job, tmp_path):
    options, whole, took = job
    output = tmp_path / "out.jsonl"
    choose = random.Random(workers)
    kills = checked = 0
    while kills < KILLS[workers] or not checked:
        after = choose.uniform(0, took[workers]) if kills < KILLS[workers] else None
        code = runner.run(after, **options, workers=workers, output=str(output))
        kills += code == -signal.SIGKILL
        if code == 0:
            for ending in ENDINGS:
                got, wanted = (Path(f"{p}{ending}").read_bytes() for p in (output, whole))
                assert got == wanted, (ending, kills)
            assert not [p for p in tmp_path.iterdir() if p.name.endswith(PARTIAL)]
            remove(output)
            checked += 1
        else:
            assert code == -signal.SIGKILL


def test_the_same_kills_break_a_run_without_a_ledger(runner, job, tmp_path):
    """The test above can fail: appending beside a list of finished files doesn't pass it."""
    options, whole, took = job
    output = tmp_path / "out.jsonl"
    choose = random.Random(1)
    wanted = sorted(json.dumps(row) for row in read_lines(whole))
    for _ in range(GIVE_UP):
        job_without = options | {"workers": 1, "output": str(output), "ledger": False}
        for _ in range(2):
            runner.run(choose.uniform(0.3, 0.9) * took[1], **job_without)
        assert runner.run(**job_without) == 0
        got = sorted(output.read_text().splitlines())
        if len(got) != len(wanted):
            return
        remove(output)
    pytest.fail("the control lost and doubled nothing: the kills don't test anything")


def test_orphaned_workers_end_with_their_parent(runner, job, tmp_path):
    options, _, took = job
    runner.run(took[2] * 0.7, **options, workers=2, output=str(tmp_path / "out.jsonl"))
    deadline = time.monotonic() + 10
    while orphans := _processes_naming(str(tmp_path)):
        assert time.monotonic() < deadline, orphans
        time.sleep(0.2)


def _processes_naming(text: str) -> list[str]:
    found = []
    for status in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in status.read_bytes():
                found.append(status.parent.name)
        except OSError:
            continue
    return found
