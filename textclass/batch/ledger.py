"""The ledger: what a run has done, kept through any death of the process.

Inputs are known by their id, their content's hash and the run (model and options). Records enter in
transactions, on disk before they count, so a killed run loses and doubles nothing.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textclass.batch.data import DocumentResult, Input, Part
from textclass.batch.records import unpack
from textclass.documents import SetAside, Source
from textclass.errors import BatchError

APPLICATION_ID = 0x74786C67
VERSION = 1
COMMIT_SECONDS = 0.5
_TABLES = """
CREATE TABLE IF NOT EXISTS inputs (
    key INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    content TEXT NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    again INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run, id, content)
);
CREATE TABLE IF NOT EXISTS records (
    input INTEGER NOT NULL REFERENCES inputs ON DELETE CASCADE,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (input, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS columns (
    input INTEGER NOT NULL REFERENCES inputs ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (input, name, kind)
) WITHOUT ROWID;
"""
_PLAN = """
CREATE TEMP TABLE plan (
    position INTEGER PRIMARY KEY,
    input INTEGER NOT NULL UNIQUE,
    path BLOB NOT NULL,
    root BLOB,
    url TEXT,
    taken_up INTEGER NOT NULL
);
"""


class Ledger:
    """One run's work on disk. Only the parent process writes, and only one run at a time.

    Parameters
    ----------
    path : Path
        Made if it isn't there.
    run : str, keyword-only
        Name of the model and options.
    fresh : bool, keyword-only
        Forget what earlier runs did.

    Raises
    ------
    BatchError
        If the file is no ledger, is damaged, or another run is using it.
    """

    def __init__(self, path: Path, *, run: str, fresh: bool = False) -> None:
        self.path = path
        self.run = run
        self._committed = time.monotonic()
        with self._told():
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
            try:
                self._open(fresh=fresh)
            except BaseException:
                self._db.close()
                raise

    def _open(self, *, fresh: bool) -> None:
        # Exclusive: a second run is refused, and WAL works without shared memory (network disks).
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE")
        known = self._number("PRAGMA application_id")
        if self._number("SELECT count(*) FROM sqlite_master") and known != APPLICATION_ID:
            raise BatchError(
                "it is a database of another program", where=str(self.path), hint="give another -o"
            )
        self._db.execute("COMMIT")
        version = self._number("PRAGMA user_version")
        if known == APPLICATION_ID and version != VERSION and not fresh:
            raise BatchError(
                f"a ledger of form {version}, this version writes {VERSION}",
                where=str(self.path),
                hint="start over with --fresh",
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        if fresh:
            for table in ("records", "columns", "inputs"):
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
            self._db.execute("VACUUM")
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        self._db.executescript(_TABLES + _PLAN)
        self._db.execute("DELETE FROM inputs WHERE content = '' OR again")

    def close(self) -> None:
        """Commit and let others in."""
        with self._told():
            try:
                self.commit()
            finally:
                self._db.close()

    def plan(self, inputs: Iterable[Input]) -> None:
        """Take up the inputs of this run, in their order."""
        with self._told(), self._whole():
            for one in inputs:
                key = (self.run, one.source.id, one.content)
                # An older content of the same input is of no more use.
                self._db.execute(
                    "DELETE FROM inputs WHERE run = ? AND id = ? AND content <> ?", key
                )
                self._db.execute(
                    "INSERT OR IGNORE INTO inputs (run, id, content) VALUES (?, ?, ?)", key
                )
                root = one.source.root
                self._db.execute(
                    "INSERT OR IGNORE INTO plan (input, path, root, url, taken_up)"
                    " SELECT key, ?, ?, ?, finished FROM inputs"
                    " WHERE run = ? AND id = ? AND content = ?",
                    (os.fsencode(one.source.path), root and os.fsencode(root), one.url, *key),
                )
        self.commit()

    def unfinished(self, *, begun: bool) -> Iterator[Input]:
        """Yield what is still to do.

        Parameters
        ----------
        begun : bool, keyword-only
            Those of which some records are there, or those of which none is.
        """
        last = 0
        while rows := self._rows(
            "SELECT position, path, root, url, id, content FROM plan"
            " JOIN inputs ON inputs.key = plan.input WHERE position > ? AND NOT finished"
            " AND EXISTS (SELECT 1 FROM records WHERE records.input = plan.input) = ?"
            " ORDER BY position LIMIT 256",
            (last, begun),
        ):
            for position, path, root, url, name, content in rows:
                folder = Path(os.fsdecode(root)) if root is not None else None
                source = Source(Path(os.fsdecode(path)), name, folder)
                yield Input(source, content, url, position)
            last = rows[-1][0]

    def has(self, position: int, number: int) -> bool:
        """Whether the record with this number of a planned input is there."""
        found = self._rows(
            "SELECT 1 FROM records JOIN plan USING (input) WHERE position = ? AND number = ?",
            (position, number),
        )
        return bool(found)

    def record(self, position: int, part: Part, *, finished: bool) -> None:
        """Take up what a worker made of an input; on disk with the next commit."""
        with self._told(), self._whole():
            (key,) = self._rows("SELECT input FROM plan WHERE position = ?", (position,))[0]
            numbers = range(part.first, part.first + len(part.records))
            self._db.executemany(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
                ((key, n, body) for n, body in zip(numbers, part.records, strict=True)),
            )
            self._db.executemany(
                "INSERT INTO columns VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET number = excluded.number, place = excluded.place"
                " WHERE excluded.number < columns.number",
                ((key, *column, part.first, i) for i, column in enumerate(part.columns)),
            )
            if part.again:
                self._db.execute("UPDATE inputs SET again = 1 WHERE key = ?", (key,))
            if finished:
                self._db.execute("UPDATE inputs SET finished = 1 WHERE key = ?", (key,))
        if time.monotonic() - self._committed > COMMIT_SECONDS:
            self.commit()

    def finish(self, position: int) -> None:
        """Note that all records of an input are there."""
        with self._told(), self._whole():
            self._db.execute(
                "UPDATE inputs SET finished = 1"
                " WHERE key = (SELECT input FROM plan WHERE position = ?)",
                (position,),
            )

    def commit(self) -> None:
        """Put on disk what was recorded."""
        with self._told():
            if self._db.in_transaction:
                self._db.execute("COMMIT")
            self._committed = time.monotonic()

    def counts(self) -> tuple[int, int]:
        """Return how many inputs are planned, and how many of them are done."""
        done = "SELECT count(*) FROM plan JOIN inputs ON inputs.key = plan.input WHERE finished"
        return self._number("SELECT count(*) FROM plan"), self._number(done)

    def records(self) -> Iterator[DocumentResult | SetAside]:
        """Yield all records of the planned inputs, in the order of inputs and their documents."""
        with self._told():
            rows = self._db.execute(
                "SELECT body FROM plan JOIN records USING (input) ORDER BY position, number"
            )
            for (body,) in rows:
                yield unpack(body)

    def columns(self) -> Mapping[str, frozenset[str]]:
        """Return the kinds of each other column of table rows, in order of first appearance."""
        kinds: dict[str, set[str]] = {}
        for name, kind in self._rows(
            "SELECT name, kind FROM plan JOIN columns USING (input)"
            " ORDER BY position, number, place"
        ):
            kinds.setdefault(name, set()).add(kind)
        return {name: frozenset(found) for name, found in kinds.items()}

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Let all that is done inside enter the open transaction, or nothing of it."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # After a full disk sqlite may have rolled back by itself.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._told():
            return self._db.execute(query, values).fetchall()

    def _number(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what sqlite says into what a user can act on."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
            raise  # ours, not the disk's
        except sqlite3.DatabaseError as error:
            raise _fault(error, self.path) from error


def _fault(error: sqlite3.DatabaseError, path: Path) -> BatchError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = str(path)
    if code == sqlite3.SQLITE_BUSY:
        return BatchError(
            "another run is using this ledger", where=where, hint="wait for it, or give another -o"
        )
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return BatchError(
            f"it can't be written ({error}): is the disk full?",
            where=where,
            hint="what is done is kept; make room and run the same command again",
        )
    if code == sqlite3.SQLITE_NOTADB:
        return BatchError("it isn't a ledger", where=where, hint="move it away, or another -o")
    if code == sqlite3.SQLITE_CORRUPT:
        return BatchError(
            f"it is damaged: {error}", where=where, hint="delete it and run the command again"
        )
    return BatchError(f"it can't be used: {error}", where=where)
