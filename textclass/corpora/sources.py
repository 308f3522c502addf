"""Where public texts come from (`sources.yaml`), and their files at one commit of a git repository."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from textclass.errors import CorpusError
from textclass.yamlfile import line_of, parse_yaml, raise_faults, read_text

BATCH = 1000
"""Files asked for at once; what has come stays, so a broken download goes on after it."""

_FILES_IN_MEMORY = 100
# The name becomes a file name, the address and the commit arguments of git.
_SHAPES = {
    "name": r"[a-z0-9][a-z0-9_-]{0,63}",
    "title": r".+",
    "url": r"(https|file)://[^\s-]\S*",
    "commit": r"[0-9a-f]{40}|[0-9a-f]{64}",
    "licence": r".+",
}
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "fetch.negotiationAlgorithm=noop",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)


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
        wrong = [k for k, shape in _SHAPES.items() if not _fits(given.get(k), shape)]
        faults += [(line, f"{key}: {given.get(key)!r} won't do") for key in wrong]
        faults += [(line, f"{key}: no such key") for key in given if key not in _SHAPES]
        if given.get("name") in sources:
            faults.append((line, f"the source {given['name']!r} stands twice"))
        elif not wrong:
            sources[given["name"]] = Source(**{key: str(given[key]) for key in _SHAPES})
    raise_faults(faults, str(path), CorpusError)
    return sources


def _fits(value: object, shape: str) -> bool:
    return isinstance(value, str) and re.fullmatch(shape, value) is not None


def download(
    source: Source, paths: Iterable[str], folder: Path, progress: Callable[[int, int], None]
) -> None:
    """Bring the files of a source at its commit into the bare repository `folder`.

    A server that can't filter sends the other files too. What an earlier call brought is not asked
    for again. `progress` is called with the number of files here and wanted.

    Raises
    ------
    CorpusError
        With what git says, if the commit or the files don't come.
    """
    if not (folder / "HEAD").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet", "--bare", ".")
    for lock in folder.glob("*.lock"):
        lock.unlink()  # left by a git that was killed; nobody else writes in this cache
    _git(folder, "config", "remote.origin.url", source.url)
    if source.commit not in _objects(folder):
        try:
            _fetch(folder, "--depth=1", "--filter=blob:none", "--", "origin", source.commit)
        except CorpusError:
            _fetch(folder, "--depth=1", "--no-filter", "--", "origin", source.commit)
    wanted = set(_blobs(folder, source.commit, paths).values())
    lacking = sorted(wanted - _objects(folder))
    progress(len(wanted) - len(lacking), len(wanted))
    for first in range(0, len(lacking), BATCH):
        batch = "\n".join(lacking[first : first + BATCH]).encode()
        options = ("--no-write-fetch-head", "--filter=blob:none", "--stdin")
        _fetch(folder, *options, "--", "origin", stdin=batch)
        progress(len(wanted) - len(lacking[first + BATCH :]), len(wanted))


def has_commit(folder: Path, commit: str) -> bool:
    """Return whether a folder is a git repository or working copy that has the commit."""
    if not ((folder / ".git").exists() or (folder / "objects").is_dir()):
        return False
    answer = _git(folder, "cat-file", "--batch-check", stdin=f"{commit}\n".encode())
    return answer.split()[1:2] == [b"commit"]


def read_files(folder: Path, commit: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of each file that the repository has at the commit."""
    blobs = list(_blobs(folder, commit, paths).items())
    for first in range(0, len(blobs), _FILES_IN_MEMORY):
        batch = blobs[first : first + _FILES_IN_MEMORY]
        names = "".join(f"{name}\n" for _, name in batch).encode()
        answer = io.BytesIO(_git(folder, "cat-file", "--batch", stdin=names))
        for path, _ in batch:
            facts = answer.readline().split()
            if facts[1] == b"blob":  # else a server that never sent it
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


def _fetch(folder: Path, *arguments: str, stdin: bytes = b"") -> None:
    options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
    _git(folder, "fetch", *options, *arguments, stdin=stdin)


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    program = shutil.which("git")
    if program is None:
        raise CorpusError("git isn't installed", hint="install it, or use --from")
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:file", "LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603 -- no shell; names are checked where they are read
        [program, "-C", str(folder), *settings, *arguments],
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["failed"]
        raise CorpusError(f"git {arguments[0]}: {said[-1]}", where=str(folder))
    return done.stdout
