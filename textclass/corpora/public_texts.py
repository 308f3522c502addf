"""Labels on public texts without the texts: each row points to the place in a file of a source.

Third-party sentences stay out of version control; `textclass corpus fetch` brings them into a
cache beside the corpus. A text's id is its hash, so one cleaner must give it again and again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from textclass.corpora.rows import Row, teaching
from textclass.errors import CorpusError
from textclass.results import text_id
from textclass.taxonomy import Taxonomy, check_schema, read_yaml

LEAST_SCORE = 0.001
"""A lower score is left out of a pointer; it is read as 0."""

_LONGEST = 8_000  # characters; the cleaning patterns are slow on hostile text beyond it
_ID = re.compile(r"[0-9a-f]{16}")
# It stays inside its folder and can't be taken for an option or a pattern of git.
_PATH = re.compile(r"(?![/:-])(?!(?:.*/)?\.\.(?:/|$))[^\0\n\r\\]+")
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
    spans: tuple[list[int] | str, ...]

    def cut(self, content: bytes) -> str | None:
        """Return the text out of its file; None if what stands there has another hash."""
        whole = content.decode("utf-8", "replace").removeprefix("\ufeff")
        whole = whole.replace("\r\n", "\n").replace("\r", "\n")
        named: dict[str, str] = {}
        if any(isinstance(span, str) for span in self.spans):
            cuts = (piece for cut in _CUTS for piece in cut.split(whole) if len(piece) < _LONGEST)
            named = {text_id(piece): piece for piece in map(clean, cuts)}
        text = "\n\n".join(
            named.get(span, "") if isinstance(span, str) else clean(whole[slice(*span)])
            for span in self.spans
        )
        return text if text_id(text) == self.id else None


def make_pointer(record: Mapping[str, Any]) -> Pointer:
    """Return the checked pointer of a record.

    Raises
    ------
    CorpusError
    """
    number, path = record.get("id"), record.get("path")
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise CorpusError(f"the id {number!r} isn't 16 hex digits")
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise CorpusError(f"{path!r} isn't a path inside a source")
    spans = record.get("passages") or [[record.get("start"), record.get("end")]]
    if not isinstance(spans, list) or not all(map(_is_span, spans)):
        raise CorpusError("start and end, or passages, don't say where the text is")
    return Pointer(number, path, tuple(spans))


def _is_span(span: object) -> bool:
    if isinstance(span, list) and [type(place) for place in span] == [int, int]:
        return bool(0 <= span[0] < span[1] < span[0] + _LONGEST)
    return isinstance(span, str) and _ID.fullmatch(span) is not None


def pointer_record(row: Row, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a row as a pointer, without its text; small scores are left out, others rounded.

    Raises
    ------
    CorpusError
        If the row doesn't say where its text is from, or its id isn't the hash of its text.
    """
    given = {**row.columns, "id": row.id, "group": row.group}
    if not given.get("source") or not given.get("path"):
        raise CorpusError("a pointer needs the source and path of the text")
    if row.id != text_id(row.text):
        raise CorpusError(f"the id {row.id!r} isn't the hash of the text")
    make_pointer(given)
    order = ("id", "source", "path", "start", "end", "passages", "level", "group", "labelled")
    taught = teaching(row, taxonomy)
    for facet, scores in taught.get("scores", {}).items():
        kept = {name: round(s, 4) for name, s in scores.items() if s >= LEAST_SCORE}
        taught["scores"][facet] = kept
    return {key: given[key] for key in order if key in given} | taught


class Source(BaseModel):
    """One git repository of public texts.

    Attributes
    ----------
    name : str
        What pointers call it.
    title, licence : str
    url : str
        `https://` or `file://`.
    commit : str
        The full id of the commit that the labels were made at.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    # The name becomes a file name, the address and the commit arguments of git.
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    title: str = Field(min_length=1)
    url: str = Field(pattern=r"^(https|file)://[^\s-]\S*$")
    commit: str = Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")
    licence: str = Field(min_length=1)


class _SourceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    sources: list[Source] = Field(min_length=1)


def load_sources(path: str | Path) -> dict[str, Source]:
    """Read a `sources.yaml` into sources by name.

    Raises
    ------
    CorpusError
        Names every fault of the file with its line.
    """
    tree = read_yaml(Path(path), CorpusError)
    listed = check_schema(tree, _SourceFile, str(path), CorpusError).sources
    sources = {source.name: source for source in listed}
    if len(sources) < len(listed):
        raise CorpusError("two sources have the same name", where=str(path))
    return sources
