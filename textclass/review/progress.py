"""How far a review has come, and how right the suggestions are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textclass.review.answers import Answer, Kind
from textclass.review.tagged_passages import Passages

WINDOW = 25
"""Answers over which agreement is averaged."""

_Z = 1.96


@dataclass(frozen=True)
class Share:
    """How many of so many, with the 95 % interval.

    Wilson's score interval: Wilson (1927), Probable Inference, the Law of Succession, and
    Statistical Inference, Journal of the American Statistical Association 22, 209-212.
    """

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.value
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * (p * (1 - p) / n + _Z**2 / (4 * n**2)) ** 0.5
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class LabelCount:
    """What became of a label: kept, added by the reader, taken away by the reader."""

    name: str
    kept: int
    added: int
    removed: int


@dataclass(frozen=True)
class Progress:
    """Where a reader's review stands.

    Attributes
    ----------
    labelled, unsure, skipped, left : int
        Passages.
    flagged : int
    seconds : float
        Median time for an answer.
    labels : tuple of LabelCount
    agreement : tuple of float
        After each answer the mean over the last `WINDOW` of the labels that suggestion and reader
        share among all that either gave (1 where neither gave any).
    sample : int
        Passages of the random sample that were labelled.
    right, found, whole : Share
        From the random sample: suggested labels that are right; right labels that were suggested;
        passages whose suggestion was right in whole.
    """

    labelled: int
    unsure: int
    skipped: int
    left: int
    flagged: int
    seconds: float
    labels: tuple[LabelCount, ...]
    agreement: tuple[float, ...]
    sample: int
    right: Share
    found: Share
    whole: Share


def measure(passages: Passages, drawn: Sequence[int], standing: Mapping[str, Answer]) -> Progress:
    """Return where a review stands.

    Parameters
    ----------
    passages : Passages
    drawn : sequence of int
        All passages in random order: those at its head that were answered are the random sample.
    standing : Mapping of str to Answer
        The reader's answers by passage, oldest first.
    """
    here = {key: one for key, one in standing.items() if key in passages.numbers}
    kinds = Counter(answer.kind for answer in here.values())
    judged = [answer for answer in here.values() if answer.kind.labels_it]
    kept, added, removed = Counter[str](), Counter[str](), Counter[str]()
    shares: list[float] = []
    for answer in judged:
        given, suggested = set(answer.labels), set(answer.suggested)
        kept.update(given & suggested)
        added.update(given - suggested)
        removed.update(suggested - given)
        either = given | suggested
        shares.append(len(given & suggested) / len(either) if either else 1.0)
    times = sorted(answer.seconds for answer in judged)
    sample = []
    for number in drawn:
        if (answered := here.get(passages.keys[number])) is None:
            break
        if answered.kind.labels_it:
            sample.append((set(answered.labels), set(passages.labels(number))))
    common = sum(len(given & suggested) for given, suggested in sample)
    return Progress(
        labelled=len(judged),
        unsure=kinds[Kind.UNSURE],
        skipped=kinds[Kind.SKIP],
        left=len(passages) - len(here),
        flagged=sum(answer.flagged for answer in here.values()),
        seconds=times[len(times) // 2] if times else 0.0,
        labels=tuple(
            LabelCount(name, kept[name], added[name], removed[name])
            for name in passages.taxonomy.names
        ),
        agreement=tuple(
            sum(shares[max(0, n - WINDOW) : n]) / min(n, WINDOW) for n in range(1, len(shares) + 1)
        ),
        sample=len(sample),
        right=Share(common, sum(len(suggested) for _, suggested in sample)),
        found=Share(common, sum(len(given) for given, _ in sample)),
        whole=Share(sum(given == suggested for given, suggested in sample), len(sample)),
    )
