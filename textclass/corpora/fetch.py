"""The texts of public passages, brought into a cache; every one is checked against its hash.

From git comes one commit of a source, and only the files wanted where the server allows it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from textclass.corpora.public_texts import Pointer, Source, load_sources, make_pointer
from textclass.corpora.read import (
    SOURCES,
    SUFFIXES,
    cache_file,
    corpus_files,
    gathered,
    raise_bad_rows,
    read_texts,
    table_records,
    write_jsonl,
)
from textclass.corpora.rows import is_pointer
from textclass.errors import CorpusError

BATCH = 200
"""Files asked for and held at once; what has come stays, so a broken download goes on after it."""

UPLOAD_PACK = "git -c uploadpack.allowFilter=true upload-pack"
"""How a clone on this machine is asked, which may lack files that aren't wanted."""

NO_FILE = "it isn't there"
OTHER_TEXT = "what stands in the file has another hash: it was altered"

Progress = Callable[[int, int], None]

_SETTINGS = (
    "-c core.hooksPath=/dev/null -c credential.helper= -c fetch.negotiationAlgorithm=noop "
    "-c gc.auto=0 -c maintenance.auto=false -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60"
).split()
_FETCH = "fetch --quiet --no-tags --no-recurse-submodules --filter=blob:none".split()


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
    """

    source: str
    wanted: int
    here: int
    brought: int
    missing: Mapping[str, list[str]]

    @property
    def lacking(self) -> int:
        """Texts that aren't in the cache."""
        return self.wanted - self.here - self.brought


def fetch_texts(
    folder: str | Path,
    *,
    origin: str | Path | None = None,
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
        files), a git clone, or a folder with a clone of each source in a subfolder of its name.
    progress : callable, keyword-only
        Called with the number of files here and wanted, source by source.

    Raises
    ------
    CorpusError
        If `sources.yaml` or a pointer is wrong, or `origin` isn't there.
    """
    folder, origin = Path(folder), None if origin is None else Path(origin)
    sources = load_sources(folder / SOURCES)
    pointers = _read_pointers(folder, sources)
    given: dict[str, str] = {}
    if origin is not None:
        files = sorted(origin.iterdir()) if origin.is_dir() else corpus_files([origin])
        for file in files:
            given |= read_texts(file) if file == origin or file.name.endswith(SUFFIXES) else {}
    return [
        _fetch_source(folder, source, pointers[name], given, origin, progress)
        for name, source in sources.items()
    ]


def _read_pointers(
    folder: Path, sources: Mapping[str, Source]
) -> Mapping[str, Mapping[str, Pointer]]:
    """Return the pointers of each source by id."""
    pointers: dict[str, dict[str, Pointer]] = {name: {} for name in sources}
    faults: list[CorpusError] = []
    for file in corpus_files([folder]):
        for where, record in table_records(file, faults):
            if is_pointer(record):
                with gathered(faults, where):
                    if record["source"] not in sources:
                        raise CorpusError(f"{SOURCES} has no source {record['source']!r}")
                    pointer = make_pointer(record)
                    pointers[record["source"]][pointer.id] = pointer
    raise_bad_rows(faults)
    return pointers


def _fetch_source(
    folder: Path,
    source: Source,
    pointers: Mapping[str, Pointer],
    given: Mapping[str, str],
    origin: Path | None,
    progress: Progress,
) -> SourceReport:
    cached = cache_file(folder, source.name)
    known = read_texts(cached)
    here = len(pointers.keys() & known.keys())
    known |= {number: given[number] for number in pointers.keys() & given.keys()}
    lacking: dict[str, list[Pointer]] = defaultdict(list)
    for pointer in pointers.values():
        if pointer.id not in known:
            lacking[pointer.path].append(pointer)
    reasons, otherwise = dict[str, str](), NO_FILE
    address = source.url if origin is None else _find_clone(origin, source.name)
    repository = folder / "cache" / "git" / source.name
    try:
        for path, content in _files(repository, address, source.commit, lacking, progress):
            for pointer in lacking[path]:
                text = pointer.cut(content)
                if text is None:
                    reasons[pointer.id] = OTHER_TEXT
                else:
                    known[pointer.id] = text
    except CorpusError as error:
        otherwise = str(error)
    missing = defaultdict(list)
    for number in sorted(pointers.keys() - known.keys()):
        missing[reasons.get(number, otherwise)].append(f"{number} in {pointers[number].path}")
    brought = len(pointers.keys() & known.keys()) - here
    if brought:
        write_jsonl(cached, ({"id": number, "text": known[number]} for number in sorted(known)))
    return SourceReport(source.name, len(pointers), here, brought, dict(missing))


def _find_clone(origin: Path, name: str) -> str | None:
    """Return the address of the clone in a folder, or in its subfolder of the source's name."""
    places = (origin / name, origin)
    clones = [p for p in places if (p / ".git").exists() or (p / "objects").is_dir()]
    return clones[0].absolute().as_uri() if clones else None


def _files(
    folder: Path, address: str | None, commit: str, paths: Collection[str], progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the files of a commit, brought into a bare repository."""
    if not paths or not address:
        return
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet", "--bare", ".")
    for lock in folder.glob("*.lock"):
        lock.unlink()  # left by a git that was killed; nobody else writes in this cache
    _git(folder, "config", "remote.origin.url", address)
    _git(folder, "config", "remote.origin.uploadpack", UPLOAD_PACK)
    if commit not in _objects(folder):
        _git(folder, *_FETCH, "--depth=1", "--", "origin", commit)
    here, blobs = _objects(folder), _blobs(folder, commit, paths)
    for first in range(0, len(blobs), BATCH):
        batch = blobs[first : first + BATCH]
        wanted = "".join(f"{name}\n" for _, name in batch).encode()
        if not here.issuperset(name for _, name in batch):
            # Else a server that can't filter has sent all files with the commit.
            _git(folder, *_FETCH, "--no-write-fetch-head", "--stdin", "--", "origin", stdin=wanted)
        progress(first + len(batch), len(blobs))
        answer = io.BytesIO(_git(folder, "cat-file", "--batch", stdin=wanted))
        for path, _ in batch:
            facts = answer.readline().split()
            if facts[1] == b"blob":  # else one that never came
                yield path, answer.read(int(facts[2]))
                answer.readline()


def _blobs(folder: Path, commit: str, paths: Collection[str]) -> list[tuple[str, str]]:
    """Return path and object name of each of `paths` that is a plain file at the commit."""
    blobs = []
    for entry in _git(folder, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        facts, _, name = entry.partition(b"\t")
        path = name.decode("utf-8", "surrogateescape")
        if path in paths and facts.startswith(b"100"):  # neither links nor submodules
            blobs.append((path, facts.split()[2].decode()))
    return blobs


def _objects(folder: Path) -> set[str]:
    """Return what the repository holds; asking for one object by name could start a download."""
    form = "--batch-check=%(objectname)"
    return set(_git(folder, "cat-file", "--batch-all-objects", form).decode().split())


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:file", "LC_ALL": "C"}
    environment["GIT_NO_LAZY_FETCH"] = "1"  # nothing comes that wasn't asked for
    if not (program := shutil.which("git")):
        raise CorpusError("git isn't installed", hint="install it, or use --from")
    # No shell; names are checked where they are read.
    command = [program, "-C", str(folder), *_SETTINGS, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment)  # noqa: S603 -- see above
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["failed"]
        raise CorpusError(f"git {arguments[0]}: {said[-1]}", where=str(folder))
    return done.stdout
