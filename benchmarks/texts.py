"""The texts that every contender reads: public ones where they were fetched, else made ones."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

CORPUS = Path(__file__).parent.parent / "corpus"


def load_texts(path: Path | None, words: int) -> tuple[list[str], str]:
    """Return texts of `words` words together, as far as there are so many, and where they are from.

    Without `path` to a JSONL file: the public texts that `textclass corpus fetch` brought, else the
    written corpus with its sentences shuffled until there are enough.
    """
    public = sorted((CORPUS / "cache").glob("*.jsonl"))
    if path is not None:
        return _take(_read([path]), words), path.name
    if public:
        texts = list(_read(public))
        random.Random(0).shuffle(texts)  # noqa: S311 -- no secret
        return _take(texts, words), "the public texts"
    written = _read(sorted((CORPUS / "written").glob("*.jsonl")))
    return _take(_shuffled(list(written)), words), "the written corpus, sentences shuffled"


def _read(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield " ".join(json.loads(line)["text"].split())


def _take(texts: Iterable[str], words: int) -> list[str]:
    taken: list[str] = []
    for text in texts:
        if words <= 0:
            break
        taken.append(text)
        words -= len(text.split())
    return taken


def _shuffled(texts: list[str]) -> Iterator[str]:
    """Yield texts without end, each of sentences from anywhere in the corpus."""
    draw = random.Random(0)  # noqa: S311 -- no secret
    sentences = [sentence for text in texts for sentence in text.split(". ") if sentence]
    while sentences:
        yield ". ".join(draw.choices(sentences, k=4)) + "."
