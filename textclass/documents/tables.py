"""Tables, row by row: one of any length needs no memory."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from textclass.documents.content import Content
from textclass.documents.data import Limits, TableOptions
from textclass.documents.office import check_package
from textclass.documents.text import encoding_of
from textclass.documents.wire import Fault, Found, make_safe, plain
from textclass.errors import DocumentError, missing_extra

_DELIMITERS = ",;\t|"
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that decoding couldn't read
_SHOWN = 20
_KEY_CHARS = 200
_BATCH = 128


@dataclass(frozen=True)
class _Columns:
    """Which columns hold the text and the row's name (None: rows are numbered)."""

    text: str
    id: str | None
    limits: Limits

    def row(self, number: int, cells: Mapping[str, object]) -> Found | Fault:
        """Return the row with this number (from 1), or why it can't be used."""
        named = cells.get(self.id) if self.id else None
        key = str(number) if named is None or named == "" else make_safe(str(named))[:_KEY_CHARS]
        text = cells.get(self.text)
        if not isinstance(text, str):
            came = "is missing" if text is None else f"is a {type(text).__name__}, not a text"
            return _fault(number, f"the column {self.text!r} {came}", key)
        if len(text) > (most := self.limits.text_chars):
            return _fault(number, f"its text is longer than {most:,} characters", key)
        if not text.strip("\0 \t\r\n\f\v\ufeff\u200b\u00a0"):
            return Fault("text", f"row {number}: its text is empty", key)
        try:
            columns = {make_safe(k): plain(v) for k, v in cells.items() if k != self.text}
        except (DocumentError, RecursionError) as error:
            return _fault(number, str(error), key)
        return Found(make_safe(text), row=key, columns=columns)


def _fault(number: int, what: str, key: str | None = None) -> Fault:
    return Fault("read", f"row {number}: {what}", key or str(number))


def _choose(names: Sequence[str], limits: Limits, options: TableOptions) -> _Columns:
    """Return the columns asked for, or those called `text` and `id`, in whatever case."""

    def called(wanted: str | None, usual: str) -> str | None:
        if wanted is not None:
            return wanted if wanted in names else None
        return usual if usual in names else next((n for n in names if n.casefold() == usual), None)

    text, row_id = called(options.text_column, "text"), called(options.id_column, "id")
    if text is None:
        raise _no_column(options.text_column or "text", names, "text_column")
    if row_id is None and options.id_column:
        raise _no_column(options.id_column, names, "id_column")
    return _Columns(text, row_id, limits)


def _no_column(wanted: str, names: Sequence[str], option: str) -> DocumentError:
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return DocumentError(
        f"there is no column {wanted!r}; its columns are: {shown or 'none'}",
        hint=f"name the right one with {option}",
    )


def read_csv(content: Content, limits: Limits, options: TableOptions) -> Iterator[Found | Fault]:
    """Yield the rows of a CSV file; its header says which of `, ; tab |` is the delimiter."""
    header = content.head.decode(encoding_of(content.head), "replace").partition("\n")[0]
    return _separated(content, limits, options, max(_DELIMITERS, key=header.count))


def read_tsv(content: Content, limits: Limits, options: TableOptions) -> Iterator[Found | Fault]:
    """Yield the rows of a file with tabs between its cells."""
    return _separated(content, limits, options, "\t")


def _separated(
    content: Content, limits: Limits, options: TableOptions, delimiter: str
) -> Iterator[Found | Fault]:
    csv.field_size_limit(limits.text_chars)
    lines = _lines(content, limits, encoding_of(content.head))
    # strict: a stray quote is told where it stands, and doesn't swallow the rows after it.
    reader = csv.reader(map(_not_too_long, lines), delimiter=delimiter, strict=True)
    names = [name.strip() for name in next(filter(any, reader), [])]
    columns = _choose(names, limits, options)
    if len(set(names)) < len(names):
        raise DocumentError("two of its columns have the same name", hint="rename one")
    number = 1
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            place = f"row {number} (lines {line}-{reader.line_num})"
            yield Fault("read", f"{place}: {error}", str(number))
        else:
            if not cells:
                continue
            if len(cells) > len(names):
                yield _fault(number, f"{len(cells)} cells under {len(names)} columns")
            elif any(map(_ESCAPED.search, cells)):
                yield _fault(number, "it holds bytes that aren't UTF-8")
            else:
                yield columns.row(number, dict(zip_longest(names, cells)))
        number += 1


def _not_too_long(line: str | None) -> str:
    if line is None:
        raise DocumentError("a line is too long for a table", hint="is it one?")
    return line


def read_jsonl(content: Content, limits: Limits, options: TableOptions) -> Iterator[Found | Fault]:
    """Yield the rows of a file with one JSON object on each line."""
    columns: _Columns | None = None
    encoding = encoding_of(content.head)
    # No older encoding is guessed: JSON has none.
    lines = _lines(content, limits, encoding if encoding.startswith("utf") else "utf-8")
    for number, line in enumerate((one for one in lines if one is None or one.strip()), 1):
        cells = _json_object(line)
        if isinstance(cells, str):
            yield _fault(number, cells)
        else:
            columns = columns or _choose(list(cells), limits, options)
            yield columns.row(number, cells)


def _json_object(line: str | None) -> dict[str, object] | str:
    """Return the object on a line, or what is wrong with it."""
    if line is None:
        return "its line is too long"
    if _ESCAPED.search(line):
        return "it holds bytes that aren't UTF-8"
    try:
        cells = json.loads(line)
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


def read_parquet(
    content: Content, limits: Limits, options: TableOptions
) -> Iterator[Found | Fault]:
    """Yield the rows of a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(content.searchable(limits.document_bytes))
        columns = _choose(table.schema_arrow.names, limits, options)
        batches = table.iter_batches(_BATCH, use_threads=False)
        rows = (cells for batch in batches for cells in batch.to_pylist())
        for number, cells in enumerate(rows, 1):
            yield columns.row(number, cells)
    except (pa.ArrowException, OSError) as error:
        raise DocumentError(
            f"it is damaged or cut short: {error}", hint="write the file again"
        ) from error


def read_xlsx(content: Content, limits: Limits, options: TableOptions) -> Iterator[Found | Fault]:
    """Yield the rows of each sheet, below its first row that isn't empty.

    Of several sheets, one without the column of texts is a fault; rows of those after the first are
    called by the sheet's name too.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise missing_extra("openpyxl", "excel") from error
    with content.searchable(limits.document_bytes) as stream:
        # The sheet itself is streamed, so its tags may be many.
        check_package(stream, limits, markup=False)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        # Excel used to make three sheets where one was wanted.
        sheets = [sheet for sheet in book.worksheets if any(_filled(sheet))]
        for place, sheet in enumerate(sheets or book.worksheets[:1]):
            try:
                for found in _sheet_rows(sheet, limits, options):
                    yield replace(found, row=f"{sheet.title}.{found.row}") if place else found
            except DocumentError as error:
                if len(sheets) < 2:
                    raise
                yield Fault("read", f"sheet {sheet.title!r}: {error}", sheet.title)


def _filled(sheet: Any) -> Iterator[tuple[object, ...]]:  # noqa: ANN401 -- as below
    """Yield the rows of a sheet that aren't empty."""
    sheet.reset_dimensions()
    return (row for row in sheet.iter_rows(values_only=True) if any(c is not None for c in row))


def _sheet_rows(sheet: Any, limits: Limits, options: TableOptions) -> Iterator[Found | Fault]:  # noqa: ANN401 -- openpyxl's read-only sheet has no type
    rows = _filled(sheet)
    names = ["" if name is None else str(name).strip() for name in next(rows, ())]
    columns = _choose(names, limits, options)
    for number, row in enumerate(rows, 1):
        cells = {name: value for name, value in zip_longest(names, row) if name}
        text = cells.get(columns.text)
        yield columns.row(number, cells | {columns.text: None if text is None else str(text)})
