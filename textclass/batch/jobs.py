"""What crosses the borders of this package, between processes and to its callers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from textclass.documents import Document, Limits, SetAside, Source


class Level(StrEnum):
    """What an output holds."""

    PASSAGE = "passage"
    DOCUMENT = "document"
    BOTH = "both"

    @property
    def each(self) -> tuple[Level, ...]:
        """The levels that it stands for."""
        return (Level.PASSAGE, Level.DOCUMENT) if self is Level.BOTH else (self,)


class Engine(StrEnum):
    """Who does the work."""

    LOCAL = "local"
    DASK = "dask"


@dataclass(frozen=True)
class TagOptions:
    """What changes the rows; other options only change where they go.

    Attributes
    ----------
    text_column, id_column : str, optional
        The columns of tables that hold the text and the row's name.
    whole : bool
        Take each document as one passage instead of cutting it.
    keep_boilerplate : bool
        Tag advertising, navigation and the like of web pages, too.
    cascade : bool
        Of an accurate model: ask its encoder only where the words aren't sure.
    limits : Limits
        What reading one file may cost.
    """

    text_column: str | None = None
    id_column: str | None = None
    whole: bool = False
    keep_boilerplate: bool = False
    cascade: bool = False
    limits: Limits = field(default_factory=Limits)

    def digest(self, model: str) -> str:
        """Return the name of a run with these options and the model of this digest."""
        facts = json.dumps([model, asdict(self)], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()


@dataclass(frozen=True)
class TagJob:
    """What is to be tagged, how, and where it goes.

    Attributes
    ----------
    paths : tuple of str
        Files, folders, globs and fsspec addresses.
    outputs : tuple of str
        The ending says the format; `folder/` is partitioned Parquet. The ledger lies beside the
        first, `OUT.ledger`, and stays there, so that the next run does only what is new.
    stream : text stream, optional
        Takes the rows as JSONL; of both levels the passages.
    stdin : binary stream, optional
        Read as one more input, `-`, before the others.
    model : str or Path
        The name of a model that ships with the package, or a model folder.
    options : TagOptions
    level : Level
    workers : int, optional
        Processes; all cores by default.
    engine : Engine
    scheduler : str, optional
        Address of a Dask scheduler; without it a cluster is started on this machine.
    set_aside : Path, optional
        By default `OUT.set-aside.jsonl`; written if anything is set aside.
    report : Path, optional
        An HTML report.
    fresh : bool
        Forget what earlier runs did.
    """

    paths: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    stream: IO[str] | None = None
    stdin: IO[bytes] | None = None
    model: str | Path = "default"
    options: TagOptions = field(default_factory=TagOptions)
    level: Level = Level.PASSAGE
    workers: int | None = None
    engine: Engine = Engine.LOCAL
    scheduler: str | None = None
    set_aside: Path | None = None
    report: Path | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Setup:
    """What a worker needs to begin.

    Attributes
    ----------
    model : Path
        The model folder.
    model_name : str
        Name and digest that the folder must still have.
    options : TagOptions
    """

    model: Path
    model_name: str
    options: TagOptions


@dataclass(frozen=True)
class Input:
    """An input of a run.

    Attributes
    ----------
    source : Source
    content : str
        SHA-256 of a file, or what a remote store says of its version; empty if it can't be read.
    size : int
        In bytes.
    url : str, optional
        Where to fetch it from (any fsspec address); `source.path` is then not used.
    key : int
        Its number in the ledger; 0 before it is planned.
    """

    source: Source
    content: str
    size: int = 0
    url: str | None = None
    key: int = 0

    @property
    def place(self) -> str:
        """The path or address, safe to show and to store."""
        return self.url or str(self.source.path).encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Cut:
    """Documents of one input, one after the other.

    Attributes
    ----------
    origin : Input
    documents : tuple of Document or SetAside
        Empty as long as they aren't read.
    first : int
        Number of the first one in its input.
    more : bool
        Whether the input holds more after these.
    repeated : int
        How many of them had an id that an earlier one has.
    """

    origin: Input
    documents: tuple[Document | SetAside, ...] = ()
    first: int = 0
    more: bool = False
    repeated: int = 0


Task = tuple[Cut, ...]
"""What a worker is to tag together; it reads what isn't read."""


@dataclass(frozen=True)
class Facts:
    """What went into results.

    Attributes
    ----------
    counts : Counter of str
        `documents`, `passages`, `set_aside`, `partly_read`, `repeated`, and documents of each
        outcome.
    columns : dict of str to str
        The kind of all values of each other column of table rows (`kind_of`), as they appear.
    """

    counts: Counter[str] = field(default_factory=Counter)
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """What a worker made of a cut, as the ledger keeps it.

    Attributes
    ----------
    key : int
        Of its input in the ledger.
    first, size : int
        Number of its first document or set-aside in the input, and how many there are.
    passages, documents, set_aside : bytes
        Rows as JSON lines, packed.
    facts : Facts
    more : bool
        Whether the input isn't done with these.
    again : bool
        Whether a later run should try again, since the fault may not be the input's.
    """

    key: int
    first: int
    size: int
    passages: bytes
    documents: bytes
    set_aside: bytes
    facts: Facts
    more: bool = False
    again: bool = False


@dataclass(frozen=True)
class Summary:
    """Where a run stands, and in the end what it came to.

    Attributes
    ----------
    stage : str
        `finding`, `tagging` or `writing`.
    inputs, taken_up, finished : int
        Inputs in all, those that an earlier run had finished, and those done.
    gone : int
        Inputs of earlier runs that are no longer among the inputs, so that the results lack them.
    documents, passages, set_aside : int
        Of this run while it is under way; at its end those in the results, 0 if it was stopped.
    partly_read, repeated : int
        Documents of which parts weren't read; rows whose id an earlier row has, and ends in `~2`.
    left_out : Mapping of str to int
        Files passed over that are no documents, by kind: results of earlier runs, system files.
    outcomes : Mapping of str to int
        Documents by outcome.
    outputs : tuple of Path
        The files written.
    replaced : str
        Whose results they replaced, if not those of a run like this one.
    cut : int
        Cells of workbooks that hold the beginning of a text only.
    set_aside_file, report, ledger : Path or None
    first_documents, first_set_aside : sequence of Mapping
        The first 50 rows of documents; the `id` and `error` of the first ten.
    stopped_by : int or None
        The signal that ended the run early.
    seconds : float
        Since the run began.
    """

    stage: str = "finding"
    inputs: int = 0
    taken_up: int = 0
    finished: int = 0
    gone: int = 0
    documents: int = 0
    passages: int = 0
    set_aside: int = 0
    partly_read: int = 0
    repeated: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    outputs: tuple[Path, ...] = ()
    replaced: str = ""
    cut: int = 0
    set_aside_file: Path | None = None
    report: Path | None = None
    ledger: Path | None = None
    first_documents: Sequence[Mapping[str, Any]] = ()
    first_set_aside: Sequence[Mapping[str, str]] = ()
    stopped_by: int | None = None
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain JSON values, without stage, documents and set-asides."""
        facts = vars(self) | {"outputs": [str(path) for path in self.outputs]}
        del facts["stage"], facts["first_documents"], facts["first_set_aside"]
        facts["seconds"] = round(self.seconds, 3)
        return {key: str(fact) if isinstance(fact, Path) else fact for key, fact in facts.items()}
