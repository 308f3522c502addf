"""Measure the user's command beside peers: `make bench`. Writes `benchmarks/results.md`.

Give the passages by --texts; without it those that `textclass corpus fetch` brought are read, else
the written corpus.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.inputs import passages, read_texts, write_folder

ROOT = Path(__file__).parent.parent
SENTENCE = "Surgeons from the navy ship trained local nurses."
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Run:
    """What a command took: wall seconds, processor seconds of all its processes, megabytes."""

    wall: float
    cpu: float
    memory: float


def measure(*arguments: str) -> Run:
    """Run a command of this Python to its end; the last word it prints is its own memory in KB."""
    # Processes whose parent was killed come to this one, so that their time counts too.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    # As with an installed package, no module is compiled at each start.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, cwd=ROOT, env=environment
    )
    assert process.stdout is not None
    with process.stdout as stdout:
        said = stdout.read().split()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    memory = int(said[-1]) / 1024 if said and said[-1].isdigit() else usage.ru_maxrss / 1024
    cpu = usage.ru_utime + usage.ru_stime
    with suppress(ChildProcessError):
        while True:
            usage = os.wait3(0)[2]
            cpu += usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, memory)


def contend(name: str, work: Path, processes: int) -> Run:
    """Run a contender."""
    print(f"{name}, {processes} processes", file=sys.stderr, flush=True)
    return measure("-m", "benchmarks.contenders", name, str(work), str(processes))


def start_up(repeats: int) -> float:
    """Return the processor time of `textclass predict` over that of `import spacy`."""
    predict = ["-m", "textclass", "predict", SENTENCE]
    ratios = [measure(*predict).cpu / measure("-c", "import spacy").cpu for _ in range(repeats)]
    return median(ratios)


def compressed(path: Path) -> int:
    """Return the size of a file after gzip."""
    import gzip

    with path.open("rb") as stream:
        return sum(len(gzip.compress(part)) for part in iter(lambda: stream.read(1 << 24), b""))


def main() -> None:
    """Make the inputs, run all, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--texts", type=Path, nargs="+", default=[], help="JSONL with `text`")
    parser.add_argument("--passages", type=int, default=45_000)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--dask", type=int, nargs="*", default=[1, 2, 4], help="worker processes")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results.md")
    options = parser.parse_args()
    texts, count = read_texts(options.texts), options.passages
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        lines = [
            json.dumps({"id": i, "text": text}, ensure_ascii=False) + "\n"
            for i, text in enumerate(passages(texts, count))
        ]
        (work / "passages.jsonl").write_text("".join(lines), encoding="utf-8")
        plain = (json.loads(line)["text"] + "\n" for line in lines)
        (work / "lines.txt").write_text("".join(plain), encoding="utf-8")
        (work / "partitions").mkdir()
        for part in range(16):
            rows = "".join(lines[part::16])
            (work / f"partitions/{part:02}.jsonl").write_text(rows, encoding="utf-8")
        write_folder(texts, work / "folder", options.files)
        contend("train", work, options.processes)
        names = ("tag", "notebook", "fasttext", "textcat", "in_memory", "tag_folder", "extraction")
        runs = {name: contend(name, work, options.processes) for name in names}
        dask = {n: contend("tag_dask", work, n) for n in options.dask}
        out = work / "out-passages.jsonl.jsonl"
        disk = {"results": out.stat().st_size, "packed": compressed(out)}
        disk["ledger"] = Path(f"{out}.ledger").stat().st_size
        page = write_page(options, runs, dask, disk, start_up(3))
    options.out.write_text(page, encoding="utf-8")
    print(page)


def write_page(
    options: argparse.Namespace,
    runs: dict[str, Run],
    dask: dict[int, Run],
    disk: dict[str, int],
    started: float,
) -> str:
    """Return the page: ratios with their aims, figures, and what 100 million passages cost."""
    tag, count, processes = runs["tag"], options.passages, options.processes
    ratios = [
        ("`textclass tag` / notebook, same features and processes", "notebook", "≥ 3"),
        ("`textclass tag` / fastText's command", "fasttext", "≥ 1"),
        ("`textclass tag` / tagging with evidence in memory, one core", "in_memory", "≥ 0.35"),
    ]
    table = [(what, runs[name].wall / tag.wall, aim) for what, name, aim in ratios]
    table += [
        (
            "mixed files: `textclass tag` / the extraction libraries alone",
            runs["extraction"].wall / runs["tag_folder"].wall,
            "≥ 0.8",
        ),
        ("ledger / results compressed by gzip", disk["ledger"] / disk["packed"], "≤ 1.5"),
        ("start-up: `textclass predict` / `import spacy`", started, "≤ 1.3"),
    ]
    each = 1e8 / count
    hours = tag.cpu * each / 3600
    files = {"tag_folder", "extraction"}
    return "\n".join(
        [
            "# Speed of the command, side by side",
            "",
            "Written by `python -m benchmarks`; `make bench` makes it anew.",
            "",
            f"Each command reads {count:,} passages as JSON lines, or {options.files} PDF, DOCX, "
            f"HTML, EML and text files, and writes its results, with {processes} processes "
            "(fastText and tagging in memory: one); its start is in its time. The ratios should "
            "hold anywhere, if the machine has as many cores that do nothing else.",
            "",
            "| ratio of speeds, sizes or times | found | aim |",
            "|---|--:|--:|",
            *(f"| {what} | {found:.2f} | {aim} |" for what, found, aim in table),
            "",
            "| command | per second | wall | processor | memory of the main process |",
            "|---|--:|--:|--:|--:|",
            *(
                f"| {name} | {(options.files if name in files else count) / run.wall:,.0f} "
                f"| {run.wall:.1f} s | {run.cpu:.1f} s | {run.memory:,.0f} MB |"
                for name, run in runs.items()
            ),
            "",
            "## One more worker on a cluster",
            "",
            "`textclass tag --engine dask` on the same passages in 16 partitions, which the "
            f"workers read themselves; {os.cpu_count()} cores.",
            "",
            "| worker processes | passages per second | processor |",
            "|--:|--:|--:|",
            *(f"| {n} | {count / run.wall:,.0f} | {run.cpu:.1f} s |" for n, run in dask.items()),
            "",
            "## What 100 million passages cost",
            "",
            f"From the figures above, {1e6 * tag.cpu / count:,.0f} µs of processor time and "
            f"{disk['results'] / count:,.0f} bytes of JSON lines for a passage:",
            "",
            f"- **{hours:,.1f} core-hours**, evidence, reading and writing included: with 64 cores "
            f"{60 * hours / 64:,.0f} minutes;",
            f"- **{runs['in_memory'].memory:,.0f} MB** of memory for each worker and "
            f"{tag.memory:,.0f} MB for the parent or client;",
            f"- **{disk['ledger'] * each / 1e9:,.0f} GB** of ledger, "
            f"{disk['results'] * each / 1e9:,.0f} GB of results as JSON lines "
            f"({disk['packed'] * each / 1e9:,.0f} GB compressed).",
            "",
        ]
    )


if __name__ == "__main__":
    main()
