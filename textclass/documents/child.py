"""The child process: sets its own limits, then answers one request after another."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path

import orjson

from textclass.documents.document import OUT_OF_MEMORY, Limits, Part, Said, TableOptions
from textclass.documents.parse import FileParser
from textclass.documents.plain_text import plain

_OPEN_FILES = 64


def main() -> None:
    """Serve requests from standard input until it ends."""
    # Whatever a library prints must not get between the messages.
    requests = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    with suppress(EOFError):
        setup = orjson.loads(requests.recv_bytes())
        limits, options = Limits(**setup["limits"]), TableOptions(**setup["options"])
        _confine(limits)
        _send(Said("ready"), answers)
        try:
            while True:
                request = orjson.loads(requests.recv_bytes())
                path = Path(os.fsdecode(bytes.fromhex(request["path"])))
                _allow_cpu(limits.cpu_seconds)
                for part in FileParser(limits, options, request["start"], request["avoid"]).parse(
                    path
                ):
                    _send(part, answers)
                    _allow_cpu(limits.cpu_seconds)
                _send(Said("done"), answers)
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


def _send(part: Part | Said, answers: Connection) -> None:
    try:
        data = orjson.dumps(part)
    except TypeError:  # half a character, as in a name that isn't UTF-8
        data = orjson.dumps(plain(asdict(part)))
    answers.send_bytes(data)


if __name__ == "__main__":
    main()
