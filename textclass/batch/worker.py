"""The one function that every engine runs: a task in, packed batches of results out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from textclass.batch.addresses import read_input
from textclass.batch.formats import (
    json_line,
    kind_of,
    output_name,
    pack,
    reserved_names,
    wider_kind,
)
from textclass.batch.jobs import Batch, Cut, Facts, Input, Level, Setup, TagOptions, Task
from textclass.documents import Document, DocumentReader, SetAside
from textclass.errors import ModelError
from textclass.results import DocumentTags
from textclass.tagger import Tagger

MOST_DOCUMENTS = 256
MOST_CHARS = 1_000_000
"""No cut is larger, so that memory doesn't grow with the input."""

MOST_CUTS = 64
"""How much of an input a worker reads; what is left is read by the run, so that all share it."""


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
        self.setup = setup
        self.options = setup.options
        self.tagger = Tagger.load(setup.model, cascade=setup.options.cascade)
        if self.tagger.model.name != setup.model_name:
            raise ModelError(
                f"it is now {self.tagger.model.name}, the run began with {setup.model_name}",
                where=str(setup.model),
                hint="start the run again",
            )
        self.reader = reader_for(setup.options)
        self._reserved = {
            level: reserved_names(self.tagger.taxonomy, level) for level in Level.BOTH.each
        }

    def work(self, task: Task) -> list[Batch]:
        """Return what became of a task: for each of its parts at least one batch, in order."""
        done: list[Batch] = []
        waiting: list[Cut] = []
        for one in task:
            # Closing ends the reading of what is left.
            with closing(cuts(one, self.reader)) as found:
                for cut in islice(found, MOST_CUTS):
                    waiting.append(cut)
                    if sum(len(cut.documents) for cut in waiting) >= MOST_DOCUMENTS:
                        done += self._batches(waiting)
                        waiting = []
        return done + self._batches(waiting)

    def _batches(self, found: Sequence[Cut]) -> list[Batch]:
        every = [one for cut in found for one in cut.documents if isinstance(one, Document)]
        if self.options.keep_boilerplate:
            every = [replace(one, boilerplate=()) for one in every]
        tagged = iter(self._tag(every))
        return [self._batch(cut, tagged) for cut in found]

    def _tag(self, documents: Sequence[Document]) -> list[DocumentTags | SetAside]:
        """Tag documents together; of one that can't be, tell why."""
        try:
            tagged = self.tagger.tag_documents(documents, whole=self.options.whole)
        except Exception as error:  # noqa: BLE001 - one document must not end a run of thousands
            if len(documents) > 1:
                return [tags for one in documents for tags in self._tag([one])]
            fault = f"tagging failed, please report it: {type(error).__name__}: {error}"
            return [_set_aside(documents[0], "tag", " ".join(fault.split()))]
        return [
            tags if tags.words else _set_aside(one, "text", "no words were found in it")
            for one, tags in zip(documents, tagged, strict=True)
        ]

    def _batch(self, cut: Cut, tagged: Iterator[DocumentTags | SetAside]) -> Batch:
        place = cut.origin.place
        passages: list[bytes] = []
        documents: list[bytes] = []
        aside: list[bytes] = []
        counts = Counter(repeated=cut.repeated)
        columns: dict[str, str] = {}
        for one in cut.documents:
            tags = one if isinstance(one, SetAside) else next(tagged)
            if isinstance(tags, SetAside):
                aside.append(json_line(asdict(replace(tags, path=place))))
                continue
            assert isinstance(one, Document)  # noqa: S101 - for the type checker
            counts.update([str(tags.outcome)])
            counts.update(documents=1, passages=len(tags.passages), partly_read=bool(tags.unread))
            for name, value in one.columns.items():
                columns[name] = wider_kind(columns.get(name), kind_of(value))
            documents.append(self._line(_document_row(one, tags, place), one, Level.DOCUMENT))
            passages += [self._line(row.to_dict(), one, Level.PASSAGE) for row in tags.passages]
        counts["set_aside"] = len(aside)
        return Batch(
            key=cut.origin.key,
            first=cut.first,
            size=len(cut.documents),
            passages=pack(passages),
            documents=pack(documents),
            set_aside=pack(aside),
            facts=Facts(counts, columns),
            more=cut.more,
        )

    def _line(self, row: dict[str, Any], document: Document, level: Level) -> bytes:
        """Return a row with the other columns of its table row after it."""
        for name, value in document.columns.items():
            row[output_name(name, self._reserved[level])] = value
        return json_line(row)


def _set_aside(document: Document, stage: str, fault: str) -> SetAside:
    return SetAside(document.id, document.path, document.sha256, stage, fault)


def _document_row(document: Document, tags: DocumentTags, place: str) -> dict[str, Any]:
    row = tags.to_dict()
    origin = {
        "document": row.pop("document"),
        "path": place,
        "folder": document.folder,
        "media_type": document.media_type,
        "date": document.date,
        "sha256": document.sha256,
    }
    return origin | row


def reader_for(options: TagOptions) -> DocumentReader:
    """Return a reader with the options of a run."""
    return DocumentReader(
        options.limits, text_column=options.text_column, id_column=options.id_column
    )


def cuts(origin: Input | Cut, reader: DocumentReader) -> Generator[Cut]:
    """Read an input in parts; give documents with one id different ones.

    The same content is always cut at the same places, so that a run can be taken up at any cut.
    """
    if isinstance(origin, Cut):
        yield origin
        return
    # How often a name was there, by its hash, since millions of names would fill the memory.
    seen: dict[int, int] = {}
    part: list[Document | SetAside] = []
    first = chars = repeated = 0
    with closing(read_input(origin, reader)) as documents:
        for document in documents:
            if len(part) >= MOST_DOCUMENTS or chars >= MOST_CHARS:
                yield Cut(origin, tuple(part), first, True, repeated)
                first += len(part)
                part, chars, repeated = [], 0, 0
            name, given = document.id, hash(document.id)
            while hash(name) in seen:
                seen[given] += 1
                name = f"{document.id}~{seen[given]}"
            seen[hash(name)] = 1
            repeated += name != document.id
            part.append(document if name == document.id else replace(document, id=name))
            chars += len(document.text) if isinstance(document, Document) else 0
    yield Cut(origin, tuple(part), first, False, repeated)


_setup: Setup
_held = threading.local()


def start(setup: Setup) -> None:
    """Tell this process what its workers are to be; called before `work`."""
    global _setup
    _setup = setup


def work(task: Task) -> list[Batch]:
    """Do a task in this process; each thread has a worker of its own."""
    held: Worker | None = getattr(_held, "worker", None)
    if held is None or held.setup is not _setup:
        if held:
            held.reader.close()
        held = _held.worker = Worker(_setup)
    return held.work(task)
