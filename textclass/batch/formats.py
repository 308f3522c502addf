"""Rows as they go out: JSON lines, and tables with their columns, types and safe cells."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from textclass.batch.cells import Cell, is_cut, json_text, plain_cell, plain_text, sheet_cell
from textclass.batch.jobs import Level
from textclass.errors import missing_extra
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 2_000
"""Rows of a Parquet row group, and at most held in memory."""

PART_ROWS = 100_000
"""Rows of one file of a partitioned output."""

SHEET_ROWS = 1_048_576

MOST_COLUMNS = 500
"""More other columns than this go into one of a table, as JSON."""

PREFIX = "input."
"""Put before another column whose name the result schema has."""

Row = dict[str, Any]

_LINE_ENDS = {c.encode(): b"\\u%04x" % ord(c) for c in "\x85\u2028\u2029"}
"""What JSON may hold as it is, but some programs end a line at."""

_INT64 = 1 << 63


def json_line(row: Mapping[str, Any]) -> bytes:
    """Return a row as JSON, one line to any program; NaN and infinities become null."""
    try:
        line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a number of more than 64 bits, or half a character
        plain = json.loads(json.dumps(row), parse_constant=lambda _: None)
        return json.dumps(plain).encode() + b"\n"
    if not line.isascii():
        for character, escaped in _LINE_ENDS.items():
            line = line.replace(character, escaped)
    return line


def pack(rows: Iterable[bytes]) -> bytes:
    """Return JSON lines compressed, their size before them."""
    import pyarrow as pa

    lines = b"".join(rows)
    return len(lines).to_bytes(8) + pa.compress(lines, codec="zstd", asbytes=True) if lines else b""


def unpack(packed: bytes) -> bytes:
    """Return the lines that `pack` packed."""
    import pyarrow as pa

    if not packed:
        return b""
    size = int.from_bytes(packed[:8])
    lines: bytes = pa.decompress(packed[8:], size, codec="zstd", asbytes=True)
    return lines


def reserved_names(taxonomy: Taxonomy, level: Level) -> frozenset[str]:
    """Return the names that no other column may have in results of a level."""
    table = Table(taxonomy, level, {})
    return frozenset({*table.own, *table.header, "columns", "unnamed"})


def output_name(column: str, reserved: Collection[str]) -> str:
    """Return the name in the results of another column of the input, whatever else there is."""
    core = column
    while core.startswith(PREFIX):
        core = core.removeprefix(PREFIX)
    return PREFIX + column if core in reserved else column or "unnamed"


def kind_of(value: object) -> str:
    """Return what a column must be able to hold for this value."""
    if value is None:
        return "null"
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return "json"
    kind = type(value).__name__
    return kind if kind in {"bool", "int", "float", "str"} else "json"


def wider_kind(one: str | None, other: str) -> str:
    """Return the kind that holds the values of two; nothing and `null` hold none."""
    kinds = {one or "null", other} - {"null"}
    if kinds == {"int", "float"}:
        return "float"
    mixed = "json" if "json" in kinds else "str"
    return mixed if len(kinds) > 1 else kinds.pop() if kinds else "null"


class Table:
    """The columns of an output at one level, the same for every row.

    Parameters
    ----------
    taxonomy : Taxonomy
    level : Level
        `PASSAGE` or `DOCUMENT`.
    columns : Mapping of str to str
        The other columns of table rows, and the kind that holds their values (`kind_of`).

    Attributes
    ----------
    own : Mapping of str to DataType
        Names and Arrow types of the result schema.
    kinds : Mapping of str to str
        The kind of each other column by its name in the output; of too many, one for all.
    """

    def __init__(self, taxonomy: Taxonomy, level: Level, columns: Mapping[str, str]) -> None:
        self.taxonomy = taxonomy
        self.own = _schema_of(taxonomy, level)
        self._exact = "json" in columns.values()
        self._crowded = len(columns) > MOST_COLUMNS
        if self._crowded:
            self.kinds = {"columns": "json"}
        elif columns:
            reserved = reserved_names(taxonomy, level)
            self.kinds = {output_name(name, reserved): kind for name, kind in columns.items()}
        else:
            self.kinds = {}

    def rows(self, packed: bytes) -> Iterator[Row]:
        """Yield the rows that were packed; too many other columns are one of them."""
        # orjson is faster, but makes whole numbers of more than 64 bits inexact.
        loads: Callable[[bytes], Row] = json.loads if self._exact else orjson.loads
        for row in map(loads, unpack(packed).splitlines()):
            if self._crowded:
                others = {name: row.pop(name) for name in list(row) if name not in self.own}
                row["columns"] = others
            yield row

    def typed(self, row: Row) -> Row:
        """Return a row with every other column of the table, of the types of `schema`."""
        return row | {name: _as_kind(row.get(name), kind) for name, kind in self.kinds.items()}

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        import pyarrow as pa

        types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
        others = {name: types.get(kind, pa.string()) for name, kind in self.kinds.items()}
        return pa.schema({**self.own, **others})

    @cached_property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of a sheet, where nothing is nested."""
        primary = tuple(f"primary.{facet.name}" for facet in self.taxonomy)
        flat = {"scores": self.taxonomy.score_columns, "primary": primary}
        return (*chain.from_iterable(flat.get(name, (name,)) for name in self.own), *self.kinds)

    def cells(self, row: Row) -> list[Cell]:
        """Return a row as the cells of a sheet: lists joined, no text that begins a formula."""
        flat = dict(row)
        for name in ("unread", *self.taxonomy.slices):
            flat[name] = "; ".join(row[name])
        for facet, scores in row["scores"].items():
            flat |= {f"{facet}.{label}": p for label, p in scores.items()}
        if "evidence" in self.own:
            flat["evidence"] = "; ".join(map(_readable_evidence, row["evidence"]))
        else:
            flat |= {f"primary.{facet}": label for facet, label in row["primary"].items()}
            flat["labels"] = "; ".join(map(_readable_label, row["labels"]))
        return [plain_cell(flat.get(name)) for name in self.header]


def _schema_of(taxonomy: Taxonomy, level: Level) -> dict[str, pa.DataType]:
    """Return names and types of the result schema, in its order."""
    import pyarrow as pa

    text, whole, number = pa.string(), pa.int64(), pa.float64()
    texts = pa.list_(text)
    decision = {"outcome": text, "reason": text, "unread": texts}
    facets = dict.fromkeys(taxonomy.slices, texts)
    scores = {facet.name: pa.struct(dict.fromkeys(facet.names, number)) for facet in taxonomy}
    if level is Level.PASSAGE:
        evidence = {"label": text, "start": whole, "end": whole, "text": text, "weight": number}
        place = {"id": text, "document": text, "page": whole, "start": whole, "end": whole}
        return {
            **place,
            "text": text,
            **decision,
            **facets,
            "scores": pa.struct(scores),
            "evidence": pa.list_(pa.struct(evidence)),
            "model": text,
        }
    label = {"label": text, "facet": text, "share": number, "passages": whole}
    label |= {"strongest": pa.list_(whole), "probability": number}
    return {
        **dict.fromkeys("document path folder media_type date sha256".split(), text),
        **decision,
        "words": whole,
        "passages": whole,
        **facets,
        "primary": pa.struct(dict.fromkeys(taxonomy.slices, text)),
        "scores": pa.struct(scores),
        "labels": pa.list_(pa.struct(label)),
        "model": text,
    }


def _as_kind(value: Any, kind: str) -> object:  # noqa: ANN401 - any JSON value
    if value is None or (kind == "str" and isinstance(value, str)):
        return value
    if kind == "float":
        return float(value)
    return json_text(value) if kind in {"str", "json"} else value


def _readable_evidence(one: Mapping[str, Any]) -> str:
    return f'{one["label"]}: "{one["text"]}" ({one["weight"]:+.2f})'


def _readable_label(one: Mapping[str, Any]) -> str:
    passages = "1 passage" if one["passages"] == 1 else f"{one['passages']} passages"
    return f"{one['label']}: {one['share']:.0%} of words, {passages}, p {one['probability']:.2f}"


def write_csv(path: Path, table: Table, rows: Iterable[Row]) -> None:
    """Write comma-separated values, flat, with no text that begins a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:  # so Excel knows it is UTF-8
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(map(plain_text, table.header))
        writer.writerows(map(table.cells, rows))


def write_parquet(path: Path, table: Table, rows: Iterable[Row]) -> None:
    """Write Parquet with the schema of the table, exact."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    typed = map(table.typed, rows)
    with ParquetWriter(path, table.schema, compression="zstd") as writer:
        while group := list(islice(typed, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema=table.schema))


def write_parts(folder: Path, table: Table, rows: Iterable[Row]) -> None:
    """Write a folder of Parquet files, `part-00000.parquet` and so on."""
    folder.mkdir(parents=True)
    for number, part in enumerate(_runs(rows, PART_ROWS)):
        write_parquet(folder / f"part-{number:05}.parquet", table, part)


def write_workbook(path: Path, sheets: Mapping[str, tuple[Table, Iterable[Row]]]) -> int:
    """Write an Excel workbook, flat, with no cell that is a formula; return how many are cut."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise missing_extra("openpyxl", "excel") from error
    book, cut = Workbook(write_only=True), 0
    try:
        for name, (table, rows) in sheets.items():
            for number, part in enumerate(_runs(rows, SHEET_ROWS - 1), 1):
                page = book.create_sheet(f"{name} {number}" if number > 1 else name)
                page.freeze_panes = "A2"  # the header stays in sight
                page.append([sheet_cell(plain_text(one)) for one in table.header])
                for cells in map(table.cells, part):
                    held = list(map(sheet_cell, cells))
                    cut += sum(map(is_cut, cells, held))
                    page.append(held)
    finally:
        # Also on the way out: openpyxl has files of its own to end and remove.
        book.save(path)
    return cut


def _runs(rows: Iterable[Row], size: int) -> Iterator[Iterator[Row]]:
    """Cut rows into runs of at most `size`; the first one may be empty."""
    rows = iter(rows)
    yield islice(rows, size)
    for first in rows:
        yield chain([first], islice(rows, size - 1))
