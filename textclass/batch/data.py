"""What crosses the borders of this package, between processes and to its callers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from textclass.documents import Document, Limits, SetAside, Source

ROW_FORMAT = 1
"""Raised when rows change their form, so that a ledger of the old form isn't taken up."""


class Level(StrEnum):
    """What an output holds."""

    PASSAGE = "passage"
    DOCUMENT = "document"
    BOTH = "both"


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
    limits : Limits
        What reading one file may cost.
    """

    text_column: str | None = None
    id_column: str | None = None
    whole: bool = False
    limits: Limits = field(default_factory=Limits)

    def digest(self, model: str) -> str:
        """Return the name of a run with these options and the model of this digest."""
        facts = json.dumps([ROW_FORMAT, model, asdict(self)], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()


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
    url : str, optional
        Where to fetch it from (any fsspec address); `source.path` is then not used.
    position : int
        Its place among the inputs of the run, from 1; 0 before it is planned.
    """

    source: Source
    content: str
    url: str | None = None
    position: int = 0

    @property
    def place(self) -> str:
        """The path or address, safe to show and to store."""
        return self.url or str(self.source.path).encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class FileTask:
    """Read an input and tag its documents, or the first of very many."""

    input: Input


@dataclass(frozen=True)
class RowsTask:
    """Tag documents that were read already, the `first` and those after it."""

    input: Input
    first: int
    documents: tuple[Document | SetAside, ...]


Task = FileTask | RowsTask


@dataclass(frozen=True)
class Part:
    """What a worker made of a task.

    Attributes
    ----------
    first : int
        Number of the first record in its input.
    records : tuple of bytes
        One for each document or set-aside, packed (`records.pack`).
    documents, passages, set_aside : int
    columns : tuple of (str, str)
        Names and kinds of the other columns of its table rows, in order.
    more : bool
        Whether the input holds documents after these.
    again : bool
        Whether a later run should try again, since the fault may not be the input's.
    """

    first: int
    records: tuple[bytes, ...]
    documents: int = 0
    passages: int = 0
    set_aside: int = 0
    columns: tuple[tuple[str, str], ...] = ()
    more: bool = False
    again: bool = False


@dataclass(frozen=True)
class DocumentResult:
    """A tagged document.

    Attributes
    ----------
    document : Mapping
        Its row in the result schema.
    passages : tuple of Mapping
        The rows of its passages.
    columns : Mapping
        The other columns of the table row it came from.
    """

    document: Mapping[str, Any]
    passages: tuple[Mapping[str, Any], ...]
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    stage : str
        `finding`, `tagging` or `writing`.
    inputs, finished : int
        Inputs in all, and those done, earlier runs included.
    documents, passages, set_aside : int
        Of this run.
    seconds : float
        Since tagging began.
    """

    stage: str
    inputs: int = 0
    finished: int = 0
    started_with: int = 0
    documents: int = 0
    passages: int = 0
    set_aside: int = 0
    seconds: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None before the first input is done."""
        done = self.finished - self.started_with
        return self.seconds / done * (self.inputs - self.finished) if done else None


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes
    ----------
    inputs, taken_up : int
        Inputs in all, and those that an earlier run had finished.
    documents, passages, set_aside : int
        In the results; 0 if the run was stopped.
    outcomes : Mapping of str to int
        Documents by outcome.
    facets : tuple of str
        Of the model's taxonomy.
    outputs : tuple of Path
        The files written.
    set_aside_file, report, ledger : Path or None
    first_set_aside : tuple of SetAside
        The first ten.
    first_documents : tuple of Mapping
        The first fifty, in the result schema.
    stopped_by : int or None
        The signal that ended the run early.
    finished : int
        Inputs done when it ended.
    seconds : float
    """

    inputs: int
    taken_up: int
    finished: int
    documents: int
    passages: int
    set_aside: int
    outcomes: Mapping[str, int]
    facets: tuple[str, ...]
    outputs: tuple[Path, ...]
    set_aside_file: Path | None
    report: Path | None
    ledger: Path | None
    first_set_aside: tuple[SetAside, ...]
    first_documents: tuple[Mapping[str, Any], ...]
    stopped_by: int | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain JSON values, without documents and set-asides themselves."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        del facts["first_set_aside"], facts["first_documents"]
        paths = {name: str(value) for name, value in facts.items() if isinstance(value, Path)}
        outputs = [str(path) for path in self.outputs]
        return facts | paths | {"outputs": outputs, "seconds": round(self.seconds, 3)}
