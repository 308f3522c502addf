"""Labelled corpora: read, fetched, checked, counted, compared and converted."""

from textclass.corpora.check import check_corpus, rare_labels, ungrouped, word_sequences
from textclass.corpora.convert import FORMS, read_form, write_form
from textclass.corpora.fetch import fetch_texts
from textclass.corpora.read import read_corpus, scan_corpus, write_jsonl
from textclass.corpora.rows import Corpus, Row, folded, make_row
from textclass.corpora.stats import CorpusStats, compare_readers, count_corpus

__all__ = [
    "FORMS",
    "Corpus",
    "CorpusStats",
    "Row",
    "check_corpus",
    "compare_readers",
    "count_corpus",
    "fetch_texts",
    "folded",
    "make_row",
    "rare_labels",
    "read_corpus",
    "read_form",
    "scan_corpus",
    "ungrouped",
    "word_sequences",
    "write_form",
    "write_jsonl",
]
