import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.documents.sheet_makers import as_csv, as_parquet, ods, xlsx
from textclass.documents import read_rows
from textclass.errors import DocumentError

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


@quick
@given(ROWS)
def test_rows_out_are_rows_in(tmp_path, rows):
    forms = {
        "t.csv": as_csv(rows),
        "t.tsv": as_csv(rows, "\t"),
        "t.jsonl": "\n".join(json.dumps(row) for row in rows).encode(),
        "t.parquet": as_parquet(rows),
    }
    for name, data in forms.items():
        assert [record for _, record in rows_of(tmp_path, name, data)] == rows


def rows_of(tmp_path, name, data, **options):
    (tmp_path / name).write_bytes(data)
    return list(read_rows(tmp_path / name, **options))


FRENCH = "Les négociations à Genève ont été ajournées jusqu'à l'été – a déclaré le délégué."


FORMS = {
    "t.csv": lambda text: text.encode(),
    "semicolon.csv": lambda text: text.replace(",", ";").encode(),
    "utf16.csv": lambda text: text.encode("utf-16"),
    "cp1252.csv": lambda text: text.encode("cp1252"),
    "t.tsv": lambda text: text.replace(",", "\t").encode(),
}


@pytest.mark.parametrize("name", FORMS)
def test_rows_of_any_form_of_csv_are_the_same(tmp_path, name):
    rows = rows_of(tmp_path, name, FORMS[name](f"id,text\n1,{FRENCH}\n\n2,\n3\n"))
    assert [record for _, record in rows] == [
        {"id": "1", "text": FRENCH}, {"id": "2", "text": ""}, {"id": "3"},
    ]  # fmt: skip
    assert [where for where, _ in rows] == [f"{tmp_path / name}, line {n}" for n in (2, 4, 5)]


def test_rows_of_other_forms_are_the_same(tmp_path):
    row = {"id": "1", "text": "peace", "labels": ["a"]}
    line = json.dumps(row).encode()
    assert rows_of(tmp_path, "t.jsonl.gz", gzip.compress(line)) == [
        (f"{tmp_path / 't.jsonl.gz'}, line 1", row)
    ]
    assert rows_of(tmp_path, "t.parquet", as_parquet([row])) == [
        (f"{tmp_path / 't.parquet'}, row 1", row)
    ]
    table = [["id", "text"], ["1", "peace"]]
    for name, data in (("t.xlsx", xlsx(table)), ("t.ods", ods(*table))):
        assert [record for _, record in rows_of(tmp_path, name, data)] == [
            {"id": "1", "text": "peace"}
        ]


def test_the_sheets_with_texts_are_read(tmp_path):
    rows, other = [["id", "text"], ["x", "peace"]], [["text", "n"], ["truce", 1]]
    found = rows_of(tmp_path, "t.xlsx", xlsx([["Report"]], Data=rows, More=other))
    assert [(where.rpartition("sheet ")[2], record) for where, record in found] == [
        ("'Data', row 2", {"id": "x", "text": "peace"}),
        ("'More', row 2", {"text": "truce", "n": 1}),
    ]


def test_faults_of_rows_are_gathered_or_the_first_is_raised(tmp_path):
    data = b'{"text": "a"}\n{\n{"text": "b"}\n[1]\n'
    faults = []
    assert len(rows_of(tmp_path, "t.jsonl", data, faults=faults)) == 2
    assert [fault.where.rpartition(", ")[2] for fault in faults] == ["line 2", "line 4"]
    with pytest.raises(DocumentError, match="line 2: it isn't JSON"):
        rows_of(tmp_path, "t.jsonl", data)


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("a.txt", b"Words.", "it is no table but text/plain"),
        ("a.csv", b"", "the file is empty"),
        ("a.parquet", as_parquet([{"text": "a"}])[:60], "damaged or cut short"),
    ],
)
def test_what_is_no_table_is_told_with_its_name(tmp_path, name, data, match):
    with pytest.raises(DocumentError, match=f"{name}: .*{match}"):
        rows_of(tmp_path, name, data)
    with pytest.raises(DocumentError, match=r"gone.csv: it can't be opened: No such file"):
        list(read_rows(tmp_path / "gone.csv"))
