"""Labels on public texts without the texts: each row points to the place in a file of a source.

Third-party sentences stay out of version control; `textclass corpus fetch` brings them into a
cache beside the corpus. A text's id is its hash, so one cleaner must give it again and again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textclass.corpora.rows import Corpus, teaching, text_id
from textclass.errors import CorpusError
from textclass.taxonomy import line_of, parse_yaml, raise_faults, read_text

LEAST_SCORE = 0.001
"""A lower score is left out of a pointer; it is read as 0."""

# The name becomes a file name, the address and the commit arguments of git.
_SHAPES = {
    "name": r"[a-z0-9][a-z0-9_-]{0,63}",
    "title": r".+",
    "url": r"(https|file)://[^\s-]\S*",
    "commit": r"[0-9a-f]{40}|[0-9a-f]{64}",
    "licence": r".+",
}
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


def make_pointer(record: Mapping[str, Any], where: str | None = None) -> Pointer:
    """Return the checked pointer of a record in the place `where`.

    Raises
    ------
    CorpusError
    """
    number, path = record.get("id"), record.get("path")
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise CorpusError(f"the id {number!r} isn't 16 hex digits", where=where)
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise CorpusError(f"{path!r} isn't a path inside a source", where=where)
    spans = record.get("passages") or [[record.get("start"), record.get("end")]]
    if not isinstance(spans, list) or not all(map(_is_span, spans)):
        raise CorpusError("start and end, or passages, don't say where the text is", where=where)
    return Pointer(number, path, tuple(s if isinstance(s, str) else (s[0], s[1]) for s in spans))


def _is_span(span: object) -> bool:
    if isinstance(span, list) and [type(place) for place in span] == [int, int]:
        return bool(0 <= span[0] < span[1] < span[0] + _LONGEST)
    return isinstance(span, str) and _ID.fullmatch(span) is not None


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
        if not columns.get("source") or not columns.get("path"):
            raise CorpusError("a row needs the source and path of its text", where=row.where)
        if row.id != text_id(row.text):
            raise CorpusError(f"the id {row.id!r} isn't the hash of the text", where=row.where)
        make_pointer({**columns, "id": row.id}, row.where)
        keys = ("source", "path", "start", "end", "passages", "level")
        pointer = {"id": row.id} | {key: columns[key] for key in keys if key in columns}
        if row.group != f"{columns['source']}:{columns['path']}":
            pointer["group"] = row.group
        taught = teaching(row, corpus.taxonomy)
        for facet, scores in taught.get("scores", {}).items():
            kept = {name: round(s, 4) for name, s in scores.items() if s >= LEAST_SCORE}
            taught["scores"][facet] = kept
        yield {**pointer, **taught, "labelled": labelled}


@dataclass(frozen=True)
class Source:
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

    name: str
    title: str
    url: str
    commit: str
    licence: str


def load_sources(path: str | Path) -> Mapping[str, Source]:
    """Read a `sources.yaml` into sources by name.

    Raises
    ------
    CorpusError
        Names every fault of the file with its line.
    """
    tree = parse_yaml(read_text(Path(path), CorpusError), str(path), CorpusError)
    entries = tree.get("sources") if isinstance(tree, dict) else None
    if not isinstance(entries, list) or not entries:
        raise CorpusError("a list under the key 'sources' was expected", where=str(path))
    sources: dict[str, Source] = {}
    faults = []
    for number, entry in enumerate(entries):
        line = line_of(tree, ("sources", number))
        given = dict(entry) if isinstance(entry, dict) else {}
        faults += [
            (line, f"{key}: {value!r} won't do" if key in _SHAPES else f"there is no key {key!r}")
            for key, value in (dict.fromkeys(_SHAPES) | given).items()
            if not (isinstance(value, str) and re.fullmatch(_SHAPES.get(key, "(?!)"), value))
        ]
        if given.get("name") in sources:
            faults.append((line, f"the source {given['name']!r} stands twice"))
        sources[str(given.get("name"))] = Source(**{key: str(given.get(key)) for key in _SHAPES})
    raise_faults(faults, str(path), CorpusError)
    return sources
