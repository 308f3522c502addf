"""Measures a contender in this process: `python -m benchmarks.measure NAME FOLDER`.

Times are processor time of the process, which other programs on the core hardly move.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

BATCH = 256
ENVIRONMENT = os.environ | dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
# An installed package has its bytecode kept, as spaCy has here.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


@dataclass(frozen=True)
class Measured:
    """One run: what was read in each pass, seconds (start: until a passage is read), peak in MB."""

    words: int
    passages: int
    start: float
    cold: float
    warm: float
    peak: float


def measure(name: str, work: Path) -> Measured:
    """Run a contender in a new process with one thread."""
    return Measured(**json.loads(output("benchmarks.measure", name, str(work))))


def output(module: str, *arguments: str) -> str:
    """Return the last line that a module prints, run in a new process with one thread a task."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()[-1]


def processor_seconds(command: Sequence[str]) -> float:
    """Return the processor time of a command, its output dropped."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _main(name: str, work: Path) -> None:
    from benchmarks.contenders import CONTENDERS

    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    texts = texts[: len(texts) // 5] if CONTENDERS[name].slow else texts
    ticks = [time.process_time()]
    read = CONTENDERS[name].load(work)
    read(texts[:1])
    ticks.append(time.process_time())
    for _ in ("cold", "warm"):
        for first in range(0, len(texts), BATCH):
            read(texts[first : first + BATCH])
        ticks.append(time.process_time())
    start, cold, warm = (end - begin for begin, end in pairwise(ticks))
    # Not `getrusage`: what it says of a child begins with the memory of the parent.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    words = sum(len(text.split()) for text in texts)
    print(json.dumps(vars(Measured(words, len(texts), start, cold, warm, peak))))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
