"""Rows as they go out: JSON lines, and tables with their columns, types and safe cells."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

import orjson

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
CELL_CHARS = 32_767

MOST_COLUMNS = 500
"""More other columns than this go into one of a table, as JSON."""

PREFIX = "input."
"""Put before another column whose name the result schema has."""

Row = dict[str, Any]
Cell = str | int | float | bool | None

_PASSAGE = "id document page start end text outcome reason unread".split()
_DOCUMENT = (
    "document path folder media_type date sha256 outcome reason unread words passages".split()
)
_CUT = " […]"
_LINE_ENDS = {c.encode(): b"\\u%04x" % ord(c) for c in "\x85\u2028\u2029"}
"""What JSON may hold as it is, but some programs end a line at."""

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_INT64 = 1 << 63
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")


def json_line(row: Mapping[str, Any]) -> bytes:
    """Return a row as JSON in one line; NaN and infinities, which JSON lacks, become null."""
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a number of more than 64 bits, or half a character
        plain = json.loads(json.dumps(row), parse_constant=lambda _: None)
        return json.dumps(plain).encode() + b"\n"


def pack(rows: Iterable[bytes]) -> bytes:
    """Return JSON lines compressed, their size before them; each is one line to any program."""
    import pyarrow as pa

    lines = b"".join(rows)
    for character, escaped in _LINE_ENDS.items():
        lines = lines.replace(character, escaped)
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
    return frozenset({*table.own, *table.flat_only, "columns", "unnamed"})


def output_name(column: str, reserved: Collection[str]) -> str:
    """Return the name in the results of another column of the input, whatever else there is."""
    core = column
    while core.startswith(PREFIX):
        core = core.removeprefix(PREFIX)
    return PREFIX + column if core in reserved else column or "unnamed"


@dataclass(frozen=True)
class Table:
    """The columns of an output at one level, the same for every row.

    Attributes
    ----------
    taxonomy : Taxonomy
    level : Level
        `PASSAGE` or `DOCUMENT`.
    columns : Mapping of str to collection of str
        The other columns of table rows, and the kinds of their values (`kind_of`).
    """

    taxonomy: Taxonomy
    level: Level
    columns: Mapping[str, Collection[str]]

    @cached_property
    def own(self) -> tuple[str, ...]:
        """Names of the result schema."""
        facets = [facet.name for facet in self.taxonomy]
        if self.level is Level.PASSAGE:
            return (*_PASSAGE, *facets, "scores", "evidence", "model")
        return (*_DOCUMENT, *facets, "primary", "labels", "model")

    @cached_property
    def carried(self) -> Mapping[str, str]:
        """Name in the output of each other column; empty if they are too many."""
        if len(self.columns) > MOST_COLUMNS:
            return {}
        reserved = {*self.own, *self.flat_only, "columns", "unnamed"}
        return {column: output_name(column, reserved) for column in self.columns}

    @cached_property
    def flat_only(self) -> tuple[str, ...]:
        """Names of the result schema that only sheets have, where nothing is nested."""
        labels = [f"{facet.name}.{label}" for facet in self.taxonomy for label in facet.names]
        if self.level is Level.PASSAGE:
            return tuple(labels)
        return (*(f"primary.{facet.name}" for facet in self.taxonomy), *labels)

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """The kind that holds all values of each other column, by its name in the output."""
        if self.columns and not self.carried:
            return {"columns": "json"}
        return {name: _widest(set(self.columns[one])) for one, name in self.carried.items()}

    def rows(self, packed: bytes) -> Iterator[Row]:
        """Yield the rows that were packed; too many other columns are one of them."""
        # orjson is faster, but makes whole numbers of more than 64 bits inexact.
        exact = any("json" in kinds for kinds in self.columns.values())
        loads: Callable[[bytes], Row] = json.loads if exact else orjson.loads
        for row in map(loads, unpack(packed).splitlines()):
            if self.columns and not self.carried:
                others = {name: value for name, value in row.items() if name not in self.own}
                row = {name: row[name] for name in self.own} | {"columns": others}
            yield row

    def typed(self, row: Row) -> Row:
        """Return a row with every other column of the table, of the types of `schema`."""
        return row | {name: _as_kind(row.get(name), kind) for name, kind in self.kinds.items()}

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        import pyarrow as pa

        own = _arrow_types(self.taxonomy)
        types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
        return pa.schema(
            [(name, own[name]) for name in self.own]
            + [(name, types.get(kind, pa.string())) for name, kind in self.kinds.items()]
        )

    @cached_property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of a sheet."""
        return tuple(plain_text(name) for name in self._flat_names)

    def cells(self, row: Row) -> tuple[Cell, ...]:
        """Return a row as the cells of a sheet: lists joined, no text that begins a formula."""
        flat = dict(row)
        flat["unread"] = "; ".join(row["unread"])
        for facet in self.taxonomy:
            flat[facet.name] = "; ".join(row[facet.name])
            if self.level is Level.PASSAGE:
                scores = row["scores"][facet.name]
                flat |= {f"{facet.name}.{label}": p for label, p in scores.items()}
            else:
                flat[f"primary.{facet.name}"] = row["primary"][facet.name]
        if self.level is Level.PASSAGE:
            flat["evidence"] = "; ".join(map(_readable_evidence, row["evidence"]))
        else:
            flat |= {f"{one['facet']}.{one['label']}": one["share"] for one in row["labels"]}
            flat["labels"] = "; ".join(map(_readable_label, row["labels"]))
        return tuple(_cell(flat.get(name)) for name in self._flat_names)

    @cached_property
    def _flat_names(self) -> tuple[str, ...]:
        own = [name for name in self.own if name not in {"scores", "primary"}]
        place = own.index("evidence" if self.level is Level.PASSAGE else "labels")
        own[place:place] = self.flat_only
        return (*own, *self.kinds)


def plain_text(text: str) -> str:
    """Return `text` with a quote before all that a sheet could take for a formula.

    That is any of `= + - @`, a tab or a line end, at the start of the text or of one of its lines,
    also after spaces of any kind. A plain decimal number stays as it is.
    """
    if _NUMBER.fullmatch(text):
        return text
    safe = "".join(f"'{line}" if _is_formula(line) else line for line in text.splitlines(True))
    return f"'{safe}" if safe.startswith(("\t", "\r", "\n")) else safe


def _is_formula(line: str) -> bool:
    """Whether the first character of a line that can be seen is a sign."""
    return next((c for c in line if category(c) not in _UNSEEN), "") in _SIGNS


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return plain_text(value)
    return value if value is None or isinstance(value, int | float) else plain_text(_json(value))


def kind_of(value: object) -> str:
    """Return what a column must be able to hold for this value."""
    if value is None:
        return "null"
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return "json"
    kind = type(value).__name__
    return kind if kind in {"bool", "int", "float", "str"} else "json"


def _widest(kinds: set[str]) -> str:
    kinds = kinds - {"null"} or {"str"}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "json"


def _as_kind(value: Any, kind: str) -> object:  # noqa: ANN401 - any JSON value
    if value is None or kind not in {"float", "json"}:
        return value
    return float(value) if kind == "float" else _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _readable_evidence(one: Mapping[str, Any]) -> str:
    return f'{one["label"]}: "{one["text"]}" ({one["weight"]:+.2f})'


def _readable_label(one: Mapping[str, Any]) -> str:
    passages = "1 passage" if one["passages"] == 1 else f"{one['passages']} passages"
    return f"{one['label']}: {one['share']:.0%} of words, {passages}, p {one['probability']:.2f}"


def _arrow_types(taxonomy: Taxonomy) -> dict[str, pa.DataType]:
    """Return the type of each name of the result schema, of both levels."""
    import pyarrow as pa

    text, whole, number = pa.string(), pa.int64(), pa.float64()
    scores = [
        (facet.name, pa.struct([(name, number) for name in facet.names])) for facet in taxonomy
    ]
    evidence = {"label": text, "start": whole, "end": whole, "text": text, "weight": number}
    label = {"label": text, "facet": text, "share": number, "passages": whole}
    label |= {"strongest": pa.list_(whole), "probability": number}
    return {
        **dict.fromkeys((*_PASSAGE, *_DOCUMENT, "model"), text),
        **dict.fromkeys("page start end words passages".split(), whole),
        **{name: pa.list_(text) for name in ("unread", *taxonomy.slices)},
        "scores": pa.struct(scores),
        "evidence": pa.list_(pa.struct(list(evidence.items()))),
        "primary": pa.struct([(facet.name, text) for facet in taxonomy]),
        "labels": pa.list_(pa.struct(list(label.items()))),
    }


@dataclass(frozen=True)
class Sheet:
    """The rows of one level.

    Attributes
    ----------
    name : str
        `passages` or `documents`.
    table : Table
    rows : iterator of dict
    """

    name: str
    table: Table
    rows: Iterator[Row]


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write comma-separated values, flat, with no text that begins a formula."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(sheet.table.header)
        writer.writerows(map(sheet.table.cells, sheet.rows))


def write_parquet(path: Path, sheet: Sheet) -> None:
    """Write Parquet with the schema of the table, exact."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = sheet.table.schema
    with ParquetWriter(path, schema, compression="zstd") as writer:
        rows = map(sheet.table.typed, sheet.rows)
        while group := list(islice(rows, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def write_folder(path: Path, *sheets: Sheet) -> None:
    """Write a folder of Parquet files for each level, `part-00000.parquet` and so on."""
    for sheet in sheets:
        folder = path / sheet.name
        folder.mkdir(parents=True)
        for number, rows in enumerate(_runs(sheet.rows, PART_ROWS)):
            part = folder / f"part-{number:05}.parquet"
            write_parquet(part, Sheet(sheet.name, sheet.table, rows))


def write_workbook(path: Path, *sheets: Sheet) -> None:
    """Write an Excel workbook, flat, with no cell that is a formula."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise missing_extra("openpyxl", "excel") from error
    book = Workbook(write_only=True)
    try:
        for sheet in sheets:
            for number, rows in enumerate(_runs(sheet.rows, SHEET_ROWS - 1), 1):
                page = book.create_sheet(f"{sheet.name} {number}" if number > 1 else sheet.name)
                for cells in chain([sheet.table.header], map(sheet.table.cells, rows)):
                    page.append([sheet_cell(cell) for cell in cells])
    finally:
        # Also on the way out: openpyxl has files of its own to end and remove.
        book.save(path)


WRITERS: dict[str, Callable[..., None]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "folder": write_folder,
    "xlsx": write_workbook,
}
"""By the form of an output that is a table; each takes a path and its sheets, of each level."""


def _runs(rows: Iterable[Row], size: int) -> Iterator[Iterator[Row]]:
    """Cut rows into runs of at most `size`; the first one may be empty."""
    rows = iter(rows)
    yield islice(rows, size)
    for first in rows:
        yield chain([first], islice(rows, size - 1))


def sheet_cell(value: object) -> object:
    """Return what Excel can hold: no control characters, at most 32,767 characters."""
    if not isinstance(value, str):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else str(value)
    value = _ILLEGAL.sub("\ufffd", value)
    # Excel counts UTF-16 units.
    if len(value) + sum(c > "\uffff" for c in value) <= CELL_CHARS:
        return value
    return (
        value.encode("utf-16-le")[: 2 * (CELL_CHARS - len(_CUT))].decode("utf-16-le", "ignore")
        + _CUT
    )
