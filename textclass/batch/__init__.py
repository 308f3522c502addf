"""Many documents → results: ledger, resume, export, engines.

`tag_files` does a whole run, as a `TagJob` says, and returns a `Summary`. Results reach other
packages, such as the report, as `DocumentResult` and `SetAside`.
"""

from textclass.batch.data import (
    DocumentResult,
    Engine,
    Level,
    Progress,
    Summary,
    TagOptions,
)
from textclass.batch.job import TagJob
from textclass.batch.pace import PaceLog, describe
from textclass.batch.run import tag_files

__all__ = [
    "DocumentResult",
    "Engine",
    "Level",
    "PaceLog",
    "Progress",
    "Summary",
    "TagJob",
    "TagOptions",
    "describe",
    "tag_files",
]
