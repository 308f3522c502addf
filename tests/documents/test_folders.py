import gzip
import json
import os
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents.makers import misnamed_zip, zipped
from textclass.documents import Document, DocumentReader, SetAside, find_inputs, is_own_output
from textclass.documents.folders import name_fault, visible
from textclass.errors import DocumentError


@pytest.fixture
def inbox(tmp_path):
    inbox = tmp_path / "inbox"
    for name in ("b.txt", "a/z.txt", "a/b/c.pdf", ".hidden/x.txt", "a/.DS_Store", "a.txt"):
        path = inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("words of peace")
    return inbox


def ids(*paths):
    return [source.id for source in find_inputs(paths)]


def test_a_folder_is_walked_in_a_fixed_order_below_its_root(inbox):
    assert ids(inbox) == ["a/b/c.pdf", "a/z.txt", "a.txt", "b.txt"]
    assert [source.folder for source in find_inputs([inbox])] == ["a/b", "a", "", ""]


def test_several_inputs_get_ids_below_their_common_folder_and_each_file_once(inbox):
    assert ids(inbox / "a", inbox / "b.txt", inbox / "a/z.txt") == ["a/b/c.pdf", "a/z.txt", "b.txt"]
    assert ids(inbox / "b.txt") == ["b.txt"]


def test_hidden_files_and_folders_are_left_out_and_told_once(inbox):
    (inbox / "a/.b.txt").write_text("words")
    left = []
    found = find_inputs([inbox], on_left_out=lambda *told: left.append(told))
    assert len(list(found)) == 4
    assert left == [
        (inbox / ".hidden", "hidden file or folder"),
        (inbox / "a/.DS_Store", "system file"),
        (inbox / "a/.b.txt", "hidden file or folder"),
    ]
    assert ids(inbox, inbox / "a/.b.txt")[-1] == "a/.b.txt"


def test_a_folder_that_may_not_be_entered_is_told_as_that(inbox, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(Path, "lstat", refuse)  # root may enter all folders
    with pytest.raises(DocumentError, match=r"z.txt: a folder above it may not be entered"):
        ids(inbox / "a/z.txt")


def test_globs_choose_files(inbox):
    assert ids(f"{inbox}/**/*.txt") == ["a/z.txt", "a.txt", "b.txt"]
    assert ids(f"{inbox}/*") == ["a/b/c.pdf", "a/z.txt", "a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("path", "match"),
    [("gone.pdf", "gone.pdf: no such file"), ("*.xyz", "no file matches"), ("a\0b", "NUL")],
)
def test_what_is_not_there_is_an_error_that_names_it(inbox, path, match):
    with pytest.raises(DocumentError, match=match):
        list(find_inputs([f"{inbox}/{path}"]))


def test_of_results_of_two_levels_each_is_told(inbox):
    for name in ("out.passages.csv", "out.documents.csv", "out.csv.ledger"):
        (inbox / name).touch()
    with pytest.raises(
        DocumentError,
        match=r"out.csv: no such .*\(did you mean out.documents.csv or out.passages.csv\?",
    ):
        ids(inbox / "out.csv")


def test_a_file_whose_name_looks_like_a_glob_is_that_file(inbox):
    (inbox / "a[1].txt").write_text("words")
    assert ids(inbox / "a[1].txt") == ["a[1].txt"]


def test_links_stay_inside_and_those_that_leave_are_told(inbox, reader):
    (inbox / "../secret.txt").write_text("secret")
    (inbox / "leaves.txt").symlink_to(inbox / "../secret.txt")
    (inbox / "leaves").symlink_to("/etc")
    (inbox / "stays.txt").symlink_to(inbox / "b.txt")
    (inbox / "loop").symlink_to(inbox)
    (inbox / "nowhere").symlink_to(inbox / "gone")
    (inbox / "circle").symlink_to(inbox / "circle")
    os.mkfifo(inbox / "pipe")
    found = [one for source in find_inputs([inbox]) for one in reader.read(source)]
    faults = {one.id: one.error for one in found if isinstance(one, SetAside)}
    assert "leads out of its folder" in faults["leaves.txt"]
    assert "leads out of its folder" in faults["leaves"]
    assert "No such file" in faults["nowhere"]
    assert "symbolic links" in faults["circle"]
    assert "isn't a regular file" in faults["pipe"]
    assert not {"stays.txt", "loop"} & {one.id for one in found}
    # a glob doesn't let a link out either, a file named outright is what was asked for
    (caught,) = (one for s in find_inputs([f"{inbox}/leav*.txt"]) for one in reader.read(s))
    assert isinstance(caught, SetAside)
    (meant,) = (one for s in find_inputs([inbox / "leaves.txt"]) for one in reader.read(s))
    assert isinstance(meant, Document)


def test_deep_folders_are_walked(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=here)
        here, old = os.open("d", os.O_RDONLY, dir_fd=here), here
        os.close(old)
    os.close(os.open("x.txt", os.O_CREAT, dir_fd=here))
    os.close(here)
    assert len(ids(tmp_path)) == 1


def test_strange_file_names_are_read_under_ids_that_can_be_stored(tmp_path):
    random.seed(5)
    names = {
        b"CON",
        b"nul.txt",
        b"t..txt",
        b"a\nb",
        b"\xff\xfe",
        b"a\\b",
        b" ",
        b"\xe2\x80\xaex",
        b"-rf",
    }
    while len(names) < 250:
        raw = bytes(
            random.choices([b for b in range(1, 256) if b != 0x2F], k=random.randint(1, 20))
        )
        names.add(b"f" + raw)
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"words of peace")
    with DocumentReader() as reader:
        found = [one for source in find_inputs([tmp_path]) for one in reader.read(source)]
    assert all(isinstance(one, Document) for one in found)
    assert len({one.id for one in found}) == len(names)
    for one in found:
        one.id.encode()
        assert "\n" not in one.id


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


RESULT = {"id": "1", "document": "a.txt", "start": 0, "text": "x", "outcome": "none", "model": "m"}
SET_ASIDE = {"id": "a", "path": "a", "sha256": None, "stage": "read", "error": "x"}


@pytest.fixture
def own(tmp_path):
    """A folder with one document among what this program and others wrote."""
    folder = tmp_path / "own"
    folder.mkdir()
    line = json.dumps(RESULT).encode() + b"\n"
    (folder / "a.txt").write_text("words of peace, of a document, an outcome and a model's start")
    (folder / "out.jsonl").write_bytes(line)
    (folder / "out.jsonl.gz").write_bytes(gzip.compress(line))
    (folder / "out.csv").write_text(f"{','.join(RESULT)}\n1,a.txt,0,x,none,m\n")
    (folder / "out.set-aside.jsonl").write_text(json.dumps(SET_ASIDE))
    (folder / "r.html").write_text('<html><head><meta name="generator" content="textclass">')
    with sqlite3.connect(folder / "out.ledger") as ledger:
        ledger.execute("PRAGMA application_id = 0x74786C67")
        ledger.execute("CREATE TABLE t (x)")
    ledger.close()
    for name in ("Thumbs.db", "desktop.ini", "~$a.docx", ".DS_Store"):
        (folder / name).write_text("x")
    return folder


def test_own_outputs_and_files_of_the_system_are_left_out_and_told(own):
    left = {}
    found = list(find_inputs([own], on_left_out=lambda path, what: left.update({path.name: what})))
    assert [source.id for source in found] == ["a.txt"]
    assert left == {
        "out.jsonl": "file of results", "out.jsonl.gz": "file of results",
        "out.csv": "file of results", "out.set-aside.jsonl": "list of what was set aside",
        "r.html": "report", "out.ledger": "ledger", "Thumbs.db": "system file",
        "desktop.ini": "system file", "~$a.docx": "system file", ".DS_Store": "system file",
    }  # fmt: skip


def test_own_outputs_in_other_forms_are_told(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("passages")
    sheet.append(list(RESULT))
    book.save(tmp_path / "a.xlsx")
    parquet.write_table(pa.Table.from_pylist([RESULT]), tmp_path / "a.parquet")
    parquet.write_table(
        pa.Table.from_pylist([{"text": "document outcome"}]), tmp_path / "b.parquet"
    )
    named = {path.name: is_own_output(path) for path in tmp_path.iterdir()}
    assert named == {"a.xlsx": "file of results", "a.parquet": "file of results", "b.parquet": None}


@pytest.mark.parametrize("level", ["passage", "document"])
def test_an_evaluation_is_an_own_output_and_other_json_is_none(tmp_path, level):
    (tmp_path / "own.json").write_text(f'{{\n "model": "a@1",\n "level": "{level}",\n "n": 1}}')
    (tmp_path / "mine.json").write_text('{"model": "a", "layers": 3}')
    assert is_own_output(tmp_path / "own.json") == "evaluation"
    assert is_own_output(tmp_path / "mine.json") is None


def test_a_damaged_file_is_no_own_output_and_ends_nothing(tmp_path):
    (tmp_path / "bad.zip").write_bytes(misnamed_zip())
    locked = zipped([("xl/worksheets/sheet1.xml", "x")])
    central = locked.index(b"PK\1\2") + 8
    (tmp_path / "locked.xlsx").write_bytes(locked[:central] + b"\1" + locked[central + 1 :])
    assert len(list(find_inputs([tmp_path]))) == 2


def test_an_own_output_named_outright_is_an_error_if_there_is_nothing_else(own):
    with pytest.raises(DocumentError, match=r"out.jsonl: it is a file of results that textclass"):
        list(find_inputs([own / "out.jsonl"]))
    assert len(list(find_inputs([own / "out.jsonl", own / "a.txt"]))) == 1
    assert list(find_inputs([own / "Thumbs.db"]))
