"""Labelled corpora: read, fetched, checked, counted, compared and converted."""

from textclass.corpora.agreement import Agreement, compare_readers
from textclass.corpora.check import CheckReport, Finding, check_corpus
from textclass.corpora.doubts import Doubt, rank_doubts
from textclass.corpora.fetch import FetchReport, fetch_texts
from textclass.corpora.files import write_jsonl
from textclass.corpora.forms import FORMS, OWN, Converted, read_form, write_form
from textclass.corpora.pointers import point
from textclass.corpora.read import Scan, make_row, read_corpus, scan_corpus
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
    "Doubt",
    "FetchReport",
    "Finding",
    "Row",
    "Scan",
    "check_corpus",
    "compare_readers",
    "count_corpus",
    "fetch_texts",
    "make_row",
    "point",
    "rank_doubts",
    "read_corpus",
    "read_form",
    "scan_corpus",
    "text_id",
    "write_form",
    "write_jsonl",
]
