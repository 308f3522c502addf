"""Labels on public texts without the texts: each row points to a passage by source, path and hash.

Third-party sentences stay out of version control; `textclass corpus fetch` brings them into a
cache beside the corpus.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from textclass.corpora.files import (
    corpus_files,
    gathered,
    raise_bad_rows,
    scan_records,
    write_jsonl,
)
from textclass.corpora.rows import Corpus, teaching, text_id
from textclass.corpora.sources import load_sources
from textclass.errors import CorpusError

_ID = re.compile(r"[0-9a-f]{16}")


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
        files = sorted(self.folder.glob("*.jsonl"))
        return {number: text for file in files for number, text in self.known(file.stem).items()}

    @cached_property
    def _licences(self) -> Mapping[str, str]:
        path = self.folder.parent / "sources.yaml"
        return {s.name: s.licence for s in load_sources(path).values()} if path.exists() else {}

    def complete(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with its text and licence, where the cache knows the text."""
        # A corpus that has its texts needs no cache, which may be large.
        given = record.get("text") is not None
        text = None if given else self._texts.get(str(record.get("id")))
        if text is None:
            return dict(record)
        licence = self._licences.get(str(record.get("source")))
        return {**({"licence": licence} if licence else {}), **record, "text": text}

    def known(self, source: str) -> dict[str, str]:
        """Return the texts of one source that are here; one whose hash isn't its id isn't."""
        return {
            values["id"]: text
            for _, values in scan_records(self.folder / f"{source}.jsonl", [])
            if isinstance(text := values.get("text"), str) and text_id(text) == values.get("id")
        }

    def store(self, source: str, texts: Mapping[str, str]) -> None:
        """Write the texts of one source: whole or not at all."""
        rows = ({"id": number, "text": texts[number]} for number in sorted(texts))
        write_jsonl(self.folder / f"{source}.jsonl", rows)


def point(corpus: Corpus, *, labelled: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus without their texts; scores to three decimals, without the zeros.

    Parameters
    ----------
    corpus : Corpus
        Rows with the columns `source` and `path`.
    labelled : str, keyword-only
        How the labels came about, such as "gold" or "silver".

    Raises
    ------
    CorpusError
        If a row doesn't say where its text is from, or its id isn't the hash of its text.
    """
    for row in corpus.rows:
        source, path = (str(row.columns.get(name) or "") for name in ("source", "path"))
        if not source or not _is_safe_path(path):
            raise CorpusError("a row needs the source and path of its text", where=row.where)
        if row.id != text_id(row.text):
            raise CorpusError(f"the id {row.id!r} isn't the hash of the text", where=row.where)
        pointer: dict[str, Any] = {"id": row.id, "source": source, "path": path}
        if row.group != f"{source}:{path}":
            pointer["group"] = row.group
        taught = teaching(row, corpus.taxonomy)
        for facet, scores in taught.get("scores", {}).items():
            rounded = {name: round(score, 3) for name, score in scores.items()}
            taught["scores"][facet] = {name: score for name, score in rounded.items() if score}
        yield {**pointer, **taught, "labelled": labelled}


def is_pointer(record: Mapping[str, Any]) -> bool:
    """Return whether a record has no text of its own but says which public text it is from."""
    return record.get("text") is None and bool(record.get("source")) and bool(record.get("id"))


def read_pointers(folder: Path, sources: Container[str]) -> Mapping[str, Mapping[str, str]]:
    """Return the pointers of a corpus folder: by source and passage id the path in the source.

    Raises
    ------
    CorpusError
        Names each bad one by file and line.
    """
    pointers: dict[str, dict[str, str]] = defaultdict(dict)
    faults: list[CorpusError] = []
    for _, file in corpus_files([folder]):
        for where, record in scan_records(file, faults):
            if is_pointer(record):
                with gathered(faults):
                    number, source, path = _place(record, sources, where)
                    pointers[source][number] = path
    raise_bad_rows(faults)
    return pointers


def _place(record: Mapping[str, Any], sources: Container[str], where: str) -> tuple[str, str, str]:
    number, source, path = (record.get(name) for name in ("id", "source", "path"))
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise CorpusError(f"the id {number!r} isn't 16 hex digits", where=where)
    if not isinstance(source, str) or source not in sources:
        raise CorpusError(f"sources.yaml has no source {source!r}", where=where)
    if not isinstance(path, str) or not _is_safe_path(path):
        raise CorpusError(f"{path!r} isn't a path inside a source", where=where)
    return number, source, path


def _is_safe_path(path: str) -> bool:
    """Return whether a path stays inside its folder and can't be taken for an option of git."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith(("/", "-", ":"))
        and ".." not in parts
        and not any(character in path for character in "\0\n\r\\")
    )
