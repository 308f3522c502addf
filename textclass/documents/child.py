"""The reading process: sets its own limits, then answers one request after another."""

from __future__ import annotations

import json
import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from textclass.documents.data import Limits
from textclass.documents.reading import Fault, Found, Member, read_file
from textclass.documents.registry import TableOptions
from textclass.documents.wire import OUT_OF_MEMORY, PREFIX, pack
from textclass.errors import DocumentError

_OPEN_FILES = 64


def main() -> None:
    """Serve requests from standard input until it ends."""
    # Whatever a library prints must not get between the frames.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    setup = _request(requests)
    if not setup:
        return
    limits, options = Limits(**setup["limits"]), TableOptions(**setup["options"])
    _confine(limits)
    _send(pack({"kind": "ready"}), answers)
    try:
        while request := _request(requests):
            _answer(request, answers, limits, options)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _confine(limits: Limits) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_DATA, limits.memory_bytes)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # Some systems don't have them all; the parent's clock always counts.
    with suppress(ValueError, OSError):
        resource.setrlimit(which, (value, value))


def _allow_cpu(seconds: int) -> None:
    """Give the next document its share of processor time, counted from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _request(stream: BinaryIO) -> dict[str, Any]:
    """Return the next request, or nothing at the end; the parent is trusted."""
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return {}
    head, _ = PREFIX.unpack(prefix)
    return dict(json.loads(stream.read(head)))


def _answer(
    request: dict[str, Any], answers: BinaryIO, limits: Limits, options: TableOptions
) -> None:
    _allow_cpu(limits.cpu_seconds)
    path = Path(os.fsdecode(bytes.fromhex(request["path"])))
    for part in read_file(path, limits, options, skip=request["skip"]):
        try:
            frame = _frame(part)
        except DocumentError as error:
            row = part.row if isinstance(part, Found) else None
            frame = _frame(Fault("read", str(error), row))
        _send(frame, answers)
        _allow_cpu(limits.cpu_seconds)
    _send(pack({"kind": "done"}), answers)


def _send(frame: bytes, answers: BinaryIO) -> None:
    answers.write(frame)
    # What was read must not be lost with a process that dies of what comes next.
    answers.flush()


def _frame(part: Member | Found | Fault) -> bytes:
    header = {"kind": type(part).__name__.lower()} | vars(part)
    body = header.pop("text", "").encode()
    return pack(header, body)


if __name__ == "__main__":
    main()
