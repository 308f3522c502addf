"""Results as self-contained HTML: of a batch, of an evaluation, of a corpus.

No page loads anything, and none needs a script to be read.
"""

from textclass.report.evaluation_report import write_evaluation_report
from textclass.report.overview import write_corpus_page
from textclass.report.tag_report import write_tag_report

__all__ = ["write_corpus_page", "write_evaluation_report", "write_tag_report"]
