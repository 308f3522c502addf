import datetime as dt
import decimal
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.documents.messages import PREFIX, make_safe, pack, plain, unpack
from textclass.errors import DocumentError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_characters="\0")), JSON))
def test_headers_come_back_with_unsafe_characters_replaced(header):
    frame = pack(header, b"body")
    size, body = PREFIX.unpack_from(frame)
    assert unpack(frame[PREFIX.size : PREFIX.size + size]) == plain(header)
    assert frame.endswith(b"body")
    assert body == 4


def test_safe_text_keeps_its_length_so_that_offsets_stay_true():
    assert make_safe("a\0b\ud800c\N{DOVE OF PEACE}") == "a\ufffdb\ufffdc\N{DOVE OF PEACE}"


def test_values_that_json_lacks_become_strings():
    value = {"d": dt.date(2024, 1, 2), "n": decimal.Decimal("1.10"), "b": b"\xff", "l": (1, None)}
    assert plain(value) == {"d": "2024-01-02", "n": "1.10", "b": "\\xff", "l": [1, None]}


def test_deep_values_and_other_headers_are_refused():
    with pytest.raises(DocumentError, match="50 levels"):
        plain(json.loads("[" * 60 + "]" * 60))
    with pytest.raises(TypeError, match="object"):
        unpack(b"[]")
