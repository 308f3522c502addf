"""People check tags on a local page, and the queue learns from their answers.

`read_passages` gathers what is to be reviewed, `Answers` keeps every answer, a `Session` brings
them together for one reader, and `serve` shows it in the browser.
"""

from textclass.review.answers import Answers, Exported, Kind
from textclass.review.queue import Order, Queue
from textclass.review.ranking import rank_passages
from textclass.review.server import serve
from textclass.review.session import Session
from textclass.review.tagged_passages import Passages, read_passages

__all__ = [
    "Answers",
    "Exported",
    "Kind",
    "Order",
    "Passages",
    "Queue",
    "Session",
    "rank_passages",
    "read_passages",
    "serve",
]
