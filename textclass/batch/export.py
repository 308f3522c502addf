"""The results on disk: written whole beside their place, then moved there."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from textclass.batch.formats import (
    Row,
    Table,
    unpack,
    write_csv,
    write_parquet,
    write_parts,
    write_workbook,
)
from textclass.batch.jobs import Facts, Level, TagJob
from textclass.batch.ledger import Ledger
from textclass.documents import refuse_stranger
from textclass.errors import BatchError
from textclass.taxonomy import Taxonomy

PARTIAL, REPLACED = ".textclass-partial", ".textclass-replaced"
"""What is written, and what gives way to it; no user's file beside a result is called so."""

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


def plan_outputs(job: TagJob) -> tuple[Output, ...]:
    """Return the files that a job's outputs stand for.

    The ending says the format; a name that ends in `/`, or of a folder, is partitioned Parquet. For
    both levels `out.csv` stands for `out.passages.csv` and `out.documents.csv`; a workbook has two
    sheets, a folder two folders.

    Raises
    ------
    TextclassError
        If an ending is unknown, or one of the job's files can't be written to its place, or would
        overwrite a file that isn't ours.
    """
    outputs: list[Output] = []
    for name in job.outputs:
        path, levels = _place(name), job.level.each
        form = _ENDINGS.get(path.suffix.lower())
        if name.endswith(("/", os.sep)) or path.is_dir():
            _check_folder(path)
            outputs.append(Output(path, "folder", levels))
        elif form is None:
            raise BatchError(
                f"no output format has the ending {path.suffix!r}",
                where=name,
                hint="use .jsonl, .csv, .parquet, .xlsx, or a folder/ for partitioned Parquet",
            )
        elif form == "xlsx" or len(levels) == 1:
            outputs.append(Output(path, form, levels))
        else:
            for one in levels:
                place = path.with_name(f"{path.stem}.{one}s{path.suffix}")
                outputs.append(Output(place, form, (one,)))
    others = {"list of what was set aside": job.set_aside, "report": job.report}
    places = [(output.path, "file of results") for output in outputs]
    places += [(_place(str(path)), kind) for kind, path in others.items() if path]
    for path, times in Counter(path for path, _ in places).items():
        if times > 1:
            raise BatchError("two outputs would be in one place", where=str(path))
    for path, kind in places:
        refuse_stranger(path, kind)
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
    for found in path.rglob("*"):
        is_part = found.match("part-*.parquet") and not found.is_dir()
        if not is_part and not (found.name in {"passages", "documents"} and found.is_dir()):
            raise BatchError(
                f"the folder holds {found.name}, which isn't an earlier result",
                where=str(path),
                hint="give a new or empty folder",
            )


def check_unchanged(outputs: Iterable[Output], ledger: Ledger) -> None:
    """Refuse to write over results that were changed since a run wrote them.

    Raises
    ------
    BatchError
        If a file isn't what the ledger says.
    """
    for path in filter(_is_full, (output.path for output in outputs)):
        known = ledger.written(path)
        if known and _sha256(path) not in known:
            raise BatchError(
                "it was changed since textclass wrote it, and would be overwritten",
                where=str(path),
                hint="rename it to keep the changes, or delete it",
            )


def whose_results(outputs: Iterable[Output], ledger: Ledger, *, model: str, inputs: int) -> str:
    """Tell whose results are about to be replaced, if not those of a run like this one."""
    for path in filter(_is_full, (output.path for output in outputs)):
        known = [*ledger.written(path).values()]
        if not known:
            return f"results that {ledger.path} doesn't know"
        run, its_model, n = known[-1]
        if run != ledger.run or n > inputs:
            others = ", with other options" * (run != ledger.run and its_model == model)
            return f"results of {its_model}, {n:,} input{'s' * (n != 1)}{others}"
    return ""


def _is_full(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size > 0


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def export(
    job: TagJob,
    outputs: Sequence[Output],
    taxonomy: Taxonomy,
    facts: Facts,
    packed: Callable[[str], Iterator[bytes]],
    note: Callable[[Path, str], None],
) -> int:
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
    note : callable
        Told of each file of results and its SHA-256, before it is in its place.

    Returns
    -------
    int
        How many cells of workbooks are cut.

    Raises
    ------
    BatchError
        If a file can't be written, such as on a full disk.
    """
    places = [output.path for output in outputs] + ([job.set_aside] if job.set_aside else [])
    try:
        _clear(places)
        cut = sum([_write(output, taxonomy, facts, packed) for output in outputs])
        if job.set_aside:
            _copy(beside(job.set_aside, PARTIAL), packed("set_aside"))
        if job.stream:
            for batch in packed(f"{job.level.each[0]}s"):
                job.stream.write(unpack(batch).decode())
        for path in (output.path for output in outputs):
            if (partial := beside(path, PARTIAL)).is_file():
                note(path, _sha256(partial))
        _move(places)
        if job.set_aside and not facts.counts["set_aside"]:
            job.set_aside.unlink()
        return cut
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BatchError(
            f"the results can't be written: {error}",
            hint="all work is kept in the ledger; make room and run the same command again",
        ) from error
    finally:
        _clear(places)


def _write(
    output: Output, taxonomy: Taxonomy, facts: Facts, packed: Callable[[str], Iterator[bytes]]
) -> int:
    """Write an output beside its place; return how many of its cells are cut."""
    partial = beside(output.path, PARTIAL)
    if output.form == "jsonl":
        _copy(partial, packed(f"{output.levels[0]}s"))
        return 0
    tables: dict[str, tuple[Table, Iterator[Row]]] = {}
    for level in output.levels:
        table = Table(taxonomy, level, facts.columns)
        tables[f"{level}s"] = table, chain.from_iterable(map(table.rows, packed(f"{level}s")))
    if output.form == "xlsx":
        return write_workbook(partial, tables)
    if output.form == "folder":
        for name, (table, rows) in tables.items():
            write_parts(partial / name, table, rows)
    else:
        write = write_csv if output.form == "csv" else write_parquet
        write(partial, *tables[f"{output.levels[0]}s"])
    return 0


def _copy(path: Path, packed: Iterator[bytes]) -> None:
    """Write JSON lines as they are kept."""
    with path.open("wb") as stream:
        stream.writelines(map(unpack, packed))


def _move(places: Sequence[Path]) -> None:
    """Put into their places what lies beside them, all on disk first."""
    partials = [beside(place, PARTIAL) for place in places]
    for partial in partials:
        for path in (partial, *partial.rglob("*")):
            _sync(path)
    for partial, place in zip(partials, places, strict=True):
        old = beside(place, REPLACED)
        shutil.rmtree(old, ignore_errors=True)  # of a run that was killed here
        if partial.is_dir() and place.exists():
            place.rename(old)
        partial.replace(place)
        shutil.rmtree(old, ignore_errors=True)
    for folder in {place.parent for place in places}:
        _sync(folder)


def _clear(places: Sequence[Path]) -> None:
    """Remove what an export left that didn't come to its end."""
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
