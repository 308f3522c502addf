"""The forms of tables: CSV, JSON lines and Parquet of any length need no memory; workbooks."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, dropwhile, islice
from typing import IO, Any

from textclass.documents.content import Cells, Content, Table
from textclass.documents.document import Limits
from textclass.documents.office import Package
from textclass.documents.plain_text import encoding_of
from textclass.errors import DocumentError

_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that decoding couldn't read
_NOT_UTF8 = "it holds bytes that aren't UTF-8"
_SEPARATOR_SAID = re.compile(r'"?sep=([^\w"\r\n])"?\r?\n', re.IGNORECASE)
_TOP = 10  # In one of so many first rows stand the names of the columns.
_AGAIN = 1_000_000  # No more lines of a CSV are read again: it might be made to be slow.
_BATCH = 1024
_PEEKED = 100  # Records of JSON lines whose keys are the columns.
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
# Kinds of records in a workbook of the years up to 2003.
_SHEET_NAMED, _SHEET_BEGINS, _NOTE = 0x85, 0x809, 0x1C

_Record = tuple[int, Sequence[Any] | str]
"""A row's number and its cells, or what is wrong with it."""

_Beside = tuple[str, int, str]
"""A sheet and a row, and what isn't in the cells there; of all sheets, if none is named."""


def _unique(names: Iterable[object]) -> list[str]:
    """Return column names, each once: a repeated one becomes `name (2)`; blank ones stay blank."""
    seen, unique = dict[str, int](), list[str]()
    for raw in names:
        name = "" if raw is None else str(raw).strip()
        seen[name] = seen.get(name, 0) + 1
        unique.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
    return unique


def _named(names: Sequence[str], cells: Iterable[Any]) -> dict[str, Any]:
    return {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _headed(records: Iterator[_Record], text: str) -> tuple[list[str], Iterator[_Record]]:
    """Return the names of the columns, and the records below them.

    They stand in the first record, or below lines of titles, which fill fewer cells.
    """
    top = list(islice(records, _TOP))
    most = 0
    for place, (_, cells) in enumerate(top):
        filled = [] if isinstance(cells, str) else [str(c) for c in cells if c not in {None, ""}]
        if len(filled) > most and text.casefold() in (name.strip().casefold() for name in filled):
            return _unique(cells), chain(top[place + 1 :], records)
        most = max(most, len(filled))
    if top and isinstance(fault := top[0][1], str):
        raise DocumentError(f"its header can't be read: {fault}")
    return _unique(top[0][1] if top else ()), chain(top[1:], records)


def read_csv(
    content: Content, limits: Limits, text: str, *, delimiters: str = ",;\t|"
) -> Iterator[Table]:
    """Yield the table of a CSV.

    Its separator is what Excel's first line `sep=;` says, or what the header has most of.
    """
    csv.field_size_limit(limits.text_chars)
    encoding = _encoding_of_table(content)
    lines = enumerate(_lines(content, encoding), 1)
    head = content.head.decode(encoding, "replace").removeprefix("\ufeff")
    if said := _SEPARATOR_SAID.match(head):
        next(lines)
        separator = said[1]
    else:
        top = [re.split(f"([{delimiters}])", line) for line in head.split("\n")[:_TOP]]
        headers = (
            line for line in top if text.casefold() in [w.strip(' "\r').casefold() for w in line]
        )
        separator = max(delimiters, key=next(headers, top[0]).count)
    filled = ((line, cells) for line, cells in _records(lines, separator) if cells)
    names, records = _headed(dropwhile(lambda record: not any(record[1]), filled), text)

    def rows() -> Iterator[tuple[int, Cells | str]]:
        for line, cells in records:
            if isinstance(cells, str):
                yield line, cells
            elif any(cells[len(names) :]):
                yield line, f"{len(cells)} cells under {len(names)} columns"
            elif any(map(_ESCAPED.search, cells)):
                yield line, _NOT_UTF8
            else:
                yield line, _named(names, cells)

    yield Table(names, rows(), "line")


def _encoding_of_table(content: Content) -> str:
    """Return the encoding that the first part tells that isn't plain ASCII."""
    lines = content.head.rpartition(b"\n")[0] or content.head
    encoding = encoding_of(lines)
    if encoding == "utf-8" and lines.isascii():
        with content.open() as stream:
            for line in stream:
                if not line.isascii():
                    return encoding_of(line + stream.read(len(content.head)))
    return encoding


def _records(lines: Iterator[tuple[int, str]], separator: str) -> Iterator[_Record]:
    """Yield the records of a CSV with the numbers of their first lines, or what is wrong there.

    A quote that isn't closed takes all that follows for one cell: it is read on from the next line.
    """
    again: deque[tuple[int, str]] = deque()
    taken: list[tuple[int, str]] = []
    spent = 0

    def feed() -> Iterator[str]:
        while line := again.popleft() if again else next(lines, None):
            taken.append(line)
            yield line[1]

    while True:
        # strict: a stray quote is told where it stands, and doesn't swallow the rows after it.
        reader = csv.reader(feed(), delimiter=separator, strict=True)
        try:
            for cells in reader:
                yield taken[0][0], cells
                taken.clear()
            return
        except csv.Error as error:
            (first, _), (last, _) = taken[0], taken[-1]
            spent += len(taken)
            if spent <= _AGAIN:
                again.extendleft(reversed(taken[1:]))
                last = first
            taken.clear()
            yield first, str(error) + (f"; not read to line {last}" if last > first else "")


def read_jsonl(content: Content, _limits: Limits, _text: str) -> Iterator[Table]:
    """Yield the table of JSON lines: an object on each."""
    encoding = encoding_of(content.head)
    # No older encoding is guessed: JSON has none.
    lines = _lines(content, encoding if encoding.startswith("utf") else "utf-8")
    rows = ((number, _json_object(line)) for number, line in enumerate(lines, 1) if line.strip())
    yield _json_table(rows, "line")


def read_json(content: Content, limits: Limits, _text: str) -> Iterator[Table]:
    """Yield the table of one array in JSON: its objects are the rows."""
    values = json.loads(content.whole(limits.document_bytes))
    yield _json_table(((number, _as_cells(value)) for number, value in enumerate(values, 1)), "row")


def _json_table(rows: Iterator[tuple[int, Cells | str]], unit: str) -> Table:
    """Return the table of rows, each an object or what is wrong with it."""
    first = list(islice(rows, _PEEKED))
    names = dict.fromkeys(key for _, cells in first if isinstance(cells, dict) for key in cells)
    if first and not names:
        raise DocumentError(f"{unit} {first[0][0]}: {first[0][1]}")
    return Table(list(names), chain(first, rows), unit)


def _json_object(line: str) -> Cells | str:
    """Return the object on a line, or what is wrong with it."""
    if _ESCAPED.search(line):
        return _NOT_UTF8
    try:
        return _as_cells(json.loads(line))
    except (ValueError, RecursionError) as error:
        return f"it isn't JSON: {error}"


def _as_cells(value: Any) -> Cells | str:  # noqa: ANN401 - JSON holds anything
    return value if isinstance(value, dict) else "it isn't a JSON object"


def _lines(content: Content, encoding: str) -> Iterator[str]:
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    with (
        content.open() as stream,
        io.TextIOWrapper(stream, encoding, errors=errors, newline="") as lines,
    ):
        yield from lines


def read_parquet(content: Content, limits: Limits, _text: str) -> Iterator[Table]:
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


def read_workbook(content: Content, limits: Limits, text: str) -> Iterator[Table]:
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
            yield _sheet(sheet, text, beside)


def _sheet(
    sheet: Any,  # noqa: ANN401 -- calamine's
    text: str,
    beside: Sequence[tuple[int, str]],
) -> Table:
    """Return a sheet below the row that names its columns."""
    cells = ([*map(_cell, values)] for values in sheet.iter_rows())
    filled = ((row, c) for row, c in enumerate(cells, 1) if any(one is not None for one in c))
    names, records = _headed(filled, text)
    rows = ((row, _named(names, values)) for row, values in records)
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
