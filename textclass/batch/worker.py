"""What every engine runs: a task in, packed batches of results out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from textclass.batch.formats import (
    json_line,
    kind_of,
    output_name,
    pack,
    reserved_names,
    wider_kind,
)
from textclass.batch.inputs import MOST_DOCUMENTS, read_cuts
from textclass.batch.jobs import Batch, Cut, Facts, Level, Setup, TagOptions, Task
from textclass.documents import Document, DocumentReader, SetAside
from textclass.errors import ModelError
from textclass.results import DocumentTags, document_rows, passage_rows
from textclass.tagger import Tagger

MOST_CUTS = 64
"""How much of an input a worker reads; what is left is read by the run, so that all share it."""

_held = threading.local()


def work(setup: Setup, task: Task) -> list[Batch]:
    """Do a task in this process, where each thread keeps a worker for the next ones."""
    held: Worker | None = getattr(_held, "worker", None)
    if held is None or held.setup != setup:
        stop_working()
        held = _held.worker = Worker(setup)
    return held.work(task)


def stop_working() -> None:
    """Let go of this thread's worker, if it has one, and of its reading process."""
    if held := vars(_held).pop("worker", None):
        held.reader.close()


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
        """Return what became of a task: for each of its cuts at least one batch, in order."""
        done: list[Batch] = []
        waiting: list[Cut] = []
        for one in task:
            if one.documents:
                waiting.append(one)
                continue
            # Closing ends the reading of what is left.
            with closing(read_cuts(one.origin, self.reader)) as found:
                for cut in islice(found, MOST_CUTS):
                    waiting.append(cut)
                    if sum(len(cut.documents) for cut in waiting) >= MOST_DOCUMENTS:
                        done += self._batches(waiting)
                        waiting = []
        return done + self._batches(waiting)

    def _batches(self, cuts: Sequence[Cut]) -> list[Batch]:
        every = [one for cut in cuts for one in cut.documents if isinstance(one, Document)]
        tagged = iter(self._tag(every))
        return [
            batch_of(
                cut,
                [one if isinstance(one, SetAside) else next(tagged) for one in cut.documents],
                self._reserved,
            )
            for cut in cuts
        ]

    def _tag(self, documents: Sequence[Document]) -> list[DocumentTags | SetAside]:
        """Tag documents together; of one that can't be, tell why."""
        try:
            tagged = self.tagger.tag_documents(documents, whole=self.setup.options.whole)
        except Exception as error:  # noqa: BLE001 - one document must not end a run of thousands
            if len(documents) > 1:
                return [tags for one in documents for tags in self._tag([one])]
            fault = f"tagging failed, please report it: {type(error).__name__}: {error}"
            return [_set_aside(documents[0], "tag", " ".join(fault.split()))]
        return [
            tags if tags.words else _set_aside(one, "text", "no words were found in it")
            for one, tags in zip(documents, tagged, strict=True)
        ]


def reader_for(options: TagOptions) -> DocumentReader:
    """Return a reader with the options of a run."""
    return DocumentReader(
        options.limits,
        text_column=options.text_column,
        id_column=options.id_column,
        keep_boilerplate=options.keep_boilerplate,
    )


def batch_of(
    cut: Cut,
    results: Iterable[DocumentTags | SetAside],
    reserved: Mapping[Level, frozenset[str]],
    *,
    again: bool = False,
) -> Batch:
    """Return what became of a cut, packed.

    Parameters
    ----------
    cut : Cut
    results : iterable of DocumentTags or SetAside
        Of each of its documents.
    reserved : Mapping of Level to frozenset of str
        Names that no other column may have in the results.
    again : bool, keyword-only
        Whether a later run should try again.
    """
    place = cut.origin.place
    rows: dict[Level, list[bytes]] = {level: [] for level in Level.BOTH.each}
    aside: list[bytes] = []
    counts = Counter(repeated=cut.repeated)
    columns: dict[str, str] = {}
    results = list(results)
    tagged = [tags for tags in results if isinstance(tags, DocumentTags)]
    passages = passage_rows([one for tags in tagged for one in tags.passages])
    documents = document_rows(tagged)
    for one, tags in zip(cut.documents, results, strict=True):
        if isinstance(tags, SetAside):
            aside.append(json_line(asdict(replace(tags, path=place))))
            continue
        assert isinstance(one, Document)  # noqa: S101 - for the type checker
        counts[str(tags.outcome)] += 1
        counts["passages"] += len(tags.passages)
        counts["partly_read"] += bool(tags.unread)
        for name, value in one.columns.items():
            columns[name] = wider_kind(columns.get(name), kind_of(value))
        found: dict[Level, Iterable[dict[str, Any]]] = {
            Level.DOCUMENT: [_origin(one, place) | next(documents)],
            Level.PASSAGE: islice(passages, len(tags.passages)),
        }
        for level, its in found.items():
            others = {output_name(n, reserved[level]): v for n, v in one.columns.items()}
            # The other columns of a table row stand after its own.
            rows[level] += [json_line(row | others if others else row) for row in its]
    counts["documents"] = len(tagged)
    counts["set_aside"] = len(aside)
    return Batch(
        key=cut.origin.key,
        first=cut.first,
        size=len(cut.documents),
        passages=pack(rows[Level.PASSAGE]),
        documents=pack(rows[Level.DOCUMENT]),
        set_aside=pack(aside),
        facts=Facts(counts, columns),
        more=cut.more,
        again=again,
    )


def _set_aside(document: Document, stage: str, fault: str) -> SetAside:
    return SetAside(document.id, document.path, document.sha256, stage, fault)


def _origin(document: Document, place: str) -> dict[str, Any]:
    return {
        "document": document.id,
        "path": place,
        "folder": document.folder,
        "media_type": document.media_type,
        "date": document.date,
        "sha256": document.sha256,
    }
