import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.documents.makers import FILLER, zipped
from textclass.documents import Document, DocumentReader, Limits, SetAside, Source
from textclass.documents import reading_process as module
from textclass.errors import DocumentError


def sent(message):
    """The bytes of a message: JSON after its length, as multiprocessing's connections send it."""
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack("!i", len(data)) + data


FOUND = {"id": "", "path": "", "text": "text", "sha256": "0" * 64, "media_type": "text/plain"}
FAULT = {"id": "", "path": "", "sha256": None, "stage": "read", "error": "x"}
DONE = sent(None)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "a.txt").write_text(FILLER)
    return Source(tmp_path / "a.txt", "dir/a.txt")


@pytest.fixture
def child_says(monkeypatch, tmp_path):
    """Put another program in the child's place, which sends these bytes for each request."""

    def child_says(*frames, then=""):
        script = tmp_path / "child.py"
        script.write_text(
            "import sys, os, time, signal\nfrom multiprocessing.connection import Connection\n"
            "link = Connection(0)\n"
            f"link.recv_bytes(); os.write(0, {DONE!r})\n"
            f"while link.recv_bytes():\n    os.write(0, {b''.join(frames)!r})\n    {then or '0'}\n"
        )
        real = module.subprocess.Popen

        def popen(command, **options):
            return real([sys.executable, str(script)], **options)

        monkeypatch.setattr(module.subprocess, "Popen", popen)

    return child_says


def test_a_document_knows_where_it_came_from(reader, source):
    (found,) = reader.read(source)
    assert (found.id, found.folder, found.path) == ("dir/a.txt", "dir", str(source.path))
    assert found.media_type == "text/plain"


def test_the_child_is_kept_for_the_next_file_and_started_anew_after_its_death(source):
    with DocumentReader() as reader:
        list(reader.read(source))
        first = reader._process
        list(reader.read(source))
        assert reader._process is first
        os.kill(first._process.pid, signal.SIGKILL)
        first._process.wait()
        # Its death between two files is nobody's fault.
        assert isinstance(next(reader.read(source)), Document)
        assert reader._process is not first


def test_closing_ends_the_child(source):
    with DocumentReader() as reader:
        list(reader.read(source))
        child = reader._process._process
    assert child.returncode == -signal.SIGKILL


def test_a_file_left_half_read_does_not_leak_into_the_next(tmp_path, source):
    table = tmp_path / "t.csv"
    table.write_text("text\n" + "words\n" * 10_000)
    with DocumentReader() as reader:
        rows = reader.read(Source(table, "t.csv"))
        next(rows)
        with pytest.raises(RuntimeError, match="read to its end"):
            next(reader.read(source))
        rows.close()
        assert [found.id for found in reader.read(source)] == ["dir/a.txt"]


def test_what_cannot_be_opened_is_told(reader, tmp_path):
    for path, match in ((tmp_path / "gone", "No such file"), (tmp_path, "Is a directory")):
        (found,) = reader.read(Source(path, "x"))
        assert match in found.error
        assert (found.stage, found.sha256) == ("open", None)


def test_a_file_above_the_limit_is_not_even_hashed(source):
    with DocumentReader(Limits(file_bytes=10)) as reader:
        assert "larger than" in next(reader.read(source)).error


@pytest.mark.parametrize(
    ("frame", "match"),
    [
        (sent([FOUND | {"sha256": "../../x"}]), "can't be understood"),
        (sent([FOUND | {"page_starts": [5]}]), "can't be understood"),
        (sent([FOUND | {"page_starts": [True]}]), "can't be understood"),
        (sent([FOUND | {"boilerplate": [[3, 1]]}]), "can't be understood"),
        (sent([FOUND | {"unread": [1]}]), "can't be understood"),
        (sent([FOUND | {"text": " "}]), "can't be understood"),
        (sent([FOUND | {"text": "a\\\0b"}]), "can't be understood"),
        (sent([FOUND | {"columns": []}]), "can't be understood"),
        (sent([FOUND | {"columns": {"a": "x\0"}}]), "can't be understood"),
        (sent([{"run": 1}]), "can't be understood"),
        (sent([{"index": 10**9, "name": "x"}]), "can't be understood"),
        (sent({}), "can't be understood"),
        (sent(b'{"kind": "found", "text": "\xff"}'), "can't be understood"),
        (sent(b"[" * 65536), "can't be understood"),
        (b"\x7f\xff\xff\xff", "more than its limits"),
        (b"\xff\xff\xff\xff" + b"\x7f" * 8, "more than its limits"),
    ],
)
def test_a_child_taken_over_can_only_lie_within_the_form(child_says, source, frame, match):
    child_says(frame + DONE)
    with DocumentReader() as reader:
        (found,) = reader.read(source)
        assert match in found.error
        assert found.id == "dir/a.txt"


@pytest.mark.parametrize(
    ("then", "match"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV)"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "processor time"),
        ("os._exit(77)", "MB of memory"),
        ("os._exit(3)", "exit status 3"),
        ("time.sleep(60)", "took longer than 1 s"),
        ("os.close(0); time.sleep(60)", "closed its connection"),
    ],
)
def test_each_way_to_die_is_told(child_says, source, then, match):
    child_says(then=then)
    begun = time.monotonic()
    with DocumentReader(Limits(wall_seconds=1)) as reader:
        (found,) = reader.read(source)
    assert match in found.error
    assert time.monotonic() - begun < 10


def test_an_archive_goes_on_after_a_member_that_kills_up_to_a_limit(tmp_path):
    slow = "<html><body><p " + "".join(f"a{i}=1 " for i in range(15_000)) + ">x"
    members = [
        ("a.txt", FILLER),
        ("b.html", slow),
        ("c.txt", FILLER),
        ("d.html", slow),
        ("e.txt", FILLER),
    ]
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(members))
    limits = {"memory_bytes": 150 << 20, "attributes": 10**6, "wall_seconds": 1}
    with DocumentReader(Limits(**limits, deaths=3)) as reader:
        found = list(reader.read(Source(path, "a.zip")))
    assert [(one.id, type(one)) for one in found] == [
        ("a.zip!a.txt", Document), ("a.zip!b.html", SetAside), ("a.zip!c.txt", Document),
        ("a.zip!d.html", SetAside), ("a.zip!e.txt", Document),
    ]  # fmt: skip
    with DocumentReader(Limits(**limits, deaths=1)) as reader:
        found = list(reader.read(Source(path, "a.zip")))
    assert [one.id for one in found] == ["a.zip!a.txt", "a.zip!b.html", "a.zip"]
    path.write_bytes(zipped([("b.html", slow)]))
    with DocumentReader(Limits(**limits)) as reader:
        assert [one.id for one in reader.read(Source(path, "a.zip"))] == ["a.zip!b.html"]


def test_a_member_is_tried_again_in_a_new_process_and_nothing_comes_twice(tmp_path, source):
    # Read after others, it runs out of memory: that may be their doing, so it is tried alone.
    wide = b"peace " * 10_000_000
    path = tmp_path / "a.zip"
    path.write_bytes(
        zipped(
            [("a.txt", FILLER), ("wide.txt", wide), ("c.txt", FILLER)], method=zipfile.ZIP_STORED
        )
    )
    with DocumentReader(Limits(memory_bytes=100 << 20, text_chars=100_000_000)) as reader:
        list(reader.read(source))
        found = list(reader.read(Source(path, "a.zip")))
    assert [one.id for one in found] == ["a.zip!a.txt", "a.zip!wide.txt", "a.zip!c.txt"]
    assert "more than 100 MB of memory" in found[1].error


def test_a_child_that_says_nothing_is_told(child_says, source):
    child_says(DONE)
    with DocumentReader() as reader:
        (found,) = reader.read(source)
    assert "can't be understood" in found.error


def test_a_long_error_with_controls_becomes_one_line(child_says, source):
    error = "line\n\x1b[31mred " * 100
    child_says(sent([FAULT | {"stage": "odd", "error": error}]) + DONE)
    with DocumentReader() as reader:
        (found,) = reader.read(source)
    assert found.error.isprintable()
    assert len(found.error) == 500
    assert found.stage == "read"


def test_a_child_that_cannot_start_is_an_error_not_a_set_aside(monkeypatch, source):
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    with DocumentReader() as reader, pytest.raises(DocumentError, match="doesn't start"):
        list(reader.read(source))


def test_the_child_finds_the_package_from_any_folder(source, tmp_path):
    here = Path(module.__file__).parents[2]
    code = (
        f"import sys; sys.path[0] = ''; sys.path.append({str(here)!r})\n"
        "from textclass.documents import *\nfrom pathlib import Path\n"
        f"print([d.id for d in DocumentReader().read(Source(Path({str(source.path)!r}), 'x'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "['x']\n", done.stderr
