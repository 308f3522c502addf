"""What a model is worth on passages it never saw: figures with intervals, and where it fails."""

from textclass.learning.evaluation.bootstrap import as_text
from textclass.learning.evaluation.leakage import TRAINING_GROUPS, leaks, training_groups
from textclass.learning.evaluation.run import EvaluationOptions, evaluate

__all__ = [
    "TRAINING_GROUPS",
    "EvaluationOptions",
    "as_text",
    "evaluate",
    "leaks",
    "training_groups",
]
