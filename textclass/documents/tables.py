"""The forms of tables: CSV, JSON lines and Parquet of any length need no memory; workbooks."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Any

from textclass.documents.content import Content
from textclass.documents.document import Limits
from textclass.documents.office import Package
from textclass.documents.plain_text import encoding_of
from textclass.errors import DocumentError

Cells = Mapping[str, Any]

_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that decoding couldn't read
_NOT_UTF8 = "it holds bytes that aren't UTF-8"
_SHOWN = 20
_BATCH = 1024
_PEEKED = 100  # Records of JSON lines whose keys are the columns.
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
# Kinds of records in a workbook of the years up to 2003.
_SHEET_NAMED, _SHEET_BEGINS, _NOTE = 0x85, 0x809, 0x1C

_Beside = tuple[str, int, str]
"""A sheet and a row, and what isn't in the cells there; of all sheets, if none is named."""


@dataclass(frozen=True)
class Table:
    """A table, or one sheet of a workbook.

    Parameters
    ----------
    names : sequence of str
        Its columns; of JSON lines, the keys of the first records.
    rows : iterator of (int, mapping or str)
        Each row's number in the file with its cells, or with what is wrong with it.
    unit : str
        What the numbers count: `line` or `row`.
    sheet : str, optional
    beside : sequence of (int, str), optional
        What isn't in its cells, in the order of the rows where it stands.
    """

    names: Sequence[str]
    rows: Iterator[tuple[int, Cells | str]]
    unit: str = "row"
    sheet: str = ""
    beside: Sequence[tuple[int, str]] = ()

    def column(self, usual: str, wanted: str | None = None) -> str | None:
        """Return the column `wanted`, else the one called as usual, in whatever case, if any."""
        alike = [name for name in self.names if name.casefold() == usual]
        found = wanted or (usual if usual in alike else next(iter(alike), None))
        if f"{found} (2)" in self.names:
            raise DocumentError(f"two of its columns are called {found!r}", hint="rename one")
        if found not in self.names and (wanted or usual == "text"):
            more = ", …" if len(self.names) > _SHOWN else ""
            shown = (", ".join(filter(None, self.names[:_SHOWN])) + more) or "none"
            raise DocumentError(
                f"there is no column {wanted or usual!r}; its columns are: {shown}",
                hint=f"name the right one with --{usual}-column",
            )
        return found


def _unique(names: Iterable[object]) -> list[str]:
    """Return column names, each once: a repeated one becomes `name (2)`; blank ones stay blank."""
    seen: dict[str, int] = {}
    unique = []
    for raw in names:
        name = "" if raw is None else str(raw).strip()
        seen[name] = seen.get(name, 0) + 1
        unique.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
    return unique


def _named(names: Sequence[str], cells: Iterable[Any]) -> dict[str, Any]:
    return {name: cell for name, cell in zip(names, cells, strict=False) if name}


def read_csv(content: Content, limits: Limits, *, delimiters: str = ",;\t|") -> Iterator[Table]:
    """Yield the table of a CSV; its separator is the one that the header has most of."""
    encoding = encoding_of(content.head)
    header = content.head.decode(encoding, "replace").partition("\n")[0]
    csv.field_size_limit(limits.text_chars)
    # strict: a stray quote is told where it stands, and doesn't swallow the rows after it.
    reader = csv.reader(
        _lines(content, encoding), delimiter=max(delimiters, key=header.count), strict=True
    )
    try:
        names = _unique(next(filter(any, reader), []))
    except csv.Error as error:
        raise DocumentError(f"its header can't be read: {error}") from error

    def rows() -> Iterator[tuple[int, Cells | str]]:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, str(error)
                continue
            if any(cells[len(names) :]):
                yield line, f"{len(cells)} cells under {len(names)} columns"
            elif any(map(_ESCAPED.search, cells)):
                yield line, _NOT_UTF8
            elif cells:
                yield line, _named(names, cells)

    yield Table(names, rows(), "line")


def read_jsonl(content: Content, _limits: Limits) -> Iterator[Table]:
    """Yield the table of JSON lines: an object on each."""
    encoding = encoding_of(content.head)
    # No older encoding is guessed: JSON has none.
    lines = _lines(content, encoding if encoding.startswith("utf") else "utf-8")
    rows = ((number, _json_object(line)) for number, line in enumerate(lines, 1) if line.strip())
    first = list(islice(rows, _PEEKED))
    names = dict.fromkeys(key for _, cells in first if isinstance(cells, dict) for key in cells)
    if first and not names:
        raise DocumentError(f"line {first[0][0]}: {first[0][1]}")
    yield Table(list(names), chain(first, rows), "line")


def _json_object(line: str) -> Cells | str:
    """Return the object on a line, or what is wrong with it."""
    if _ESCAPED.search(line):
        return _NOT_UTF8
    try:
        cells = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it isn't JSON: {error}"
    return cells if isinstance(cells, dict) else "it isn't a JSON object"


def _lines(content: Content, encoding: str) -> Iterator[str]:
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    with (
        content.open() as stream,
        io.TextIOWrapper(stream, encoding, errors=errors, newline="") as lines,
    ):
        yield from lines


def read_parquet(content: Content, limits: Limits) -> Iterator[Table]:
    """Yield the table of a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with content.searchable(limits.document_bytes) as stream:
            file = parquet.ParquetFile(stream)
            names = _unique(file.schema_arrow.names)
            batches = file.iter_batches(_BATCH, use_threads=False)
            rows = (batch.rename_columns(names).to_pylist() for batch in batches)
            yield Table(names, enumerate(chain.from_iterable(rows), 1))
    except (pa.ArrowException, OSError) as error:
        raise DocumentError("it is damaged or cut short", hint="write the file again") from error


def read_workbook(content: Content, limits: Limits) -> Iterator[Table]:
    """Yield the sheets of a workbook, each with what stands beside its cells."""
    import python_calamine

    with content.searchable(limits.document_bytes) as stream:
        try:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
            stream.seek(0)
            told = sorted(_beside_cells(stream, limits))
        except python_calamine.PasswordError as error:
            raise DocumentError("it is encrypted", hint="save it without a password") from error
        except (python_calamine.CalamineError, ValueError, OSError) as error:
            raise DocumentError(
                "it is damaged or cut short", hint="fetch the file again"
            ) from error
    for sheet in sheets:
        beside = [(row, what) for name, row, what in told if name in {sheet.name, ""}]
        if sheet.height or beside:  # Excel used to make three sheets where one was wanted.
            yield _sheet(sheet, beside)


def _sheet(sheet: Any, beside: Sequence[tuple[int, str]]) -> Table:  # noqa: ANN401 -- calamine's
    """Return a sheet below its first row that isn't empty."""
    cells = ([*map(_cell, values)] for values in sheet.iter_rows())
    filled = ((row, c) for row, c in enumerate(cells, 1) if any(one is not None for one in c))
    names = _unique(next(filled, (0, []))[1])
    rows = ((row, _named(names, values)) for row, values in filled)
    return Table(names, rows, "row", sheet.name, beside)


def _cell(value: Any) -> Any:  # noqa: ANN401 -- a cell holds anything
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value == "" else value


def _beside_cells(stream: IO[bytes], limits: Limits) -> Iterator[_Beside]:
    """Yield where a workbook of any form has notes and text boxes, in no order."""
    if not zipfile.is_zipfile(stream):
        yield from _in_compound_file(stream)
        return
    with Package(stream, limits) as package:
        book = package.target("officeDocument")
        if book.endswith(".xml"):
            yield from _in_openxml(package, book)
        elif any(re.search(r"comments\d*\.bin$", name) for name in package.namelist()):
            yield "", 1, "notes on cells of the workbook"
        if b":annotation" in package.bytes_of("content.xml"):
            yield from _in_opendocument(package)


def _in_openxml(package: Package, book: str) -> Iterator[_Beside]:
    for sheet, part in package.named_in(book, "sheet"):
        name = sheet.get("name", "")
        for relation in package.relations(part):
            if relation.kind == "comments":
                for note in package.xml(relation.target).iter("{*}comment"):
                    cell = note.get("ref", "")
                    yield name, int(re.sub(r"\D", "", cell) or 1), f"the note on cell {cell}"
            if relation.kind == "drawing":
                for box in package.xml(relation.target).iterchildren("*"):
                    if any(node.text for node in box.iter("{*}t")):
                        yield name, int(box.findtext("{*}from/{*}row", "0")) + 1, "a text box"


def _in_opendocument(package: Package) -> Iterator[_Beside]:
    for sheet in package.xml("content.xml").iter(f"{_TABLE}table"):
        place = 1
        for row in sheet.iter(f"{_TABLE}table-row"):
            for _ in row.iter("{*}annotation"):
                yield sheet.get(f"{_TABLE}name", ""), place, "the note on a cell"
            place += int(row.get(f"{_TABLE}number-rows-repeated", "1"))


def _in_compound_file(stream: IO[bytes]) -> Iterator[_Beside]:
    from olefile import OleFileIO  # type: ignore[import-untyped]  # it has no types

    with OleFileIO(stream) as file:
        # Before 1997 a workbook's stream had another name, and notes another form.
        data = file.openstream("Workbook").read() if file.exists("Workbook") else b""
    names, sheet, place = {}, "", 0
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        record = data[place + 4 : place + 4 + size]
        if kind == _SHEET_NAMED:
            begins, _, length, wide = struct.unpack_from("<IHBB", record)
            name = record[8 : 8 + length * (1 + wide)]
            names[begins] = name.decode("utf-16-le" if wide else "latin-1")
        elif kind == _SHEET_BEGINS:
            sheet = names.get(place, "")
        elif kind == _NOTE:
            row, column = struct.unpack_from("<HH", record)
            yield sheet, row + 1, f"the note in row {row + 1}, column {column + 1}"
        place += 4 + size
