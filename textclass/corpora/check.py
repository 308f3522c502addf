"""What is wrong with a corpus, and what a person should look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclass.corpora.label_issues import broken_rules, rare_labels
from textclass.corpora.read import Scan, UnansweredError, conflicts
from textclass.corpora.records import told_once
from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError
from textclass.language import MAX_WORDS, Tokenizer, is_english

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
NEIGHBOURS, CROWDED = 3, 0.2

_TEXTS_AT_ONCE = 4096

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    level : str
        `error` or `warning`.
    kind : str
        `rare-label`, `row`, `no-answer`, `missing-text`, `id`, `conflict`, `duplicate`,
        `near-duplicate`, `leak`, `group`, `label-pair`, `stock-phrase`, `length` or `language`.
    message : str
    where : tuple of str
        Files and lines.
    """

    level: str
    kind: str
    message: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """What a check found; `ok` if there is no error."""

    passages: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What must be mended."""
        return tuple(finding for finding in self.findings if finding.level == ERROR)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain lists, dicts, text and numbers."""
        return {"ok": self.ok, **asdict(self)}


def check_corpus(scan: Scan, *, held_out: Corpus | None = None) -> CheckReport:
    """Check what was read of a corpus.

    Parameters
    ----------
    scan : Scan
    held_out : Corpus, keyword-only, optional
        Passages that nobody may train on: a document or a near-duplicate on both sides is a leak.
        The same holds between the values of a column `split`, where rows have one.

    Returns
    -------
    CheckReport
        Labels without examples first, then errors, then warnings.
    """
    corpus = both = scan.corpus
    if held_out:
        rows = (replace(row, columns={**row.columns, "split": "held out"}) for row in held_out.rows)
        both = corpus + replace(held_out, rows=tuple(rows))
    words = read_words(both.texts)
    rare = [Finding(WARNING, "rare-label", message) for message in rare_labels(corpus)]
    findings = [
        Finding(
            ERROR,
            "no-answer" if isinstance(fault, UnansweredError) else "row",
            str(CorpusError(fault.message, hint=fault.hint)),
            (fault.where or "",),
        )
        for fault in told_once(scan.faults)
    ]
    if scan.missing:
        message = f"{scan.missing} public texts aren't here: textclass corpus fetch brings them"
        findings.append(Finding(WARNING, "missing-text", message))
    findings += _ids(corpus)
    findings += _duplicates(both)
    findings += _near_duplicates(both, words)
    findings += _groups(both)
    findings += _rules(corpus)
    findings += _texts(corpus, words)
    findings.sort(key=lambda finding: finding.level != ERROR)
    return CheckReport(len(corpus), (*rare, *findings))


def _ids(corpus: Corpus) -> Iterator[Finding]:
    by_id = defaultdict(list)
    for row in corpus.rows:
        by_id[row.id].append(row)
    for number, rows in by_id.items():
        if len({row.text for row in rows}) > 1:
            yield Finding(ERROR, "id", f"{number} stands for different texts", _places(rows))


def _duplicates(corpus: Corpus) -> Iterator[Finding]:
    """Find texts that are the same but for case and white space."""
    for rows in conflicts(corpus):
        yield Finding(ERROR, "conflict", "the same text with other labels", _places(rows))
    alike = defaultdict(list)
    for row in corpus.rows:
        alike[_folded(row)].append(row)
    for rows in alike.values():
        readers = {row.columns.get("reader") for row in rows}
        if len({_split(row) for row in rows}) > 1:
            yield Finding(ERROR, "leak", "the same text in two splits", _places(rows))
        elif len({row.group for row in rows}) > 1:
            yield Finding(WARNING, "duplicate", "the same text in two documents", _places(rows))
        elif len(rows) > len(readers):
            yield Finding(WARNING, "duplicate", "the same text twice", _places(rows))


def _near_duplicates(corpus: Corpus, words: Sequence[Sequence[str]]) -> Iterator[Finding]:
    for one, other, share in near_duplicates(words):
        first, second = corpus.rows[one], corpus.rows[other]
        if _folded(first) == _folded(second):
            continue
        leak = _split(first) != _split(second)
        within = "one document" if first.group == second.group else "two documents"
        within = "two splits" if leak else within
        yield Finding(
            ERROR if leak else WARNING,
            "leak" if leak else "near-duplicate",
            f"{share:.0%} of the five-word sequences the same in {within}",
            (first.where, second.where),
        )


def _groups(corpus: Corpus) -> Iterator[Finding]:
    """Find documents that stand in two splits, or in two files."""
    files: dict[str, set[str]] = defaultdict(set)
    splits: dict[str, set[str]] = defaultdict(set)
    for row in corpus.rows:
        files[row.group].add(_file(row))
        splits[row.group].add(_split(row))
    for group in (group for group, found in splits.items() if len(found) > 1):
        yield Finding(ERROR, "leak", f"document {group!r} stands in two splits")
    shared = Counter(pair for found in files.values() for pair in combinations(sorted(found), 2))
    for pair, count in shared.items():
        message = f"{count} document{'s' if count > 1 else ''} in two files: keep both on one side"
        yield Finding(WARNING, "group", message, pair)


def _rules(corpus: Corpus) -> Iterator[Finding]:
    for row, rule in broken_rules(corpus):
        given = " + ".join(rule.labels)
        lacking = f" without {' or '.join(rule.without)}" if rule.without else ""
        yield Finding(WARNING, "label-pair", f"{given}{lacking}: {rule.reason}", (row.where,))


def _texts(corpus: Corpus, words: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Tell for each file how many texts teach little."""
    files = defaultdict(list)
    for row, found in zip(corpus.rows, words, strict=False):  # held-out words come after
        files[_file(row)].append((row, found, len(row.text.split())))
    for texts in files.values():
        faults = {
            ("length", f"have fewer than {FEWEST_WORDS} words: they teach nothing"): [
                row for row, _, length in texts if length < FEWEST_WORDS
            ],
            ("length", f"don't have {SHORT_WORDS} to {MAX_WORDS} words, as passages do"): [
                row
                for row, _, length in texts
                if length >= FEWEST_WORDS and not SHORT_WORDS <= length <= MAX_WORDS
            ],
            ("language", "don't look English"): [
                row for row, found, _ in texts if not is_english(found)
            ],
        }
        # Only passages written for a corpus: public texts say what they say.
        written = [(row, found) for row, found, _ in texts if not row.columns.get("path")]
        most = int(max(STOCK_SHARE * len(written), STOCK_FEWEST))
        for phrase, numbers in list(stock_phrases([w for _, w in written], most=most).items())[:1]:
            fault = f"say {phrase!r}, and there may be more such stock phrases"
            faults["stock-phrase", fault] = [written[number][0] for number in numbers]
        for (kind, fault), rows in faults.items():
            if rows:
                message = f"{len(rows)} of {len(texts)} passages {fault}"
                yield Finding(WARNING, kind, message, _places(rows))


def read_words(texts: Sequence[str]) -> list[list[str]]:
    """Cut each text into the words that models count."""
    tokenizer = Tokenizer()
    found: list[list[str]] = []
    for first in range(0, len(texts), _TEXTS_AT_ONCE):
        batch = tokenizer.read(texts[first : first + _TEXTS_AT_ONCE])
        words = [tokenizer.words[number] for number in batch.ids.tolist()]
        found += [words[start:end] for start, end in pairwise(batch.starts.tolist())]
    return found


def stock_phrases(words: Sequence[Sequence[str]], *, most: int) -> dict[str, list[int]]:
    """Return the sequences of four words that stand in more than `most` texts, and in which.

    Numbers are no words here: the model reads all of them alike.
    """
    texts: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, text in enumerate(words):
        for phrase in set(zip(*(text[first:] for first in range(PHRASE)), strict=False)):
            if not any("0" in word for word in phrase):
                texts[phrase].append(number)
    often = [(phrase, numbers) for phrase, numbers in texts.items() if len(numbers) > most]
    often.sort(key=lambda found: (-len(found[1]), found[0]))
    return {" ".join(phrase): numbers for phrase, numbers in often}


def near_duplicates(words: Sequence[Sequence[str]]) -> list[tuple[int, int, float]]:
    """Return pairs of texts that share `ALIKE` of their five-word sequences, and the share.

    The share is Jaccard's. Of many alike texts each is paired with its neighbours, not with all;
    texts with fewer than `FEWEST_SHINGLES` sequences, of which shares mean nothing, with none.
    """
    shingles = [_shingle_keys(text) for text in words]
    lengths = np.array([len(keys) for keys in shingles], dtype=np.int64)
    texts = np.repeat(np.arange(len(words)), lengths)
    keys = np.concatenate([*shingles, np.empty(0, np.uint64)])
    order = np.lexsort((texts, keys))
    keys, texts = keys[order], texts[order]
    near = [
        texts[:-n][keys[:-n] == keys[n:]] * len(words) + texts[n:][keys[:-n] == keys[n:]]
        for n in range(1, NEIGHBOURS + 1)
    ]
    pairs, common = np.unique(np.concatenate(near), return_counts=True)
    first, second = pairs // max(len(words), 1), pairs % max(len(words), 1)
    # Where a crowd shares sequences, a pair may have more in common than was counted here.
    likely = common >= CROWDED * np.minimum(lengths[first], lengths[second])
    found = []
    for one, other in zip(first[likely].tolist(), second[likely].tolist(), strict=True):
        shared = len(np.intersect1d(shingles[one], shingles[other], assume_unique=True))
        share = shared / (lengths[one] + lengths[other] - shared)
        if share >= ALIKE:
            found.append((one, other, float(share)))
    return sorted(found, key=lambda pair: (-pair[2], *pair[:2]))


def _shingle_keys(text: Sequence[str]) -> NDArray[np.uint64]:
    """Return a 64-bit key of every different shingle of a text, in order."""
    shingles = {" ".join(words) for words in zip(*(text[n:] for n in range(SHINGLE)), strict=False)}
    if len(shingles) < FEWEST_SHINGLES:
        return np.empty(0, np.uint64)
    digests = b"".join(blake2b(shingle.encode(), digest_size=8).digest() for shingle in shingles)
    return np.sort(np.frombuffer(digests, np.uint64))


def _folded(row: Row) -> str:
    return " ".join(row.text.casefold().split())


def _split(row: Row) -> str:
    return str(row.columns.get("split") or "")


def _file(row: Row) -> str:
    return row.where.rpartition(", ")[0]


def _places(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.where for row in rows)
