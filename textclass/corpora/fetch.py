"""The texts of public passages, brought into the cache; every one is checked against its hash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from textclass.corpora.files import SUFFIXES, corpus_files, scan_records
from textclass.corpora.pointers import Pointer, TextCache, read_pointers
from textclass.corpora.rows import text_id
from textclass.corpora.sources import Source, download, has_commit, load_sources, read_files
from textclass.errors import CorpusError

NOT_FOUND = "not found"
NO_FILE = "the file isn't there"
OTHER_TEXT = "what stands in the file has another hash: it was altered"
ALTERED = "the text given for it has another hash: it was altered"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Missing:
    """A labelled text that didn't come, and why."""

    id: str
    path: str
    reason: str


@dataclass(frozen=True)
class SourceReport:
    """What came from one source.

    Attributes
    ----------
    source : str
    wanted, here, brought : int
        Labelled texts; those already in the cache; those that came now.
    missing : tuple of Missing
    error : str or None
        What went wrong with the source as a whole.
    """

    source: str
    wanted: int
    here: int
    brought: int
    missing: tuple[Missing, ...]
    error: str | None = None


@dataclass(frozen=True)
class FetchReport:
    """What came from every source."""

    sources: tuple[SourceReport, ...]

    @property
    def wanted(self) -> int:
        """Labelled public texts."""
        return sum(report.wanted for report in self.sources)

    @property
    def missing(self) -> int:
        """Those that aren't in the cache."""
        return sum(len(report.missing) for report in self.sources)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain lists, dicts, text and numbers."""
        return {"wanted": self.wanted, "missing": self.missing, **asdict(self)}


def fetch_texts(
    folder: str | Path,
    *,
    origin: str | Path | None = None,
    only: Sequence[str] = (),
    progress: Progress = lambda _done, _total: None,
) -> FetchReport:
    """Bring the texts that the pointers of a corpus folder want into its cache.

    Parameters
    ----------
    folder : path
        Holds `sources.yaml` and the pointers; texts go to `cache/<source>.jsonl` in it, git objects
        to `cache/git/`.
    origin : path, keyword-only, optional
        Where to take them from instead of the network: a file of texts (or a folder with such
        files), a git clone, or a folder with a clone or the plain files of each source in a
        subfolder of its name.
    only : sequence of str, keyword-only
        Names of sources; all by default.
    progress : callable, keyword-only
        Called with the number of files here and wanted, source by source.

    Raises
    ------
    CorpusError
        If `sources.yaml` or a pointer is wrong, or `origin` isn't there.
    """
    folder = Path(folder)
    sources = load_sources(folder / "sources.yaml")
    for name in set(only) - set(sources):
        raise CorpusError(f"no source {name!r}", where=str(folder / "sources.yaml"))
    origin = Path(origin) if origin is not None else None
    cache = TextCache(folder / "cache")
    found = read_pointers(folder, sources)
    given = {} if origin is None else _given_texts(origin)
    return FetchReport(
        tuple(
            _fetch_source(sources[name], found.get(name, []), cache, origin, given, progress)
            for name in only or sources
        )
    )


def _fetch_source(
    source: Source,
    pointers: Collection[Pointer],
    cache: TextCache,
    origin: Path | None,
    given: Mapping[str, str | None],
    progress: Progress,
) -> SourceReport:
    known = cache.known(source.name)
    lacking = [pointer for pointer in pointers if pointer.id not in known]
    brought = {p.id: text for p in lacking if (text := given.get(p.id)) is not None}
    reasons = {p.id: ALTERED for p in lacking if given.get(p.id, "") is None}
    wanted: dict[str, list[Pointer]] = defaultdict(list)
    for pointer in lacking:
        if pointer.id not in brought:
            wanted[pointer.path].append(pointer)
    error = None
    try:
        for path, content in _contents(source, wanted, cache.folder, origin, progress):
            for pointer in wanted[path]:
                text = pointer.cut(content)
                if text is None:
                    reasons[pointer.id] = OTHER_TEXT
                else:
                    brought[pointer.id] = text
    except CorpusError as fault:
        error = str(fault)
    if brought:
        cache.store(source.name, known | brought)
    absent = NO_FILE if origin is None and error is None else NOT_FOUND
    missing = tuple(
        Missing(p.id, p.path, reasons.get(p.id, absent)) for p in lacking if p.id not in brought
    )
    here = len(pointers) - len(lacking)
    return SourceReport(source.name, len(pointers), here, len(brought), missing, error)


def _contents(
    source: Source, paths: Collection[str], cache: Path, origin: Path | None, progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of the files that are there."""
    if not paths:
        return
    if origin is None:
        repository = cache / "git" / source.name
        download(source, paths, repository, progress)
        yield from read_files(repository, source.commit, paths)
        return
    roots = (origin / source.name, origin)
    for root in roots:
        if has_commit(root, source.commit):
            yield from read_files(root, source.commit, paths)
            return
    for root in roots:
        for path in paths:
            file = (root / path).resolve()  # a link may lead out of the folder
            if file.is_relative_to(root.resolve()) and file.is_file():
                yield path, file.read_bytes()


def _given_texts(origin: Path) -> dict[str, str | None]:
    """Return texts by id from files of texts; None for an id that came with another text."""
    if origin.is_dir():
        files = [file for file in sorted(origin.iterdir()) if file.name.endswith(SUFFIXES)]
    else:
        files = [file for _, file in corpus_files([origin])]
    texts: dict[str, str | None] = {}
    for file in files:
        for _, values in scan_records(file, []):
            if isinstance(text := values.get("text"), str):
                number = text_id(text)
                if values.get("id", number) != number:
                    texts.setdefault(str(values["id"]), None)
                texts[number] = text
    return texts
