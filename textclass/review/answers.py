"""Every answer, kept at once and for good, and the corpus that they make."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from textclass.corpora import write_jsonl
from textclass.errors import CorpusError
from textclass.taxonomy import Taxonomy

_FOREIGN = "select name from sqlite_master where type = 'table' and name <> 'review_answers'"
_OPEN = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists review_answers (
  number integer primary key, form text unique, answer text not null);
"""


class Kind(StrEnum):
    """What a reader answered."""

    ACCEPT = "accept"
    NONE = "none"
    UNSURE = "unsure"
    SKIPPED = "skipped"
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
        Its key.
    reader : str
    kind : Kind
    labels, suggested : tuple of str
        The labels given, and those that the page had ticked.
    row : Mapping
        The row of a corpus that the passage becomes, with the model that tagged it.
    seconds : float
        How long the page was looked at.
    comment : str
    flagged : bool
    settled : bool
        Whether it decides between readers.
    undoes : int or None
        Number of the answer that it takes back.
    form : str or None
        The page that it was given on: each page gives one answer, however often it is sent.
    at : str
    number : int
        Its place among all answers.
    """

    passage: str
    reader: str
    kind: Kind
    labels: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    row: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    comment: str = ""
    flagged: bool = False
    settled: bool = False
    undoes: int | None = None
    form: str | None = None
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    number: int = 0


_ANSWER = TypeAdapter(Answer)


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
        self._all: list[Answer] = []
        try:
            # A server may answer in another thread than the one that opened the file, but in one.
            self._base = sqlite3.connect(
                path, timeout=10, isolation_level=None, check_same_thread=False
            )
            if self._base.execute(_FOREIGN).fetchone():
                raise sqlite3.DatabaseError("another program's database")
            self._base.executescript(_OPEN)
        except sqlite3.Error as error:
            raise CorpusError(
                f"not the answers of a review: {error}", where=str(path), hint="move it away"
            ) from error
        self.refresh()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def add(self, answer: Answer) -> None:
        """Keep an answer."""
        self._base.execute(
            "insert or ignore into review_answers (form, answer) values (?, ?)",
            (answer.form, orjson.dumps(answer).decode()),
        )
        self.refresh()

    def refresh(self) -> None:
        """Take in what was added since, by whomever."""
        last = self._all[-1].number if self._all else 0
        query = "select number, answer from review_answers where number > ? order by number"
        for number, packed in self._base.execute(query, (last,)):
            self._all.append(replace(_ANSWER.validate_json(packed), number=number))

    def standing(self, *, settled: bool = False) -> list[Answer]:
        """Return the answer of each reader that stands for each passage, oldest first.

        Parameters
        ----------
        settled : bool, keyword-only
            Of the answers that decide between readers, instead of the readers' own.
        """
        undone = {answer.undoes for answer in self._all}
        last = {
            (answer.passage, answer.reader): answer
            for answer in self._all
            if answer.settled is settled
            if answer.kind is not Kind.UNDO and answer.number not in undone
        }
        return sorted(last.values(), key=lambda answer: answer.number)

    def by_passage(self) -> dict[str, list[Answer]]:
        """Return the standing answers of all readers to each passage."""
        found = defaultdict(list)
        for answer in self.standing():
            found[answer.passage].append(answer)
        return found

    def open_differences(self) -> list[str]:
        """Return the passages to which readers gave different labels and nobody has decided."""
        settled = {answer.passage for answer in self.standing(settled=True)}
        return [k for k, said in self.by_passage().items() if _differ(said) and k not in settled]

    def check_labels(self, taxonomy: Taxonomy) -> None:
        """Refuse to go on with labels that earlier answers don't know.

        Raises
        ------
        CorpusError
            If an answer has a label that the taxonomy lacks.
        """
        used = {label for answer in self._all for label in answer.labels}
        if strange := sorted(used - taxonomy.columns.keys()):
            raise CorpusError(
                f"earlier answers have labels that aren't offered now: {', '.join(strange)}",
                where=str(self.path),
                hint="give the --labels or --model that they were made with, or another -o",
            )

    def export(self, path: Path, taxonomy: Taxonomy) -> Counter[str]:
        """Write the corpus that the answers make, and with several readers one of each as well.

        Where readers differ, the settled answer counts; until there is one, the passage is left out
        of the common file.

        Returns
        -------
        Counter of str
            How many answered passages are in the common file (`labelled`), or are left out as
            `unsure`, `skipped`, or `differing` between readers.
        """
        self.refresh()
        settled = {answer.passage: answer for answer in self.standing(settled=True)}
        common, fates = [], Counter[str]()
        own = defaultdict(list)
        for key, said in self.by_passage().items():
            judged = [answer for answer in said if answer.kind.labels_it]
            for answer in judged:
                own[answer.reader].append(_row([answer], taxonomy))
            deciding = [settled[key]] if key in settled else judged or said[-1:]
            if _differ(deciding):
                fates["differing"] += 1
            elif deciding[-1].kind.labels_it:
                fates["labelled"] += 1
                common.append(_row(deciding, taxonomy))
            else:
                fates[deciding[-1].kind] += 1
        write_jsonl(path, common)
        for reader, place in self.files_of_readers(path).items():
            write_jsonl(place, own[reader])
        return fates

    def files_of_readers(self, path: Path) -> dict[str, Path]:
        """Return where `export` puts the corpus of each reader, if there are several."""
        readers = dict.fromkeys(one.reader for one in self.standing() if one.kind.labels_it)
        return {one: file_of_reader(path, one) for one in readers} if len(readers) > 1 else {}


def file_of_reader(path: Path, reader: str) -> Path:
    """Return where a reader's own corpus lies, beside that of all."""
    return path.with_name(f"{path.stem}.{reader}{path.suffix}")


def _differ(said: Iterable[Answer]) -> bool:
    return len({frozenset(answer.labels) for answer in said if answer.kind.labels_it}) > 1


def _row(answers: Sequence[Answer], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the row of a corpus from answers that agree."""
    last = answers[-1]
    readers = "; ".join(answer.reader for answer in answers)
    facets = {f.name: [name for name in f.names if name in last.labels] for f in taxonomy}
    notes = {name: getattr(last, name) for name in ("comment", "flagged", "settled")}
    notes = {name: value for name, value in notes.items() if value}
    return {**last.row, **facets, "labelled": "review", "reader": readers, **notes}
