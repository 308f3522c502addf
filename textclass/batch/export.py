"""The results on disk: written whole beside their place, then moved there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from textclass.batch.formats import WRITERS, Sheet, Table, unpack
from textclass.batch.jobs import Facts, Level, TagJob
from textclass.errors import BatchError
from textclass.taxonomy import Taxonomy

PARTIAL = ".partial"
SET_ASIDE = ".set-aside.jsonl"
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
    facts: Facts,
    packed: Callable[[str], Iterator[bytes]],
) -> None:
    """Write all rows to all outputs of a job; nothing is in its place before all are whole.

    Parameters
    ----------
    job : TagJob
    outputs : sequence of Output
    taxonomy : Taxonomy
    facts : Facts
        What the rows are.
    packed : callable
        Gives the packed rows of `passages`, `documents` or `set_aside` anew for each pass over
        them. An exception that it raises leaves no trace.

    Raises
    ------
    BatchError
        If a file can't be written, such as on a full disk.
    """
    places = [output.path for output in outputs] + ([job.set_aside] if job.set_aside else [])
    try:
        _clear(places)
        for output in outputs:
            partial = beside(output.path, PARTIAL)
            if output.form == "jsonl":
                _copy(partial, packed(f"{output.levels[0]}s"))
                continue
            sheets = []
            for level in output.levels:
                table = Table(taxonomy, level, facts.columns)
                rows = (row for batch in packed(f"{level}s") for row in table.rows(batch))
                sheets.append(Sheet(f"{level}s", table, rows))
            WRITERS[output.form](partial, *sheets)
        if job.set_aside:
            _copy(beside(job.set_aside, PARTIAL), packed("set_aside"))
        if job.stream:
            for batch in packed(f"{job.level.each[0]}s"):
                job.stream.write(unpack(batch).decode())
        _move(places)
        if job.set_aside and not facts.counts["set_aside"]:
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


def _copy(path: Path, packed: Iterator[bytes]) -> None:
    """Write JSON lines as they are kept."""
    with path.open("wb") as stream:
        stream.writelines(map(unpack, packed))


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
