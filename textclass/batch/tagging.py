"""A whole run: inputs to ledger to results."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import orjson
from joblib import cpu_count

from textclass.batch.engines import Cluster, Pool, drive
from textclass.batch.export import (
    PARTIAL,
    SET_ASIDE,
    Output,
    beside,
    check_unchanged,
    export,
    plan_outputs,
    whose_results,
)
from textclass.batch.formats import unpack
from textclass.batch.inputs import list_inputs, read_cuts
from textclass.batch.jobs import Cut, Engine, Input, Setup, Summary, TagJob, Task
from textclass.batch.ledger import Ledger
from textclass.batch.worker import reader_for
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
"""Tables from this size on are read by the run itself, so that all workers share them."""

COUNTED = ("documents", "passages", "set_aside", "partly_read", "repeated")
SHOWN_DOCUMENTS = 50
SHOWN_FAULTS = 10


def tag_files(job: TagJob, *, on_progress: Callable[[Summary], None] | None = None) -> Summary:
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
    first = Path(os.path.abspath(job.outputs[0])) if job.outputs else None  # noqa: PTH100 - no links
    if first and not job.set_aside:
        job = replace(job, set_aside=beside(first, SET_ASIDE))
    outputs = plan_outputs(job)
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
        digest = job.options.digest(f"{model.name} {loaded.digest}")
        ledger = stack.enter_context(closing(Ledger(place, run=digest, fresh=job.fresh)))
        check_unchanged(outputs, ledger)
        run = _Run(job, outputs, setup, model.taxonomy, ledger, on_progress)
        try:
            with run.heeding_signals():
                ledger.plan(run.inputs(scratch))
                run.tag_all()
                return run.export()
        except _Stopped:
            return run.summary(Counter(), stopped_by=run.stopped_by)


@dataclass
class _Run:
    """One run under way."""

    job: TagJob
    outputs: tuple[Output, ...]
    setup: Setup
    taxonomy: Taxonomy
    ledger: Ledger
    on_progress: Callable[[Summary], None] | None
    began: float = field(default_factory=time.monotonic)
    stage: str = ""
    planned: int = 0
    taken_up: int = 0
    gone: int = 0
    done: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    stopped_by: int | None = None

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the run at the next batch; a second one ends it at once."""

        def note(signum: int, _frame: FrameType | None) -> None:
            if self.stopped_by:
                raise KeyboardInterrupt
            self.stopped_by = signum
            if not self.stage:  # nothing is found yet: standard input may never end
                raise _Stopped

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, note) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def inputs(self, scratch: Path) -> Iterator[Input]:
        """Find what is to be tagged."""
        stdin = None
        if self.job.stdin:
            stdin, limit = scratch / "stdin", self.job.options.limits.file_bytes
            with stdin.open("wb") as copy:
                # What is longer than the limit is set aside when it is read.
                while copy.tell() <= limit and (chunk := self.job.stdin.read(1 << 20)):
                    copy.write(chunk)
        own = self._own_files()
        for one in list_inputs(self.job.paths, own=own, left_out=self.left_out, stdin=stdin):
            self.planned += 1
            self._tell("finding")
            yield one

    def _own_files(self) -> Iterator[Path]:
        results = [output.path for output in self.outputs]
        for path in [*results, self.job.set_aside] if self.job.set_aside else results:
            yield from (path, beside(path, PARTIAL))
        if self.job.report:
            yield self.job.report
        for ending in ("", "-wal", "-shm", "-journal"):
            yield beside(self.ledger.path, ending)

    def tag_all(self) -> None:
        """Tag what isn't in the ledger: first what a worker reads, then what all share."""
        self.planned, self.taken_up, self.gone = self.ledger.counts()
        left = self.planned - self.taken_up
        self._tell("tagging")
        if not left:
            return
        job, setup, width = self.job, self.setup, self.job.workers or cpu_count()
        local = job.engine is Engine.LOCAL
        pool = Pool(setup, width) if local else Cluster(setup, width, job.scheduler)
        with closing(pool), reader_for(setup.options) as reader:
            self._tag(pool, self._unread(share=local and left <= width))
            for one in self.ledger.unfinished():
                with closing(read_cuts(one, reader)) as cuts:
                    new = (cut for cut in cuts if not self.ledger.has(cut))
                    # Another cut may be done after the last one.
                    self._tag(pool, ((replace(cut, more=True),) for cut in new))
                self.ledger.finish(one.key)
                self.done["finished"] += 1

    def _unread(self, *, share: bool) -> Iterator[Task]:
        """Yield inputs for a worker to read, small ones together; long tables not, if to share."""
        together: list[Cut] = []
        size = 0
        for one in self.ledger.unfinished(begun=False):
            if share and one.size >= LONG_BYTES and one.source.id.lower().endswith(TABLES):
                continue
            if together and (len(together) == TOGETHER or size + one.size > TOGETHER_BYTES):
                yield tuple(together)
                together, size = [], 0
            together.append(Cut(one))
            size += one.size
        if together:
            yield tuple(together)

    def _tag(self, pool: Pool, tasks: Iterable[Task]) -> None:
        """Keep what workers make of tasks."""
        for batches in drive(pool, tasks):
            for batch in batches:
                self.ledger.record(batch)
                self.done.update(batch.facts.counts, finished=not batch.more)
            self.ledger.commit(after=COMMIT_SECONDS)
            self._tell("tagging")

    def export(self) -> Summary:
        """Write the results and the report; return what the run came to."""
        job = self.job
        self.ledger.commit()
        self._tell("writing")
        facts = self.ledger.facts()
        model, inputs = self.setup.model_name, self.planned
        replaced = whose_results(self.outputs, self.ledger, model=model, inputs=inputs)
        note = partial(self.ledger.note_written, model=model)
        cut = export(job, self.outputs, self.taxonomy, facts, self._rows, note)
        if job.report:
            from textclass.report import write_tag_report

            write_tag_report(
                self._report_documents(),
                _decoded(self._rows("set_aside")),
                job.report,
                taxonomy=self.taxonomy,
                model=model,
            )
        counts = facts.counts
        return self.summary(
            counts,
            outcomes={str(one): counts[one] for one in sorted(Outcome) if counts[one]},
            outputs=tuple(output.path for output in self.outputs),
            replaced=replaced,
            cut=cut,
            set_aside_file=job.set_aside if counts["set_aside"] else None,
            report=job.report,
            first_documents=self._first("documents", SHOWN_DOCUMENTS),
            first_set_aside=self._first("set_aside", SHOWN_FAULTS),
        )

    def _rows(self, kind: str) -> Iterator[bytes]:
        for rows in self.ledger.rows(kind):
            self._tell("writing")
            yield rows

    def _first(self, kind: str, count: int) -> list[dict[str, Any]]:
        return [*islice(_decoded(self.ledger.rows(kind)), count)]

    def _report_documents(self) -> Iterator[Mapping[str, Any]]:
        passages = _decoded(self._rows("passages"))
        for document in _decoded(self._rows("documents")):
            origin = {key: document[key] for key in ("folder", "date")}
            its = tuple(islice(passages, document["passages"]))
            yield {"document": document, "passages": its, **origin}

    def summary(self, counts: Counter[str], **ended: Any) -> Summary:  # noqa: ANN401 - fields
        """Return where the run stands, with counts of what it made."""
        ended |= {name: counts[name] for name in COUNTED}
        return Summary(
            stage=self.stage,
            inputs=self.planned,
            taken_up=self.taken_up,
            gone=self.gone,
            finished=self.taken_up + self.done["finished"],
            left_out=dict(sorted((+self.left_out).items())),
            ledger=self.ledger.path if self.job.outputs else None,
            seconds=time.monotonic() - self.began,
            **ended,
        )

    def _tell(self, stage: str) -> None:
        """Tell where the run stands, unless it is to stop."""
        self.stage = stage
        if self.on_progress:
            self.on_progress(self.summary(self.done))
        if self.stopped_by:
            raise _Stopped


def _decoded(packed: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for rows in packed:
        yield from map(orjson.loads, unpack(rows).splitlines())


class _Stopped(Exception):  # noqa: N818 - no error, and never seen outside
    """A signal has asked the run to end."""
