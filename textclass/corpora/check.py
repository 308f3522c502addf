"""What is wrong with a corpus, and what a person should look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from textclass.corpora.duplicates import Words, near_duplicates, stock_phrases
from textclass.corpora.read import Scan
from textclass.corpora.rows import Corpus, Row
from textclass.corpora.rules import broken_rules
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
    corpus = scan.corpus
    both = corpus + held_out if held_out else corpus
    splits = [str(row.columns.get("split") or "") for row in corpus.rows]
    splits += ["held out"] * (len(both) - len(splits))
    words = Words.read(both.texts)
    findings = [_bad_row(fault) for fault in scan.faults]
    if scan.missing:
        message = f"{scan.missing} public texts aren't here: textclass corpus fetch brings them"
        findings.append(Finding(WARNING, "missing-text", message))
    findings += _ids(corpus)
    findings += _duplicates(both, splits)
    findings += _near_duplicates(both, splits, words)
    findings += _groups(both, splits)
    findings += _stock_phrases(corpus)
    findings += _rules(corpus)
    findings += _texts(corpus, words)
    findings.sort(key=lambda finding: finding.level != ERROR)
    return CheckReport(len(corpus), tuple(findings))


def _bad_row(fault: CorpusError) -> Finding:
    advice = f" ({fault.hint})" if fault.hint else ""
    return Finding(ERROR, "row", fault.message + advice, (fault.where,) if fault.where else ())


def _ids(corpus: Corpus) -> Iterator[Finding]:
    by_id = defaultdict(list)
    for row in corpus.rows:
        by_id[row.id].append(row)
    for number, rows in by_id.items():
        if len({row.text for row in rows}) > 1:
            yield Finding(ERROR, "id", f"{number} stands for different texts", _places(rows))


def _duplicates(corpus: Corpus, splits: Sequence[str]) -> Iterator[Finding]:
    """Find texts that are the same but for case and white space."""
    alike = defaultdict(list)
    for number, row in enumerate(corpus.rows):
        alike[" ".join(row.text.casefold().split())].append(number)
    for numbers in alike.values():
        rows = [corpus.rows[number] for number in numbers]
        if len(rows) == 1:
            continue
        if len({splits[number] for number in numbers}) > 1:
            yield Finding(ERROR, "leak", "the same text in two splits", _places(rows))
        elif len({row.labels for row in rows if row.hard}) > 1:
            yield Finding(ERROR, "duplicate", "the same text with other labels", _places(rows))
        elif len({row.group for row in rows}) > 1:
            # Speakers and offices do repeat themselves; whoever writes for a corpus shouldn't.
            level = ERROR if any(_is_written(row) for row in rows) else WARNING
            yield Finding(level, "duplicate", "the same text in two documents", _places(rows))
        else:
            yield Finding(WARNING, "duplicate", "the same text twice", _places(rows))


def _near_duplicates(corpus: Corpus, splits: Sequence[str], words: Words) -> Iterator[Finding]:
    for pair in near_duplicates(words):
        first, second = corpus.rows[pair.first], corpus.rows[pair.second]
        if first.text.casefold().split() == second.text.casefold().split():
            continue
        share = f"{pair.share:.0%} of the five-word sequences"
        places = (first.where, second.where)
        if splits[pair.first] != splits[pair.second]:
            yield Finding(ERROR, "leak", f"{share} the same in two splits", places)
        else:
            within = "one document" if first.group == second.group else "two documents"
            yield Finding(WARNING, "near-duplicate", f"{share} the same in {within}", places)


def _groups(corpus: Corpus, splits: Sequence[str]) -> Iterator[Finding]:
    """Find documents that stand in two splits, or in two files."""
    files: dict[str, set[str]] = defaultdict(set)
    sides: dict[str, set[str]] = defaultdict(set)
    for row, split in zip(corpus.rows, splits, strict=True):
        files[row.group].add(row.where.rpartition(", ")[0])
        sides[row.group].add(split)
    for group in (group for group, found in sides.items() if len(found) > 1):
        yield Finding(ERROR, "leak", f"document {group!r} stands in two splits")
    shared = Counter(pair for found in files.values() for pair in combinations(sorted(found), 2))
    for pair, count in shared.items():
        message = f"{count} document{'s' if count > 1 else ''} in two files: keep both on one side"
        yield Finding(WARNING, "group", message, pair)


def _stock_phrases(corpus: Corpus) -> Iterator[Finding]:
    """Look only at passages written for a corpus: public texts say what they say."""
    written = [row for row in corpus.rows if _is_written(row)]
    most = max(STOCK_SHARE * len(written), STOCK_FEWEST)
    words = Words.read([row.text for row in written])
    for phrase, numbers in stock_phrases(words, most=int(most)).items():
        message = f"{phrase!r} in {len(numbers)} of {len(written)} written passages"
        places = _places([written[number] for number in numbers])
        yield Finding(ERROR, "stock-phrase", message, places)


def _rules(corpus: Corpus) -> Iterator[Finding]:
    for row, rule in broken_rules(corpus):
        given = " + ".join(rule.labels)
        lacking = f" without {' or '.join(rule.without)}" if rule.without else ""
        yield Finding(WARNING, "label-pair", f"{given}{lacking}: {rule.reason}", (row.where,))


def _texts(corpus: Corpus, words: Words) -> Iterator[Finding]:
    for number, row in enumerate(corpus.rows):
        length = len(row.text.split())
        if length < FEWEST_WORDS:
            yield Finding(ERROR, "length", f"only {length} words", (row.where,))
        elif not SHORT_WORDS <= length <= MAX_WORDS:
            message = f"{length} words; passages have {SHORT_WORDS} to {MAX_WORDS}"
            yield Finding(WARNING, "length", message, (row.where,))
        if not is_english(words.of(number)):
            yield Finding(WARNING, "language", "doesn't look English", (row.where,))


def _is_written(row: Row) -> bool:
    """Return whether a row isn't from a file of a public source."""
    return not row.columns.get("path")


def _places(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.where for row in rows)
