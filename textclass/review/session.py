"""One reader at work: what is asked next, what was answered, what the model says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from textclass.corpora import Corpus
from textclass.results import Explanation
from textclass.review.answers import Answer, Answers, Exported, Kind
from textclass.review.progress import Progress, measure
from textclass.review.queue import Order, Queue
from textclass.review.ranking import MOST_POOL, MOST_TAUGHT, rank_in_child
from textclass.review.tagged_passages import Passages
from textclass.tagger import Tagger

RANK_EVERY = 25
"""Answers between two rankings by a model."""

COMPARED = 3
"""How many passages with the same label are shown for comparison."""


class Session:
    """A review under way.

    Parameters
    ----------
    passages : Passages
    answers : Answers
    out : Path
        The corpus to write.
    reader : str, keyword-only
    order : Order, keyword-only
    settle : bool, keyword-only
        Ask about the passages on which readers differ, and about nothing else.
    tagger : Tagger, keyword-only, optional
        Explains labels.
    teach : Corpus, keyword-only, optional
        Labelled passages that the queue's model learns from besides the answers.
    """

    def __init__(
        self,
        passages: Passages,
        answers: Answers,
        out: Path,
        *,
        reader: str,
        order: Order = Order.UNSURE,
        settle: bool = False,
        tagger: Tagger | None = None,
        teach: Corpus | None = None,
    ) -> None:
        answers.check_labels(passages.taxonomy)
        self.passages, self.answers, self.out = passages, answers, out
        self.reader, self.settle, self.teach = reader, settle, teach
        self.tagger = tagger
        self.queue = Queue(passages, order)
        self.fault = ""
        self._standing: dict[str, Answer] = {}
        self._read = 0
        self._ranked_at = 0 if np.isnan(passages.probabilities).all() else RANK_EVERY
        self._ranking: asyncio.Task[None] | None = None
        taxonomy = orjson.dumps(passages.taxonomy.to_dict(), option=orjson.OPT_SORT_KEYS)
        self.fingerprint = hashlib.sha256(taxonomy).hexdigest()[:16]
        self.refresh()

    @property
    def standing(self) -> Mapping[str, Answer]:
        """The reader's answer to each passage, oldest first."""
        return self._standing

    @property
    def history(self) -> list[Answer]:
        """The reader's answers to passages that are here, oldest first."""
        return [a for key, a in self._standing.items() if key in self.passages.numbers]

    def refresh(self) -> None:
        """Take in what other tabs and processes wrote."""
        last = self.answers.refresh()
        if last == self._read:
            return
        self._read = last
        before = self._standing
        self._standing = self.answers.standing(self.reader, settled=self.settle)
        for key in self._standing.keys() - before.keys() & self.passages.numbers.keys():
            self.queue.saw(self.passages.numbers[key])

    def open_differences(self) -> list[str]:
        """Return the passages on which readers differ and nobody has decided."""
        settled = self.answers.settled()
        return [key for key in self.answers.differing() if key not in settled]

    def next(self, *, within: str = "") -> str | None:
        """Return the key of the passage to ask about, or None where nothing is left.

        Parameters
        ----------
        within : str, keyword-only
            Stay in this document as long as a passage of it is open.
        """
        self.refresh()
        numbers, keys = self.passages.numbers, self.passages.keys
        if self.settle:
            return next((key for key in self.open_differences() if key in numbers), None)
        for number in self.passages.by_document.get(within, ()):
            if keys[number] not in self._standing:
                return keys[number]
        history = [numbers[answer.passage] for answer in self.history]
        found = self.queue.next(set(history), len(history), history)
        return None if found is None else keys[found]

    def before(self, key: str) -> str | None:
        """Return the passage answered before this one, or the last one."""
        keys = [answer.passage for answer in self.history]
        place = keys.index(key) if key in keys else len(keys)
        return keys[place - 1] if place else None

    def add(
        self,
        key: str,
        kind: Kind,
        labels: Sequence[str] = (),
        *,
        seconds: float = 0.0,
        comment: str = "",
        flagged: bool = False,
        form: str | None = None,
    ) -> None:
        """Keep an answer; labels count where the kind is to accept them."""
        number = self.passages.numbers[key]
        given = [name for name in self.passages.taxonomy.names if name in set(labels)]
        if kind is Kind.ACCEPT and not given:
            kind = Kind.NONE
        answer = Answer(
            passage=key,
            reader=self.reader,
            kind=kind,
            labels=tuple(given) if kind is Kind.ACCEPT else (),
            suggested=self.passages.labels(number),
            seconds=seconds,
            comment=comment,
            flagged=flagged,
            settled=self.settle,
            model=self.passages.details[number]["columns"].get("model"),
            taxonomy=self.fingerprint,
            form=form,
        )
        self.answers.add(answer, self.passages.row(number))
        self.refresh()

    def undo(self, *, form: str | None = None) -> str | None:
        """Take the last answer back and return its passage."""
        self.refresh()
        if not self.history:
            return None
        last = self.history[-1]
        undone = Answer(
            passage=last.passage,
            reader=self.reader,
            kind=Kind.UNDO,
            settled=self.settle,
            undoes=last.number,
            taxonomy=self.fingerprint,
            form=form,
        )
        self.answers.add(undone, self.passages.row(self.passages.numbers[last.passage]))
        self.refresh()
        return last.passage

    def progress(self) -> Progress:
        """Return how far the reader has come."""
        return measure(self.passages, self.queue.drawn, self._standing)

    def export(self) -> Exported:
        """Write the corpus that all readers' answers make."""
        return self.answers.export(self.out, self.passages.taxonomy)

    def explain(self, key: str, label: str) -> Explanation | None:
        """Return why the model gives a label or doesn't; None where there is no model."""
        text = self.passages.texts[self.passages.numbers[key]]
        return self.tagger.explain(text, label) if self.tagger else None

    def examples(self, key: str, label: str) -> list[tuple[str, str]]:
        """Return passages with a label, `(key, said by)`: the reader's latest, then suggested."""
        said = [a.passage for a in reversed(self.history) if label in a.labels and a.passage != key]
        found = [(one, "you") for one in said[:COMPARED]]
        column = self.passages.taxonomy.column(label)
        scores = np.nan_to_num(self.passages.probabilities[:, column])
        scores = scores + self.passages.suggested[:, column]
        for number in np.argsort(-scores, kind="stable")[: 2 * COMPARED].tolist():
            other = self.passages.keys[number]
            if len(found) < COMPARED and scores[number] >= 0.5 and other not in {key, *said}:
                found.append((other, "suggested"))
        return found

    def rank_if_due(self) -> None:
        """Let a model rank the passages anew, without waiting for it, if it is time."""
        done = sum(answer.kind.labels_it for answer in self.history)
        busy = self._ranking and not self._ranking.done()
        if self.queue.learns and not self.settle and not busy and done >= self._ranked_at:
            self._ranked_at = done + RANK_EVERY
            self._ranking = asyncio.get_running_loop().create_task(self._rank())

    async def _rank(self) -> None:
        open_ones = [n for n in self.queue.drawn if self.passages.keys[n] not in self._standing]
        open_ones = open_ones[:MOST_POOL]
        task = {"pool": [self.passages.texts[n] for n in open_ones], **self._lessons()}
        try:
            order = await rank_in_child(task)
        except (OSError, RuntimeError) as error:
            self.fault = f"the queue can't be ranked: {error}"
        else:
            self.fault = ""
            self.queue.promote([open_ones[n] for n in order])

    def _lessons(self) -> dict[str, Any]:
        """Return what the queue's model learns from: the answers, then labels of corpora."""
        names = self.passages.taxonomy.names
        texts, labels, groups = [], [], []
        for answer in self.history:
            if answer.kind.labels_it:
                number = self.passages.numbers[answer.passage]
                texts.append(self.passages.texts[number])
                groups.append(self.passages.documents[number])
                labels.append([float(name in answer.labels) for name in names])
        given = [n for n in self.queue.drawn if self.passages.taught[n]]
        for number in given[:MOST_TAUGHT]:
            if self.passages.keys[number] not in self._standing:
                texts.append(self.passages.texts[number])
                groups.append(self.passages.documents[number])
                labels.append(self.passages.suggested[number].astype(float).tolist())
        for row in self.teach.rows[:: 1 + len(self.teach) // MOST_TAUGHT] if self.teach else ():
            texts.append(row.text)
            groups.append(row.group)
            given_here = row.scores or dict.fromkeys(row.labels or (), 1.0)
            labels.append([given_here.get(name, 0.0) for name in names])
        return {"taught": texts, "targets": labels, "groups": groups}

    async def close(self) -> None:
        """Stop ranking and write the corpus."""
        if self._ranking and not self._ranking.done():
            self._ranking.cancel()
            await asyncio.gather(self._ranking, return_exceptions=True)
        self.export()
