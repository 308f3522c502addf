"""The ledger: what can happen to a file on disk, told and survived."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from textclass.batch.jobs import Batch, Cut, Facts, Input
from textclass.batch.ledger import Ledger
from textclass.documents import SetAside, Source
from textclass.errors import BatchError


def batch(of, body=b"x", **options):
    return Batch(of.key, 0, 1, body, body, b"", Facts(), **options)


def given(name, content="hash"):
    return Input(Source(Path(name), name), content)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.ledger"


def test_same_content_under_two_names_is_two_inputs(path):
    ledger = Ledger(path, run="r")
    ledger.plan([given("a"), given("b"), given("a")])
    assert [one.source.id for one in ledger.unfinished(begun=False)] == ["a", "b"]
    ledger.close()


def test_records_come_in_the_order_of_the_plan(path):
    ledger = Ledger(path, run="r")
    ledger.plan([given("a"), given("b")])
    first, second = ledger.unfinished(begun=False)
    for one in (second, first):
        ledger.record(batch(one, one.source.id.encode()))
    assert list(ledger.rows("documents")) == [b"a", b"b"]
    assert ledger.counts()[1] == 2
    ledger.close()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"not a database, but long enough to be read as one" * 40, "it isn't a ledger"),
        (None, "a database of another program"),
    ],
)
def test_a_file_that_is_no_ledger_is_left_alone(path, content, fault):
    if content:
        path.write_bytes(content)
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE addresses (name)")
        other.close()
    before = path.read_bytes()
    for fresh in (False, True):
        with pytest.raises(BatchError, match=fault):
            Ledger(path, run="r", fresh=fresh)
    assert path.read_bytes() == before


def test_a_ledger_of_another_form_asks_for_fresh(path):
    Ledger(path, run="r").close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 9")
    other.close()
    with pytest.raises(BatchError, match=r"form 9, .*--fresh"):
        Ledger(path, run="r")
    Ledger(path, run="r", fresh=True).close()


def test_a_full_disk_is_told_and_what_was_done_is_kept(path):
    ledger = Ledger(path, run="r")
    ledger.plan(given(f"{i:03}") for i in range(200))
    ledger.commit()
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages + 20}")
    todo = list(ledger.unfinished(begun=False))
    done = 0

    def record_all():
        nonlocal done
        for one in todo:
            ledger.record(batch(one, bytes(range(256)) * 20))
            ledger.commit()
            done += 1

    with pytest.raises(BatchError, match=r"is the disk full\?.*make room"):
        record_all()
    ledger.close()

    again = Ledger(path, run="r")
    again.plan(given(f"{i:03}") for i in range(200))
    assert 0 < done < 200
    assert again.counts()[1] == done
    assert again._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert again._db.execute("SELECT count(*) FROM batches").fetchone() == (done,)
    again.close()


def test_a_batch_enters_whole_or_not_at_all(path):
    ledger = Ledger(path, run="r")
    ledger.plan([given("a")])
    (one,) = ledger.unfinished(begun=False)
    with pytest.raises(sqlite3.ProgrammingError, match="not supported"):
        ledger.record(batch(one, object()))
    ledger.close()
    again = Ledger(path, run="r")
    assert again._db.execute("SELECT count(*) FROM batches").fetchone() == (0,)
    again.close()


def test_what_may_succeed_another_time_is_not_kept(path):
    ledger = Ledger(path, run="r")
    ledger.plan([given("killed"), given("unreadable", content="")])
    for one in ledger.unfinished(begun=False):
        ledger.record(batch(one, again=one.source.id == "killed"))
    ledger.close()
    again = Ledger(path, run="r")
    again.plan([given("killed"), given("unreadable", content="")])
    assert again.counts()[1] == 0
    again.close()


def test_a_batch_takes_the_place_of_parts_of_it(path):
    ledger = Ledger(path, run="r")
    ledger.plan([given("a")])
    (one,) = ledger.unfinished()
    for first, size, body in ((0, 2, b"0-1"), (2, 1, b"2"), (3, 1, b"3"), (2, 4, b"2-5")):
        ledger.record(Batch(one.key, first, size, body, b"", b"", Facts(), more=True))
    assert list(ledger.rows("passages")) == [b"0-1", b"2-5"]
    documents = tuple(SetAside(f"{i}", "a", None, "read", "") for i in range(4))
    assert ledger.has(Cut(one, documents, first=2, more=False, repeated=0))
    assert not ledger.has(Cut(one, documents[:2], first=2, more=False, repeated=0))
    ledger.close()
