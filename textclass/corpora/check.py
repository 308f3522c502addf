"""What is wrong with a corpus, and what a person should look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from textclass.corpora.doubts import broken_rules
from textclass.corpora.duplicates import near_duplicates, read_words, stock_phrases
from textclass.corpora.read import Scan
from textclass.corpora.rows import Corpus, Row
from textclass.errors import CorpusError
from textclass.language import MAX_WORDS, is_english

FEWEST_WORDS = 5
"""A shorter text teaches nothing."""

SHORT_WORDS = 20
"""Documents are cut into passages of at least so many words: the model rarely sees shorter ones."""

STOCK_SHARE = 0.01
"""The same four words in more than this share of the written passages are a stock phrase."""

STOCK_FEWEST = 5
"""In so many passages, whatever the share, a phrase is no stock phrase yet."""

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    level : str
        `error` or `warning`.
    kind : str
        `row`, `missing-text`, `id`, `duplicate`, `near-duplicate`, `leak`, `group`, `stock-phrase`,
        `label-pair`, `length` or `language`.
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
        Errors before warnings.
    """
    corpus = both = scan.corpus
    if held_out:
        rows = (replace(row, columns={**row.columns, "split": "held out"}) for row in held_out.rows)
        both = corpus + replace(held_out, rows=tuple(rows))
    words = read_words(both.texts)
    findings = [
        Finding(
            ERROR, "row", str(CorpusError(fault.message, hint=fault.hint)), (fault.where or "",)
        )
        for fault in scan.faults
    ]
    if scan.missing:
        message = f"{scan.missing} public texts aren't here: textclass corpus fetch brings them"
        findings.append(Finding(WARNING, "missing-text", message))
    findings += _ids(corpus)
    findings += _duplicates(both)
    findings += _near_duplicates(both, words)
    findings += _groups(both)
    findings += _stock_phrases(corpus, words)
    findings += _rules(corpus)
    findings += _texts(corpus, words)
    findings.sort(key=lambda finding: finding.level != ERROR)
    return CheckReport(len(corpus), tuple(findings))


def _ids(corpus: Corpus) -> Iterator[Finding]:
    by_id = defaultdict(list)
    for row in corpus.rows:
        by_id[row.id].append(row)
    for number, rows in by_id.items():
        if len({row.text for row in rows}) > 1:
            yield Finding(ERROR, "id", f"{number} stands for different texts", _places(rows))


def _duplicates(corpus: Corpus) -> Iterator[Finding]:
    """Find texts that are the same but for case and white space."""
    alike = defaultdict(list)
    for row in corpus.rows:
        alike[_folded(row)].append(row)
    for rows in (rows for rows in alike.values() if len(rows) > 1):
        level, kind, message = WARNING, "duplicate", "the same text twice"
        if len({_split(row) for row in rows}) > 1:
            level, kind, message = ERROR, "leak", "the same text in two splits"
        elif len({row.labels for row in rows if row.hard}) > 1:
            level, message = ERROR, "the same text with other labels"
        elif len({row.group for row in rows}) > 1:
            # Speakers and offices do repeat themselves; whoever writes for a corpus shouldn't.
            level = ERROR if any(_is_written(row) for row in rows) else WARNING
            message = "the same text in two documents"
        yield Finding(level, kind, message, _places(rows))


def _near_duplicates(corpus: Corpus, words: Sequence[Sequence[str]]) -> Iterator[Finding]:
    for pair in near_duplicates(words):
        first, second = corpus.rows[pair.first], corpus.rows[pair.second]
        share = f"{pair.share:.0%} of the five-word sequences"
        places = (first.where, second.where)
        if _folded(first) == _folded(second):
            continue
        if _split(first) != _split(second):
            yield Finding(ERROR, "leak", f"{share} the same in two splits", places)
        else:
            within = "one document" if first.group == second.group else "two documents"
            yield Finding(WARNING, "near-duplicate", f"{share} the same in {within}", places)


def _groups(corpus: Corpus) -> Iterator[Finding]:
    """Find documents that stand in two splits, or in two files."""
    files: dict[str, set[str]] = defaultdict(set)
    splits: dict[str, set[str]] = defaultdict(set)
    for row in corpus.rows:
        files[row.group].add(row.where.rpartition(", ")[0])
        splits[row.group].add(_split(row))
    for group in (group for group, found in splits.items() if len(found) > 1):
        yield Finding(ERROR, "leak", f"document {group!r} stands in two splits")
    shared = Counter(pair for found in files.values() for pair in combinations(sorted(found), 2))
    for pair, count in shared.items():
        message = f"{count} document{'s' if count > 1 else ''} in two files: keep both on one side"
        yield Finding(WARNING, "group", message, pair)


def _stock_phrases(corpus: Corpus, words: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Look only at passages written for a corpus: public texts say what they say."""
    written = [number for number, row in enumerate(corpus.rows) if _is_written(row)]
    most = max(STOCK_SHARE * len(written), STOCK_FEWEST)
    found = stock_phrases([words[number] for number in written], most=int(most))
    for phrase, numbers in found.items():
        message = f"{phrase!r} in {len(numbers)} of {len(written)} written passages"
        places = _places([corpus.rows[written[number]] for number in numbers])
        yield Finding(ERROR, "stock-phrase", message, places)


def _rules(corpus: Corpus) -> Iterator[Finding]:
    for row, rule in broken_rules(corpus):
        given = " + ".join(rule.labels)
        lacking = f" without {' or '.join(rule.without)}" if rule.without else ""
        yield Finding(WARNING, "label-pair", f"{given}{lacking}: {rule.reason}", (row.where,))


def _texts(corpus: Corpus, words: Sequence[Sequence[str]]) -> Iterator[Finding]:
    for row, found in zip(corpus.rows, words, strict=False):  # held-out words come after
        length = len(row.text.split())
        if length < FEWEST_WORDS:
            yield Finding(ERROR, "length", f"only {length} words", (row.where,))
        elif not SHORT_WORDS <= length <= MAX_WORDS:
            message = f"{length} words; passages have {SHORT_WORDS} to {MAX_WORDS}"
            yield Finding(WARNING, "length", message, (row.where,))
        if not is_english(found):
            yield Finding(WARNING, "language", "doesn't look English", (row.where,))


def _folded(row: Row) -> str:
    return " ".join(row.text.casefold().split())


def _split(row: Row) -> str:
    return str(row.columns.get("split") or "")


def _is_written(row: Row) -> bool:
    """Return whether a row isn't from a file of a public source."""
    return not row.columns.get("path")


def _places(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.where for row in rows)
