"""Tables, row by row: CSV, JSON lines and Parquet of any length need no memory."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from textclass.documents import detect as kinds
from textclass.documents.content import Content
from textclass.documents.document import Fault, Limits, Row, TableOptions
from textclass.documents.plain_text import encoding_of, make_safe, plain, refuse_longer
from textclass.documents.sheet_notes import beside_cells
from textclass.errors import DocumentError, TextclassError

Cells = Mapping[str, Any]

_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that decoding couldn't read
_NOT_UTF8 = "it holds bytes that aren't UTF-8"
_SHOWN = 20
_KEY_CHARS = 200
_BATCH = 1024
_PEEKED = 100  # Records of JSON lines whose keys are the columns.
_NO_TEXT = "\ufffd \t\r\n\f\v\ufeff\u200b\u00a0"


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


def read_rows(
    path: str | Path, *, faults: list[DocumentError] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a table of any form: CSV (`, ; tab |`, any encoding), JSON lines, Parquet, workbooks.

    JSON lines may be packed with gzip. Of a workbook with several sheets those are read that have a
    column `text`, or all if none has.

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
        If the file can't be read as a table; without `faults` also if a row can't be read.
    """
    path, limits = Path(path), Limits()
    try:
        kind, content = kinds.unpacked(Content.of_file(path), limits)
        if kind not in TABLES:
            raise DocumentError(
                f"it is no table but {kind}", hint="CSV, JSON lines, Parquet, XLSX or ODS is"
            )
        tables: Iterable[Table] = TABLES[kind](content, limits)
        if TABLES[kind] is _workbook:
            every = list(tables)
            tables = [one for one in every if "text" in map(str.casefold, one.names)] or every
        for table in tables:
            within = f"{path}, sheet {table.sheet!r}" if table.sheet else str(path)
            for number, cells in table.rows:
                where = f"{within}, {table.unit} {number}"
                if not isinstance(cells, str):
                    yield where, {make_safe(name): plain(value) for name, value in cells.items()}
                elif faults is None:
                    raise DocumentError(cells, where=where)
                else:
                    faults.append(DocumentError(cells, where=where))
    except TextclassError as error:
        where = error.where or str(path)
        raise DocumentError(error.message, where=where, hint=error.hint) from error
    except OSError as error:
        fault = f"it can't be opened: {error.strerror or error}"
        raise DocumentError(fault, where=str(path)) from error


def read_table(
    content: Content, kind: str, limits: Limits, options: TableOptions
) -> Iterator[Row | Fault]:
    """Yield the texts of a table.

    Rows are called by their id, else by their number; those of a workbook's later sheets by the
    sheet's name too. Of several sheets, one without the column of texts is a fault.
    """
    for place, table in enumerate(TABLES[kind](content, limits)):
        try:
            text = table.column("text", options.text_column) or ""
            row_id = table.column("id", options.id_column)
        except DocumentError as error:
            if not table.sheet:
                raise
            yield Fault("read", f"sheet {table.sheet!r}: {error}", table.sheet)
            continue
        prefix = f"{table.sheet}." if place else ""
        beside = list(table.beside)
        for number, (at, cells) in enumerate(table.rows, 1):
            key = f"{prefix}{number}"
            try:
                if isinstance(cells, str):
                    raise DocumentError(cells)
                named = cells.get(row_id) if row_id else None
                if named not in (None, ""):
                    key = prefix + make_safe(str(named))[:_KEY_CHARS]
                words = _text(cells, text, limits, in_sheet=bool(table.sheet))
                columns = {make_safe(k): plain(v) for k, v in cells.items() if k != text}
            except DocumentError as error:
                yield Fault("read", f"{table.unit} {at}: {error}", key)
                continue
            if words.strip(_NO_TEXT):
                # What stands in a row that is left out, such as the header's, is the next one's.
                unread = tuple(what for row, what in beside if row <= at)
                del beside[: len(unread)]
                yield Row(key, words, columns, unread)
            else:
                yield Fault("text", f"{table.unit} {at}: its text is empty", key)
        if beside:
            told = "; ".join(f"row {row}: {what}" for row, what in beside)
            yield Fault("read", told, f"{prefix}{beside[0][0]}")


def _text(cells: Cells, column: str, limits: Limits, *, in_sheet: bool) -> str:
    """Return the text of a row, or raise if there is none."""
    text = cells.get(column)
    if text is None and in_sheet:
        # Nothing in an empty cell says that a formula should have a value.
        raise DocumentError(
            f"the column {column!r} is empty, or a formula that was never calculated",
            hint="then open it in Excel or LibreOffice and save it",
        )
    if text is None:
        raise DocumentError(f"the column {column!r} is missing")
    if not isinstance(text, str) and not in_sheet:
        raise DocumentError(f"the column {column!r} is a {type(text).__name__}, not a text")
    refuse_longer(len(str(text)), limits.text_chars)
    return make_safe(str(text))


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


def _csv(content: Content, limits: Limits, *, delimiters: str = ",;\t|") -> Iterator[Table]:
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


def _jsonl(content: Content, _limits: Limits) -> Iterator[Table]:
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


def _parquet(content: Content, limits: Limits) -> Iterator[Table]:
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


def _workbook(content: Content, limits: Limits) -> Iterator[Table]:
    import python_calamine

    with content.searchable(limits.document_bytes) as stream:
        try:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
            stream.seek(0)
            told = sorted(beside_cells(stream, limits))
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


TABLES: Mapping[str, Callable[[Content, Limits], Iterator[Table]]] = {
    kinds.CSV: _csv,
    kinds.TSV: partial(_csv, delimiters="\t"),
    kinds.JSONL: _jsonl,
    kinds.PARQUET: _parquet,
    **dict.fromkeys((kinds.XLSX, kinds.XLS, kinds.XLSB, kinds.ODS), _workbook),
}
