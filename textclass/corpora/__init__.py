"""Labelled corpora: read, fetched, checked, counted, compared and converted."""

from textclass.corpora.agreement import Agreement, compare_readers
from textclass.corpora.check import CheckReport, Finding, check_corpus
from textclass.corpora.convert import FORMS, OWN, Converted, read_form, write_form
from textclass.corpora.fetch import SourceReport, fetch_texts
from textclass.corpora.label_issues import LabelIssue, rank_label_issues, rare_labels
from textclass.corpora.pointers import strip_texts
from textclass.corpora.read import Scan, make_row, read_corpus, scan_corpus
from textclass.corpora.records import write_jsonl
from textclass.corpora.rows import Corpus, Row, text_id
from textclass.corpora.stats import CorpusStats, count_corpus

__all__ = [
    "FORMS",
    "OWN",
    "Agreement",
    "CheckReport",
    "Converted",
    "Corpus",
    "CorpusStats",
    "Finding",
    "LabelIssue",
    "Row",
    "Scan",
    "SourceReport",
    "check_corpus",
    "compare_readers",
    "count_corpus",
    "fetch_texts",
    "make_row",
    "rank_label_issues",
    "rare_labels",
    "read_corpus",
    "read_form",
    "scan_corpus",
    "strip_texts",
    "text_id",
    "write_form",
    "write_jsonl",
]
