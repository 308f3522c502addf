"""The texts of public passages, brought into a cache; every one is checked against its hash.

From git comes one commit of a source, and only the files wanted where the server allows it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from textclass.corpora.pointers import Pointer, Source, is_pointer, load_sources, make_pointer
from textclass.corpora.records import (
    SUFFIXES,
    corpus_files,
    gathered,
    raise_bad_rows,
    scan_records,
    write_jsonl,
)
from textclass.corpora.rows import text_id
from textclass.errors import CorpusError

BATCH = 1000
"""Files asked for at once; what has come stays, so a broken download goes on after it."""

NO_FILE = "the file isn't there"
OTHER_TEXT = "what stands in the file has another hash: it was altered"
ALTERED = "the text given for it has another hash: it was altered"

Progress = Callable[[int, int], None]

_FILES_IN_MEMORY = 100
_SETTINGS = (
    "-c core.hooksPath=/dev/null -c credential.helper= -c fetch.negotiationAlgorithm=noop "
    "-c gc.auto=0 -c maintenance.auto=false -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60"
).split()
_FETCH = "fetch --quiet --no-tags --no-recurse-submodules --filter=blob:none".split()


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
        licence = self._licences.get(str(record["source"])) if text else None
        return {"licence": licence, **record, "text": text} if text else dict(record)

    def known(self, source: str) -> dict[str, str]:
        """Return the texts of one source that are here; one whose hash isn't its id isn't."""
        path = self.folder / f"{source}.jsonl"
        return {k: text for k, text in _given(path).items() if text} if path.exists() else {}

    def store(self, source: str, texts: Mapping[str, str]) -> None:
        """Write the texts of one source: whole or not at all."""
        rows = ({"id": number, "text": texts[number]} for number in sorted(texts))
        write_jsonl(self.folder / f"{source}.jsonl", rows)


@dataclass(frozen=True)
class SourceReport:
    """What came from one source.

    Attributes
    ----------
    source : str
    wanted, here, brought : int
        Labelled texts; those already in the cache; those that came now.
    missing : Mapping of str to list of str
        Why a text didn't come, and the ids and paths of which that is true.
    error : str or None
        What went wrong with the source as a whole.
    """

    source: str
    wanted: int
    here: int
    brought: int
    missing: Mapping[str, list[str]]
    error: str | None = None

    @property
    def lacking(self) -> int:
        """Texts that aren't in the cache."""
        return self.wanted - self.here - self.brought


def fetch_texts(
    folder: str | Path,
    *,
    origin: str | Path | None = None,
    only: Sequence[str] = (),
    progress: Progress = lambda _done, _total: None,
) -> list[SourceReport]:
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
    cache = TextCache(folder / "cache")
    pointers = _read_pointers(folder, sources)
    origin = Path(origin) if origin is not None else None
    given = _given(origin) if origin is not None else {}
    return [
        _fetch_source(sources[name], pointers[name], cache, origin, given, progress)
        for name in only or sources
    ]


def _read_pointers(folder: Path, sources: Container[str]) -> Mapping[str, list[Pointer]]:
    pointers: dict[str, dict[str, Pointer]] = defaultdict(dict)
    faults: list[CorpusError] = []
    for _, file in corpus_files([folder]):
        for where, record in scan_records(file, faults):
            if is_pointer(record):
                with gathered(faults, where):
                    if record["source"] not in sources:
                        raise CorpusError(f"sources.yaml has no source {record['source']!r}")
                    pointer = make_pointer(record)
                    pointers[record["source"]][pointer.id] = pointer
    raise_bad_rows(faults)
    return defaultdict(list, {source: list(found.values()) for source, found in pointers.items()})


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
    brought = {p.id: text for p in lacking if (text := given.get(p.id))}
    reasons = {p.id: ALTERED for p in lacking if p.id in given}
    wanted: dict[str, list[Pointer]] = defaultdict(list)
    for pointer in lacking:
        if pointer.id not in brought:
            wanted[pointer.path].append(pointer)
    error = None
    try:
        for path, content in _contents(source, wanted, cache.folder, origin, progress):
            texts = {pointer.id: pointer.cut(content) for pointer in wanted[path]}
            brought |= {number: text for number, text in texts.items() if text is not None}
            reasons |= dict.fromkeys(texts, OTHER_TEXT)
    except CorpusError as fault:
        error = str(fault)
    if brought:
        cache.store(source.name, known | brought)
    missing = defaultdict(list)
    for p in lacking:
        if p.id not in brought:
            missing[reasons.get(p.id, NO_FILE)].append(f"{p.id} in {p.path}")
    here = len(pointers) - len(lacking)
    return SourceReport(source.name, len(pointers), here, len(brought), dict(missing), error)


def _contents(
    source: Source, paths: Collection[str], cache: Path, origin: Path | None, progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of the files that are there."""
    if not paths:
        return
    if origin is None:
        repository = cache / "git" / source.name
        _download(source, paths, repository, progress)
        yield from _read_files(repository, source.commit, paths)
        return
    roots = (origin / source.name, origin)
    for root in roots:
        is_repository = (root / ".git").exists() or (root / "objects").is_dir()
        if is_repository and source.commit in _objects(root):
            yield from _read_files(root, source.commit, paths)
            return
    for root in roots:
        for path in paths:
            file = (root / path).resolve()  # a link may lead out of the folder
            if file.is_relative_to(root.resolve()) and file.is_file():
                yield path, file.read_bytes()


def _given(origin: Path) -> dict[str, str | None]:
    """Return texts by id from files of texts; None for an id that came with another text."""
    files = [origin]
    if origin.is_dir():
        files = [file for file in sorted(origin.iterdir()) if file.name.endswith(SUFFIXES)]
    if not origin.exists():
        raise CorpusError("there is no such file or folder", where=str(origin))
    faults: list[CorpusError] = []
    texts: dict[str, str | None] = {}
    for file in files:
        for _, values in scan_records(file, faults):
            if isinstance(text := values.get("text"), str):
                texts.setdefault(str(values.get("id")), None)
                texts[text_id(text)] = text
    if faults and not texts and origin.is_file():
        raise_bad_rows(faults)
    return texts


def _download(source: Source, paths: Iterable[str], folder: Path, progress: Progress) -> None:
    """Bring the files of a source at its commit into the bare repository `folder`.

    A server that can't filter sends the other files too. What an earlier call brought is not asked
    for again.
    """
    if not (folder / "HEAD").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet", "--bare", ".")
    for lock in folder.glob("*.lock"):
        lock.unlink()  # left by a git that was killed; nobody else writes in this cache
    _git(folder, "config", "remote.origin.url", source.url)
    if source.commit not in _objects(folder):
        _git(folder, *_FETCH, "--depth=1", "--", "origin", source.commit)
    wanted = set(_blobs(folder, source.commit, paths).values())
    lacking = sorted(wanted - _objects(folder))
    progress(len(wanted) - len(lacking), len(wanted))
    for first in range(0, len(lacking), BATCH):
        batch = "\n".join(lacking[first : first + BATCH]).encode()
        _git(folder, *_FETCH, "--no-write-fetch-head", "--stdin", "--", "origin", stdin=batch)
        progress(len(wanted) - len(lacking[first + BATCH :]), len(wanted))


def _read_files(folder: Path, commit: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of each file that the repository has at the commit."""
    blobs = list(_blobs(folder, commit, paths).items())
    for first in range(0, len(blobs), _FILES_IN_MEMORY):
        batch = blobs[first : first + _FILES_IN_MEMORY]
        names = "".join(f"{name}\n" for _, name in batch).encode()
        answer = io.BytesIO(_git(folder, "cat-file", "--batch", stdin=names))
        for path, _ in batch:
            facts = answer.readline().split()
            if facts[1] == b"blob":  # else one that never came
                yield path, answer.read(int(facts[2]))
                answer.readline()


def _blobs(folder: Path, commit: str, paths: Iterable[str]) -> Mapping[str, str]:
    """Return the object name of each of `paths` that is a plain file at the commit."""
    blobs, wanted = {}, set(paths)
    for entry in _git(folder, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        facts, _, path = entry.partition(b"\t")
        name = path.decode("utf-8", "surrogateescape")
        if name in wanted and facts.startswith(b"100"):  # neither links nor submodules
            blobs[name] = facts.split()[2].decode()
    return blobs


def _objects(folder: Path) -> set[str]:
    """Return what the repository holds; asking for one object by name could start a download."""
    form = "--batch-check=%(objectname)"
    return set(_git(folder, "cat-file", "--batch-all-objects", form).decode().split())


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:file", "LC_ALL": "C"}
    if not (program := shutil.which("git")):
        raise CorpusError("git isn't installed", hint="install it, or use --from")
    # No shell; names are checked where they are read.
    command = [program, "-C", str(folder), *_SETTINGS, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment)  # noqa: S603 -- see above
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["failed"]
        raise CorpusError(f"git {arguments[0]}: {said[-1]}", where=str(folder))
    return done.stdout
