"""Results as self-contained HTML: of a batch, of an evaluation, of a corpus.

No page loads anything, and none needs a script to be read. What another page of ours shows in the
same way, it takes from here: `mark_text` for evidence, `templates_of` for its templates.
"""

from textclass.report.evaluation_report import write_evaluation_report
from textclass.report.marked_text import mark_text
from textclass.report.overview import write_corpus_page
from textclass.report.page import templates_of
from textclass.report.tag_report import write_tag_report

__all__ = [
    "mark_text",
    "templates_of",
    "write_corpus_page",
    "write_evaluation_report",
    "write_tag_report",
]
