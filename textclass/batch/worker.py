"""The one function that every engine runs: a task in, packed records out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from textclass.batch.data import DocumentResult, FileTask, Input, Part, Setup, Task
from textclass.batch.records import kind_of, pack, result_of
from textclass.documents import Document, DocumentReader, SetAside, Source
from textclass.errors import ModelError
from textclass.tagger import Tagger

MOST_DOCUMENTS = 256
MOST_CHARS = 1_000_000
"""A worker gives back no more documents at once, so that memory doesn't grow with the input."""


class Worker:
    """Reads and tags; holds one model and one reading process.

    Parameters
    ----------
    setup : Setup

    Raises
    ------
    ModelError
        If the model folder has changed since the run began.
    """

    def __init__(self, setup: Setup) -> None:
        self.options = setup.options
        self.tagger = Tagger.load(setup.model)
        if self.tagger.model.name != setup.model_name:
            raise ModelError(
                f"it is now {self.tagger.model.name}, the run began with {setup.model_name}",
                where=str(setup.model),
                hint="start the run again",
            )
        self.reader = reader_for(setup)

    def close(self) -> None:
        """End the reading process."""
        self.reader.close()

    def work(self, task: Task) -> Part:
        """Return the records of a task, at least one."""
        if not isinstance(task, FileTask):
            return self._part(task.input, task.first, task.documents, more=False)
        with fetched(task.input, self.options.limits.file_bytes) as found:
            if isinstance(found, SetAside):
                return self._part(task.input, 0, [found], more=False)
            first, more = next(in_batches(self.reader.read(found)))
            if more:
                self.reader.close()  # the rest is read by the parent
            return self._part(task.input, 0, first, more=more)

    def _part(
        self, origin: Input, first: int, found: Iterable[Document | SetAside], *, more: bool
    ) -> Part:
        records = [self._record(one, origin.place) for one in found]
        results = [record for record in records if isinstance(record, DocumentResult)]
        columns = {(n, kind_of(v)): None for r in results for n, v in r.columns.items()}
        return Part(
            first=first,
            records=tuple(map(pack, records)),
            documents=len(results),
            passages=sum(len(result.passages) for result in results),
            set_aside=len(records) - len(results),
            columns=tuple(columns),
            more=more,
        )

    def _record(self, found: Document | SetAside, place: str) -> DocumentResult | SetAside:
        if isinstance(found, SetAside):
            return replace(found, path=place)
        try:
            tags = self.tagger.tag_document(
                found.text,
                document=found.id,
                page_starts=found.page_starts,
                whole=self.options.whole,
            )
        except Exception as error:  # noqa: BLE001 - one document must not end a run of thousands
            fault = f"tagging failed, please report it: {type(error).__name__}: {error}"
            return SetAside(found.id, place, found.sha256, "tag", " ".join(fault.split()))
        if not tags.words:
            return SetAside(found.id, place, found.sha256, "text", "no words were found in it")
        return result_of(found, tags, place)


def reader_for(setup: Setup) -> DocumentReader:
    """Return a reader with the options of a run."""
    options = setup.options
    return DocumentReader(
        options.limits, text_column=options.text_column, id_column=options.id_column
    )


def in_batches(
    documents: Iterator[Document | SetAside],
) -> Iterator[tuple[tuple[Document | SetAside, ...], bool]]:
    """Yield documents in batches, and whether there are more.

    The same content is always cut at the same places, so that a run can be taken up at any batch.
    """
    batch: list[Document | SetAside] = []
    chars = 0
    for document in documents:
        if len(batch) >= MOST_DOCUMENTS or chars >= MOST_CHARS:
            yield tuple(batch), True
            batch, chars = [], 0
        batch.append(document)
        chars += len(document.text) if isinstance(document, Document) else 0
    yield tuple(batch), False


@contextmanager
def fetched(origin: Input, limit: int) -> Iterator[Source | SetAside]:
    """Give the file of an input; one at a remote address is fetched for as long as it is needed."""
    source = origin.source
    if origin.url is None:
        yield source
        return
    from textclass.batch.remote import fetch

    with TemporaryDirectory(prefix="textclass-") as folder:
        # The ending of the name is a hint for formats that bytes alone don't tell.
        path = Path(folder, "fetched" + "".join(PurePosixPath(source.id).suffixes[-2:])[-20:])
        fault = fetch(origin.url, path, limit)
        if fault:
            yield SetAside(source.id, origin.url, None, "open", fault)
        else:
            yield replace(source, path=path, root=None)


_setup: Setup | None = None
_held = threading.local()


def start(setup: Setup) -> None:
    """Tell this process what its workers are to be; called before `work`."""
    global _setup
    _setup = setup


def work(task: Task) -> Part:
    """Do a task in this process; each thread has a worker of its own."""
    if _setup is None:
        raise RuntimeError("start() comes before work()")
    if getattr(_held, "setup", None) is not _setup:
        if hasattr(_held, "worker"):
            _held.worker.close()
        _held.worker, _held.setup = Worker(_setup), _setup
    part: Part = _held.worker.work(task)
    return part
