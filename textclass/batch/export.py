"""The results on disk: written whole beside their place, then moved there."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from textclass.batch.data import DocumentResult, Level, Record, TagJob
from textclass.batch.table import Table, kind_of
from textclass.batch.writers import WRITERS, Sheet, json_line
from textclass.documents import SetAside
from textclass.errors import BatchError
from textclass.taxonomy import Taxonomy

PARTIAL = ".partial"
SET_ASIDE = ".set-aside.jsonl"
SHOWN = 10
LISTED = 50
_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_ENDINGS |= {".pq": "parquet", ".xlsx": "xlsx"}


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


@dataclass
class Tally:
    """What went into the results.

    Attributes
    ----------
    documents, passages, set_aside : int
    outcomes : Counter
        Documents by outcome.
    columns : dict of str to set of str
        The kinds of each other column of table rows, in order of first appearance.
    first_set_aside, first_documents : list
    """

    documents: int = 0
    passages: int = 0
    set_aside: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    columns: dict[str, set[str]] = field(default_factory=dict)
    first_set_aside: list[SetAside] = field(default_factory=list)
    first_documents: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Count a record."""
        if isinstance(record, SetAside):
            self.set_aside += 1
            if len(self.first_set_aside) < SHOWN:
                self.first_set_aside.append(record)
            return
        self.documents += 1
        self.passages += len(record.passages)
        self.outcomes[record.document["outcome"]] += 1
        for name, value in record.columns.items():
            self.columns.setdefault(name, set()).add(kind_of(value))
        if len(self.first_documents) < LISTED:
            self.first_documents.append(record.document)


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
        if name.endswith(("/", os.sep)) or path.is_dir():
            _check_folder(path)
            outputs.append(Output(path, "folder", level.each))
            continue
        form = _ENDINGS.get(path.suffix.lower())
        if form is None:
            raise BatchError(
                f"no output format has the ending {path.suffix!r}",
                where=name,
                hint="use .jsonl, .csv, .parquet, .xlsx, or a folder/ for partitioned Parquet",
            )
        if form == "xlsx" or level is not Level.BOTH:
            outputs.append(Output(path, form, level.each))
        else:
            outputs += [
                Output(path.with_name(f"{path.stem}.{one}s{path.suffix}"), form, (one,))
                for one in level.each
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


def check_places(outputs: Sequence[Output], job: TagJob) -> None:
    """Refuse places of a job's other files that can't be written to, or that are taken already.

    Raises
    ------
    BatchError
    """
    others = [_place(str(path)) for path in (job.set_aside, job.report) if path]
    taken: set[Path] = set()
    for path in [*(output.path for output in outputs), *others]:
        if path in taken:
            raise BatchError("two outputs would be in one place", where=str(path))
        taken.add(path)


def _check_folder(path: Path) -> None:
    """Refuse a folder that holds anything but an earlier run's partitions: it is replaced whole."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise BatchError("it isn't a folder", where=str(path), hint="give another -o")
    for found in path.rglob("*") if path.is_dir() else ():
        ours = (
            found.name in {"passages", "documents"}
            if found.is_dir()
            else found.match("part-*.parquet")
        )
        if not ours:
            raise BatchError(
                f"the folder holds {found.name}, which isn't an earlier result",
                where=str(path),
                hint="give a new or empty folder",
            )


def export(
    job: TagJob,
    outputs: Sequence[Output],
    taxonomy: Taxonomy,
    records: Callable[[], Iterator[Record]],
) -> Tally:
    """Write all records to all outputs of a job; nothing is in its place before all are whole.

    `records` is called for each pass over them. An exception that it raises leaves no trace.

    Raises
    ------
    BatchError
        If a file can't be written, such as on a full disk.
    """
    places = [output.path for output in outputs] + ([job.set_aside] if job.set_aside else [])
    try:
        _clear(places)
        tally = _survey(records(), job.set_aside)

        def sheet(one: Level) -> Sheet:
            table = Table(taxonomy, one, tally.columns)
            found = (record for record in records() if isinstance(record, DocumentResult))
            return Sheet(f"{one}s", table, (row for result in found for row in table.rows(result)))

        for output in outputs:
            WRITERS[output.form](beside(output.path, PARTIAL), *map(sheet, output.levels))
        if job.stream:
            job.stream.writelines(map(json_line, sheet(job.level.each[0]).rows))
        _move(places)
        if job.set_aside and not tally.set_aside:
            job.set_aside.unlink()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BatchError(
            f"the results can't be written: {error}",
            hint="all work is kept in the ledger; make room and run the same command again",
        ) from error
    finally:
        _clear(places)
    return tally


def _survey(records: Iterable[Record], set_aside: Path | None) -> Tally:
    """Count all records, and list what was set aside."""
    tally = Tally()
    place = beside(set_aside, PARTIAL) if set_aside else Path(os.devnull)
    with place.open("w", encoding="utf-8") as stream:
        for record in records:
            tally.add(record)
            if isinstance(record, SetAside):
                stream.write(json_line(asdict(record)))
    return tally


def _move(places: Sequence[Path]) -> None:
    """Put into their places what lies beside them, all on disk first."""
    for place in places:
        partial = beside(place, PARTIAL)
        for path in [partial, *partial.rglob("*")] if partial.is_dir() else [partial]:
            _sync(path)
    for place in places:
        _replace(beside(place, PARTIAL), place)
    for folder in {place.parent for place in places}:
        _sync(folder)


def _clear(places: Sequence[Path]) -> None:
    """Remove what an earlier, killed export left."""
    for path in (beside(place, PARTIAL) for place in places):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


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
