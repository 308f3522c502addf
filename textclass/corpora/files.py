"""Records in files: JSONL, CSV and Parquet read line by line, JSONL written byte for byte alike."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from textclass.errors import CorpusError

SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".parquet")
"""The forms that a corpus file may have."""

MOST_FAULTS = 20
"""How many bad rows an error spells out; the rest are counted."""


class Record(NamedTuple):
    """One record of a file and its place, `file, line n`."""

    where: str
    values: dict[str, Any]


def read_records(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each record of a JSONL, CSV or Parquet file with its place, `file, line n`.

    Raises
    ------
    CorpusError
        After the last good record; names each bad one by file and line.
    """
    faults = []
    for found in scan_records(Path(path)):
        if isinstance(found, CorpusError):
            faults.append(found)
        else:
            yield found.where, found.values
    raise_bad_rows(faults)


def raise_bad_rows(faults: list[CorpusError]) -> None:
    """Raise one error that tells all of `faults`, if there are any."""
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        bad = f"{len(faults)} bad row{'s' if len(faults) > 1 else ''}"
        raise CorpusError(f"{bad}: {'; '.join(map(str, faults[:MOST_FAULTS]))}{more}")


def corpus_files(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield each corpus file of files and folders once, with the folder whose cache it uses.

    Raises
    ------
    CorpusError
        If a path isn't there or holds no corpus file.
    """
    seen = set()
    for path in paths:
        for file in _files_in(path):
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield (path if path.is_dir() else path.parent), file


def _files_in(path: Path) -> list[Path]:
    if path.is_dir():
        found = [
            file
            for file in sorted(path.rglob("*"))
            if file.name.endswith(SUFFIXES)
            and not {"agreement", "cache", "samples"} & set(file.relative_to(path).parts[:-1])
        ]
        if not found:
            raise CorpusError(f"no {', '.join(SUFFIXES)} file in it", where=str(path))
        return found
    if not path.exists():
        raise CorpusError("there is no such file or folder", where=str(path))
    if not path.name.endswith(SUFFIXES):
        raise CorpusError(f"not one of {', '.join(SUFFIXES)}", where=str(path))
    return [path]


def scan_records(path: Path) -> Iterator[Record | CorpusError]:
    """Yield each record of a file, and an error in the place of each one that can't be read."""
    try:
        if path.name.endswith(".csv"):
            yield from _csv_records(path)
        elif path.name.endswith(".parquet"):
            yield from _parquet_records(path)
        else:
            yield from _json_records(path)
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        yield CorpusError(f"can't be read: {error}", where=str(path))


def parse_json(text: str | bytes, where: str) -> Any:  # noqa: ANN401 -- JSON holds anything
    """Return what a JSON text says; NaN and infinities are refused.

    Raises
    ------
    CorpusError
        With the place `where`.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"not valid JSON: {error}", where=where) from error


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records one a line, whole or not at all; `.gz` compresses, without a time stamp."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            if path.name.endswith(".gz"):
                with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
                    packed.writelines(map(json_line, records))
            else:
                file.writelines(map(json_line, records))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def json_line(record: Mapping[str, Any]) -> bytes:
    """Return one line of JSONL in UTF-8."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _json_records(path: Path) -> Iterator[Record | CorpusError]:
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}, line {number}"
            body = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not body.strip():
                continue
            try:
                values = parse_json(body, where)
            except CorpusError as error:
                yield error
                continue
            if isinstance(values, dict):
                yield Record(where, values)
            else:
                yield CorpusError("a JSON object was expected", where=where)


def _csv_records(path: Path) -> Iterator[Record | CorpusError]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield CorpusError(
                    f"not valid CSV: {error}", where=f"{path}, line {reader.line_num}"
                )
                continue
            where = f"{path}, line {reader.line_num}"
            if None in values:
                yield CorpusError("more cells than the header has", where=where)
            else:
                yield Record(where, {key: v for key, v in values.items() if v is not None})


def _parquet_records(path: Path) -> Iterator[Record | CorpusError]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for values in batch.to_pylist():
                number += 1
                yield Record(f"{path}, row {number}", values)
    except pa.ArrowException as error:
        yield CorpusError(f"not valid Parquet: {error}", where=str(path))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't a number")
