"""Many documents → results: ledger, resume, export, engines.

`tag_files` does a whole run, as a `TagJob` says, and returns a `Summary`.
"""

from textclass.batch.jobs import Engine, Level, Summary, TagJob, TagOptions
from textclass.batch.read_back import read_results
from textclass.batch.tagging import tag_files

__all__ = [
    "Engine",
    "Level",
    "Summary",
    "TagJob",
    "TagOptions",
    "read_results",
    "tag_files",
]
