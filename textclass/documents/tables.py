"""Tables, row by row: CSV, JSON lines and Parquet of any length need no memory."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import orjson

from textclass.documents import detect as kinds
from textclass.documents.content import Content, from_gzip
from textclass.documents.document import Fault, Limits, Row, TableOptions
from textclass.documents.office import RELATION, Package
from textclass.documents.plain_text import encoding_of, make_safe, plain
from textclass.errors import DocumentError, TextclassError

Cells = Mapping[str, Any]

_DELIMITERS = ",;\t|"
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that decoding couldn't read
_SHOWN = 20
_MOST_FAULTS = 20
_KEY_CHARS = 200
_BATCH = 1024
_PEEKED = 100  # Records of JSON lines whose keys are the columns.
_NO_TEXT = "\0 \t\r\n\f\v\ufeff\u200b\u00a0"
# A formula that no program has calculated: it has no value.
_UNCALCULATED = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"[^>]*>\s*<(?:\w+:)?f(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)'
    rb"\s*(?:<(?:\w+:)?v>\s*</(?:\w+:)?v>|<(?:\w+:)?v\s*/>)?\s*</"
)


@dataclass(frozen=True)
class Table:
    """A table, or one sheet of a workbook.

    Parameters
    ----------
    names : sequence of str
        Its columns; of JSON lines, the keys of the first records.
    rows : iterator of (str, mapping or str)
        Each row's place (`line 3`) with its cells, or with what is wrong with it.
    sheet : str, optional
    """

    names: Sequence[str]
    rows: Iterator[tuple[str, Cells | str]]
    sheet: str = ""

    def column(self, wanted: str | None, usual: str) -> str | None:
        """Return the column `wanted`, else the one called as usual, in whatever case."""
        if wanted is None:
            wanted = (
                usual
                if usual in self.names
                else next((name for name in self.names if name.casefold() == usual), None)
            )
        if wanted is not None and f"{wanted} (2)" in self.names and usual in ("text", "id"):
            raise DocumentError(f"two of its columns are called {wanted!r}", hint="rename one")
        return wanted if wanted in self.names else None

    def shown_names(self) -> str:
        """Return the names of the columns, for a message."""
        more = ", …" if len(self.names) > _SHOWN else ""
        return (", ".join(filter(None, self.names[:_SHOWN])) + more) or "none"


def read_rows(
    path: str | Path, *, sheet: str | None = None, faults: list[DocumentError] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a table of any form: CSV (`, ; tab |`, any encoding), JSON lines, Parquet, workbooks.

    JSON lines may be packed with gzip. Of a workbook with several sheets those are read that have a
    column `text`.

    Parameters
    ----------
    path : str or Path
    sheet : str, keyword-only, optional
        The one sheet of a workbook to read.
    faults : list, keyword-only, optional
        Takes an error for each row that can't be read.

    Yields
    ------
    where : str
        The row's place, `file.csv, line 3`.
    record : dict
        Its cells by column: plain JSON values, times and decimals as strings. A cell that the row
        lacks is left out; a column whose name comes again is `name (2)`.

    Raises
    ------
    DocumentError
        If the file can't be read as a table; without `faults` also, after the last row, if rows
        can't be read.
    """
    path, limits, told = Path(path), Limits(), [] if faults is None else faults
    try:
        content = Content.of_file(path)
        kind = kinds.detect(content, limits)
        if kind == kinds.GZIP:
            content = from_gzip(content, limits)
            kind = kinds.detect(content, limits)
        if kind not in TABLES:
            raise DocumentError(
                f"it is no table but {kind}", hint="CSV, JSON lines, Parquet, XLSX or ODS is"
            )
        for table in _wanted(open_tables(content, kind, limits), sheet):
            within = f"{path}, sheet {table.sheet!r}" if table.sheet else str(path)
            text = table.column(None, "text")
            for place, cells in table.rows:
                where = f"{within}, {place}"
                if isinstance(cells, str):
                    told.append(DocumentError(cells, where=where))
                elif isinstance(fault := cells.get(text or ""), DocumentError):
                    told.append(DocumentError(fault.message, where=where, hint=fault.hint))
                else:
                    yield where, {make_safe(name): plain(value) for name, value in cells.items()}
    except TextclassError as error:
        raise DocumentError(error.message, where=str(path), hint=error.hint) from error
    except OSError as error:
        fault = f"it can't be opened: {error.strerror or error}"
        raise DocumentError(fault, where=str(path)) from error
    if told and faults is None:
        more = f"; and {len(told) - _MOST_FAULTS} more" if len(told) > _MOST_FAULTS else ""
        raise DocumentError(f"bad rows: {'; '.join(map(str, told[:_MOST_FAULTS]))}{more}")


def _wanted(tables: Iterator[Table], sheet: str | None) -> Iterable[Table]:
    """Return the sheets of a workbook that are asked for; any other file is one table."""
    first = next(tables, None)
    if first is None or not first.sheet:
        if sheet is not None:
            raise DocumentError("it has no sheets, so none can be named")
        # Its stream is open as long as `tables` goes on.
        return chain([first], tables) if first else []
    every = [first, *tables]
    if sheet is not None:
        chosen = [table for table in every if table.sheet == sheet]
        if not chosen:
            names = ", ".join(table.sheet for table in every)
            raise DocumentError(f"it has no sheet {sheet!r}; its sheets are: {names}")
        return chosen
    chosen = [table for table in every if table.column(None, "text")]
    if not chosen and len(every) > 1:
        shown = "; ".join(f"{table.sheet!r} has {table.shown_names()}" for table in every)
        raise DocumentError(f"none of its sheets has a column 'text': {shown}")
    return chosen or every


def read_table(
    content: Content, kind: str, limits: Limits, options: TableOptions
) -> Iterator[Row | Fault]:
    """Yield the texts of a table.

    Rows are called by their id, else by their number; those of a workbook's later sheets by the
    sheet's name too. Of several sheets, one without the column of texts is a fault.
    """
    for place, table in enumerate(open_tables(content, kind, limits)):
        try:
            text, row_id = _choose(table, options)
        except DocumentError as error:
            if not table.sheet:
                raise
            yield Fault("read", f"sheet {table.sheet!r}: {error}", table.sheet)
            continue
        prefix = f"{table.sheet}." if place else ""
        for number, (where, cells) in enumerate(table.rows, 1):
            if isinstance(cells, str):
                yield Fault("read", f"{where}: {cells}", f"{prefix}{number}")
                continue
            named = cells.get(row_id) if row_id else None
            key = str(number) if named is None or named == "" else make_safe(str(named))
            yield _row(prefix + key[:_KEY_CHARS], where, cells, text, limits, table.sheet)


def _choose(table: Table, options: TableOptions) -> tuple[str, str | None]:
    """Return the columns of the texts and of the rows' names."""
    text = table.column(options.text_column, "text")
    row_id = table.column(options.id_column, "id")
    for found, wanted, option in (
        (text, options.text_column or "text", "--text-column"),
        (row_id, options.id_column, "--id-column"),
    ):
        if found is None and wanted:
            raise DocumentError(
                f"there is no column {wanted!r}; its columns are: {table.shown_names()}",
                hint=f"name the right one with {option}",
            )
    assert text is not None  # noqa: S101 - for the type checker
    return text, row_id


def _row(
    key: str, where: str, cells: Cells, column: str, limits: Limits, sheet: str
) -> Row | Fault:
    """Return a row, or why it can't be used."""
    text = cells.get(column)
    if isinstance(text, DocumentError):
        return Fault("read", f"{where}: {text}", key)
    if sheet and text is not None:
        text = str(text)
    if not isinstance(text, str):
        came = "is missing" if text is None else f"is a {type(text).__name__}, not a text"
        return Fault("read", f"{where}: the column {column!r} {came}", key)
    if len(text) > (most := limits.text_chars):
        return Fault("read", f"{where}: its text is longer than {most:,} characters", key)
    if not text.strip(_NO_TEXT):
        return Fault("text", f"{where}: its text is empty", key)
    try:
        columns = {make_safe(k): plain(v) for k, v in cells.items() if k != column}
    except (DocumentError, RecursionError) as error:
        return Fault("read", f"{where}: {error}", key)
    return Row(key, make_safe(text), columns)


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


def open_tables(content: Content, kind: str, limits: Limits) -> Iterator[Table]:
    """Yield the tables of a content of one of the kinds `TABLES`."""
    return TABLES[kind](content, limits)


def _csv(content: Content, limits: Limits) -> Iterator[Table]:
    header = content.head.decode(encoding_of(content.head), "replace").partition("\n")[0]
    return _separated(content, limits, max(_DELIMITERS, key=header.count))


def _tsv(content: Content, limits: Limits) -> Iterator[Table]:
    return _separated(content, limits, "\t")


def _separated(content: Content, limits: Limits, delimiter: str) -> Iterator[Table]:
    csv.field_size_limit(limits.text_chars)
    lines = _lines(content, limits, encoding_of(content.head))
    # strict: a stray quote is told where it stands, and doesn't swallow the rows after it.
    reader = csv.reader(map(_not_too_long, lines), delimiter=delimiter, strict=True)
    try:
        names = _unique(next(filter(any, reader), []))
    except csv.Error as error:
        raise DocumentError(f"its header can't be read: {error}") from error
    yield Table(names, _csv_rows(reader, names))


def _csv_rows(reader: Any, names: Sequence[str]) -> Iterator[tuple[str, Cells | str]]:  # noqa: ANN401 -- csv's reader can't be named
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"line {line}", str(error)
            continue
        if not cells:
            continue
        if len(cells) > len(names) and any(cells[len(names) :]):
            yield f"line {line}", f"{len(cells)} cells under {len(names)} columns"
        elif any(map(_ESCAPED.search, cells)):
            yield f"line {line}", "it holds bytes that aren't UTF-8"
        else:
            yield f"line {line}", _named(names, cells)


def _not_too_long(line: str | None) -> str:
    if line is None:
        raise DocumentError("a line is too long for a table", hint="is it one?")
    return line


def _jsonl(content: Content, limits: Limits) -> Iterator[Table]:
    encoding = encoding_of(content.head)
    # No older encoding is guessed: JSON has none.
    lines = _lines(content, limits, encoding if encoding.startswith("utf") else "utf-8")
    rows = (
        (f"line {number}", _json_object(line))
        for number, line in enumerate(lines, 1)
        if line is None or line.strip()
    )
    first = list(islice(rows, _PEEKED))
    names = dict.fromkeys(key for _, cells in first if isinstance(cells, dict) for key in cells)
    if names or not first:
        yield Table(list(names), chain(first, rows))
    else:
        raise DocumentError(f"{first[0][0]}: {first[0][1]}")


def _json_object(line: str | None) -> Cells | str:
    """Return the object on a line, or what is wrong with it."""
    if line is None:
        return "its line is too long"
    if not line.isascii() and _ESCAPED.search(line):
        return "it holds bytes that aren't UTF-8"
    try:
        cells = orjson.loads(line)
    except ValueError:
        try:
            cells = json.loads(line)  # takes lone surrogates and NaN, and says what is wrong
        except (ValueError, RecursionError) as error:
            return f"it isn't JSON: {error}"
    return cells if isinstance(cells, dict) else "it isn't a JSON object"


def _lines(content: Content, limits: Limits, encoding: str) -> Iterator[str | None]:
    """Yield the lines of a text, with their ends; None for one that is too long to hold."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    longest = limits.text_chars * 2
    with content.open() as stream:
        text = io.TextIOWrapper(stream, encoding, errors=errors, newline="")
        while line := text.readline(longest):
            if len(line) < longest or line.endswith("\n"):
                yield line
                continue
            while (rest := text.readline(longest)) and not rest.endswith("\n"):
                pass
            yield None


def _parquet(content: Content, limits: Limits) -> Iterator[Table]:
    import pyarrow as pa
    from pyarrow import parquet

    def rows() -> Iterator[tuple[str, Cells]]:
        number = 0
        for batch in file.iter_batches(_BATCH, use_threads=False):
            for cells in batch.rename_columns(names).to_pylist():
                number += 1
                yield f"row {number}", cells

    try:
        with content.searchable(limits.document_bytes) as stream:
            file = parquet.ParquetFile(stream)
            names = _unique(file.schema_arrow.names)
            yield Table(names, rows())
    except (pa.ArrowException, OSError) as error:
        raise DocumentError("it is damaged or cut short", hint="write the file again") from error


def _workbook(content: Content, limits: Limits) -> Iterator[Table]:
    import python_calamine

    with content.searchable(limits.document_bytes) as stream:
        zipped = zipfile.is_zipfile(stream)
        if zipped:
            # A sheet isn't parsed into a tree, so its tags may be many.
            Package(stream, limits, markup=False)
        stream.seek(0)
        try:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            names = list(book.sheet_names)
            filled = [name for name in names if book.get_sheet_by_name(name).height]
        except python_calamine.PasswordError as error:
            raise DocumentError("it is encrypted", hint="save it without a password") from error
        except (python_calamine.CalamineError, ValueError) as error:
            raise DocumentError(
                "it is damaged or cut short", hint="fetch the file again"
            ) from error
        formulas = _uncalculated(stream, limits) if zipped else {}
        # Excel used to make three sheets where one was wanted.
        for name in filled:
            yield _sheet(book.get_sheet_by_name(name), formulas.get(name, set()))


def _sheet(sheet: Any, formulas: set[tuple[int, int]]) -> Table:  # noqa: ANN401 -- calamine's sheets
    """Return a sheet below its first row that isn't empty."""
    first_column = sheet.start[1]
    told = DocumentError(
        "a formula here was never calculated", hint="open it in Excel or LibreOffice and save it"
    )

    def cell(value: Any, row: int, column: int) -> Any:  # noqa: ANN401 -- a cell holds anything
        if value == "":
            return told if (row, column) in formulas else None
        return int(value) if isinstance(value, float) and value.is_integer() else value

    numbered = (
        (row, [cell(value, row, column) for column, value in enumerate(cells, first_column + 1)])
        for row, cells in enumerate(sheet.iter_rows(), 1)
    )
    filled = ((row, cells) for row, cells in numbered if any(c is not None for c in cells))
    names = _unique(next(filled)[1])
    return Table(names, ((f"row {row}", _named(names, cells)) for row, cells in filled), sheet.name)


def _uncalculated(stream: IO[bytes], limits: Limits) -> dict[str, set[tuple[int, int]]]:
    """Return, by sheet, row and column of the formulas that have no value."""
    found: dict[str, set[tuple[int, int]]] = {}
    with Package(stream, limits, markup=False) as package:
        book = package.target("officeDocument")
        parts = {relation.id: relation.target for relation in package.relations(book)}
        for sheet in package.xml(book).iter("{*}sheet") if book.endswith(".xml") else ():
            data = package.bytes_of(parts.get(sheet.get(f"{RELATION}id", ""), ""))
            found[sheet.get("name", "")] = {
                (int(row), _column_number(letters)) for letters, row in _UNCALCULATED.findall(data)
            }
    return found


def _column_number(letters: bytes) -> int:
    return functools.reduce(lambda number, letter: number * 26 + letter - 64, letters, 0)


TABLES: Mapping[str, Callable[[Content, Limits], Iterator[Table]]] = {
    kinds.CSV: _csv,
    kinds.TSV: _tsv,
    kinds.JSONL: _jsonl,
    kinds.PARQUET: _parquet,
    kinds.XLSX: _workbook,
    kinds.XLS: _workbook,
    kinds.XLSB: _workbook,
    kinds.ODS: _workbook,
}
