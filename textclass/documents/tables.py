"""Tables, row by row: CSV, JSON lines and Parquet of any length need no memory."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from textclass.documents import detect as kinds
from textclass.documents.content import Content
from textclass.documents.document import Fault, Limits, Row, TableOptions
from textclass.documents.office import RELATION, Package
from textclass.documents.plain_text import encoding_of, make_safe, plain
from textclass.errors import DocumentError, TextclassError

Cells = Mapping[str, Any]

_DELIMITERS = ",;\t|"
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that decoding couldn't read
_SHOWN = 20
_MOST_FAULTS = 20
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_KEY_CHARS = 200
_BATCH = 1024
_PEEKED = 100  # Records of JSON lines whose keys are the columns.
_NO_TEXT = "\0 \t\r\n\f\v\ufeff\u200b\u00a0"
# What an empty cell of a workbook may be: nothing in it says that a formula should have a value.
_FORMULA = (
    ", or a formula that was never calculated (then open it in Excel or LibreOffice and save it)"
)


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
    beside : mapping of int to str, optional
        What isn't in its cells, by the number of the row where it stands.
    """

    names: Sequence[str]
    rows: Iterator[tuple[int, Cells | str]]
    unit: str = "row"
    sheet: str = ""
    beside: Mapping[int, str] = field(default_factory=dict)

    def column(self, wanted: str | None, usual: str) -> str | None:
        """Return the column `wanted`, else the one called as usual, in whatever case."""
        if wanted is None:
            alike = (name for name in self.names if name.casefold() == usual)
            wanted = usual if usual in self.names else next(alike, None)
        if wanted is not None and f"{wanted} (2)" in self.names and usual in ("text", "id"):
            raise DocumentError(f"two of its columns are called {wanted!r}", hint="rename one")
        return wanted if wanted in self.names else None

    def shown_names(self) -> str:
        """Return the names of the columns, for a message."""
        more = ", …" if len(self.names) > _SHOWN else ""
        return (", ".join(filter(None, self.names[:_SHOWN])) + more) or "none"


def read_rows(
    path: str | Path, *, faults: list[DocumentError] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a table of any form: CSV (`, ; tab |`, any encoding), JSON lines, Parquet, workbooks.

    JSON lines may be packed with gzip. Of a workbook with several sheets those are read that have a
    column `text`.

    Parameters
    ----------
    path : str or Path
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
        kind, content = kinds.unpacked(Content.of_file(path), limits)
        if kind not in TABLES:
            raise DocumentError(
                f"it is no table but {kind}", hint="CSV, JSON lines, Parquet, XLSX or ODS is"
            )
        for table in _with_texts(TABLES[kind](content, limits)):
            within = f"{path}, sheet {table.sheet!r}" if table.sheet else str(path)
            for number, cells in table.rows:
                where = f"{within}, {table.unit} {number}"
                if isinstance(cells, str):
                    told.append(DocumentError(cells, where=where))
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


def _with_texts(tables: Iterator[Table]) -> Iterable[Table]:
    """Return the sheets of a workbook that hold texts; any other file is one table."""
    first = next(tables, None)
    if first is None or not first.sheet:
        # Its stream is open as long as `tables` goes on.
        return chain([first], tables) if first else []
    every = [first, *tables]
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
    for place, table in enumerate(TABLES[kind](content, limits)):
        try:
            text, row_id = _choose(table, options)
        except DocumentError as error:
            if not table.sheet:
                raise
            yield Fault("read", f"sheet {table.sheet!r}: {error}", table.sheet)
            continue
        prefix = f"{table.sheet}." if place else ""
        beside = sorted(table.beside.items())
        for number, (at, cells) in enumerate(table.rows, 1):
            where = f"{table.unit} {at}"
            if isinstance(cells, str):
                yield Fault("read", f"{where}: {cells}", f"{prefix}{number}")
                continue
            named = cells.get(row_id) if row_id else None
            key = str(number) if named is None or named == "" else make_safe(str(named))
            row = _row(prefix + key[:_KEY_CHARS], where, cells, text, limits, table.sheet)
            # What stands in a row that is left out, such as the header's, is the next one's.
            unread = tuple(what for line, what in beside if line <= at)
            if isinstance(row, Row) and unread:
                row, beside = replace(row, unread=unread), beside[len(unread) :]
            yield row
        for line, what in beside:
            yield Fault("read", f"row {line}: {what}", f"{prefix}{line}")


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
    if sheet and text is not None:
        text = str(text)
    if not isinstance(text, str):
        came = f"is a {type(text).__name__}, not a text"
        if text is None:
            came = f"is empty{_FORMULA}" if sheet else "is missing"
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


def _csv(content: Content, limits: Limits) -> Iterator[Table]:
    header = content.head.decode(encoding_of(content.head), "replace").partition("\n")[0]
    return _separated(content, limits, max(_DELIMITERS, key=header.count))


def _tsv(content: Content, limits: Limits) -> Iterator[Table]:
    return _separated(content, limits, "\t")


def _separated(content: Content, limits: Limits, delimiter: str) -> Iterator[Table]:
    csv.field_size_limit(limits.text_chars)
    lines = _lines(content, encoding_of(content.head))
    # strict: a stray quote is told where it stands, and doesn't swallow the rows after it.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names = _unique(next(filter(any, reader), []))
    except csv.Error as error:
        raise DocumentError(f"its header can't be read: {error}") from error
    yield Table(names, _csv_rows(reader, names), "line")


def _csv_rows(reader: Any, names: Sequence[str]) -> Iterator[tuple[int, Cells | str]]:  # noqa: ANN401 -- csv's reader can't be named
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, str(error)
            continue
        if not cells:
            continue
        if len(cells) > len(names) and any(cells[len(names) :]):
            yield line, f"{len(cells)} cells under {len(names)} columns"
        elif any(map(_ESCAPED.search, cells)):
            yield line, "it holds bytes that aren't UTF-8"
        else:
            yield line, _named(names, cells)


def _jsonl(content: Content, _limits: Limits) -> Iterator[Table]:
    encoding = encoding_of(content.head)
    # No older encoding is guessed: JSON has none.
    lines = _lines(content, encoding if encoding.startswith("utf") else "utf-8")
    rows = ((number, _json_object(line)) for number, line in enumerate(lines, 1) if line.strip())
    first = list(islice(rows, _PEEKED))
    names = dict.fromkeys(key for _, cells in first if isinstance(cells, dict) for key in cells)
    if names or not first:
        yield Table(list(names), chain(first, rows), "line")
    else:
        raise DocumentError(f"line {first[0][0]}: {first[0][1]}")


def _json_object(line: str) -> Cells | str:
    """Return the object on a line, or what is wrong with it."""
    if _ESCAPED.search(line):
        return "it holds bytes that aren't UTF-8"
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


def _parquet(content: Content, limits: Limits) -> Iterator[Table]:
    import pyarrow as pa
    from pyarrow import parquet

    def rows() -> Iterator[Cells]:
        for batch in file.iter_batches(_BATCH, use_threads=False):
            yield from batch.rename_columns(names).to_pylist()

    try:
        with content.searchable(limits.document_bytes) as stream:
            file = parquet.ParquetFile(stream)
            names = _unique(file.schema_arrow.names)
            yield Table(names, enumerate(rows(), 1))
    except (pa.ArrowException, OSError) as error:
        raise DocumentError("it is damaged or cut short", hint="write the file again") from error


def _workbook(content: Content, limits: Limits) -> Iterator[Table]:
    import python_calamine

    with content.searchable(limits.document_bytes) as stream:
        beside = _beside_cells(stream, limits) if zipfile.is_zipfile(stream) else {}
        stream.seek(0)
        try:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        except python_calamine.PasswordError as error:
            raise DocumentError("it is encrypted", hint="save it without a password") from error
        except (python_calamine.CalamineError, ValueError) as error:
            raise DocumentError(
                "it is damaged or cut short", hint="fetch the file again"
            ) from error
        for sheet in sheets:
            told = beside.get(sheet.name, {})
            if sheet.height:  # Excel used to make three sheets where one was wanted.
                yield _sheet(sheet, told)
            elif told:
                yield Table((), iter(()), "row", sheet.name, told)


def _sheet(sheet: Any, beside: Mapping[int, str]) -> Table:  # noqa: ANN401 -- calamine's sheets
    """Return a sheet below its first row that isn't empty."""
    numbered = (
        (row, [_cell(value) for value in cells]) for row, cells in enumerate(sheet.iter_rows(), 1)
    )
    filled = ((row, cells) for row, cells in numbered if any(c is not None for c in cells))
    names = _unique(next(filled)[1])
    rows = ((row, _named(names, cells)) for row, cells in filled)
    return Table(names, rows, "row", sheet.name, beside)


def _cell(value: Any) -> Any:  # noqa: ANN401 -- a cell holds anything
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value == "" else value


def _beside_cells(stream: IO[bytes], limits: Limits) -> dict[str, dict[int, str]]:
    """Return, by sheet and row of an XLSX file, the notes and text boxes that stand there."""
    found: dict[str, dict[int, str]] = {}
    with Package(stream, limits) as package:
        book = package.target("officeDocument")
        parts = {relation.id: relation.target for relation in package.relations(book)}
        for sheet in package.xml(book).iter("{*}sheet") if book.endswith(".xml") else ():
            part = parts.get(sheet.get(f"{RELATION}id", ""), "")
            told = found[sheet.get("name", "")] = {}
            for relation in package.relations(part):
                if relation.kind == "comments":
                    for note in package.xml(relation.target).iter("{*}comment"):
                        cell = note.get("ref", "")
                        row = int(re.sub(r"\D", "", cell) or 1)
                        told[row] = f"{told.get(row, '')}the note on cell {cell}; "
                if relation.kind == "drawing":
                    for box in package.xml(relation.target).iterchildren("*"):
                        row = int(box.findtext("{*}from/{*}row", "0")) + 1
                        if any(node.text for node in box.iter(f"{_DRAWING}t")):
                            told[row] = f"{told.get(row, '')}a text box; "
    return {
        sheet: {row: what.removesuffix("; ") for row, what in told.items()}
        for sheet, told in found.items()
    }


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
