"""Parquet and XLSX, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from textclass.documents.content import Content
from textclass.documents.data import Limits
from textclass.documents.office import check_package
from textclass.documents.registry import BadRow, Row, TableOptions
from textclass.documents.tables import choose_columns, make_row
from textclass.errors import DocumentError, missing_extra

_BATCH = 128


def read_parquet(content: Content, limits: Limits, options: TableOptions) -> Iterator[Row | BadRow]:
    """Yield the rows of a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(content.searchable(limits.document_bytes))
        text_name, id_name = choose_columns(table.schema_arrow.names, options)
        number = 0
        for batch in table.iter_batches(_BATCH, use_threads=False):
            for cells in batch.to_pylist():
                number += 1
                yield make_row(number, cells, text_name, id_name, limits)
    except (pa.ArrowException, OSError) as error:
        raise DocumentError(
            f"it is damaged or cut short: {error}", hint="write the file again"
        ) from error


def read_xlsx(content: Content, limits: Limits, options: TableOptions) -> Iterator[Row | BadRow]:
    """Yield the rows below the first row that isn't empty, in the workbook's first sheet."""
    try:
        import openpyxl
    except ImportError as error:
        raise missing_extra("openpyxl", "excel") from error
    with content.searchable(limits.document_bytes) as stream:
        # The sheet itself is streamed, so its tags may be many.
        check_package(stream, limits, markup=False)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = (
            cells
            for cells in sheet.iter_rows(values_only=True)
            if any(c is not None for c in cells)
        )
        names = ["" if name is None else str(name).strip() for name in next(rows, ())]
        text_name, id_name = choose_columns(names, options)
        for number, values in enumerate(rows, 1):
            cells = {name: value for name, value in zip_longest(names, values) if name}
            text = cells.get(text_name)
            if text is not None:
                cells[text_name] = str(text)
            yield make_row(number, cells, text_name, id_name, limits)
