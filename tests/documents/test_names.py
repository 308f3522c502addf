import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.documents.names import name_fault, visible

# fmt: off
EVIL = [
    "../up.txt", "a/../../b", "/etc/passwd", "C:\\x", "c:x", "..\\x", "a\\..\\..\\b", "\\\\host\\s",
    "nul", "CON.txt", "dir/aux.pdf", "com1.csv", "LPT9","nul .txt", "nul:x", "con.", "a\0b",
    "a\nb", "", " ", ".. /x", "a/./b", "a//../b", "x" * 256, "é" * 128,
]
# fmt: on


@pytest.mark.parametrize("name", EVIL)
def test_member_names_that_leave_or_trick_are_told(name):
    assert name_fault(name)


@pytest.mark.parametrize(
    "name", ["a.txt", "dir/b c.pdf", "console.txt", "мир/été.docx", "a..b", "..."]
)
def test_honest_names_pass(name):
    assert name_fault(name) is None


@given(st.text(), st.text())
def test_visible_names_can_be_stored_and_stay_different(one, other):
    visible(one).encode()
    assert visible(one).isprintable() or not one.isprintable()
    assert (visible(one) == visible(other)) == (one == other)


def test_bytes_that_are_not_utf8_are_shown_as_bytes():
    assert visible(os.fsdecode(b"a\xff.txt")) == "a\\xff.txt"
