"""The output formats: each takes rows one after the other, in constant memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from textclass.batch.table import Row, Table
from textclass.errors import missing_extra

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetWriter as ArrowWriter

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


class Writer(Protocol):
    """Takes rows."""

    def write(self, row: Row) -> None:
        """Take a row."""

    def close(self) -> None:
        """Put all on disk."""


class JsonLines:
    """One JSON object a line, exact."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, row: Row) -> None:
        """Take a row."""
        line = json.dumps(row, ensure_ascii=False, allow_nan=False)
        self._stream.write(line.translate(_LINE_ENDS) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class Csv:
    """Comma-separated values in UTF-8, flat, with no text that begins a formula."""

    def __init__(self, path: Path, table: Table) -> None:
        self._table = table
        self._stream = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(table.header)

    def write(self, row: Row) -> None:
        """Take a row."""
        self._writer.writerow(self._table.cells(row))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class Parquet:
    """Parquet with the schema of the table, exact."""

    def __init__(self, path: Path, table: Table) -> None:
        from pyarrow.parquet import ParquetWriter as ArrowWriter

        self._table = table
        self._rows: list[Row] = []
        self._writer: ArrowWriter = ArrowWriter(path, table.schema, compression="zstd")

    def write(self, row: Row) -> None:
        """Take a row."""
        self._rows.append(self._table.typed(row))
        if len(self._rows) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._table.schema))
            self._rows = []

    def close(self) -> None:
        """Write the last rows and the footer."""
        try:
            self._flush()
        finally:
            self._writer.close()


class Partitioned:
    """A folder of Parquet files, `part-00000.parquet` and so on."""

    def __init__(self, folder: Path, table: Table) -> None:
        folder.mkdir(parents=True)
        self._folder, self._table = folder, table
        self._rows = self._parts = 0
        self._part = self._next()

    def _next(self) -> Parquet:
        self._parts += 1
        return Parquet(self._folder / f"part-{self._parts - 1:05}.parquet", self._table)

    def write(self, row: Row) -> None:
        """Take a row."""
        if self._rows == PART_ROWS:
            self._part.close()
            self._part, self._rows = self._next(), 0
        self._part.write(row)
        self._rows += 1

    def close(self) -> None:
        """Close the last file."""
        self._part.close()


class Workbook:
    """An Excel workbook: a sheet for each table, flat, with no cell that is a formula."""

    def __init__(self, path: Path) -> None:
        try:
            from openpyxl import Workbook as Book
        except ImportError as error:
            raise missing_extra("openpyxl", "excel") from error
        self._path = path
        self._book = Book(write_only=True)

    def sheet(self, name: str, table: Table) -> Writer:
        """Return a new sheet."""
        return _Sheet(self._book.create_sheet, name, table)

    def close(self) -> None:
        """Write the file."""
        self._book.save(self._path)


class _Sheet:
    def __init__(self, create: Callable[[str], Any], name: str, table: Table) -> None:
        self._create, self._name, self._table = create, name, table
        self._sheets = 0
        self._begin()

    def _begin(self) -> None:
        self._sheets += 1
        number = f" {self._sheets}" if self._sheets > 1 else ""
        self._sheet = self._create(self._name + number)
        self._sheet.append([sheet_cell(name) for name in self._table.header])
        self._rows = 1

    def write(self, row: Row) -> None:
        if self._rows == SHEET_ROWS:
            self._begin()
        self._sheet.append([sheet_cell(cell) for cell in self._table.cells(row)])
        self._rows += 1

    def close(self) -> None:
        """Do nothing: the workbook writes its sheets."""


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
