"""What is wrong with a corpus, and what a person should look at."""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import combinations

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from textclass.corpora.read import Scan, conflicts, told_once
from textclass.corpora.rows import Corpus, MissingTextError, Row, UnansweredError, folded
from textclass.errors import CorpusError
from textclass.language import MAX_WORDS, is_english

FEWEST_EXAMPLES = 5
"""With fewer, no fold of a cross-validation may hold one."""

FEWEST_WORDS = 5
"""A shorter text teaches nothing."""

SHORT_WORDS = 20
"""Documents are cut into passages of at least so many words: the model rarely sees shorter ones."""

PHRASE, STOCK_SHARE = 4, 0.01
"""So many words, in more than this share of a file's written passages, are a stock phrase."""

STOCK_FEWEST = 5
"""In so many passages, whatever the share, a phrase is no stock phrase yet."""

SHINGLE, ALIKE = 5, 0.5
"""Passages that have half of their sequences of so many words in common are near-duplicates."""

FEWEST_SHINGLES = 5

SHOWN = 90
"""Characters of a text that are shown with its label."""

ERROR, WARNING = "error", "warning"

FAULTS = {UnansweredError: (ERROR, "no-answer"), MissingTextError: (WARNING, "missing-text")}
"""Level and kind of faults of reading; other rows are plainly wrong."""

_WORD = re.compile(r"[^\W\d_]+")  # numbers differ where all else is the same


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    level : str
        `error` or `warning`.
    kind : str
        `rare-label`, `no-group`, `row`, `no-answer`, `missing-text`, `id`, `conflict`, `duplicate`,
        `near-duplicate`, `leak`, `group`, `label-pair`, `stock-phrase`, `length`, `language` or
        `label-doubt`.
    message : str
    where : tuple of str
        Files and lines.
    """

    level: str
    kind: str
    message: str
    where: tuple[str, ...] = ()


def check_corpus(
    scan: Scan,
    *,
    held_out: Corpus | None = None,
    probabilities: NDArray[np.float64] | None = None,
) -> list[Finding]:
    """Check what was read of a corpus.

    Parameters
    ----------
    scan : Scan
    held_out : Corpus, keyword-only, optional
        Passages that nobody may train on: a document or a near-duplicate on both sides is a leak.
        The same holds between the values of a column `split`, where rows have one.
    probabilities : ndarray of float64, shape (n_rows, n_labels), keyword-only, optional
        Of a model out of fold: answers that it doubts are told, of rows with labels.

    Returns
    -------
    list of Finding
        What holds for the whole corpus first, as labels without examples; then errors, warnings.
    """
    corpus = scan.corpus
    others = () if held_out is None else held_out.rows
    held = [replace(row, columns={**row.columns, "split": "held out"}) for row in others]
    both = replace(corpus, rows=(*corpus.rows, *held))
    findings = []
    for fault in told_once(scan.faults):
        level, kind = FAULTS.get(type(fault), (ERROR, "row"))
        message = str(CorpusError(fault.message, hint=fault.hint))
        findings.append(Finding(level, kind, message, (fault.where or "",)))
    for find in (_duplicates, _near_duplicates, _groups):
        findings += find(both)
    findings += [*_rules(corpus), *_texts(corpus)]
    findings += _doubts(corpus, probabilities) if probabilities is not None else ()
    findings.sort(key=lambda finding: finding.level != ERROR)
    whole = {"rare-label": rare_labels(corpus), "no-group": ungrouped(corpus)}
    return [Finding(WARNING, kind, line) for kind in whole for line in whole[kind]] + findings


def rare_labels(corpus: Corpus) -> list[str]:
    """Return a line for each label that the rows give too seldom, or always, to be learned."""
    given = corpus.targets[corpus.hard].sum(axis=0).astype(int).tolist()
    counts = dict(zip(corpus.taxonomy.names, given, strict=True))
    absent = [label for label, count in counts.items() if not count]
    told = [f"{', '.join(absent)}: no example; the model can't learn to give it"] if absent else []
    for label, count in counts.items():
        if 0 < count < FEWEST_EXAMPLES:
            examples = f"{count} example{'s' if count > 1 else ''}"
            told.append(f"{label}: {examples}; its threshold means nothing")
        elif count and count == corpus.hard.sum():
            told.append(
                f"{label}: on all {count} passages; the model can't learn where not to give it"
            )
    return told


def ungrouped(corpus: Corpus) -> list[str]:
    """Return a line if rows name no document: passages of one may then stand on both sides."""
    alone = sum(row.alone for row in corpus.rows)
    told = f"{alone} of {len(corpus)} rows have no group: each counts as a document of its own"
    return [told] if alone else []


def _duplicates(corpus: Corpus) -> Iterator[Finding]:
    """Find ids of several texts, and texts that are the same but for case and white space."""
    for rows in conflicts(corpus):
        yield Finding(ERROR, "conflict", "the same text with other labels", _places(rows))
    for number, rows in _grouped(corpus.rows, lambda row: row.id):
        if len({row.text for row in rows}) > 1:
            yield Finding(ERROR, "id", f"{number} stands for different texts", _places(rows))
    for _, rows in _grouped(corpus.rows, lambda row: folded(row.text)):
        if len({_split(row) for row in rows}) > 1:
            yield Finding(ERROR, "leak", "the same text in two splits", _places(rows))
        elif len({row.group for row in rows}) > 1:
            yield Finding(WARNING, "duplicate", "the same text in two documents", _places(rows))
        elif len(rows) > len({row.columns.get("reader") for row in rows}):
            yield Finding(WARNING, "duplicate", "the same text twice", _places(rows))


def _near_duplicates(corpus: Corpus) -> Iterator[Finding]:
    for one, other, share in near_duplicates(corpus.texts):
        first, second = corpus.rows[one], corpus.rows[other]
        if folded(first.text) == folded(second.text):
            continue
        within = "one document" if first.group == second.group else "two documents"
        level, kind = WARNING, "near-duplicate"
        if _split(first) != _split(second):
            level, kind, within = ERROR, "leak", "two splits"
        message = f"{share:.0%} of the five-word sequences the same in {within}"
        yield Finding(level, kind, message, _places([first, second]))


def _groups(corpus: Corpus) -> Iterator[Finding]:
    """Find documents that stand in two splits, or in two files."""
    shared = Counter[tuple[str, ...]]()
    for group, rows in _grouped(corpus.rows, lambda row: row.group):
        shared.update(combinations(sorted({row.file for row in rows}), 2))
        if len({_split(row) for row in rows}) > 1:
            yield Finding(ERROR, "leak", f"document {group!r} stands in two splits")
    for pair, count in shared.items():
        message = f"{count} document{'s' if count > 1 else ''} in two files: keep both on one side"
        yield Finding(WARNING, "group", message, pair)


def _rules(corpus: Corpus) -> Iterator[Finding]:
    """Find labels against the guideline; rules on labels of other taxonomies are left out."""
    text = resources.files("textclass.corpora").joinpath("guideline_rules.json").read_text("utf-8")
    for rule in orjson.loads(text):
        labels, without = rule["labels"], rule.get("without", [])
        if not set(corpus.taxonomy.names).issuperset(labels + without):
            continue
        lacking = f" without {' or '.join(without)}" if without else ""
        message = f"{' + '.join(labels)}{lacking}: {rule['reason']}"
        words = re.compile(rule.get("words", ""), re.IGNORECASE)
        for row in corpus.rows:
            given = row.labels or frozenset()
            against = given.issuperset(labels) and given.isdisjoint(without)
            if against and words.search(row.text):
                yield Finding(WARNING, "label-pair", message, _places([row]))


def _texts(corpus: Corpus) -> Iterator[Finding]:
    """Tell for each file how many texts teach little."""
    for _, rows in _grouped(corpus.rows, lambda row: row.file):
        lengths = [(row, len(row.text.split())) for row in rows]
        short = [row for row, words in lengths if words < FEWEST_WORDS]
        odd = [row for row, n in lengths if FEWEST_WORDS <= n < SHORT_WORDS or n > MAX_WORDS]
        foreign = [row for row in rows if not is_english(_words(row.text))]
        # Only passages written for a corpus: public texts say what they say.
        phrase, stock = _stock_phrase([row for row in rows if not row.columns.get("path")])
        for kind, found, fault in (
            ("length", short, f"have fewer than {FEWEST_WORDS} words: they teach nothing"),
            ("length", odd, f"don't have {SHORT_WORDS} to {MAX_WORDS} words, as passages do"),
            ("language", foreign, "don't look English"),
            ("stock-phrase", stock, f"say {phrase!r}, and there may be more such stock phrases"),
        ):
            if found:
                message = f"{len(found)} of {len(rows)} passages {fault}"
                yield Finding(WARNING, kind, message, _places(found))


def _stock_phrase(rows: Sequence[Row]) -> tuple[str, list[Row]]:
    """Return the phrase that most rows have and these rows; none if they are few."""
    phrases = [word_sequences(row.text, PHRASE) for row in rows]
    often = Counter(phrase for found in phrases for phrase in found)
    phrase, count = min(often.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    if count <= max(STOCK_SHARE * len(rows), STOCK_FEWEST):
        return "", []
    return phrase, [row for row, found in zip(rows, phrases, strict=True) if phrase in found]


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return pairs of texts that share `ALIKE` of their five-word sequences, and the share.

    The share is Jaccard's. A text is compared with the last one before it that has a sequence of
    it, so that of many alike each is paired with its neighbours, not with all; texts with fewer
    than `FEWEST_SHINGLES` sequences, of which shares mean nothing, with none.
    """
    last: dict[int, int] = {}
    shingles, alike = list[set[int]](), list[tuple[int, int, float]]()
    for other, text in enumerate(texts):
        found = {hash(sequence) for sequence in word_sequences(text, SHINGLE)}
        shingles.append(found)
        if len(found) < FEWEST_SHINGLES:
            continue
        for one in sorted({last[key] for key in found if key in last}):
            share = len(found & shingles[one]) / len(found | shingles[one])
            if share >= ALIKE:
                alike.append((one, other, share))
        last.update(dict.fromkeys(found, other))
    return sorted(alike, key=lambda pair: (-pair[2], *pair[:2]))


def _doubts(corpus: Corpus, probabilities: NDArray[np.float64]) -> Iterator[Finding]:
    """Tell the answers that a model doubts, the most doubtful first.

    Confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70, section 3.1), label by label: an
    answer is doubtful if the probability of the other one is at least the mean of that probability
    among the rows that carry the other.
    """
    rows = [row for row in corpus.rows if row.hard]
    given, p = corpus.targets[corpus.hard] > 0, probabilities[corpus.hard]
    usual_with = pd.DataFrame(p).where(given).mean().to_numpy()
    usual_without = pd.DataFrame(1 - p).where(~given).mean().to_numpy()
    # NaN where nobody carries the other answer: there is nothing to go by.
    doubt = np.where(given, 1 - p - usual_without, p - usual_with)
    places = [tuple(place) for place in np.argwhere(doubt >= 0).tolist()]
    for number, column in sorted(places, key=lambda place: -doubt[place]):
        text = textwrap.shorten(rows[number].text, SHOWN, placeholder="…")
        said = "given" if given[number, column] else "not given"
        label = f"{corpus.taxonomy.names[column]} is {said}"
        message = f"{label}, probability {p[number, column]:.2f}: {text}"
        yield Finding(WARNING, "label-doubt", message, _places([rows[number]]))


def _grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> Iterable[tuple[str, list[Row]]]:
    found = defaultdict[str, list[Row]](list)
    for row in rows:
        found[key(row)].append(row)
    return found.items()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def word_sequences(text: str, length: int) -> set[str]:
    """Return the different sequences of so many words in a text; numbers are no words."""
    words = _words(text)
    return {" ".join(found) for found in zip(*(words[n:] for n in range(length)), strict=False)}


def _split(row: Row) -> str:
    return str(row.columns.get("split") or "")


def _places(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.where for row in rows)
