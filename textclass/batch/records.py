"""Records as the ledger keeps them: one document with its passages, or one set-aside."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from textclass.batch.data import DocumentResult
from textclass.documents import Document, SetAside
from textclass.results import DocumentTags

_FAST = 1
_INT64 = 1 << 63


def pack(record: DocumentResult | SetAside) -> bytes:
    """Return a record as compressed JSON."""
    value = (
        {"set_aside": asdict(record)}
        if isinstance(record, SetAside)
        else {
            "document": record.document,
            "passages": record.passages,
            "columns": record.columns,
        }
    )
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8"), _FAST)


def unpack(packed: bytes) -> DocumentResult | SetAside:
    """Return the record that `pack` packed."""
    value = json.loads(zlib.decompress(packed))
    if "set_aside" in value:
        return SetAside(**value["set_aside"])
    return DocumentResult(value["document"], tuple(value["passages"]), value["columns"])


def result_of(document: Document, tags: DocumentTags, place: str) -> DocumentResult:
    """Return the rows of a tagged document."""
    row = tags.to_dict()
    origin = {
        "document": row.pop("document"),
        "path": place,
        "folder": document.folder,
        "media_type": document.media_type,
        "date": document.date,
        "sha256": document.sha256,
    }
    passages = tuple(passage.to_dict() for passage in tags.passages)
    columns = {name: _storable(value) for name, value in document.columns.items()}
    return DocumentResult(origin | row, passages, columns)


def kind_of(value: object) -> str:
    """Return what a column must be able to hold for this value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -_INT64 <= value < _INT64 else "other"
    if isinstance(value, float):
        return "float"
    return "str" if isinstance(value, str) else "other"


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without NaN and infinities, which JSON doesn't have: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value
