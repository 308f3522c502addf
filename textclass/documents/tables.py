"""CSV, TSV and JSONL, row by row: a table of any length needs no memory."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from textclass.documents.content import Content
from textclass.documents.data import Limits
from textclass.documents.registry import BadRow, Row, TableOptions
from textclass.documents.text import encoding_of
from textclass.documents.wire import make_safe, plain
from textclass.errors import DocumentError

_DELIMITERS = ",;\t|"
_ESCAPED = re.compile("[\udc80-\udcff]")
_SHOWN = 20
_KEY_CHARS = 200


def choose_columns(names: Sequence[str], options: TableOptions) -> tuple[str, str | None]:
    """Return the names of the text column and of the id column (None: rows are numbered).

    Unless told, these are the columns called `text` and `id`, in whatever case.
    """
    text = _named(names, options.text_column, "text")
    row_id = _named(names, options.id_column, "id")
    for found, wanted, option in (
        (text, options.text_column or "text", "text_column"),
        (row_id, options.id_column, "id_column"),
    ):
        if wanted and not found:
            shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
            raise DocumentError(
                f"there is no column {wanted!r}; its columns are: {shown or 'none'}",
                hint=f"name the right one with {option}",
            )
    return text or "", row_id


def _named(names: Sequence[str], wanted: str | None, usual: str) -> str | None:
    if wanted is not None:
        return wanted if wanted in names else None
    return usual if usual in names else next((n for n in names if n.casefold() == usual), None)


def make_row(
    number: int, cells: Mapping[str, object], text_name: str, id_name: str | None, limits: Limits
) -> Row | BadRow:
    """Return the row with this number (from 1), or why it can't be used."""
    named = cells.get(id_name) if id_name else None
    key = str(number) if named is None or named == "" else make_safe(str(named))[:_KEY_CHARS]
    text = cells.get(text_name)
    if not isinstance(text, str):
        came = "is missing" if text is None else f"is a {type(text).__name__}, not a text"
        return BadRow(key, f"row {number}: the column {text_name!r} {came}")
    if len(text) > limits.text_chars:
        return BadRow(
            key, f"row {number}: its text is longer than {limits.text_chars:,} characters"
        )
    if not text.strip("\0 \t\r\n\f\v\ufeff\u200b\u00a0"):
        return BadRow(key, f"row {number}: its text is empty", stage="text")
    try:
        columns = {make_safe(k): plain(v) for k, v in cells.items() if k != text_name}
    except (DocumentError, RecursionError) as error:
        return BadRow(key, f"row {number}: {error}")
    return Row(key, make_safe(text), columns)


def read_csv(content: Content, limits: Limits, options: TableOptions) -> Iterator[Row | BadRow]:
    """Yield the rows of a CSV file; its header says which of `, ; tab |` is the delimiter."""
    header = content.head.decode(encoding_of(content.head), "replace").partition("\n")[0]
    return _separated(content, limits, options, max(_DELIMITERS, key=header.count))


def read_tsv(content: Content, limits: Limits, options: TableOptions) -> Iterator[Row | BadRow]:
    """Yield the rows of a file with tabs between its cells."""
    return _separated(content, limits, options, "\t")


def read_jsonl(content: Content, limits: Limits, options: TableOptions) -> Iterator[Row | BadRow]:
    """Yield the rows of a file with one JSON object on each line."""
    chosen: tuple[str, str | None] | None = None
    number = 0
    for line in _lines(content, limits, utf8=True):
        if line is not None and not line.strip():
            continue
        number += 1
        cells = _json_object(line)
        if isinstance(cells, str):
            yield BadRow(str(number), f"row {number}: {cells}")
            continue
        chosen = chosen or choose_columns(list(cells), options)
        yield make_row(number, cells, *chosen, limits)


def _json_object(line: str | None) -> dict[str, object] | str:
    """Return the object on a line, or what is wrong with it."""
    if line is None:
        return "its line is too long"
    if _undecoded(line):
        return "it holds bytes that aren't UTF-8"
    try:
        cells = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it isn't JSON: {error}"
    return cells if isinstance(cells, dict) else "it isn't a JSON object"


def _separated(
    content: Content, limits: Limits, options: TableOptions, delimiter: str
) -> Iterator[Row | BadRow]:
    csv.field_size_limit(limits.text_chars)
    # strict: a stray quote is told where it stands, and doesn't swallow the rows after it.
    reader = csv.reader(_whole_lines(content, limits), delimiter=delimiter, strict=True)
    header = next((cells for cells in reader if any(cells)), [])
    names = [name.strip() for name in header]
    chosen = choose_columns(names, options)
    if len(set(names)) < len(names):
        raise DocumentError("two of its columns have the same name", hint="rename one")
    number, line = 0, reader.line_num
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield BadRow(str(number), f"row {number} (lines {line + 1}-{reader.line_num}): {error}")
        else:
            if cells:
                number += 1
                yield _separated_row(number, names, cells, chosen, limits)
        line = reader.line_num


def _separated_row(
    number: int,
    names: list[str],
    cells: list[str],
    chosen: tuple[str, str | None],
    limits: Limits,
) -> Row | BadRow:
    if len(cells) > len(names):
        return BadRow(str(number), f"row {number}: {len(cells)} cells under {len(names)} columns")
    if any(_undecoded(cell) for cell in cells):
        return BadRow(str(number), f"row {number}: it holds bytes that aren't UTF-8")
    return make_row(number, dict(zip_longest(names, cells)), *chosen, limits)


def _undecoded(text: str) -> bool:
    """Whether decoding left lone surrogates for bytes that it couldn't read."""
    return not text.isascii() and _ESCAPED.search(text) is not None


def _whole_lines(content: Content, limits: Limits) -> Iterator[str]:
    for line in _lines(content, limits):
        if line is None:
            raise DocumentError("a line is too long for a table", hint="is it one?")
        yield line


def _lines(content: Content, limits: Limits, *, utf8: bool = False) -> Iterator[str | None]:
    """Yield the lines of a text, with their ends; None for one that is too long to hold.

    With `utf8` no older encoding is guessed.
    """
    encoding = encoding_of(content.head)
    if not encoding.startswith("utf") and utf8:
        encoding = "utf-8"
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    longest = limits.text_chars * 2
    with content.open() as stream:
        text = io.TextIOWrapper(stream, encoding, errors=errors, newline="")
        start = text.readline(longest).removeprefix("\ufeff")
        while start:
            if len(start) < longest or start.endswith("\n"):
                yield start
            else:
                while (rest := text.readline(longest)) and not rest.endswith("\n"):
                    pass
                yield None
            start = text.readline(longest)
