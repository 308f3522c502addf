"""Files, folders and glob strings → the files to read, in an order that never changes."""

from __future__ import annotations

import glob
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from textclass.documents.document import Source
from textclass.errors import DocumentError, TextclassError

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\\\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE
)
_COMPONENT_BYTES = 255

_JUNK = re.compile(r"~\$|(?:thumbs\.db|desktop\.ini|\.ds_store|ehthumbs\.db)$|\._", re.IGNORECASE)
_HEAD = 64 << 10
# What outputs of this program hold: an SQLite application id, a tag, names of columns or keys. The
# names stand after a comma, quote or tag, and in Parquet after their lengths.
_LEDGER = b"txlg"
_REPORT = b'<meta name="generator" content="textclass'
_EVALUATION = re.compile(rb'\{\s*"model": "[^"\n]+",\s*"level": "(?:passage|document)"')
_NAME = re.compile(
    rb'(?:^|[,">\x04-\x08])(document|outcome|model|start|sha256|path|stage|error)(?!\w)'
)
_RESULT = {b"document", b"outcome", b"model"}
_SET_ASIDE = {b"path", b"sha256", b"stage", b"error"}


def find_inputs(
    paths: Iterable[str | os.PathLike[str]],
    *,
    on_left_out: Callable[[Path, str], None] = lambda _path, _what: None,
) -> Iterator[Source]:
    """Yield the files that `paths` name, each once.

    Ids are paths below the one folder given, or below the deepest folder that holds all of `paths`.
    Links inside a folder are not walked: what they point to is found under its own name, and what
    lies outside is set aside by the reader.

    Parameters
    ----------
    paths : iterable of str or path
        Files, folders (walked whole, sorted by name) and glob strings (`reports/**/*.pdf`).
    on_left_out : callable, keyword-only, optional
        Told of each file that is passed over, and what it is: a `system file` (`Thumbs.db`,
        `~$report.docx`; only in folders), a `hidden file or folder` (in folders, too), or what
        `is_own_output` says.

    Raises
    ------
    DocumentError
        For a path that doesn't exist and a glob that matches nothing, before the first file; after
        the last, if there was nothing but a named output of this program.
    """
    inputs = [entry for path in paths for entry in expand_path(os.fspath(path))]
    if not inputs:
        return
    top = Path(os.path.commonpath([root or path.parent for path, root in inputs]))
    seen: set[tuple[Path, bool]] = set()
    named: tuple[Path, str] | None = None
    found_any = False
    for path, root in inputs:
        for found in _files(path):
            hidden = found != path and _is_hidden(found.name)
            if (found, hidden) in seen:
                continue
            # Only several inputs can name a file twice; one folder costs no memory.
            if len(inputs) > 1:
                seen.add((found, hidden))
            what = "hidden file or folder" if hidden else is_own_output(found)
            if root and is_junk(found.name):
                what = "system file"
            if what:
                on_left_out(found, what)
                named = named or (None if root else (found, what))
            else:
                found_any = True
                yield Source(found, visible(found.relative_to(top).as_posix()), root)
    if named and not found_any:
        path, what = named
        raise DocumentError(
            f"it is a {what} that textclass wrote, not a document",
            where=visible(str(path)),
            hint="name the documents themselves",
        )


def expand_path(path: str) -> list[tuple[Path, Path | None]]:
    """Return files and folders, each with the folder that links may not lead out of.

    A file named outright has none: it may be a link to anywhere.

    Raises
    ------
    DocumentError
        If the path doesn't exist, or is a glob that matches nothing.
    """
    if "\0" in path:
        raise DocumentError("a path can't hold a NUL character", where=visible(path))
    place = Path(os.path.abspath(path))  # noqa: PTH100 - unlike resolve(), follows no links
    try:
        place.lstat()
    except PermissionError as error:
        raise DocumentError(
            "a folder above it may not be entered",
            where=visible(path),
            hint="ask its owner for permission",
        ) from error
    except (OSError, ValueError):
        pass
    else:
        return [(place, place if place.is_dir() else None)]
    if not glob.has_magic(path):
        longer = f"{glob.escape(place.stem)}.*{glob.escape(place.suffix)}"
        beside = [visible(one.name) for one in sorted(place.parent.glob(longer))[:3]]
        hint = f"did you mean {' or '.join(beside)}?" if beside else None
        raise DocumentError("no such file or folder", where=visible(path), hint=hint)
    root = Path(*takewhile(lambda part: not glob.has_magic(part), place.parts))
    found = sorted(map(Path, glob.iglob(str(place), recursive=True)))  # noqa: PTH207 - absolute
    if not found:
        raise DocumentError("no file matches this pattern", where=visible(path))
    # `**` matches a folder and also what it holds: keep the outermost only.
    every = set(found)
    return [(match, root) for match in found if not every.intersection(match.parents)]


def _files(top: Path) -> Iterator[Path]:
    """Yield the files and hidden folders at or below a path, in the order of their names."""
    waiting = [top]
    while waiting:
        path = waiting.pop()
        if path != top and _is_hidden(path.name):
            yield path
        elif path != top and path.is_symlink():
            if _is_lost(path, top):
                yield path
        elif path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            names = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - as text, not as paths
            waiting += [path / name for name in names]
        else:
            yield path


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and not is_junk(name)


def leaves(path: Path, root: Path) -> bool:
    """Whether `path`, its links followed, lies outside `root`; OSError if it leads nowhere."""
    # Path.resolve raises another error for links that go round in a circle.
    return not Path(os.path.realpath(path, strict=True)).is_relative_to(root.resolve())


def _is_lost(link: Path, root: Path) -> bool:
    """Whether a link leads nowhere or out of `root`, so that nothing else shows what it holds."""
    try:
        return leaves(link, root)
    except OSError:
        return True


def open_file(path: Path) -> BufferedReader:
    """Open a file to read its bytes.

    Raises
    ------
    DocumentError
        If it isn't a regular file.
    OSError
        If it can't be opened.
    """
    # Without O_NONBLOCK opening a pipe would wait for someone to write to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        stream = open(descriptor, "rb")  # noqa: PTH123, SIM115 -- of a descriptor, for the caller
    except OSError:
        os.close(descriptor)
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise DocumentError("it isn't a regular file")
    return stream


def visible(name: str) -> str:
    r"""Return `name` with what can't be shown or stored escaped; different names stay different.

    Bytes that aren't UTF-8 (lone surrogates, as `os.fsdecode` makes them) become `\xff`, control,
    direction and invisible characters `\u0007`.
    """
    return name if name.isalnum() and name.isascii() else _UNSEEN.sub(_escape, name)


def _escape(match: re.Match[str]) -> str:
    point = ord(match.group())
    return f"\\x{point - 0xDC00:02x}" if 0xDC80 <= point <= 0xDCFF else f"\\u{point:04x}"


def name_fault(name: str) -> str | None:
    """Return why an archive member may not be called `name`, or None if it may."""
    parts = re.split(r"[/\\]", name)
    if not name.strip():
        return "its name is empty"
    if re.search(r"[\x00-\x1f\x7f]", name):
        return "its name holds control characters"
    if any(not part or re.match(r"[A-Za-z]:", part) for part in parts):
        return "its name is or holds an absolute path"
    if any(part.strip(" ") in {".", ".."} for part in parts):
        return "its name leads out of the archive's folder"
    if any(_RESERVED.fullmatch(part.split(".")[0].split(":")[0].strip(" ")) for part in parts):
        return "its name is reserved on Windows"
    if any(len(part.encode("utf-8", "replace")) > _COMPONENT_BYTES for part in parts):
        return f"its name is longer than {_COMPONENT_BYTES} bytes"
    return None


def is_junk(name: str) -> bool:
    """Whether a file of this name is an operating system's or a program's own, without text."""
    return name.startswith("__MACOSX/") or bool(_JUNK.match(re.split(r"[/\\]", name)[-1]))


def is_own_output(path: Path) -> str | None:
    """Return what textclass has written there, told by the content, or None.

    Returns
    -------
    str or None
        `file of results`, `report`, `evaluation`, `ledger` or `list of what was set aside`.
    """
    try:
        with open_file(path) as stream:
            head = stream.read(_HEAD)
            if head.startswith(b"\x1f\x8b"):
                head = zlib.decompressobj(31).decompress(head, _HEAD)
            if head.startswith(b"SQLite format 3\0"):
                return "ledger" if head[68:72] == _LEDGER else None
            if _REPORT in head[:4096]:
                return "report"
            if _EVALUATION.match(head):
                return "evaluation"
            names = set(_NAME.findall(_header(head, stream)))
    except Exception:  # noqa: BLE001 - what is damaged, or made to look so, isn't ours
        return None
    if names >= _SET_ASIDE:
        return "list of what was set aside"
    return "file of results" if names >= _RESULT and names & {b"start", b"sha256"} else None


def refuse_stranger(path: Path, kind: str) -> None:
    """Refuse to write over a file that isn't ours; a link is replaced, never followed.

    Parameters
    ----------
    path : Path
        Where something is to be written.
    kind : str
        What it is, in the words of `is_own_output`; one of these may be written over.

    Raises
    ------
    TextclassError
        If another file with content is there, or a report isn't called `.html`.
    """
    where, is_full = visible(str(path)), path.is_file() and path.stat().st_size
    if kind == "report" and path.suffix.lower() not in {".html", ".htm"}:
        raise TextclassError("a report is a web page", where=where, hint="give a name in .html")
    if is_full and not path.is_symlink() and is_own_output(path) != kind:
        raise TextclassError(
            f"it would be overwritten, and is no {kind} that textclass wrote",
            where=where,
            hint="move it, or give another name",
        )


def _header(head: bytes, stream: BinaryIO) -> bytes:
    """Return the part of a file that names its columns; of a workbook, cells and texts."""
    if head.startswith(b"PAR1"):
        end = stream.seek(-8, os.SEEK_END)
        size = int.from_bytes(stream.read(4), "little")
        stream.seek(max(end - size, 0))
        return stream.read(min(size, _HEAD))
    if not head.startswith(b"PK\x03\x04"):
        return head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    with zipfile.ZipFile(stream) as book:
        names = {"xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"}.intersection(book.namelist())
        return b" ".join(book.open(name).read(_HEAD) for name in names)
