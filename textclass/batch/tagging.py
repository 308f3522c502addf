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
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import IO, Any

import orjson
from joblib import cpu_count

from textclass.batch.addresses import list_inputs, read_input
from textclass.batch.engines import LocalPool, Pool, SerialPool, drive
from textclass.batch.export import (
    PARTIAL,
    SET_ASIDE,
    Output,
    beside,
    check_places,
    export,
    plan_outputs,
)
from textclass.batch.formats import unpack
from textclass.batch.jobs import (
    Batch,
    Engine,
    Facts,
    Input,
    Progress,
    Setup,
    Summary,
    TagJob,
    Task,
)
from textclass.batch.ledger import Ledger
from textclass.batch.worker import cuts, reader_for
from textclass.model import find_model, load_folder, open_scorer
from textclass.results import Outcome
from textclass.taxonomy import Taxonomy

LEDGER = ".ledger"
COMMIT_SECONDS = 0.5

TOGETHER = 16
TOGETHER_BYTES = 1 << 18
"""Small inputs go to a worker together, no more of them and no larger than this."""

LONG_BYTES = 1 << 20
TABLES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".jsonl.gz", ".csv.gz")
"""Tables from this size on are read by the parent at once, so that all workers share them."""

CUTS = {Engine.LOCAL: 16, Engine.DASK: 256}
"""How many cuts of an input a worker takes where there are many inputs."""

SHOWN = 10
LISTED = 50


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
    folder = find_model(job.model)
    loaded = load_folder(folder)
    model = loaded.model
    if loaded.is_accurate or job.options.cascade:
        # What a worker would miss, such as a library, is told before anything is read.
        open_scorer(loaded, cascade=job.options.cascade)
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
    left_out: Counter[str] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)
    """Of each long input, by position: documents being tagged, and 1 while it is read."""

    def go(self, scratch: Path) -> Summary:
        self.ledger.plan(self._inputs(scratch))
        inputs, taken_up = self.ledger.counts()
        self._tell("tagging", inputs=inputs, finished=taken_up, started_with=taken_up)
        facts = None
        with suppress(_Stopped):
            self.flag.check()
            if taken_up < inputs:
                self._tag_all(many=inputs - taken_up > 4 * self._width)
            self.ledger.commit()
            self.flag.check()
            facts = self._export()
        return self._summary(taken_up, facts)

    def _inputs(self, scratch: Path) -> Iterator[Input]:
        stdin = None
        if self.job.stdin:
            stdin = scratch / "stdin"
            _copy(self.job.stdin, stdin, self.job.options.limits.file_bytes)
        own = self._own_files()
        found = list_inputs(self.job.paths, own=own, left_out=self.left_out, stdin=stdin)
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

    def _tag_all(self, *, many: bool) -> None:
        """Tag what isn't in the ledger: first each input by a worker, then what they left."""
        tasks = self._short(many=many)
        first = list(islice(tasks, 2))
        local = self.job.engine is Engine.LOCAL
        alone = len(first) == 1 and local
        if first:
            with closing(self._pool(1 if alone else self._width)) as pool:
                self._tag(pool, chain(first, tasks))
                if not alone:
                    self._tag(pool, self._rest())
        if self.ledger.counts()[1] < self.ledger.counts()[0]:
            with closing(self._pool(self._width)) as pool:
                self._tag(pool, self._rest())

    def _short(self, *, many: bool) -> Iterator[Task]:
        """Yield inputs for a worker to read, small ones together."""
        engine = self.job.engine
        most = CUTS[engine] if many or engine is Engine.DASK else 1
        together: list[Input] = []
        size = 0
        for one in self.ledger.unfinished(begun=False):
            weight = _weight(one)
            shared = weight >= LONG_BYTES and one.source.id.lower().endswith(TABLES)
            if shared and most == 1:
                continue
            if together and (len(together) == TOGETHER or size + weight > TOGETHER_BYTES):
                yield Task(tuple(together), cuts=most)
                together, size = [], 0
            together.append(one)
            size += weight
        if together:
            yield Task(tuple(together), cuts=most)

    def _rest(self) -> Iterator[Task]:
        """Yield what isn't in the ledger yet: read here, so that all workers share each input."""
        with reader_for(self.setup.options) as reader:
            for one in list(self.ledger.unfinished()):
                self.waiting[one.position] = 1
                with closing(read_input(one, reader)) as found:
                    for cut in cuts(found):
                        self.waiting[one.position] -= not cut.more
                        if not self.ledger.has(one.position, cut.first + len(cut.documents)):
                            self.waiting[one.position] += len(cut.documents)
                            yield Task((one,), replace(cut, more=False))
                if not self.waiting[one.position]:
                    self.ledger.finish(one.position)

    def _tag(self, pool: Pool, tasks: Iterator[Task]) -> None:
        with ExitStack() as stack:
            if isinstance(tasks, Generator):
                stack.enter_context(closing(tasks))
            for done in drive(pool, tasks):
                if done:
                    for batch in done[1]:
                        self._take(batch, shared=done[0].cut is not None)
                    self.ledger.commit(after=COMMIT_SECONDS)
                else:
                    self.flag.check()
                    self._tell("tagging")

    def _take(self, batch: Batch, *, shared: bool) -> None:
        """Keep what a worker made."""
        if shared:
            self.waiting[batch.position] -= batch.size
        finished = not batch.more and not self.waiting[batch.position]
        self.ledger.record(batch, finished=finished)
        was, counts = self.progress, batch.facts.counts
        self._tell(
            "tagging",
            finished=was.finished + finished,
            documents=was.documents + counts["documents"],
            passages=was.passages + counts["passages"],
            set_aside=was.set_aside + counts["set_aside"],
        )

    @property
    def _width(self) -> int:
        return self.job.workers or cpu_count()

    def _pool(self, width: int) -> Pool:
        if self.job.engine is Engine.DASK:
            from textclass.batch.cluster import DaskPool

            return DaskPool(self.setup, self.job.scheduler, width)
        return SerialPool(self.setup) if width == 1 else LocalPool(self.setup, width)

    def _export(self) -> Facts:
        self._tell("writing")
        facts = self.ledger.facts()
        export(self.job, self.outputs, self.taxonomy, facts, self._packed)
        if self.job.report:
            from textclass.report import write_tag_report

            write_tag_report(
                self._report_documents(),
                self._decoded("set_aside"),
                self.job.report,
                taxonomy=self.taxonomy,
                model=self.setup.model_name,
            )
        return facts

    def _packed(self, kind: str) -> Iterator[bytes]:
        for (rows,) in self.ledger.rows(kind):
            self.flag.check()
            yield rows

    def _decoded(self, kind: str) -> Iterator[dict[str, Any]]:
        for rows in self._packed(kind):
            yield from map(orjson.loads, unpack(rows).splitlines())

    def _report_documents(self) -> Iterator[Mapping[str, Any]]:
        passages = self._decoded("passages")
        for document in self._decoded("documents"):
            origin = {key: document[key] for key in ("folder", "date")}
            its = tuple(islice(passages, document["passages"]))
            yield {"document": document, "passages": its, **origin}

    def _summary(self, taken_up: int, facts: Facts | None) -> Summary:
        inputs, finished = self.ledger.counts()
        job, counts = self.job, facts.counts if facts else Counter()
        outcomes = {str(one): counts[one] for one in sorted(Outcome) if counts[one]}
        return Summary(
            inputs=inputs,
            taken_up=taken_up,
            finished=finished,
            documents=counts["documents"],
            passages=counts["passages"],
            set_aside=counts["set_aside"],
            partly_read=counts["partly_read"],
            repeated=counts["repeated"],
            left_out=dict(sorted(self.left_out.items())),
            outcomes=outcomes,
            facets=tuple(self.taxonomy.slices),
            outputs=tuple(output.path for output in self.outputs) if facts else (),
            set_aside_file=job.set_aside if counts["set_aside"] else None,
            report=job.report if facts else None,
            ledger=self.ledger.path if job.outputs else None,
            first_set_aside=[*islice(self._decoded("set_aside"), SHOWN)] if facts else [],
            first_documents=[*islice(self._decoded("documents"), LISTED)] if facts else [],
            stopped_by=None if facts else self.flag.signum,
            seconds=time.monotonic() - self.began,
        )

    def _tell(self, stage: str, **changes: int) -> None:
        seconds = time.monotonic() - self.began
        self.progress = replace(self.progress, stage=stage, seconds=seconds, **changes)
        if self.on_progress:
            self.on_progress(self.progress)


def _weight(one: Input) -> int:
    """Return the size of a file; of what lies elsewhere, more than any that go together."""
    if one.url:
        return TOGETHER_BYTES
    try:
        return one.source.path.stat().st_size
    except OSError:
        return 0


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
