"""The one function that every engine runs: a task in, packed records out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from textclass.batch.data import DocumentResult, Input, Part, Record, Setup, TagOptions, Task
from textclass.batch.inputs import read_input
from textclass.batch.ledger import pack
from textclass.documents import Document, DocumentReader, SetAside
from textclass.errors import ModelError
from textclass.results import DocumentTags
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
        self.reader = reader_for(setup.options)

    def work(self, task: Task) -> Part:
        """Return the records of a task, at least one."""
        if task.documents is not None:
            return self._part(task.input, task.documents)
        # Closing ends the reading of what is left: that is read by the parent.
        with closing(read_input(task.input, self.reader)) as found:
            first, more = next(in_batches(found))
        return self._part(task.input, first, more=more)

    def _part(
        self, origin: Input, found: Iterable[Document | SetAside], *, more: bool = False
    ) -> Part:
        records = [self._record(one, origin.place) for one in found]
        results = [record for record in records if isinstance(record, DocumentResult)]
        return Part(
            tuple(map(pack, records)),
            documents=len(results),
            passages=sum(len(result.passages) for result in results),
            set_aside=len(records) - len(results),
            more=more,
        )

    def _record(self, found: Document | SetAside, place: str) -> Record:
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
        return _result(found, tags, place)


def _result(document: Document, tags: DocumentTags, place: str) -> DocumentResult:
    row = tags.to_dict()
    origin = {
        "document": row.pop("document"),
        "path": place,
        "folder": document.folder,
        "media_type": document.media_type,
        "date": document.date,
        "sha256": document.sha256,
    }
    passages = tuple(passage.to_dict() for passage in tags.passages)
    return DocumentResult(origin | row, passages, document.columns)


def reader_for(options: TagOptions) -> DocumentReader:
    """Return a reader with the options of a run."""
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
            _held.worker.reader.close()
        _held.worker, _held.setup = Worker(_setup), _setup
    part: Part = _held.worker.work(task)
    return part
