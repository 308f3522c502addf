"""The rows of tables: as records for those who trust the file, or as documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from textclass.documents.content import Cells, Content, Table
from textclass.documents.document import Document, Limits, SetAside
from textclass.documents.file_formats import recognised
from textclass.documents.plain_text import make_safe, plain, refuse_longer, undecoded
from textclass.documents.tables import read_workbook
from textclass.errors import DocumentError, TextclassError

_KEY_CHARS = 200
_NO_TEXT = "\ufffd \t\r\n\f\v\ufeff\u200b\u00a0"


def read_rows(
    path: str | Path, *, faults: list[DocumentError] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a table of any form: CSV (`, ; tab |`, any encoding), JSON, Parquet, workbooks.

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
        form, content = recognised(Content.of_file(path), limits)
        if form.table is None:
            raise DocumentError(
                f"it is no table but {form.media_type}",
                hint="CSV, JSON lines, Parquet, XLSX or ODS is",
            )
        tables: Iterable[Table] = form.table(content, limits, "text")
        if form.table is read_workbook:
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
    tables: Iterable[Table],
    media_type: str,
    limits: Limits,
    *,
    text_column: str | None = None,
    id_column: str | None = None,
) -> Iterator[Document | SetAside]:
    """Yield the texts of tables; of each only what the reading process knows is filled in.

    Rows are called by their id, else by their number; those of a workbook's later sheets by the
    sheet's name too. Of several sheets, one without the column of texts is set aside.
    """
    for place, table in enumerate(tables):
        try:
            text = table.column("text", text_column) or ""
            row_id = table.column("id", id_column)
        except DocumentError as error:
            if not table.sheet:
                raise
            told = f"sheet {table.sheet!r}: {error}"
            yield SetAside(table.sheet, "", None, "read", told)
            continue
        prefix = f"{table.sheet}." if place else ""
        beside = list(table.beside)
        for number, (at, cells) in enumerate(table.rows, 1):
            key, stage = f"{prefix}{number}", "read"
            try:
                if isinstance(cells, str):
                    raise DocumentError(cells)
                named = cells.get(row_id) if row_id else None
                if named not in (None, ""):
                    key = prefix + make_safe(str(named))[:_KEY_CHARS]
                words = _text(cells, text, limits, in_sheet=bool(table.sheet))
                columns = {make_safe(k): plain(v) for k, v in cells.items() if k != text}
                if not words.strip(_NO_TEXT):
                    stage = "text"
                    raise DocumentError("its text is empty")
            except DocumentError as error:
                yield SetAside(key, "", None, stage, f"{table.unit} {at}: {error}")
                continue
            # What stands in a row that is left out, such as the header's, is the next one's.
            unread = tuple(what for row, what in beside if row <= at)
            del beside[: len(unread)]
            unread += undecoded(words)
            sha256 = hashlib.sha256(words.encode()).hexdigest()
            yield Document(key, "", words, media_type, sha256, columns=columns, unread=unread)
        if beside:
            told = "; ".join(f"row {row}: {what}" for row, what in beside)
            yield SetAside(f"{prefix}{beside[0][0]}", "", None, "read", told)


def _text(cells: Cells, column: str, limits: Limits, *, in_sheet: bool) -> str:
    """Return the text of a row, or raise if there is none."""
    text = cells.get(column)
    if text is None and in_sheet:
        # A formula that was never calculated reads as nothing, too.
        raise DocumentError(
            f"the column {column!r} is empty",
            hint="if it shows text in Excel or LibreOffice, save it there",
        )
    if text is None and column not in cells:
        raise DocumentError(f"the column {column!r} is missing")
    if text is None:
        return ""
    if not isinstance(text, str) and not in_sheet:
        raise DocumentError(f"the column {column!r} is a {type(text).__name__}, not a text")
    refuse_longer(len(str(text)), limits.text_chars)
    return make_safe(str(text))
