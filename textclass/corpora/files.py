"""Records in files: JSONL, CSV and Parquet read line by line, JSONL written byte for byte alike."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from textclass.errors import CorpusError

SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".parquet")
"""The forms that a corpus file may have."""

MOST_FAULTS = 20
"""How many bad rows an error spells out; the rest are counted."""

Placed = tuple[str, dict[str, Any]]
"""A record after its place, `file, line n`."""


@contextmanager
def gathered(faults: list[CorpusError]) -> Iterator[None]:
    """Add an error of the block to `faults` and go on after it."""
    try:
        yield
    except CorpusError as error:
        faults.append(error)


def raise_bad_rows(faults: Sequence[CorpusError]) -> None:
    """Raise one error that tells all of `faults`, if there are any."""
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        bad = f"{len(faults)} bad row{'s' if len(faults) > 1 else ''}"
        raise CorpusError(f"{bad}: {'; '.join(map(str, faults[:MOST_FAULTS]))}{more}")


def corpus_files(paths: Iterable[Path]) -> Collection[tuple[Path, Path]]:
    """Return each corpus file of files and folders once, after the folder whose cache it uses.

    Raises
    ------
    CorpusError
        If a path isn't there or holds no corpus file.
    """
    found: dict[Path, tuple[Path, Path]] = {}
    for path in paths:
        base = path if path.is_dir() else path.parent
        for file in _files_in(path):
            found.setdefault(file.resolve(), (base, file))
    return found.values()


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


def scan_records(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    """Yield each record of a file; add an error to `faults` for each that can't be read."""
    try:
        scanners = {".csv": _csv_records, ".parquet": _parquet_records}
        yield from scanners.get(path.suffix, _json_records)(path, faults)
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        faults.append(CorpusError(f"can't be read: {error}", where=str(path)))


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


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't a number")


def json_object(value: object, where: str) -> dict[str, Any]:
    """Return a value of JSON that must be an object.

    Raises
    ------
    CorpusError
        With the place `where`, if it isn't.
    """
    if not isinstance(value, dict):
        raise CorpusError("a JSON object was expected", where=where)
    return value


def json_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return records as JSONL in UTF-8."""
    lines = (json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records one a line, whole or not at all; `.gz` compresses, without a time stamp."""
    content = json_lines(records)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            if path.name.endswith(".gz"):
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                    packed.write(content)
            else:
                file.write(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _json_records(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}, line {number}"
            body = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if body.strip():
                with gathered(faults):
                    yield where, json_object(parse_json(body, where), where)


def _csv_records(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        while True:
            try:
                values = next(reader, None)
                fault = "more cells than the header has" if values and None in values else ""
            except csv.Error as error:
                values, fault = {}, f"not valid CSV: {error}"
            if values is None:
                return
            where = f"{path}, line {reader.line_num}"
            if fault:
                faults.append(CorpusError(fault, where=where))
            else:
                yield where, {key: v for key, v in values.items() if v is not None}


def _parquet_records(path: Path, faults: list[CorpusError]) -> Iterator[Placed]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        batches = pq.ParquetFile(path).iter_batches()
        rows = (values for batch in batches for values in batch.to_pylist())
        for number, values in enumerate(rows, 1):
            yield f"{path}, row {number}", values
    except pa.ArrowException as error:
        faults.append(CorpusError(f"not valid Parquet: {error}", where=str(path)))
