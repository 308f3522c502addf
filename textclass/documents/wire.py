"""How the child speaks to its parent: frames of JSON and text, nothing that runs code."""

from __future__ import annotations

import datetime as dt
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textclass.errors import DocumentError

PREFIX = struct.Struct(">II")
"""Bytes of the JSON header, bytes of the body."""

HEADER_BYTES = 8 << 20
"""The header holds a row's columns and a document's page starts."""

OUT_OF_MEMORY = 77
"""Exit status of the child: after a MemoryError nothing in it can be trusted to work."""

_DEPTH = 50
_UNSAFE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Member:
    """What follows is about this member of an archive."""

    index: int
    name: str


@dataclass(frozen=True)
class Found:
    """A text; of a table, with the row's name and its other columns."""

    text: str
    page_starts: Sequence[int] = ()
    date: str | None = None
    row: str | None = None
    columns: Mapping[str, object] = field(default_factory=dict)
    media_type: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Fault:
    """Why something can't be read."""

    stage: str
    error: str
    row: str | None = None


Part = Member | Found | Fault


def pack(header: dict[str, object], body: bytes = b"") -> bytes:
    """Return one frame."""
    head = json.dumps(header).encode("ascii")
    if len(head) > HEADER_BYTES:
        raise DocumentError(f"its other columns come to more than {HEADER_BYTES >> 20} MB")
    return PREFIX.pack(len(head), len(body)) + head + body


def unpack(head: bytes) -> dict[str, object]:
    """Return the header of a frame as plain values that are safe to store."""
    header = plain(json.loads(head))
    if not isinstance(header, dict):
        raise TypeError("a frame's header must be an object")
    return header


def make_safe(text: str) -> str:
    """Return `text`, of the same length, with lone surrogates and NULs replaced by U+FFFD."""
    return _UNSAFE.sub("\ufffd", text)


def plain(value: object, depth: int = 0) -> object:
    """Return a cell's value as JSON can hold it; times and decimals become strings."""
    if depth > _DEPTH:
        raise DocumentError(f"a column is nested more than {_DEPTH} levels deep")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {make_safe(str(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return make_safe(str(value))
