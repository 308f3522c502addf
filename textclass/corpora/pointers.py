"""Labels on public texts without the texts: each row points to the place in a file of a source.

Third-party sentences stay out of version control; `textclass corpus fetch` brings them into a
cache beside the corpus. A text's id is its hash, so one cleaner must give it again and again.
"""

from __future__ import annotations

import html
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

LEAST_SCORE = 0.001
"""A lower score is left out of a pointer; it is read as 0."""

_LONGEST = 20_000  # characters; the cleaning patterns are slow on hostile text beyond it
_ID = re.compile(r"[0-9a-f]{16}")
_CUTS = (re.compile(r"\n[ \t]*\n"), re.compile(r"\n"), re.compile(r"</?(?:p|li|td|h\d)\b[^>]*>"))
_LEFT_OUT = re.compile(
    r"<!--.*?-->|<(note|script|style|table|figure)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_CLEANING = (
    (re.compile(r"!\[[^\]]{0,1000}\]\([^)]*\)"), " "),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"<[^>]*>"), " "),
    (re.compile(r"[*_#>|`]+"), " "),
    (re.compile("\u2060"), ""),
    (re.compile("\u00a0"), " "),
    (re.compile(r"\\(?=[^\w\s])"), ""),
    (re.compile(r"\s+"), " "),
)


def clean(piece: str) -> str:
    """Take the marks of Markdown, HTML and TEI out of a piece of a file and fold its white space.

    Ids are hashes of what comes out: a change to any rule loses the labels.
    """
    piece = html.unescape(_LEFT_OUT.sub(" ", piece))
    for pattern, replacement in _CLEANING:
        piece = pattern.sub(replacement, piece)
    return piece.strip(" -•\t")


@dataclass(frozen=True)
class Pointer:
    """Where a public text stands.

    Attributes
    ----------
    id : str
        First 16 hex digits of the SHA-256 of the cleaned text.
    path : str
        Of the file in the source.
    spans : tuple
        What the text is made of, joined by empty lines: each the code points `[start, end)` of the
        file, or the id of a paragraph, line or element of it.
    """

    id: str
    path: str
    spans: tuple[tuple[int, int] | str, ...]

    def cut(self, content: bytes) -> str | None:
        """Return the text out of its file; None if what stands there has another hash."""
        whole = content.decode("utf-8", "replace").removeprefix("\ufeff")
        whole = whole.replace("\r\n", "\n").replace("\r", "\n")
        found: dict[str, str] = {}
        if any(isinstance(span, str) for span in self.spans):
            cuts = (piece for cut in _CUTS for piece in cut.split(whole) if len(piece) < _LONGEST)
            found = {text_id(piece): piece for piece in map(clean, cuts)}
        pieces = (
            found.get(span, "") if isinstance(span, str) else clean(whole[slice(*span)])
            for span in self.spans
        )
        text = "\n\n".join(pieces)
        return text if text_id(text) == self.id else None


def is_pointer(record: Mapping[str, Any]) -> bool:
    """Return whether a record has no text of its own but says which public text it is from."""
    return record.get("text") is None and bool(record.get("source")) and bool(record.get("id"))


def read_pointers(folder: Path, sources: Container[str]) -> Mapping[str, list[Pointer]]:
    """Return the pointers of a corpus folder by source.

    Raises
    ------
    CorpusError
        Names each bad one by file and line.
    """
    pointers: dict[str, dict[str, Pointer]] = defaultdict(dict)
    faults: list[CorpusError] = []
    for _, file in corpus_files([folder]):
        for where, record in scan_records(file, faults):
            if is_pointer(record):
                with gathered(faults):
                    if record["source"] not in sources:
                        fault = f"sources.yaml has no source {record['source']!r}"
                        raise CorpusError(fault, where=where)
                    pointer = make_pointer(record, where)
                    pointers[record["source"]][pointer.id] = pointer
    raise_bad_rows(faults)
    return {source: list(found.values()) for source, found in pointers.items()}


def make_pointer(record: Mapping[str, Any], where: str) -> Pointer:
    """Return the checked pointer of a record.

    Raises
    ------
    CorpusError
        With the place `where`.
    """
    number, path = record.get("id"), record.get("path")
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise CorpusError(f"the id {number!r} isn't 16 hex digits", where=where)
    if not isinstance(path, str) or not _is_safe_path(path):
        raise CorpusError(f"{path!r} isn't a path inside a source", where=where)
    spans = record.get("passages") or [[record.get("start"), record.get("end")]]
    if not isinstance(spans, list) or not all(map(_is_span, spans)):
        raise CorpusError("start and end, or passages, don't say where the text is", where=where)
    return Pointer(number, path, tuple(s if isinstance(s, str) else (s[0], s[1]) for s in spans))


def _is_span(span: object) -> bool:
    if isinstance(span, str):
        return _ID.fullmatch(span) is not None
    return (
        isinstance(span, list)
        and [type(place) for place in span] == [int, int]
        and 0 <= span[0] < span[1] < span[0] + _LONGEST
    )


def _is_safe_path(path: str) -> bool:
    """Return whether a path stays inside its folder and can't be taken for an option of git."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith(("/", "-", ":"))
        and ".." not in parts
        and not any(character in path for character in "\0\n\r\\")
    )


@dataclass(frozen=True)
class TextCache:
    """Texts that `textclass corpus fetch` brought, by id.

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
        text = self._texts.get(str(record["id"])) if is_pointer(record) else None
        if text is None:
            return dict(record)
        licence = self._licences.get(str(record["source"]))
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


def strip_texts(corpus: Corpus, *, labelled: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus as pointers; scores to four decimals, without the smallest.

    Parameters
    ----------
    corpus : Corpus
        Rows with the columns `source`, `path`, and `start` and `end` or `passages`.
    labelled : str, keyword-only
        How the labels came about, such as "gold" or "silver".

    Raises
    ------
    CorpusError
        If a row doesn't say where its text is from, or its id isn't the hash of its text.
    """
    for row in corpus.rows:
        columns = row.columns
        make_pointer({**columns, "id": row.id}, row.where)
        if row.id != text_id(row.text):
            raise CorpusError(f"the id {row.id!r} isn't the hash of the text", where=row.where)
        if not columns.get("source"):
            raise CorpusError("the row doesn't say which source its text is from", where=row.where)
        keys = ("source", "path", "start", "end", "passages", "level")
        pointer = {"id": row.id} | {key: columns[key] for key in keys if key in columns}
        if row.group != f"{columns['source']}:{columns['path']}":
            pointer["group"] = row.group
        taught = teaching(row, corpus.taxonomy)
        for facet, scores in taught.get("scores", {}).items():
            kept = {name: round(s, 4) for name, s in scores.items() if s >= LEAST_SCORE}
            taught["scores"][facet] = kept
        yield {**pointer, **taught, "labelled": labelled}
