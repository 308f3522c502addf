"""Tag texts by diplomacy type and by the principles at work.

>>> import textclass
>>> tagger = textclass.load()
>>> tagger.tag("The hospital ship's surgeons trained local nurses.")["type"]
('compassionate',)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textclass.batch import read_results
    from textclass.corpora import read_corpus
    from textclass.learning import EncoderFeatures, LabelClassifier, WordFeatures, evaluate, train
    from textclass.tagger import Tagger
    from textclass.taxonomy import Taxonomy

    load = Tagger.load

__version__ = "0.2.0"

__all__ = [
    "EncoderFeatures",
    "LabelClassifier",
    "Tagger",
    "Taxonomy",
    "WordFeatures",
    "evaluate",
    "load",
    "read_corpus",
    "read_results",
    "train",
]

_HOMES = {
    "EncoderFeatures": "textclass.learning",
    "LabelClassifier": "textclass.learning",
    "Tagger": "textclass.tagger",
    "Taxonomy": "textclass.taxonomy",
    "WordFeatures": "textclass.learning",
    "evaluate": "textclass.learning",
    "read_corpus": "textclass.corpora",
    "read_results": "textclass.batch",
    "train": "textclass.learning",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- any public object of the package
    """Import a public name when it is first used, so that `import textclass` costs nothing."""
    from importlib import import_module

    if name == "load":
        return import_module("textclass.tagger").Tagger.load
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
