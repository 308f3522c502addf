"""What an ONNX file may hold: messages written by hand, field by field."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.errors import ModelError
from textclass.model.onnx_check import check_onnx


def field(number: int, content: bytes) -> bytes:
    """Return a field of bytes; all lengths here are under 128."""
    return bytes([*varint(number << 3 | 2), len(content)]) + content


def varint(value: int) -> list[int]:
    return [value] if value < 128 else [value & 127 | 128, value >> 7]


def model(*nodes: bytes, tensor: bytes = b"") -> bytes:
    return field(7, b"".join(field(1, node) for node in nodes) + field(5, tensor))


MATMUL = field(4, b"MatMul")


def test_an_ordinary_model_passes():
    check_onnx(model(MATMUL, field(7, b"com.microsoft"), tensor=field(9, b"1234")), where="e")


NESTED = field(5, field(6, field(1, field(7, b"evil.ops"))))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (model(tensor=field(13, field(1, b"location"))), "another file"),
        (model(tensor=bytes([14 << 3, 1])), "another file"),
        (model(field(7, b"evil.ops")), "another maker"),
        (model(NESTED), "another maker"),
        (field(25, b"f"), "functions"),
        (field(20, b"t"), "training"),
    ],
)
def test_what_reaches_outside_is_refused_with_its_name(content, named):
    with pytest.raises(ModelError, match=named):
        check_onnx(content, where="encoder.onnx")


def test_a_file_cut_short_is_refused():
    with pytest.raises(ModelError, match="whole ONNX file"):
        check_onnx(model(MATMUL)[:-2], where="encoder.onnx")


@given(st.binary(max_size=200))
def test_any_bytes_pass_or_are_refused(content):
    with suppress(ModelError):
        check_onnx(content, where="e")
