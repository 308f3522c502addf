"""The one function that every engine runs: a task in, packed batches of results out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from itertools import count, islice
from typing import Any

from textclass.batch.addresses import read_input
from textclass.batch.formats import json_line, kind_of, output_name, pack, reserved_names
from textclass.batch.jobs import Batch, Cut, Facts, Input, Level, Setup, TagOptions, Task
from textclass.documents import Document, DocumentReader, SetAside
from textclass.errors import ModelError
from textclass.results import DocumentTags
from textclass.tagger import Tagger

MOST_DOCUMENTS = 256
MOST_CHARS = 1_000_000
"""No cut is larger, so that memory doesn't grow with the input."""


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
        """Return what became of a task: for each input at least one batch, in order."""
        if task.cut:
            return self._batches([(task.inputs[0], task.cut)])
        done: list[Batch] = []
        waiting: list[tuple[Input, Cut]] = []
        for one in task.inputs:
            # Closing ends the reading of what is left: that is read by the parent.
            with closing(read_input(one, self.reader)) as found:
                for cut in islice(cuts(found), task.cuts):
                    waiting.append((one, cut))
                    if sum(len(cut.documents) for _, cut in waiting) >= MOST_DOCUMENTS:
                        done += self._batches(waiting)
                        waiting = []
        return done + self._batches(waiting)

    def _batches(self, found: Sequence[tuple[Input, Cut]]) -> list[Batch]:
        every = [one for _, cut in found for one in cut.documents if isinstance(one, Document)]
        if self.options.keep_boilerplate:
            every = [replace(one, boilerplate=()) for one in every]
        tagged = iter(self._tag(every))
        return [self._batch(one, cut, tagged) for one, cut in found]

    def _tag(self, documents: Sequence[Document]) -> list[DocumentTags | str]:
        """Tag documents together; of one that can't be, tell why."""
        try:
            return [*self.tagger.tag_documents(documents, whole=self.options.whole)]
        except Exception as error:  # noqa: BLE001 - one document must not end a run of thousands
            if len(documents) > 1:
                half = len(documents) // 2
                return self._tag(documents[:half]) + self._tag(documents[half:])
            fault = f"tagging failed, please report it: {type(error).__name__}: {error}"
            return [" ".join(fault.split())]

    def _batch(self, origin: Input, cut: Cut, tagged: Iterator[DocumentTags | str]) -> Batch:
        passages: list[bytes] = []
        documents: list[bytes] = []
        aside: list[bytes] = []
        facts = Facts(Counter(repeated=cut.repeated))
        for one in cut.documents:
            if isinstance(one, SetAside):
                aside.append(json_line(asdict(replace(one, path=origin.place))))
                continue
            tags = next(tagged)
            if isinstance(tags, str) or not tags.words:
                told = (
                    ("tag", tags)
                    if isinstance(tags, str)
                    else ("text", "no words were found in it")
                )
                aside.append(json_line(asdict(SetAside(one.id, origin.place, one.sha256, *told))))
                continue
            facts.counts.update(
                documents=1, passages=len(tags.passages), partly_read=bool(tags.unread)
            )
            facts.counts[tags.outcome] += 1
            for name, value in one.columns.items():
                facts.columns.setdefault(name, set()).add(kind_of(value))
            documents.append(
                self._line(_document_row(one, tags, origin.place), one, Level.DOCUMENT)
            )
            passages += [self._line(row.to_dict(), one, Level.PASSAGE) for row in tags.passages]
        facts.counts["set_aside"] = len(aside)
        return Batch(
            position=origin.position,
            first=cut.first,
            size=len(cut.documents),
            passages=pack(passages),
            documents=pack(documents),
            set_aside=pack(aside),
            facts=facts,
            more=cut.more,
        )

    def _line(self, row: dict[str, Any], document: Document, level: Level) -> bytes:
        """Return a row with the other columns of its table row after it."""
        reserved = self._reserved[level]
        return json_line(
            row | {output_name(name, reserved): value for name, value in document.columns.items()}
        )


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


def cuts(documents: Iterable[Document | SetAside]) -> Iterator[Cut]:
    """Cut an input's documents into parts; give those with one id different ones.

    The same content is always cut at the same places, so that a run can be taken up at any cut.
    """
    seen: set[int] = set()
    part: list[Document | SetAside] = []
    first = chars = repeated = 0
    for document in documents:
        if len(part) >= MOST_DOCUMENTS or chars >= MOST_CHARS:
            yield Cut(tuple(part), first, True, repeated)
            first += len(part)
            part, chars, repeated = [], 0, 0
        name = document.id
        for number in count(2):
            # Hashes, since millions of names would fill the memory.
            if hash(name) not in seen:
                break
            name = f"{document.id}~{number}"
        seen.add(hash(name))
        repeated += name != document.id
        part.append(document if name == document.id else replace(document, id=name))
        chars += len(document.text) if isinstance(document, Document) else 0
    yield Cut(tuple(part), first, False, repeated)


_setup: Setup | None = None
_held = threading.local()


def start(setup: Setup) -> None:
    """Tell this process what its workers are to be; called before `work`."""
    global _setup
    _setup = setup


def work(task: Task) -> list[Batch]:
    """Do a task in this process; each thread has a worker of its own."""
    if _setup is None:
        raise RuntimeError("start() comes before work()")
    if getattr(_held, "setup", None) is not _setup:
        if hasattr(_held, "worker"):
            _held.worker.reader.close()
        _held.worker, _held.setup = Worker(_setup), _setup
    done: list[Batch] = _held.worker.work(task)
    return done
