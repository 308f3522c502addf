"""Runs that can be killed: imports once, then forks a run for each line on standard input.

A line is JSON: inputs, output, model, workers, and `ledger` (false: the control, which appends to
its output and keeps a list of the finished files, as scripts often do).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from textclass.batch import TagJob, TagOptions, tag_files
from textclass.batch.formats import unpack
from textclass.batch.jobs import Cut, Input, Setup
from textclass.batch.worker import Worker
from textclass.documents import find_inputs
from textclass.model import load_folder


def run(inputs, output, model, workers, ledger):
    # All processes of the run can be found by its output.
    os.environ["TEXTCLASS_RUN"] = output
    sys.path.append(output)
    if ledger:
        job = TagJob((inputs,), (output, f"{output}.parquet"), model=Path(model), workers=workers)
        tag_files(job)
        return
    done = Path(f"{output}.done")
    finished = set(done.read_text().splitlines()) if done.exists() else set()
    worker = Worker(Setup(Path(model), load_folder(model).model.name, TagOptions()))
    with Path(output).open("a") as out, done.open("a") as list_of_done:
        for source in find_inputs([inputs]):
            if source.id in finished:
                continue
            for batch in worker.work((Cut(Input(source, "")),)):
                for line in unpack(batch.passages).decode().splitlines():
                    out.write(json.dumps(json.loads(line)) + "\n")
            out.flush()
            list_of_done.write(source.id + "\n")
    worker.reader.close()


# A worker whose parent is killed while it starts prints to standard output; answers stay apart.
answers = os.dup(1)
os.dup2(2, 1)
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        code = 1
        try:
            run(**json.loads(line))
            code = 0
        finally:
            os._exit(code)
    os.write(answers, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(answers, b"%d\n" % os.waitstatus_to_exitcode(status))
