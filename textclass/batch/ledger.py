"""The ledger: what a run has done, kept through any death of the process.

Inputs are known by their id, their content's hash and the run (model and options). Batches of rows
enter in transactions, on disk before they count, so a killed run loses and doubles nothing; they
are kept as the bytes that the results need.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from textclass.batch.formats import wider_kind
from textclass.batch.jobs import Batch, Cut, Facts, Input
from textclass.documents import Source
from textclass.errors import BatchError

APPLICATION_ID = 0x74786C67
VERSION = 4
_TABLES = """
CREATE TABLE IF NOT EXISTS inputs (
    key INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    content TEXT NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run, id, content)
);
CREATE TABLE IF NOT EXISTS batches (
    input INTEGER NOT NULL REFERENCES inputs ON DELETE CASCADE,
    first INTEGER NOT NULL,
    size INTEGER NOT NULL,
    facts TEXT NOT NULL,
    documents BLOB NOT NULL,
    set_aside BLOB NOT NULL,
    passages BLOB NOT NULL,
    UNIQUE (input, first)
);
CREATE TABLE IF NOT EXISTS outputs (
    name BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    run TEXT NOT NULL,
    model TEXT NOT NULL,
    inputs INTEGER NOT NULL,
    PRIMARY KEY (name, sha256)
);
CREATE TEMP TABLE plan (
    position INTEGER PRIMARY KEY,
    input INTEGER NOT NULL UNIQUE,
    place TEXT NOT NULL
);
"""
_FULL = (
    "it can't be written ({}): is the disk full?",
    "what is done is kept; make room and run the same command again",
)
_FAULTS = {
    sqlite3.SQLITE_BUSY: ("another run is using this ledger", "wait for it, or give another -o"),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FULL,
    sqlite3.SQLITE_NOTADB: ("it isn't a ledger", "move it away, or another -o"),
    sqlite3.SQLITE_CORRUPT: ("it is damaged: {}", "delete it and run the command again"),
}
"""What sqlite's codes mean for a user, and what to do."""


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
        try:
            self._db = sqlite3.connect(path, timeout=0)
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from error
        with ExitStack() as stack:
            stack.enter_context(closing(self._db))
            with self._told():
                self._open(fresh=fresh)
            stack.pop_all()

    def _open(self, *, fresh: bool) -> None:
        # Exclusive: a second run is refused, and WAL works without shared memory (network disks).
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE")
        known, version = self._number("PRAGMA application_id"), self._number("PRAGMA user_version")
        tables = [name for (name,) in self._db.execute("SELECT name FROM sqlite_master")]
        if tables and known != APPLICATION_ID:
            raise BatchError(
                "it is a database of another program", where=str(self.path), hint="give another -o"
            )
        if tables and version != VERSION and not fresh:
            raise BatchError(
                f"a ledger of form {version}, this version writes {VERSION}",
                where=str(self.path),
                hint="start over with --fresh",
            )
        self._db.execute("COMMIT")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if fresh:
            for table in ("batches", "records", "inputs"):
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
            self._db.execute("VACUUM")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        self._db.executescript(_TABLES)
        # Without a content nothing can tell whether it is still the same.
        self._db.execute("DELETE FROM inputs WHERE content = ''")

    def close(self) -> None:
        """Commit and let others in."""
        try:
            self.commit()
        finally:
            self._db.close()

    def plan(self, inputs: Iterable[Input]) -> None:
        """Take up the inputs of this run, in their order."""
        with self._told():
            for one in inputs:
                source = one.source
                key = (self.run, source.id, one.content)
                # An older content of the same input is of no more use.
                self._db.execute(
                    "DELETE FROM inputs WHERE run = ? AND id = ? AND content <> ?", key
                )
                self._db.execute(
                    "INSERT OR IGNORE INTO inputs (run, id, content) VALUES (?, ?, ?)", key
                )
                # JSON keeps names that aren't UTF-8.
                place = [str(source.path), source.root and str(source.root), one.size, one.url]
                self._db.execute(
                    "INSERT OR IGNORE INTO plan (input, place)"
                    " SELECT key, ? FROM inputs WHERE run = ? AND id = ? AND content = ?",
                    (json.dumps(place), *key),
                )
        self.commit()

    def unfinished(self, *, begun: bool = True) -> Iterator[Input]:
        """Yield what is still to do; without what is `begun`, only that of which nothing is there.

        Parameters
        ----------
        begun : bool, keyword-only
        """
        last = 0
        # One at a time: an open query would keep sqlite from emptying its log.
        while row := self._row(
            "SELECT position, key, place, id, content FROM plan JOIN inputs ON key = input"
            " WHERE position > ? AND NOT finished"
            " AND (? OR NOT EXISTS (SELECT 1 FROM batches WHERE batches.input = key))"
            " ORDER BY position LIMIT 1",
            (last, begun),
        ):
            last, key, place, name, content = row
            path, root, size, url = json.loads(place)
            yield Input(Source(Path(path), name, root and Path(root)), content, size, url, key)

    def has(self, cut: Cut) -> bool:
        """Whether the batch of these documents is there."""
        end = cut.first + len(cut.documents)
        # Asked of the last batch before it, which the index finds: a long table has many thousands.
        query = "SELECT max(first) + size FROM batches WHERE input = ? AND first < ?"
        return self._row(query, (cut.origin.key, end)) == (end,)

    def record(self, batch: Batch) -> None:
        """Take up what a worker made; on disk with the next commit."""
        key, facts = batch.key, json.dumps(vars(batch.facts))
        rows = (batch.documents, batch.set_aside, batch.passages)
        with self._told():
            # A run that was killed may have left a part of the same documents.
            self._db.execute(
                "DELETE FROM batches WHERE input = ? AND first >= ? AND first < ?",
                (key, batch.first, batch.first + max(batch.size, 1)),
            )
            self._db.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key, batch.first, batch.size, facts, *rows),
            )
            if batch.again:
                self._db.execute("UPDATE inputs SET content = '' WHERE key = ?", (key,))
        if not batch.more:
            self.finish(key)

    def finish(self, key: int) -> None:
        """Note that all batches of an input are there."""
        with self._told():
            self._db.execute("UPDATE inputs SET finished = 1 WHERE key = ?", (key,))

    def commit(self, *, after: float = 0) -> None:
        """Put on disk what was recorded, if the last commit is so many seconds ago."""
        if time.monotonic() - self._committed >= after:
            with self._told():
                self._db.commit()
            self._committed = time.monotonic()

    def counts(self) -> tuple[int, int, int]:
        """Return how many inputs are planned, how many of them done, how many done but not planned.

        The last are inputs of earlier runs with the same model and options.
        """
        done = "FROM inputs LEFT JOIN plan ON key = input WHERE finished AND run = ? AND input"
        return (
            self._number("SELECT count(*) FROM plan"),
            self._number(f"SELECT count(*) {done} IS NOT NULL", self.run),
            self._number(f"SELECT count(*) {done} IS NULL", self.run),
        )

    def facts(self) -> Facts:
        """Return what went into all batches of the planned inputs."""
        every = Facts()
        for text in self.rows("facts"):
            facts = json.loads(text)
            every.counts.update(facts["counts"])
            for name, kind in facts["columns"].items():
                every.columns[name] = wider_kind(every.columns.get(name), kind)
        return every

    def rows(self, kind: str) -> Iterator[bytes]:
        """Yield the packed rows of each batch, in the order of inputs and their documents.

        Parameters
        ----------
        kind : str
            `passages`, `documents` or `set_aside`; `facts` aren't packed.
        """
        tables = "plan JOIN batches USING (input) ORDER BY position, first"
        query = f"SELECT {kind} FROM {tables}"  # noqa: S608 - names of our own
        with self._told():
            for (value,) in self._db.execute(query):
                yield value

    def written(self, output: Path) -> dict[str, tuple[str, str, int]]:
        """Return what runs wrote to an output: its SHA-256, the run, its model, how many inputs."""
        query = "SELECT * FROM outputs WHERE name = ? ORDER BY rowid"
        with self._told():
            found = self._db.execute(query, [self._name(output)]).fetchall()
        return {sha256: (run, model, inputs) for _, sha256, run, model, inputs in found}

    def note_written(self, output: Path, sha256: str, *, model: str) -> None:
        """Note what this run is about to put in the place of an output."""
        values = (self._name(output), sha256, self.run, model, self.counts()[0])
        with self._told():
            self._db.execute("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", values)
        self.commit()

    def _name(self, output: Path) -> bytes:
        # The folder of both may be moved.
        return os.fsencode(os.path.relpath(output, self.path.parent))

    def _row(self, query: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        with self._told():
            row: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
            return row

    def _number(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Take back the open transaction on a fault, and tell what a user can act on."""
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:  # a reader who leaves undoes nothing
            self._db.rollback()
            # What sqlite says of our own mistakes is left as it is.
            ours = isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError)
            if ours or not isinstance(error, sqlite3.DatabaseError):
                raise
            raise self._fault(error) from error

    def _fault(self, error: sqlite3.DatabaseError) -> BatchError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        message, hint = _FAULTS.get(code, ("it can't be used: {}", None))
        return BatchError(message.format(error), where=str(self.path), hint=hint)
