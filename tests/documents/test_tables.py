import json

import pytest

from tests.documents.makers import relations, with_parts
from tests.documents.sheet_makers import as_csv, as_parquet, ods, xls, xlsb, xlsx
from textclass.documents import Document, Limits, SetAside


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_the_documents_of_a_table_are_its_texts_as_they_stand(read, name):
    row = {"id": "7", "text": " peace,\n\n and 'truce' ", "note": "é"}
    make = {"t.csv": as_csv, "t.parquet": as_parquet}.get(name, lambda r: json.dumps(*r).encode())
    (found,) = read(name, make([row]))
    assert (found.id, found.text) == (f"{name}#7", row["text"])
    assert found.columns == {"id": "7", "note": "é"}


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


def test_an_array_of_json_objects_is_a_table(read, fault_of):
    rows = b'\xef\xbb\xbf[\n {"id": "a",\n  "text": "caf\xc3\xa9"}, 5, {"id": "b", "n": 1}\n]'
    first, *bad = read("t.json", rows)
    assert (first.id, first.text, first.media_type) == ("t.json#a", "café", "application/json")
    assert [one.error for one in bad] == [
        "row 2: it isn't a JSON object",
        "row 3: the column 'text' is missing",
    ]
    assert "row 1: it isn't a JSON object" in fault_of("t.json", b'["peace"]').error
    assert fault_of("t.json", b'[{"text": "peace"').stage == "read"


def test_lone_surrogates_and_nuls_are_made_safe_where_they_stand(read):
    (found,) = read("t.jsonl", b'{"text": "a\\u0000b\\ud800c", "n": "x\\udfff", "\\ud800": 1}')
    assert found.text == "a\ufffdb\ufffdc"
    assert found.columns == {"n": "x\ufffd", "\ufffd": 1}


def test_a_table_of_many_rows_needs_no_memory(read):
    rows = b"text,n\n" + b"".join(b"%s,%d\n" % (b"peace " * 2000, i) for i in range(3_000))
    assert len(read("t.csv", rows, limits=Limits(memory_bytes=50 << 20))) == 3_000


def test_other_columns_may_be_much_longer_than_the_text(read):
    data = b"text,page\n" + (b"x," + b"p" * 99_000 + b"\n") * 800
    found = read("t.csv", data, limits=Limits(text_chars=100_000))
    assert [one.id for one in found] == [f"t.csv#{n}" for n in range(1, 801)]


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


def test_a_repeated_column_matters_only_where_it_is_the_text_or_the_name(read, fault_of):
    (found,) = read("t.csv", b"id,text,note,note,,\n1,peace,a,b,,\n")
    assert found.columns == {"id": "1", "note": "a", "note (2)": "b"}
    (found,) = read("t.xlsx", xlsx([["id", "text", "note", "note"], [1, "peace", "a", "b"]]))
    assert found.columns == {"id": 1, "note": "a", "note (2)": "b"}
    for name in ("text", "id"):
        table = f"id,text,{name}\n1,peace,x\n".encode()
        assert f"two of its columns are called '{name}'" in fault_of("t.csv", table).error


def test_an_empty_cell_is_told_with_the_way_out_for_a_formula_never_calculated(read):
    found = read("t.xlsx", xlsx([["text", "n"], ['="a"&"b"', 1], ["peace", "=1+1"]]))
    way_out = "if it shows text in Excel or LibreOffice, save it there"
    assert found[0].error == f"row 2: the column 'text' is empty ({way_out})"
    assert found[1].text == "peace"


def test_notes_and_text_boxes_of_a_sheet_are_told_by_the_row_where_they_stand(read):
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    box = (
        f'<wsDr xmlns:a="{a}"><twoCellAnchor><from><col>3</col><row>0</row></from><sp><txBody><a:p>'
        "<a:r><a:t>Draft</a:t></a:r></a:p></txBody></sp></twoCellAnchor></wsDr>"
    )
    data = with_parts(
        xlsx([["text"], ["peace"], ["truce"], ["aid"]]),
        xl__worksheets___rels__sheet1_DOT_xml_DOT_rels=relations(
            ("c", "comments", "../notes.xml"), ("d", "drawing", "../drawing.xml")
        ),
        xl__drawing_DOT_xml=box,
        xl__notes_DOT_xml='<comments><commentList><comment ref="A3"/></commentList></comments>',
    )
    found = read("t.xlsx", data)
    assert [(one.text, one.unread) for one in found] == [
        ("peace", ("a text box",)), ("truce", ("the note on cell A3",)), ("aid", ()),
    ]  # fmt: skip


def test_an_ods_is_read_as_a_workbook(read):
    (found,) = read("t.ods", ods(["id", "text"], ["x", "peace"]))
    assert (found.id, found.text) == ("t.ods#x", "peace")


def test_notes_of_older_and_open_workbooks_are_told_by_the_row_where_they_stand(read):
    rows = [["text"], ["peace"], ["truce"]]
    found = read("t.xls", xls(rows, notes=[(2, 0)]))
    assert [(one.text, one.unread) for one in found] == [
        ("peace", ()), ("truce", ("the note in row 3, column 1",)),
    ]  # fmt: skip
    note = "<office:annotation><text:p>a note</text:p></office:annotation>"
    found = read("t.ods", ods(*rows[:2], [f"truce</text:p>{note}<text:p>"]))
    assert [(one.text.strip(), one.unread) for one in found] == [
        ("peace", ()), ("truce", ("the note on a cell",)),
    ]  # fmt: skip
    found = read("t.xlsb", xlsb(rows, **{"xl/comments1.bin": ""}))
    assert [(one.text, one.unread) for one in found] == [
        ("peace", ("notes on cells of the workbook",)), ("truce", ()),
    ]  # fmt: skip


def test_an_unclosed_quote_loses_its_own_line_only(read):
    rows = [f"{i},words of row {i}\n" for i in range(1, 60)]
    rows[2] = '3,"never closed\n'
    found = read("t.csv", ("id,text\n" + "".join(rows)).encode())
    assert [one.id for one in found] == [f"t.csv#{i}" for i in range(1, 60)]
    (fault,) = (one for one in found if isinstance(one, SetAside))
    assert "line 4: unexpected end of data" in fault.error
    rows[7] = '8,"words, with a comma"\n'
    found = read("t.csv", ("id,text\n" + "".join(rows)).encode())
    assert [one.id for one in found if isinstance(one, SetAside)] == ["t.csv#3"]
    assert len(found) == 59


def test_a_file_of_unclosed_quotes_takes_no_square_of_time(read):
    rows = b'q","\n' * 3_000  # Each opens a cell to the file's end, also for the one before.
    found = read("t.csv", b"id,text\n" + rows)
    assert "not read to line 3001" in found[-1].error


def test_letters_beyond_ascii_that_come_late_in_a_csv_tell_its_encoding(read):
    rows = "text\n" + f"{'words ' * 30_000}\n" * 3 + "Malmö\n"
    for encoding in ("cp1252", "utf-8", "utf-16-le"):
        assert read("t.csv", rows.encode(encoding))[-1].text == "Malmö"
    cut = "text\n" + "x" * ((256 << 10) - 6) + "ö\nend\n"  # where the part that is looked at ends
    assert read("t.csv", cut.encode())[0].text.endswith("xö")


@pytest.mark.parametrize(
    "table",
    [
        b"sep=;\nid;text\nx;peace, talks\n",
        b"\xef\xbb\xbfsep=;\r\nid;text\r\nx;peace, talks\r\n",
        b"Register, of the desk, 2024,\n\nid;text\nx;peace, talks\n",
    ],
)
def test_lines_above_the_header_of_a_csv_are_passed_over(read, table):
    (found,) = read("t.csv", table)
    assert (found.id, found.text) == ("t.csv#x", "peace, talks")


def test_titles_above_the_header_of_a_sheet_are_passed_over_but_no_rows(read, fault_of):
    title, head, row = ["Register of 2024"], ["id", "Text"], ["x", "peace"]
    (found,) = read("t.xlsx", xlsx([title, [], head, row]))
    assert (found.id, found.text) == ("t.xlsx#x", "peace")
    table = b"kind,body\nvideo,talks\ntext,truce\nvideo,aid\n"
    assert "its columns are: kind, body" in fault_of("t.csv", table).error


def test_a_column_is_found_in_whatever_case_if_there_is_no_exact_one(read):
    (found,) = read("t.csv", b"Nr,report\n7,peace\n", text_column="Report", id_column="NR")
    assert (found.id, found.text) == ("t.csv#7", "peace")
    (found,) = read("t.csv", b"report,Report\nno,yes\n", text_column="Report")
    assert found.text == "yes"
