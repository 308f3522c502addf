"""People check tags on a local page, and the queue learns from their answers.

`read_passages` gathers what is to be reviewed, `Answers` keeps every answer, a `Session` brings
them together for one reader, and `serve` shows it in the browser.
"""

from textclass.review.answers import Answers, Kind, file_of_reader
from textclass.review.app import serve
from textclass.review.queue import Order, Queue, rank_passages
from textclass.review.session import Session
from textclass.review.tagged_passages import Passages, TaggedPassage, read_passages

__all__ = [
    "Answers",
    "Kind",
    "Order",
    "Passages",
    "Queue",
    "Session",
    "TaggedPassage",
    "file_of_reader",
    "rank_passages",
    "read_passages",
    "serve",
]
