"""One reader at work: what is asked next, what was answered, how right the suggestions are."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from anyio import to_process
from numpy.typing import NDArray

from textclass.review.answers import Answer, Answers, Kind
from textclass.review.queue import Order, Queue, rank_in_background
from textclass.review.tagged_passages import Passages
from textclass.tagger import Tagger

RANK_EVERY = 25
"""Answers between two rankings by a model."""

MOST_POOL, MOST_TAUGHT = 3000, 2000
"""How many unanswered passages are ranked and how many labelled ones are learnt from, at most."""

COMPARED = 3
"""How many passages with the same label are shown for comparison."""

WINDOW = 25
"""Answers over which agreement is averaged."""


@dataclass(frozen=True)
class Share:
    """How many of so many, with the ends of Wilson's 95 % interval."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / max(self.of, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end; all is possible of none."""
        from textclass.learning import wilson  # with scikit-learn

        return wilson(self.value, self.of) if self.of else (0.0, 1.0)


class Session:
    """A review under way.

    Parameters
    ----------
    passages : Passages
    answers : Answers
    reader : str, keyword-only
    order : Order, keyword-only
    settle : bool, keyword-only
        Ask about the passages on which readers differ, and about nothing else.
    tagger : Tagger, keyword-only, optional
        Explains labels.

    Attributes
    ----------
    standing : dict of str to Answer
        The reader's answer to each passage that is here, oldest first.
    fault : str
        Why the queue can't be ranked, if so.
    """

    def __init__(
        self,
        passages: Passages,
        answers: Answers,
        *,
        reader: str,
        order: Order = "unsure",
        settle: bool = False,
        tagger: Tagger | None = None,
    ) -> None:
        answers.check_labels(passages.taxonomy)
        self.passages, self.answers = passages, answers
        self.reader, self.settle, self.tagger = reader, settle, tagger
        self.queue = Queue(passages, order)
        self.fault = ""
        self.standing: dict[str, Answer] = {}
        self._rank_at = 0 if np.isnan(passages.probabilities).all() else RANK_EVERY
        self._ranking: asyncio.Task[None] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Take in what other tabs and processes wrote."""
        self.answers.refresh()
        self.standing = {
            answer.passage: answer
            for answer in self.answers.standing(settled=self.settle)
            if answer.reader == self.reader and answer.passage in self.passages.numbers
        }

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
            return next((key for key in self.answers.open_differences() if key in numbers), None)
        for number in self.passages.by_document.get(within, ()):
            if keys[number] not in self.standing:
                return keys[number]
        found = self.queue.next([numbers[key] for key in self.standing])
        return None if found is None else keys[found]

    def before(self, key: str) -> str | None:
        """Return the passage answered before this one, or the last one."""
        keys = list(self.standing)
        earlier = keys[: keys.index(key)] if key in keys else keys
        return earlier[-1] if earlier else None

    def add(self, key: str, kind: Kind, labels: Sequence[str] = (), **said: Any) -> None:  # noqa: ANN401 -- fields of an answer
        """Keep an answer; labels count where the kind is to accept them.

        Parameters
        ----------
        key : str
        kind : Kind
        labels : sequence of str
        **said
            The `seconds`, `comment`, `flagged`, `form` and `undoes` of an `Answer`.
        """
        number = self.passages.numbers[key]
        given = tuple(name for name in self.passages.taxonomy.names if name in labels)
        if kind is Kind.ACCEPT and not given:
            kind = Kind.NONE
        answer = Answer(
            key,
            self.reader,
            kind,
            given if kind is Kind.ACCEPT else (),
            self.passages.labels(number),
            self.passages.row(number),
            settled=self.settle,
            **said,
        )
        self.answers.add(answer)
        self.refresh()

    def undo(self) -> str | None:
        """Take the last answer back and return its passage."""
        self.refresh()
        if not self.standing:
            return None
        last = [*self.standing.values()][-1]
        self.add(last.passage, Kind.UNDO, undoes=last.number)
        return last.passage

    def examples(self, key: str, label: str) -> list[tuple[str, str]]:
        """Return passages with a label, `(key, said by)`: the reader's latest, then suggested."""
        said = [one for one, a in reversed(self.standing.items()) if label in a.labels]
        column = self.passages.taxonomy.column(label)
        suggested = np.flatnonzero(self.passages.suggested[:, column])
        surest = np.argsort(-self.passages.probabilities[suggested, column], kind="stable")
        others = [self.passages.keys[n] for n in suggested[surest[: 2 * COMPARED]]]
        found = [(one, "you") for one in said] + [
            (one, "suggested") for one in others if one not in self.standing
        ]
        return [(one, by) for one, by in found if one != key][:COMPARED]

    def rank_if_due(self) -> asyncio.Task[None] | None:
        """Let a model rank the passages anew if it is time; return the ranking under way."""
        done = sum(answer.kind.labels_it for answer in self.standing.values())
        busy = self._ranking is not None and not self._ranking.done()
        learns = self.queue.order == "model" and not self.settle
        if learns and not busy and done >= self._rank_at:
            self._rank_at = done + RANK_EVERY
            self._ranking = asyncio.get_running_loop().create_task(self._rank())
        return self._ranking

    async def _rank(self) -> None:
        """Rank by a model of the answers, and of the corpora under review."""
        passages = self.passages
        taught: dict[int, Sequence[str]] = {
            passages.numbers[key]: answer.labels
            for key, answer in self.standing.items()
            if answer.kind.labels_it
        }
        open_ones = [n for n in self.queue.drawn if passages.keys[n] not in self.standing]
        for number in [n for n in open_ones if passages.taught[n]][:MOST_TAUGHT]:
            taught[number] = passages.labels(number)
        pool = open_ones[:MOST_POOL]
        try:
            order = await to_process.run_sync(
                rank_in_background,
                [passages.texts[n] for n in pool],
                [passages.texts[n] for n in taught],
                self._targets(taught.values()).astype(float),
                [passages.documents[n] for n in taught],
                cancellable=True,
            )
            self.fault = ""
            self.queue.promote([pool[n] for n in order])
        except Exception as error:  # noqa: BLE001 -- whatever it is, the page goes on and tells it
            self.fault = f"the queue can't be ranked: {error}"

    def progress(self) -> dict[str, Any]:
        """Return how far the reader has come.

        Returns
        -------
        dict
            Passages that are `labelled`, `unsure`, `skipped`, `flagged` and `left`; `labels`, how
            often each that either gave was kept, added by the reader, taken away by the reader;
            `agreement`, after each answer the mean over the last `WINDOW` of the labels that
            suggestion and reader share among all that either gave (1 where neither gave any);
            `sample`, labelled passages of a simple random sample, and the `Share` of its suggested
            labels that are `right`, of its right labels that were `found`.
        """
        standing, keys = self.standing, self.passages.keys
        kinds = Counter(answer.kind for answer in standing.values())
        judged = {key: answer for key, answer in standing.items() if answer.kind.labels_it}
        given = self._targets(answer.labels for answer in judged.values())
        suggested = self._targets(answer.suggested for answer in judged.values())
        both, either = given & suggested, given | suggested
        alike = np.where(either.any(1), both.sum(1) / np.maximum(either.sum(1), 1), 1.0)
        sums = np.append(0, np.cumsum(alike))
        ends = np.arange(1, len(sums))
        starts = np.maximum(ends - WINDOW, 0)
        fates = np.transpose([matrix.sum(0) for matrix in (both, given & ~both, suggested & ~both)])
        # The answered ones at the head of a random order, which don't depend on their tags.
        head = {*takewhile(standing.__contains__, (keys[n] for n in self.queue.drawn))}
        sample = np.array([key in head for key in judged], dtype=bool)
        common = int(both[sample].sum())
        return {
            "labelled": len(judged),
            "unsure": kinds[Kind.UNSURE],
            "skipped": kinds[Kind.SKIPPED],
            "flagged": sum(answer.flagged for answer in standing.values()),
            "left": len(keys) - len(standing),
            "labels": {
                name: tuple(counts)
                for name, counts in zip(self.passages.taxonomy.names, fates.tolist(), strict=True)
                if any(counts)
            },
            "agreement": ((sums[ends] - sums[starts]) / (ends - starts)).tolist(),
            "sample": int(sample.sum()),
            "right": Share(common, int(suggested[sample].sum())),
            "found": Share(common, int(given[sample].sum())),
        }

    def _targets(self, labels: Iterable[Collection[str]]) -> NDArray[np.bool_]:
        """Return which labels each row has, shape (n_rows, n_labels)."""
        names = self.passages.taxonomy.names
        rows = [[name in given for name in names] for given in labels]
        return np.array(rows, dtype=np.bool_).reshape(-1, len(names))
