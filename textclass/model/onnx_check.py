"""What an ONNX file may hold, looked at before any library opens it.

A model that names files beside it, operators of other makers, or functions of its own is refused.
The walk reads the protocol buffers of the file (https://protobuf.dev/programming-guides/encoding)
by the field numbers of onnx.proto, version 1.16.
"""

from __future__ import annotations

from collections.abc import Iterator

from textclass.errors import ModelError

MAX_DEPTH = 16

_DOMAINS = {b"", b"ai.onnx", b"com.microsoft"}
"""Operators that onnxruntime brings itself."""

_PARTS = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""The messages that hold others, by field number."""

_REFUSED = {
    ("model", 20): "training instructions",
    ("model", 25): "functions of its own",
    ("tensor", 13): "data in another file",
}


def check_onnx(content: bytes, *, where: str) -> None:
    """Refuse a model that reaches outside its file.

    Raises
    ------
    ModelError
        If it isn't whole, or holds what it may not hold.
    """
    try:
        _check(memoryview(content), "model", where, 0)
    except (IndexError, ValueError) as error:
        raise ModelError(f"not a whole ONNX file: {error}", where=where) from error


def _check(message: memoryview, kind: str, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    for number, value in _fields(message):
        if refused := _REFUSED.get((kind, number)):
            raise ModelError(f"the encoder names {refused}, which is refused", where=where)
        if kind == "tensor" and number == 14 and value:
            raise ModelError("the encoder names data in another file", where=where)
        if kind == "node" and number == 7 and not _is_known(value):
            raise ModelError("the encoder needs operators of another maker", where=where)
        if (part := _PARTS[kind].get(number)) and isinstance(value, memoryview):
            _check(value, part, where, depth + 1)


def _is_known(domain: int | memoryview) -> bool:
    return isinstance(domain, memoryview) and bytes(domain) in _DOMAINS


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field: an integer, or the bytes of anything else."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, place = _varint(message, place)
            yield number, value
            continue
        if wire == 2:
            size, place = _varint(message, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if place + size > len(message):
            raise ValueError("cut short")
        yield number, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place
        if shift > 63:
            raise ValueError("a number too long")
