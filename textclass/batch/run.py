"""A whole run: inputs to ledger to results."""

from __future__ import annotations

import glob
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from textclass.batch.data import (
    DocumentResult,
    Engine,
    FileTask,
    Input,
    Part,
    Progress,
    RowsTask,
    Setup,
    Summary,
    Task,
)
from textclass.batch.export import PARTIAL, SET_ASIDE, Export, Output, Tally, beside, plan_outputs
from textclass.batch.inputs import list_inputs
from textclass.batch.job import TagJob
from textclass.batch.ledger import Ledger
from textclass.batch.pools import LocalPool, Pool, SerialPool, drive
from textclass.batch.stopping import StopFlag, stop_on_signals
from textclass.batch.worker import fetched, in_batches, reader_for
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
    folder = job.model or shipped("models/default")
    loaded = load_folder(folder)
    model = loaded.model
    setup = Setup(folder.resolve(), model.name, job.options)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="textclass-")))
        place = beside(first, LEDGER) if first else scratch / "ledger"
        run = job.options.digest(f"{model.name} {loaded.digest}")
        ledger = stack.enter_context(closing(Ledger(place, run=run, fresh=job.fresh)))
        flag = stack.enter_context(stop_on_signals())
        return _Run(job, outputs, setup, model.taxonomy, ledger, flag, on_progress).go(scratch)


class _Run:
    """One run under way."""

    def __init__(
        self,
        job: TagJob,
        outputs: tuple[Output, ...],
        setup: Setup,
        taxonomy: Taxonomy,
        ledger: Ledger,
        flag: StopFlag,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.job, self.outputs, self.setup, self.taxonomy = job, outputs, setup, taxonomy
        self.ledger, self.flag, self.on_progress = ledger, flag, on_progress
        self.began = time.monotonic()
        self.progress = Progress("finding")

    def go(self, scratch: Path) -> Summary:
        self.ledger.plan(self._inputs(scratch))
        inputs, taken_up = self.ledger.counts()
        self._tell("tagging", inputs=inputs, finished=taken_up, started_with=taken_up)
        if taken_up < inputs and not self.flag():
            self._tag_files(inputs - taken_up)
        if not self.flag():
            self._tag_long_inputs()
        self.ledger.commit()
        tally = None if self.flag() else self._export()
        return self._summary(taken_up, tally)

    def _inputs(self, scratch: Path) -> Iterator[Input]:
        stdin = None
        if self.job.stdin:
            stdin = scratch / "stdin"
            _copy(self.job.stdin, stdin, self.job.options.limits.file_bytes)
        found = list_inputs(self.job.paths, own=self._own_files(), stdin=stdin)
        for number, one in enumerate(found, 1):
            if self.flag():
                return
            self._tell("finding", inputs=number)
            yield one

    def _own_files(self) -> Iterator[Path]:
        for output in self.outputs:
            yield from (output.path, output.partial)
        if self.job.set_aside:
            yield from (self.job.set_aside, beside(self.job.set_aside, PARTIAL))
        if report := self.job.report:
            yield from (report, *report.parent.glob(f"{glob.escape(report.stem)}-*.html"))
        for ending in ("", "-wal", "-shm", "-journal"):
            yield beside(self.ledger.path, ending)

    def _tag_files(self, unfinished: int) -> None:
        """Read and tag all inputs, of those with very many documents the first."""
        tasks = (FileTask(one) for one in self.ledger.unfinished(begun=False))
        with self._pool(unfinished) as pool:
            for task, part in self._driven(pool, tasks):
                self._record(task, part, finished=not part.more)

    def _tag_long_inputs(self) -> None:
        """Tag the rest of those with very many: read here, so that all workers share each."""
        long = list(self.ledger.unfinished(begun=True))
        if not long:
            return
        waiting: Counter[int] = Counter()
        read: set[int] = set()
        with self._pool(None) as pool, closing(self._rows_tasks(long, waiting, read)) as tasks:
            for task, part in self._driven(pool, tasks):
                position = task.input.position
                waiting[position] -= 1
                self._record(task, part, finished=position in read and not waiting[position])

    def _rows_tasks(
        self, inputs: list[Input], waiting: Counter[int], read: set[int]
    ) -> Generator[Task]:
        """Yield what isn't in the ledger yet, counting batches not yet done and inputs read."""
        limit = self.job.options.limits.file_bytes
        with reader_for(self.setup) as reader:
            for one in inputs:
                with fetched(one, limit) as source:
                    found = iter([source]) if isinstance(source, SetAside) else reader.read(source)
                    first = 0
                    for batch, more in in_batches(found):
                        if not more:
                            read.add(one.position)
                        if not self.ledger.has(one.position, first):
                            waiting[one.position] += 1
                            yield RowsTask(one, first, batch)
                        first += len(batch)
                if not waiting[one.position]:
                    self.ledger.finish(one.position)

    def _driven(self, pool: Pool, tasks: Iterator[Task]) -> Iterator[tuple[Task, Part]]:
        for done in drive(pool, tasks, self.flag):
            if done is None:
                self._tell("tagging")
            else:
                yield done

    def _record(self, task: Task, part: Part, *, finished: bool) -> None:
        self.ledger.record(task.input.position, part, finished=finished)
        before = self.progress
        self._tell(
            "tagging",
            finished=before.finished + finished,
            documents=before.documents + part.documents,
            passages=before.passages + part.passages,
            set_aside=before.set_aside + part.set_aside,
        )

    @contextmanager
    def _pool(self, inputs: int | None) -> Iterator[Pool]:
        """Start workers, no more than there are inputs for; None for as many as may be."""
        from joblib import cpu_count

        width = self.job.workers or cpu_count()
        pool: Pool
        if self.job.engine is Engine.DASK:
            from textclass.batch.cluster import DaskPool

            pool = DaskPool(self.setup, self.job.scheduler, width)
        else:
            width = min(width, inputs) if inputs else width
            pool = SerialPool(self.setup) if width == 1 else LocalPool(self.setup, width)
        with closing(pool):
            yield pool

    def _export(self) -> Tally | None:
        job = self.job
        self._tell("writing")
        export = Export(
            self.outputs,
            self.taxonomy,
            self.ledger.columns(),
            set_aside=job.set_aside,
            stream=job.stream,
            level=job.level,
        )
        tally = export.write(self.ledger.records(), stopped=self.flag)
        if tally and job.report:
            from textclass.report import write_tag_report

            write_tag_report(
                self._report_documents(),
                (asdict(one) for one in self.ledger.records() if isinstance(one, SetAside)),
                job.report,
                taxonomy=self.taxonomy,
                model=self.setup.model_name,
            )
        return tally

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
            first_set_aside=tuple(written.first_set_aside),
            first_documents=tuple(written.first_documents),
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
