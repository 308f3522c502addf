"""The formats: media type → the function that reads it, imported when first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from textclass.documents.content import Content
from textclass.documents.data import Limits

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
RTF = "application/rtf"
HTML = "text/html"
EML = "message/rfc822"
MARKDOWN = "text/markdown"
TEXT = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"
JSONL = "application/jsonl"
PARQUET = "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GZIP = "application/gzip"
ZIP = "application/zip"

_WHOLE = {
    PDF: "pdf:read_pdf",
    DOCX: "office:read_docx",
    ODT: "office:read_odt",
    RTF: "plain:read_rtf",
    HTML: "web:read_html",
    EML: "mail:read_eml",
    MARKDOWN: "plain:read_markdown",
    TEXT: "plain:read_text",
}
_TABLES = {
    CSV: "tables:read_csv",
    TSV: "tables:read_tsv",
    JSONL: "tables:read_jsonl",
    PARQUET: "columnar:read_parquet",
    XLSX: "columnar:read_xlsx",
}


@dataclass(frozen=True)
class Text:
    """What a document format gives."""

    text: str
    page_starts: tuple[int, ...] = ()
    date: str | None = None


@dataclass(frozen=True)
class Row:
    """What a table gives: one text."""

    key: str
    text: str
    columns: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """A row of a table that can't be used."""

    key: str
    error: str
    stage: str = "read"


@dataclass(frozen=True)
class TableOptions:
    """Which column holds the text, and which the row's name."""

    text_column: str | None = None
    id_column: str | None = None


ReadWhole = Callable[[bytes, Limits], Text]
ReadTable = Callable[[Content, Limits, TableOptions], Iterator[Row | BadRow]]


def whole(media_type: str) -> ReadWhole | None:
    """Return the reader of a document format, or None if it isn't one."""
    reader: ReadWhole | None = _load(_WHOLE.get(media_type))
    return reader


def table(media_type: str) -> ReadTable | None:
    """Return the reader of a table format, or None if it isn't one."""
    reader: ReadTable | None = _load(_TABLES.get(media_type))
    return reader


def _load(place: str | None) -> Any:  # noqa: ANN401 - the tables above say which kind it is
    if place is None:
        return None
    module, _, name = place.partition(":")
    return getattr(import_module(f"textclass.documents.{module}"), name)
