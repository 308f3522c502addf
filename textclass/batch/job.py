"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from textclass.batch.data import Engine, Level, TagOptions


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
    model : Path, optional
        A model folder; the shipped one by default.
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
    model: Path | None = None
    options: TagOptions = field(default_factory=TagOptions)
    level: Level = Level.PASSAGE
    workers: int | None = None
    engine: Engine = Engine.LOCAL
    scheduler: str | None = None
    set_aside: Path | None = None
    report: Path | None = None
    fresh: bool = False
