"""The same figures on parts of the corpus: by source, register, decade, length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textclass.errors import CorpusError
from textclass.learning.evaluation.bootstrap import Bootstrap, estimate
from textclass.learning.evaluation.scores import micro_f1

if TYPE_CHECKING:
    from textclass.corpora import Corpus
    from textclass.learning.evaluation.predictions import Predictions
    from textclass.metrics import Slice

LENGTH = "length"
"""The slice that every corpus has: bands of words."""

MOST_VALUES = 50
NOT_SAID = "not said"


def slice_metrics(
    bootstrap: Bootstrap, predictions: Predictions, columns: Sequence[str]
) -> list[Slice]:
    """Return the figures of every part that the values of `columns` cut the corpus into.

    Raises
    ------
    CorpusError
        If no row has such a column.
    """
    return [part for column in columns for part in _slices_of(bootstrap, predictions, column)]


def _slices_of(bootstrap: Bootstrap, predictions: Predictions, column: str) -> list[Slice]:
    values = np.array(slice_values(predictions.corpus, column), dtype=object)
    slices = predictions.corpus.taxonomy.slices
    parts: list[Slice] = []
    for value, passages in sorted(Counter(values.tolist()).most_common(MOST_VALUES)):
        inside = (values == value)[:, None]
        figures = micro_f1(
            bootstrap, predictions.truth & inside, predictions.given & inside, slices
        )
        parts.append(
            {
                "column": column,
                "value": value,
                "passages": passages,
                "facets": {facet: {"micro_f1": estimate(f)} for facet, f in figures.items()},
            }
        )
    return parts


def slice_values(corpus: Corpus, column: str) -> list[str]:
    """Return the value of each row in a column, or its band of length."""
    if column == LENGTH:
        return [_band(len(text.split())) for text in corpus.texts]
    columns = {name for row in corpus.rows for name in row.columns}
    if column not in columns:
        raise CorpusError(
            f"no row has a column {column!r}",
            hint=f"the columns are {', '.join(sorted(columns | {LENGTH}))}",
        )
    return [value if value not in ("", "None") else NOT_SAID for value in corpus.column(column)]


def _band(words: int) -> str:
    return "1-44 words" if words < 45 else "45-84 words" if words < 85 else "85 or more words"
