"""Rows as a table: which columns there are, of which type, and as cells that a sheet may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unicodedata import category

from textclass.batch.data import DocumentResult, Level
from textclass.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pyarrow as pa

MOST_COLUMNS = 500
"""More other columns than this go into one, as JSON."""

PREFIX = "input."
"""Put before another column whose name the result schema has."""

Row = dict[str, Any]
Cell = str | int | float | bool | None

_PASSAGE = "id document page start end text outcome reason".split()
_DOCUMENT = "document path folder media_type date sha256 outcome words passages".split()
_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_INT64 = 1 << 63
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")


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
        taken = {*self.own, *self._flat_only, "columns"}
        names: dict[str, str] = {}
        for column in self.columns:
            name = column or "unnamed"
            while name in taken:
                name = PREFIX + name
            names[column] = name
            taken.add(name)
        return names

    @cached_property
    def _flat_only(self) -> tuple[str, ...]:
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

    def rows(self, result: DocumentResult) -> Iterator[Row]:
        """Yield the rows of a document in the result schema, its other columns after it."""
        carried: Row = {name: result.columns.get(column) for column, name in self.carried.items()}
        if self.columns and not self.carried:
            carried["columns"] = dict(result.columns)
        own = result.passages if self.level is Level.PASSAGE else (result.document,)
        for row in own:
            yield {**row, **carried}

    def typed(self, row: Row) -> Row:
        """Return a row whose other columns have the types of `schema`; what has none is JSON."""
        return row | {name: _as_kind(row[name], kind) for name, kind in self.kinds.items()}

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
        own[place:place] = self._flat_only
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
        **{facet.name: pa.list_(text) for facet in taxonomy},
        "scores": pa.struct(scores),
        "evidence": pa.list_(pa.struct(list(evidence.items()))),
        "primary": pa.struct([(facet.name, text) for facet in taxonomy]),
        "labels": pa.list_(pa.struct(list(label.items()))),
    }
