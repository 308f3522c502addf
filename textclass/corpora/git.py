"""Files at one commit of a git repository, and only those files where the server allows it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from textclass.corpora.sources import Source
from textclass.errors import CorpusError

BATCH = 1000
"""Files asked for at once; what has come stays, so a broken download goes on after it."""

LARGEST_FILE = 64 * 2**20
"""A larger file is left out, in bytes."""

_FILES_IN_MEMORY = 100
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "fetch.negotiationAlgorithm=noop",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)


def download(
    source: Source,
    paths: Iterable[str],
    folder: Path,
    progress: Callable[[int, int], None],
) -> None:
    """Bring the files of a source at its commit into the bare repository `folder`.

    Parameters
    ----------
    source : Source
    paths : iterable of str
        The files wanted; a server that can't filter sends the others too.
    folder : Path
        Made if it isn't there. What an earlier call brought is not asked for again.
    progress : callable
        Called with the number of files here and wanted.

    Raises
    ------
    CorpusError
        With what git says, if the commit or the files don't come.
    """
    _prepare(folder, source)
    wanted = set(_wanted(folder, source.commit, paths).values())
    lacking = sorted(wanted - _objects(folder))
    progress(len(wanted) - len(lacking), len(wanted))
    for first in range(0, len(lacking), BATCH):
        batch = lacking[first : first + BATCH]
        options = ("--no-write-fetch-head", "--filter=blob:none", "--stdin")
        _fetch(folder, *options, "--", "origin", stdin="\n".join(batch).encode())
        progress(len(wanted) - len(lacking) + first + len(batch), len(wanted))


def _prepare(folder: Path, source: Source) -> None:
    """Make the repository if need be and bring the commit with its list of files."""
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


def has_commit(folder: Path, commit: str) -> bool:
    """Return whether a folder is a git repository or working copy that has the commit."""
    if not ((folder / ".git").exists() or (folder / "objects").is_dir()):
        return False
    answer = _git(folder, "cat-file", "--batch-check", stdin=f"{commit}\n".encode())
    return answer.split()[1:2] == [b"commit"]


def read_files(folder: Path, commit: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of each file that the repository has at the commit."""
    wanted = list(_wanted(folder, commit, paths).items())
    for first in range(0, len(wanted), _FILES_IN_MEMORY):
        batch = wanted[first : first + _FILES_IN_MEMORY]
        facts = _cat(folder, "--batch-check", batch).readlines()
        fits = [
            file
            for file, fact in zip(batch, map(bytes.split, facts), strict=True)
            if fact[1] == b"blob" and int(fact[2]) <= LARGEST_FILE
        ]
        answer = _cat(folder, "--batch", fits)
        for path, _ in fits:
            size = int(answer.readline().split()[2])
            yield path, answer.read(size)
            answer.readline()


def _wanted(folder: Path, commit: str, paths: Iterable[str]) -> Mapping[str, str]:
    """Return the object id of each of `paths` that is a plain file at the commit."""
    files, wanted = {}, set(paths)
    for entry in _git(folder, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        facts, _, path = entry.partition(b"\t")
        name = path.decode("utf-8", "surrogateescape")
        if name in wanted and facts.startswith(b"100"):  # neither links nor submodules
            files[name] = facts.split()[2].decode()
    return files


def _cat(folder: Path, form: str, files: Iterable[tuple[str, str]]) -> io.BytesIO:
    names = "".join(f"{number}\n" for _, number in files)
    return io.BytesIO(_git(folder, "cat-file", form, stdin=names.encode()))


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
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CorpusError(
            f"git {arguments[0]}: {said[-1] if said else 'failed'}", where=str(folder)
        )
    return done.stdout
