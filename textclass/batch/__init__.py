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
    TagJob,
    TagOptions,
)
from textclass.batch.run import tag_files

__all__ = [
    "DocumentResult",
    "Engine",
    "Level",
    "Progress",
    "Summary",
    "TagJob",
    "TagOptions",
    "tag_files",
]
