"""The cache of public texts: words by passage id, kept outside version control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from textclass.corpora.files import scan_records, write_jsonl
from textclass.corpora.rows import text_id
from textclass.corpora.sources import load_sources
from textclass.errors import CorpusError


@dataclass(frozen=True)
class TextCache:
    """Texts that `textclass corpus fetch` brought, by passage id.

    Attributes
    ----------
    folder : Path
        Holds one `<source>.jsonl` of `id` and `text` per source.
    """

    folder: Path

    @classmethod
    def beside(cls, corpus: Path) -> TextCache:
        """Return the cache of a corpus folder, also from one of its subfolders."""
        homes = [corpus, *list(corpus.absolute().parents)[:2]]
        home = next((home for home in homes if (home / "sources.yaml").exists()), corpus)
        return cls(home / "cache")

    @cached_property
    def _texts(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for path in sorted(self.folder.glob("*.jsonl")):
            texts.update(_read(path))
        return texts

    @cached_property
    def _licences(self) -> Mapping[str, str]:
        path = self.folder.parent / "sources.yaml"
        return {s.name: s.licence for s in load_sources(path).values()} if path.exists() else {}

    def complete(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with its text and licence, where the cache knows the text."""
        if record.get("text") is None and record.get("id") in self._texts:
            licence = self._licences.get(str(record.get("source")))
            told = {"licence": licence} if licence else {}
            return {**told, **record, "text": self._texts[record["id"]]}
        return dict(record)

    def known(self, source: str) -> dict[str, str]:
        """Return the texts of one source that are already here."""
        path = self.folder / f"{source}.jsonl"
        return _read(path) if path.exists() else {}

    def store(self, source: str, texts: Mapping[str, str]) -> None:
        """Write the texts of one source: whole or not at all."""
        rows = ({"id": number, "text": texts[number]} for number in sorted(texts))
        write_jsonl(self.folder / f"{source}.jsonl", rows)


def _read(path: Path) -> dict[str, str]:
    """Read a file of the cache; a text whose hash isn't its id counts as not here."""
    texts = {}
    for found in scan_records(path):
        if isinstance(found, CorpusError):
            continue
        number, text = found.values.get("id"), found.values.get("text")
        if isinstance(text, str) and text_id(text) == number:
            texts[text_id(text)] = text
    return texts
