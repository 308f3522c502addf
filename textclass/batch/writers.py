"""The output formats: each takes rows one after the other, in constant memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from textclass.batch.table import Row, Table
from textclass.errors import missing_extra

GROUP_ROWS = 2_000
"""Rows of a Parquet row group, and at most held in memory."""

PART_ROWS = 100_000
"""Rows of one file of a partitioned output."""

SHEET_ROWS = 1_048_576
CELL_CHARS = 32_767
_CUT = " […]"
_LINE_ENDS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}
"""What JSON may hold as it is, but some programs end a line at."""

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Sheet:
    """The rows of one level.

    Attributes
    ----------
    name : str
        `passages` or `documents`.
    table : Table
    rows : iterator of dict
    """

    name: str
    table: Table
    rows: Iterator[Row]


def json_line(row: Mapping[str, Any]) -> str:
    """Return a row as JSON in one line."""
    line = json.dumps(row, ensure_ascii=False, allow_nan=False)
    return line.translate(_LINE_ENDS) + "\n"


def write_lines(path: Path, sheet: Sheet) -> None:
    """Write JSON Lines, exact."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(map(json_line, sheet.rows))


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write comma-separated values, flat, with no text that begins a formula."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(sheet.table.header)
        writer.writerows(map(sheet.table.cells, sheet.rows))


def write_parquet(path: Path, sheet: Sheet) -> None:
    """Write Parquet with the schema of the table, exact."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = sheet.table.schema
    with ParquetWriter(path, schema, compression="zstd") as writer:
        rows = map(sheet.table.typed, sheet.rows)
        while group := list(islice(rows, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def write_folder(path: Path, *sheets: Sheet) -> None:
    """Write a folder of Parquet files for each level, `part-00000.parquet` and so on."""
    for sheet in sheets:
        folder = path / sheet.name
        folder.mkdir(parents=True)
        for number, rows in enumerate(_runs(sheet.rows, PART_ROWS)):
            part = folder / f"part-{number:05}.parquet"
            write_parquet(part, Sheet(sheet.name, sheet.table, rows))


def write_workbook(path: Path, *sheets: Sheet) -> None:
    """Write an Excel workbook, flat, with no cell that is a formula."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise missing_extra("openpyxl", "excel") from error
    book = Workbook(write_only=True)
    try:
        for sheet in sheets:
            for number, rows in enumerate(_runs(sheet.rows, SHEET_ROWS - 1), 1):
                page = book.create_sheet(f"{sheet.name} {number}" if number > 1 else sheet.name)
                for cells in chain([sheet.table.header], map(sheet.table.cells, rows)):
                    page.append([sheet_cell(cell) for cell in cells])
    finally:
        # Also on the way out: openpyxl has files of its own to end and remove.
        book.save(path)


WRITERS: dict[str, Callable[..., None]] = {
    "jsonl": write_lines,
    "csv": write_csv,
    "parquet": write_parquet,
    "folder": write_folder,
    "xlsx": write_workbook,
}
"""By the form of an output; each takes a path and its sheets, one or both levels."""


def _runs(rows: Iterable[Row], size: int) -> Iterator[Iterator[Row]]:
    """Cut rows into runs of at most `size`; the first one may be empty."""
    rows = iter(rows)
    yield islice(rows, size)
    for first in rows:
        yield chain([first], islice(rows, size - 1))


def sheet_cell(value: object) -> object:
    """Return what Excel can hold: no control characters, at most 32,767 characters."""
    if not isinstance(value, str):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else str(value)
    value = _ILLEGAL.sub("\ufffd", value)
    # Excel counts UTF-16 units.
    if len(value) + sum(c > "\uffff" for c in value) <= CELL_CHARS:
        return value
    return (
        value.encode("utf-16-le")[: 2 * (CELL_CHARS - len(_CUT))].decode("utf-16-le", "ignore")
        + _CUT
    )
