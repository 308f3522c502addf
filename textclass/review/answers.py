"""Every answer, kept at once and for good, and the corpus that they make."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from textclass.corpora import write_jsonl
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

_MINE = 0x74637276
_TABLES = """
create table if not exists passages (key text primary key, row blob not null);
create table if not exists answers (
  number integer primary key autoincrement, form text unique, at text not null,
  passage text not null, reader text not null, kind text not null, labels text not null,
  suggested text not null, seconds real not null, comment text not null, flagged integer not null,
  settled integer not null, undoes integer, model text, taxonomy text not null);
"""


class Kind(StrEnum):
    """What a reader answered."""

    ACCEPT = "accept"
    NONE = "none"
    UNSURE = "unsure"
    SKIP = "skip"
    UNDO = "undo"

    @property
    def labels_it(self) -> bool:
        """Whether the passage goes into the corpus."""
        return self in (Kind.ACCEPT, Kind.NONE)


@dataclass(frozen=True)
class Answer:
    """What a reader said of a passage; nothing is ever changed or taken away.

    Attributes
    ----------
    passage : str
        Hash of its text.
    reader : str
    kind : Kind
    labels, suggested : tuple of str
        The labels given, and those that the page had ticked.
    seconds : float
        How long the page was looked at.
    comment : str
    flagged : bool
    settled : bool
        Whether it decides between two readers.
    undoes : int or None
        Number of the answer that it takes back.
    model : str or None
        That made the suggestion.
    taxonomy : str
        Fingerprint of the labels offered.
    form : str or None
        The page that it was given on: each page gives one answer, however often it is sent.
    at : str
    number : int
    """

    passage: str
    reader: str
    kind: Kind
    labels: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    seconds: float = 0.0
    comment: str = ""
    flagged: bool = False
    settled: bool = False
    undoes: int | None = None
    model: str | None = None
    taxonomy: str = ""
    form: str | None = None
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    number: int = 0


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and what it left out."""

    rows: int
    unsure: int
    skipped: int
    differing: int


class Answers:
    """The answers in a file: SQLite, each one synced to the disk before the page goes on.

    Several processes may add to one file; `refresh` reads what others wrote.

    Raises
    ------
    CorpusError
        If the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = 0
        self._stacks: dict[tuple[str, bool], dict[str, list[Answer]]] = {}
        try:
            # A server may answer in another thread than the one that opened the file, but in one.
            self._base = sqlite3.connect(
                path, timeout=10, isolation_level=None, check_same_thread=False
            )
            mine = self._base.execute("pragma application_id").fetchone()[0] == _MINE
            if not mine and self._base.execute("select 1 from sqlite_master").fetchone():
                raise sqlite3.DatabaseError("another program's database")
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")
            self._base.execute(f"pragma application_id = {_MINE}")
            self._base.executescript(_TABLES)
        except sqlite3.Error as error:
            raise CorpusError(
                f"not the answers of a review: {error}", where=str(path), hint="move it away"
            ) from error
        self.refresh()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def add(self, answer: Answer, row: Mapping[str, Any]) -> None:
        """Keep an answer, and the passage that it is about."""
        values = {**vars(answer), "labels": orjson.dumps(answer.labels).decode()}
        values["suggested"] = orjson.dumps(answer.suggested).decode()
        del values["number"]
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        self._base.execute("begin immediate")
        try:
            self._base.execute(
                "insert or ignore into passages values (?, ?)", (answer.passage, orjson.dumps(row))
            )
            self._base.execute(
                f"insert or ignore into answers ({names}) values ({places})",  # noqa: S608 -- our own field names
                values,
            )
            self._base.execute("commit")
        except BaseException:
            self._base.execute("rollback")
            raise
        self.refresh()

    def refresh(self) -> int:
        """Take in what was added since, by whomever, and return the number of the last answer."""
        cursor = self._base.execute("select * from answers where number > ?", (self._last,))
        names = [column[0] for column in cursor.description]
        for values in cursor:
            found = dict(zip(names, values, strict=True))
            for name in ("labels", "suggested"):
                found[name] = tuple(orjson.loads(found[name]))
            for name in ("flagged", "settled"):
                found[name] = bool(found[name])
            answer = Answer(**{**found, "kind": Kind(found["kind"])})
            self._last = answer.number
            stack = self._stacks.setdefault((answer.reader, answer.settled), {})
            standing = stack.setdefault(answer.passage, [])
            if answer.kind is Kind.UNDO:
                standing[:] = [one for one in standing if one.number != answer.undoes]
            else:
                standing.append(answer)
        return self._last

    def standing(self, reader: str, *, settled: bool = False) -> dict[str, Answer]:
        """Return the answer of a reader that stands for each passage, oldest first."""
        stacks = self._stacks.get((reader, settled), {}).items()
        last = [stack[-1] for _, stack in stacks if stack]
        return {answer.passage: answer for answer in sorted(last, key=lambda one: one.number)}

    @property
    def readers(self) -> list[str]:
        """Who answered, settlers aside."""
        return sorted(reader for reader, settled in self._stacks if not settled)

    def settled(self) -> dict[str, Answer]:
        """Return the answer that decided each passage on which readers differed."""
        found: dict[str, Answer] = {}
        for reader, settled in self._stacks:
            if settled:
                found |= self.standing(reader, settled=True)
        return found

    def judged(self) -> dict[str, list[Answer]]:
        """Return for each passage the standing answers of all readers who labelled it."""
        found: dict[str, list[Answer]] = {}
        for reader in self.readers:
            for key, answer in self.standing(reader).items():
                if answer.kind.labels_it:
                    found.setdefault(key, []).append(answer)
        return found

    def differing(self) -> dict[str, list[Answer]]:
        """Return the passages to which readers gave different labels, settled or not."""
        return {
            key: answers
            for key, answers in self.judged().items()
            if len({frozenset(answer.labels) for answer in answers}) > 1
        }

    def check_labels(self, taxonomy: Taxonomy) -> None:
        """Refuse to go on with labels that earlier answers don't know.

        Raises
        ------
        CorpusError
            If an answer has a label that the taxonomy lacks.
        """
        used = {
            label
            for stacks in self._stacks.values()
            for stack in stacks.values()
            for answer in stack[-1:]
            for label in answer.labels
        }
        if strange := sorted(used - set(taxonomy.names)):
            raise CorpusError(
                f"earlier answers have labels that aren't offered now: {', '.join(strange)}",
                where=str(self.path),
                hint="give the --labels or --model that they were made with, or another -o",
            )

    def export(self, path: Path, taxonomy: Taxonomy) -> Exported:
        """Write the corpus that the answers make, and with several readers one of each as well.

        Where readers differ, the settled answer counts; until there is one, the passage is left out
        of the common file.
        """
        self.refresh()
        rows = dict(self._base.execute("select key, row from passages order by rowid"))

        def row(answer: Answer, readers: str) -> dict[str, Any]:
            facets = {
                facet.name: [name for name in facet.names if name in answer.labels]
                for facet in taxonomy
            }
            notes = {"comment": answer.comment or None, "flagged": answer.flagged or None}
            notes |= {"settled": answer.settled or None}
            return {
                **orjson.loads(rows[answer.passage]),
                **facets,
                "labelled": "review",
                "reader": readers,
                **{name: value for name, value in notes.items() if value is not None},
            }

        judged, settled, differing = self.judged(), self.settled(), self.differing()
        common = []
        for key in rows:
            if key in settled and settled[key].kind.labels_it:
                common.append(row(settled[key], settled[key].reader))
            elif key in judged and key not in differing and key not in settled:
                common.append(row(judged[key][-1], "; ".join(a.reader for a in judged[key])))
        write_jsonl(path, common)
        if len(self.readers) > 1:
            for reader in self.readers:
                own = [row(a, reader) for a in self.standing(reader).values() if a.kind.labels_it]
                write_jsonl(path.with_name(f"{path.stem}.{reader}{path.suffix}"), own)
        left = {kind: len(self._only(kind, judged, settled)) for kind in (Kind.UNSURE, Kind.SKIP)}
        open_ones = sum(key not in settled for key in differing)
        return Exported(len(common), left[Kind.UNSURE], left[Kind.SKIP], open_ones)

    def _only(
        self, kind: Kind, judged: Mapping[str, Sequence[Answer]], settled: Mapping[str, Answer]
    ) -> set[str]:
        return {
            key
            for answers in (*map(self.standing, self.readers), settled)
            for key, answer in answers.items()
            if answer.kind is kind and (key not in judged or answer.settled)
        }
