"""The results on disk: written whole beside their place, then moved there."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from textclass.batch.data import DocumentResult, Level
from textclass.batch.table import Table
from textclass.batch.writers import Csv, JsonLines, Parquet, Partitioned, Workbook, Writer
from textclass.documents import SetAside
from textclass.errors import BatchError
from textclass.taxonomy import Taxonomy

PARTIAL = ".partial"
SET_ASIDE = ".set-aside.jsonl"
SHOWN = 10
LISTED = 50
_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_ENDINGS |= {".pq": "parquet", ".xlsx": "xlsx"}
_SHEETS = {Level.PASSAGE: "passages", Level.DOCUMENT: "documents"}


@dataclass(frozen=True)
class Output:
    """A place for results.

    Attributes
    ----------
    path : Path
    form : str
        `jsonl`, `csv`, `parquet`, `xlsx` or `folder`.
    levels : tuple of Level
        Only a workbook and a folder hold both.
    """

    path: Path
    form: str
    levels: tuple[Level, ...]

    @property
    def partial(self) -> Path:
        """Where it is written before it is whole."""
        return beside(self.path, PARTIAL)


@dataclass
class Tally:
    """What went into the results."""

    documents: int = 0
    passages: int = 0
    set_aside: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    first_set_aside: list[SetAside] = field(default_factory=list)
    first_documents: list[Mapping[str, Any]] = field(default_factory=list)


def beside(path: Path, ending: str) -> Path:
    """Return the path of a file that belongs to `path`, in the same folder."""
    return path.with_name(path.name + ending)


def plan_outputs(names: Sequence[str], level: Level) -> tuple[Output, ...]:
    """Return the files that `-o` names stand for.

    The ending says the format; a name that ends in `/`, or of a folder, is partitioned Parquet. For
    both levels `out.csv` stands for `out.passages.csv` and `out.documents.csv`; a workbook has two
    sheets, a folder two folders.

    Raises
    ------
    BatchError
        If an ending is unknown, or the place can't be written to.
    """
    outputs: list[Output] = []
    for name in names:
        path = _place(name)
        levels = (Level.PASSAGE, Level.DOCUMENT) if level is Level.BOTH else (level,)
        if name.endswith(("/", os.sep)) or path.is_dir():
            _check_folder(path)
            outputs.append(Output(path, "folder", levels))
            continue
        form = _ENDINGS.get(path.suffix.lower())
        if form is None:
            raise BatchError(
                f"no output format has the ending {path.suffix!r}",
                where=name,
                hint="use .jsonl, .csv, .parquet, .xlsx, or a folder/ for partitioned Parquet",
            )
        if form == "xlsx" or level is not Level.BOTH:
            outputs.append(Output(path, form, levels))
        else:
            outputs += [
                Output(path.with_name(f"{path.stem}.{_SHEETS[one]}{path.suffix}"), form, (one,))
                for one in levels
            ]
    return tuple(outputs)


def _place(name: str) -> Path:
    """Return the path to write to, in a folder that is there."""
    path = Path(os.path.abspath(name))  # noqa: PTH100 - unlike resolve(), follows no links
    try:
        # Asks whether the system can have such a name at all, with the longest ending added.
        beside(path, SET_ASIDE + PARTIAL).lstat()
    except FileNotFoundError:
        if path.parent.is_dir():
            return path
        raise BatchError("its folder doesn't exist", where=name, hint="make it first") from None
    except (OSError, ValueError) as error:
        shown = name.encode("unicode_escape").decode()
        raise BatchError(f"can't be written to: {error}", where=shown) from error
    return path


def _check_folder(path: Path) -> None:
    """Refuse a folder that holds anything but an earlier run's partitions: it is replaced whole."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise BatchError("it isn't a folder", where=str(path), hint="give another -o")
    for found in path.rglob("*") if path.is_dir() else ():
        ours = found.name in _SHEETS.values() if found.is_dir() else found.match("part-*.parquet")
        if not ours:
            raise BatchError(
                f"the folder holds {found.name}, which isn't an earlier result",
                where=str(path),
                hint="give a new or empty folder",
            )


class Export:
    """Writes records to all outputs at once; nothing is in its place before all are whole.

    Parameters
    ----------
    outputs : sequence of Output
    taxonomy : Taxonomy
    columns : Mapping
        The other columns of table rows, with their kinds.
    set_aside : Path or None
        Where set-asides are listed, if there are any.
    stream : text stream, optional
        Takes JSONL beside the outputs.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        taxonomy: Taxonomy,
        columns: Mapping[str, frozenset[str]],
        *,
        set_aside: Path | None,
        stream: IO[str] | None = None,
        level: Level = Level.PASSAGE,
    ) -> None:
        self.outputs = outputs
        self.set_aside = set_aside
        self._tables = {one: Table(taxonomy, one, columns) for one in _SHEETS}
        self._stream = stream
        self._level = level

    def write(
        self, records: Iterable[DocumentResult | SetAside], *, stopped: Callable[[], bool]
    ) -> Tally | None:
        """Write all records; return None, and leave no trace, if stopped on the way.

        Raises
        ------
        BatchError
            If a file can't be written, such as on a full disk.
        """
        try:
            self._clear()
            tally = self._write_all(records, stopped)
            if tally:
                self._move(tally)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise BatchError(
                f"the results can't be written: {error}",
                hint="all work is kept in the ledger; make room and run the same command again",
            ) from error
        finally:
            self._clear()
        return tally

    def _write_all(
        self, records: Iterable[DocumentResult | SetAside], stopped: Callable[[], bool]
    ) -> Tally | None:
        tally = Tally()
        with ExitStack() as stack:
            writers = [pair for output in self.outputs for pair in self._open(output, stack)]
            if self._stream:
                one = Level.PASSAGE if self._level is Level.BOTH else self._level
                writers.append((self._tables[one], JsonLines(self._stream)))
            aside = None
            if self.set_aside:
                aside = stack.enter_context(
                    beside(self.set_aside, PARTIAL).open("w", encoding="utf-8")
                )
            for record in records:
                if stopped():
                    return None
                _count(tally, record)
                if isinstance(record, DocumentResult):
                    for table, writer in writers:
                        for row in table.rows(record):
                            writer.write(row)
                elif aside:
                    JsonLines(aside).write(asdict(record))
        return tally

    def _open(self, output: Output, stack: ExitStack) -> list[tuple[Table, Writer]]:
        pairs: list[tuple[Table, Writer]] = []
        book = Workbook(output.partial) if output.form == "xlsx" else None
        if book:
            stack.callback(book.close)
        for one in output.levels:
            table = self._tables[one]
            writer: Writer
            if book:
                writer = book.sheet(_SHEETS[one], table)
            elif output.form == "folder":
                writer = Partitioned(output.partial / _SHEETS[one], table)
            elif output.form == "parquet":
                writer = Parquet(output.partial, table)
            elif output.form == "csv":
                writer = Csv(output.partial, table)
            else:
                writer = JsonLines(output.partial.open("w", encoding="utf-8"))
            stack.callback(writer.close)
            pairs.append((table, writer))
        return pairs

    def _move(self, tally: Tally) -> None:
        moves = [(output.partial, output.path) for output in self.outputs]
        if self.set_aside:
            moves.append((beside(self.set_aside, PARTIAL), self.set_aside))
        for partial, _ in moves:
            for path in [partial, *partial.rglob("*")] if partial.is_dir() else [partial]:
                _sync(path)
        for partial, path in moves:
            _replace(partial, path)
        if self.set_aside and not tally.set_aside:
            self.set_aside.unlink()
        for folder in {path.parent for _, path in moves}:
            _sync(folder)

    def _clear(self) -> None:
        """Remove what an earlier, killed export left."""
        partials = [output.partial for output in self.outputs]
        if self.set_aside:
            partials.append(beside(self.set_aside, PARTIAL))
        for path in partials:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _count(tally: Tally, record: DocumentResult | SetAside) -> None:
    if isinstance(record, DocumentResult):
        tally.documents += 1
        tally.passages += len(record.passages)
        tally.outcomes[record.document["outcome"]] += 1
        if len(tally.first_documents) < LISTED:
            tally.first_documents.append(record.document)
        return
    tally.set_aside += 1
    if len(tally.first_set_aside) < SHOWN:
        tally.first_set_aside.append(record)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(partial: Path, path: Path) -> None:
    if not partial.is_dir():
        partial.replace(path)
        return
    old = beside(path, ".old")
    if path.exists():
        path.rename(old)
    partial.rename(path)
    shutil.rmtree(old, ignore_errors=True)
