"""A whole run: inputs to ledger to results."""

from __future__ import annotations

import glob
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import IO, Any

from joblib import cpu_count

from textclass.batch.data import (
    DocumentResult,
    Engine,
    Input,
    Progress,
    Record,
    Setup,
    Summary,
    TagJob,
    Task,
)
from textclass.batch.export import (
    PARTIAL,
    SET_ASIDE,
    Output,
    Tally,
    beside,
    check_places,
    export,
    plan_outputs,
)
from textclass.batch.inputs import list_inputs, read_input
from textclass.batch.ledger import Ledger
from textclass.batch.pools import LocalPool, Pool, SerialPool, drive
from textclass.batch.worker import in_batches, reader_for
from textclass.documents import SetAside
from textclass.model import load_folder
from textclass.taxonomy import Taxonomy, shipped

LEDGER = ".ledger"


def tag_files(job: TagJob, *, on_progress: Callable[[Progress], None] | None = None) -> Summary:
    """Tag many documents; every input ends in the results or among the set-asides, once.

    A run that was stopped or killed is taken up where it was by the same call. The rows and their
    order don't depend on the engine or the number of workers.

    Parameters
    ----------
    job : TagJob
    on_progress : callable, keyword-only, optional
        Called several times a second.

    Raises
    ------
    BatchError
        If the run can't start, or can't go on; what is done is kept.
    DocumentError
        If a path doesn't exist.
    ModelError
        If the model can't be used.
    """
    outputs = plan_outputs(job.outputs, job.level)
    first = Path(os.path.abspath(job.outputs[0])) if job.outputs else None  # noqa: PTH100 - no links
    if first and not job.set_aside:
        job = replace(job, set_aside=beside(first, SET_ASIDE))
    check_places(outputs, job)
    folder = job.model or shipped("models/default")
    loaded = load_folder(folder)
    model = loaded.model
    setup = Setup(folder.resolve(), model.name, job.options)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="textclass-")))
        place = beside(first, LEDGER) if first else scratch / "ledger"
        run = job.options.digest(f"{model.name} {loaded.digest}")
        ledger = stack.enter_context(closing(Ledger(place, run=run, fresh=job.fresh)))
        flag = stack.enter_context(_stop_on_signals())
        return _Run(job, outputs, setup, model.taxonomy, ledger, flag, on_progress).go(scratch)


@dataclass
class _Run:
    """One run under way."""

    job: TagJob
    outputs: tuple[Output, ...]
    setup: Setup
    taxonomy: Taxonomy
    ledger: Ledger
    flag: _StopFlag
    on_progress: Callable[[Progress], None] | None
    began: float = field(default_factory=time.monotonic)
    progress: Progress = field(default_factory=Progress)
    waiting: Counter[int] = field(default_factory=Counter)
    """Of each long input, by position: documents being tagged, and 1 while it is read."""

    def go(self, scratch: Path) -> Summary:
        self.ledger.plan(self._inputs(scratch))
        inputs, taken_up = self.ledger.counts()
        self._tell("tagging", inputs=inputs, finished=taken_up, started_with=taken_up)
        tally = None
        with suppress(_Stopped):
            self.flag.check()
            if taken_up < inputs:
                files = (Task(one) for one in self.ledger.unfinished(begun=False))
                self._tag(files, inputs - taken_up)
            if long := list(self.ledger.unfinished(begun=True)):
                self._tag(self._rest(long), None)
            self.ledger.commit()
            self.flag.check()
            tally = self._export()
        return self._summary(taken_up, tally)

    def _inputs(self, scratch: Path) -> Iterator[Input]:
        stdin = None
        if self.job.stdin:
            stdin = scratch / "stdin"
            _copy(self.job.stdin, stdin, self.job.options.limits.file_bytes)
        found = list_inputs(self.job.paths, own=self._own_files(), stdin=stdin)
        for number, one in enumerate(found, 1):
            if self.flag.signum:
                return
            self._tell("finding", inputs=number)
            yield one

    def _own_files(self) -> Iterator[Path]:
        results = [output.path for output in self.outputs]
        for path in [*results, self.job.set_aside] if self.job.set_aside else results:
            yield from (path, beside(path, PARTIAL))
        if report := self.job.report:
            yield from (report, *report.parent.glob(f"{glob.escape(report.stem)}-*.html"))
        for ending in ("", "-wal", "-shm", "-journal"):
            yield beside(self.ledger.path, ending)

    def _rest(self, inputs: list[Input]) -> Generator[Task]:
        """Yield what isn't in the ledger yet: read here, so that all workers share each input."""
        with reader_for(self.setup.options) as reader:
            for one in inputs:
                self.waiting[one.position] = 1
                first = 0
                with closing(read_input(one, reader)) as found:
                    for batch, more in in_batches(found):
                        self.waiting[one.position] -= not more
                        # Records of a batch enter in order: with the last, all are there.
                        if not self.ledger.has(one.position, first + len(batch) - 1):
                            self.waiting[one.position] += len(batch)
                            yield Task(one, batch, first)
                        first += len(batch)
                if not self.waiting[one.position]:
                    self.ledger.finish(one.position)

    def _tag(self, tasks: Generator[Task], inputs: int | None) -> None:
        """Do tasks, by no more workers than there are inputs; None for as many as may be."""
        with closing(self._pool(inputs)) as pool, closing(tasks):
            for done in drive(pool, tasks):
                if not done:
                    self.flag.check()
                    self._tell("tagging")
                    continue
                task, part = done
                position = task.input.position
                if task.documents:
                    self.waiting[position] -= len(part.records)
                finished = not part.more and not self.waiting[position]
                self.ledger.record(task, part, finished=finished)
                self._tell(
                    "tagging",
                    finished=self.progress.finished + finished,
                    documents=self.progress.documents + part.documents,
                    passages=self.progress.passages + part.passages,
                    set_aside=self.progress.set_aside + part.set_aside,
                )

    def _pool(self, inputs: int | None) -> Pool:
        width = self.job.workers or cpu_count()
        if self.job.engine is Engine.DASK:
            from textclass.batch.cluster import DaskPool

            return DaskPool(self.setup, self.job.scheduler, width)
        width = min(width, inputs) if inputs else width
        return SerialPool(self.setup) if width == 1 else LocalPool(self.setup, width)

    def _export(self) -> Tally:
        self._tell("writing")
        tally = export(self.job, self.outputs, self.taxonomy, self._records)
        if self.job.report:
            from textclass.report import write_tag_report

            write_tag_report(
                self._report_documents(),
                (asdict(one) for one in self.ledger.records() if isinstance(one, SetAside)),
                self.job.report,
                taxonomy=self.taxonomy,
                model=self.setup.model_name,
            )
        return tally

    def _records(self) -> Iterator[Record]:
        for record in self.ledger.records():
            self.flag.check()
            yield record

    def _report_documents(self) -> Iterator[Mapping[str, Any]]:
        for one in self.ledger.records():
            if isinstance(one, DocumentResult):
                origin = {key: one.document[key] for key in ("folder", "date")}
                yield {"document": one.document, "passages": one.passages, **origin}

    def _summary(self, taken_up: int, tally: Tally | None) -> Summary:
        inputs, finished = self.ledger.counts()
        job, written = self.job, tally or Tally()
        return Summary(
            inputs=inputs,
            taken_up=taken_up,
            finished=finished,
            documents=written.documents,
            passages=written.passages,
            set_aside=written.set_aside,
            outcomes=dict(sorted(written.outcomes.items())),
            facets=tuple(self.taxonomy.slices),
            outputs=tuple(output.path for output in self.outputs) if tally else (),
            set_aside_file=job.set_aside if written.set_aside else None,
            report=job.report if tally else None,
            ledger=self.ledger.path if job.outputs else None,
            first_set_aside=written.first_set_aside,
            first_documents=written.first_documents,
            stopped_by=None if tally else self.flag.signum,
            seconds=time.monotonic() - self.began,
        )

    def _tell(self, stage: str, **changes: int) -> None:
        seconds = time.monotonic() - self.began
        self.progress = replace(self.progress, stage=stage, seconds=seconds, **changes)
        if self.on_progress:
            self.on_progress(self.progress)


def _copy(stream: IO[bytes], target: Path, limit: int) -> None:
    """Put standard input into a file; what is longer than `limit` is set aside when read."""
    with target.open("wb") as copy:
        while copy.tell() <= limit and (chunk := stream.read(1 << 20)):
            copy.write(chunk)


class _Stopped(Exception):  # noqa: N818 - no error, and never seen outside
    """A signal has asked the run to end."""


class _StopFlag:
    """Which signal has asked the run to end, if any."""

    signum: int | None = None

    def check(self) -> None:
        """Leave a run that should end, at a place where it can be left.

        Raises
        ------
        _Stopped
        """
        if self.signum is not None:
            raise _Stopped


@contextmanager
def _stop_on_signals() -> Iterator[_StopFlag]:
    """Let SIGINT and SIGTERM raise a flag; a second one ends the program at once."""
    flag = _StopFlag()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def note(signum: int, _frame: FrameType | None) -> None:
        if flag.signum is not None:
            raise KeyboardInterrupt
        flag.signum = signum

    before = {one: signal.signal(one, note) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
