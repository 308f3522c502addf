import csv
import io
import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.documents.makers import xlsx
from textclass.documents import Document, Limits, SetAside

# No surrogates and NULs: those are replaced, which another test shows.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.uuids().map(str), "text": CELLS.map("w{}".format), "note": CELLS}
    ),
    min_size=1,
    max_size=8,
)
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def as_rows(found):
    return [{"id": d.columns["id"], "text": d.text, "note": d.columns["note"]} for d in found]


def as_csv(rows, delimiter=","):
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, ["id", "text", "note"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def as_parquet(rows):
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


@quick
@given(ROWS)
def test_rows_out_are_rows_in(read, rows):
    jsonl = "\n".join(json.dumps(row) for row in rows).encode()
    assert as_rows(read("t.csv", as_csv(rows))) == rows
    assert as_rows(read("t.tsv", as_csv(rows, "\t"))) == rows
    assert as_rows(read("t.jsonl", jsonl)) == rows
    assert as_rows(read("t.parquet", as_parquet(rows))) == rows


def test_all_sheets_are_read_or_told(read):
    cover, rows = [["Report 2019"]], [["id", "text"], ["x", "peace"]]
    found = read("t.xlsx", xlsx(cover, Data=rows, Empty=[], More=rows))
    assert [one.id for one in found] == ["t.xlsx#Sheet", "t.xlsx#Data.x", "t.xlsx#More.x"]
    assert "sheet 'Sheet': there is no column 'text'" in found[0].error


def test_xlsx_rows_and_numbers(read):
    found = read("t.xlsx", xlsx([[], ["ID", "Text", "n"], ["x", "peace", 1], [], ["y", 2, None]]))
    assert [(d.id, d.text, d.columns["n"]) for d in found] == [
        ("t.xlsx#x", "peace", 1),
        ("t.xlsx#y", "2", None),
    ]


def test_ids_come_from_the_column_or_the_row_number(read):
    assert [d.id for d in read("t.csv", b"text\na b\nc d\n")] == ["t.csv#1", "t.csv#2"]
    named = read("t.csv", b"body;nr;text\nx;7;no\n", text_column="body", id_column="nr")
    assert [(d.id, d.text, dict(d.columns)) for d in named] == [
        ("t.csv#7", "x", {"nr": "7", "text": "no"})
    ]


@pytest.mark.parametrize(
    ("name", "data"), [("t.csv", b"a,b\n1,2\n"), ("t.jsonl", b'{"a": 1, "b": 2}')]
)
def test_a_missing_column_is_told_with_those_there_are(fault_of, name, data):
    assert "no column 'text'; its columns are: a, b" in fault_of(name, data).error
    assert "no column 'z'" in fault_of(name, data, text_column="z").error
    assert "no column 'z'" in fault_of(name, data, text_column="a", id_column="z").error


def test_a_bad_row_is_set_aside_with_its_number_and_the_rest_goes_on(read):
    data = b'id,text\n1,good\n2,"unclosed"x\n3,\n4,\xff\n5,a,b\n6,\xc3\xa9nd\n'
    found = read("t.csv", data)
    assert [one.text for one in found if isinstance(one, Document)] == ["good", "énd"]
    faults = [one for one in found if isinstance(one, SetAside)]
    assert [f.id for f in faults] == ["t.csv#2", "t.csv#3", "t.csv#4", "t.csv#5"]
    assert "line 3: " in faults[0].error
    assert faults[1].error == "line 4: its text is empty"
    assert faults[1].stage == "text"
    assert "aren't UTF-8" in faults[2].error
    assert "3 cells under 2 columns" in faults[3].error


def test_bad_json_lines_are_set_aside_one_by_one(read):
    lines = [
        b'{"text": "good"}',
        b"{",
        b"[1]",
        b'{"text": 5}',
        b'{"x": 1}',
        b"",
        b'{"text": "\xff"}',
    ]
    lines += [b'{"text": "deep", "x": ' + b"[" * 100_000 + b"}", b'{"text": "end", "x": NaN}']
    found = read("t.jsonl", b"\n".join(lines))
    assert [one.id for one in found if isinstance(one, Document)] == ["t.jsonl#1", "t.jsonl#8"]
    assert len(found) == 8


def test_lone_surrogates_and_nuls_are_made_safe_where_they_stand(read):
    (found,) = read("t.jsonl", b'{"text": "a\\u0000b\\ud800c", "n": "x\\udfff", "\\ud800": 1}')
    assert found.text == "a\ufffdb\ufffdc"
    assert found.columns == {"n": "x\ufffd", "\ufffd": 1}


def test_a_table_of_many_rows_needs_no_memory(read):
    rows = b"text,n\n" + b"".join(b"words of peace %d,%d\n" % (i, i) for i in range(60_000))
    assert len(read("t.csv", rows, limits=Limits(memory_bytes=100 << 20))) == 60_000


def test_too_many_rows_and_too_long_lines(read):
    found = read("t.csv", b"text\n" + b"x\n" * 20, limits=Limits(rows=10))
    assert len(found) == 11
    assert "more than 10 rows" in found[-1].error
    found = read(
        "t.jsonl", b'{"text": "' + b"x" * 500 + b'"}\n{"text": "y"}', limits=Limits(text_chars=99)
    )
    assert [type(one) for one in found] == [SetAside, Document]


def test_a_broken_parquet_and_an_empty_table_are_told(fault_of):
    data = as_parquet([{"text": "peace"}])
    assert "damaged or cut short" in fault_of("t.parquet", data[: len(data) // 2]).error
    assert "has no rows" in fault_of("t.csv", b"text\n").error


def test_a_parquet_column_that_holds_no_text_is_told_by_row(fault_of):
    assert "is a int, not a text" in fault_of("t.parquet", as_parquet([{"text": 1}])).error
