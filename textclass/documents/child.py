"""The reading process: sets its own limits, then answers one request after another."""

from __future__ import annotations

import json
import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from textclass.documents.data import Limits, TableOptions
from textclass.documents.reading import read_file
from textclass.documents.wire import OUT_OF_MEMORY, Fault, Member, Part, pack
from textclass.errors import DocumentError

_OPEN_FILES = 64


def main() -> None:
    """Serve requests, one JSON object a line, from standard input until it ends."""
    # Whatever a library prints must not get between the frames.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    setup = json.loads(requests.readline() or b"null")
    if not setup:
        return
    limits, options = Limits(**setup["limits"]), TableOptions(**setup["options"])
    _confine(limits)
    _send(pack({"kind": "ready"}), answers)
    try:
        for line in requests:
            request = json.loads(line)
            path = Path(os.fsdecode(bytes.fromhex(request["path"])))
            _allow_cpu(limits.cpu_seconds)
            for part in read_file(path, limits, options, skip=request["skip"]):
                _send(_frame(part), answers)
                _allow_cpu(limits.cpu_seconds)
            _send(pack({"kind": "done"}), answers)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _confine(limits: Limits) -> None:
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_DATA, limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(which)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # Some systems don't have them all; the parent's clock always counts.
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (most, most))


def _allow_cpu(seconds: int) -> None:
    """Give the next document its share of processor time, counted from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _send(frame: bytes, answers: BinaryIO) -> None:
    answers.write(frame)
    # What was read must not be lost with a process that dies of what comes next.
    answers.flush()


def _frame(part: Part) -> bytes:
    header = {"kind": type(part).__name__.lower()} | vars(part)
    body = header.pop("text", "").encode()
    try:
        return pack(header, body)
    except DocumentError as error:
        return _frame(Fault("read", str(error), None if isinstance(part, Member) else part.row))


if __name__ == "__main__":
    main()
