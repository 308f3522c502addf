"""Many documents → results: ledger, resume, export, engines.

`tag_files` does a whole run, as a `TagJob` says, and returns a `Summary`.
"""

from textclass.batch.jobs import Engine, Level, Summary, TagJob, TagOptions
from textclass.batch.tagging import tag_files

__all__ = [
    "Engine",
    "Level",
    "Summary",
    "TagJob",
    "TagOptions",
    "tag_files",
]
