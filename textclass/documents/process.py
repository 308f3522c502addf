"""The parent's hold on the reading process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path

from textclass.documents.data import Limits, TableOptions
from textclass.documents.wire import HEADER_BYTES, OUT_OF_MEMORY, PREFIX, unpack
from textclass.errors import DocumentError

_START_SECONDS = 60
_CHUNK = 1 << 20
_SIGNALS = {number.value: number.name for number in signal.Signals}
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHOME")


class ReaderDied(Exception):  # noqa: N818 - it says what happened, and never leaves the package
    """The reading process ended, or had to be ended.

    Parameters
    ----------
    message : str
        Why, in one line.
    may_be_tired : bool
        Whether what it read before may have been part of the cause.
    """

    def __init__(self, message: str, *, may_be_tired: bool = True) -> None:
        super().__init__(message)
        self.may_be_tired = may_be_tired


class ReadingProcess:
    """One child process; not to be used again once `ReaderDied` was raised."""

    def __init__(self, limits: Limits, options: TableOptions) -> None:
        self.limits = limits
        self.answers = 0
        self._unread = bytearray()
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        # The child finds this package wherever the parent found it.
        places = [str(Path(__file__).parents[2]), *map(os.path.abspath, sys.path)]
        environment |= {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "textclass.documents.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            # Ctrl-C on the terminal is the parent's business.
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        self._stdin, self._stdout = self._process.stdin.fileno(), self._process.stdout.fileno()
        try:
            self._send({"limits": asdict(limits), "options": asdict(options)})
            self.answer(_START_SECONDS)
        except ReaderDied as error:
            self.stop()
            raise DocumentError(
                "the reading process doesn't start",
                hint="to see why, run: python -m textclass.documents.child < /dev/null",
            ) from error

    def ask(self, path: Path, skip: int) -> None:
        """Let it read `path`, without the first `skip` members of an archive."""
        self._send({"path": os.fsencode(path).hex(), "skip": skip})

    def answer(self, seconds: int | None = None) -> tuple[dict[str, object], bytes]:
        """Return the header and body of its next frame; raise `ReaderDied` if none comes in time.

        That is the wall time of the limits, unless `seconds` says another.
        """
        deadline = time.monotonic() + (seconds or self.limits.wall_seconds)
        head_size, body_size = PREFIX.unpack(self._read(PREFIX.size, deadline))
        if head_size > HEADER_BYTES or body_size > 4 * self.limits.text_chars:
            raise ReaderDied("the reading process sent more than its limits allow")
        head = self._read(head_size, deadline)
        body = self._read(body_size, deadline)
        try:
            return unpack(head), body
        except Exception as error:
            raise ReaderDied("the reading process sent what can't be understood") from error

    def stop(self) -> None:
        """End it at once."""
        with self._process:
            self._process.kill()

    def _send(self, request: dict[str, object]) -> None:
        data = memoryview(json.dumps(request).encode("ascii") + b"\n")
        try:
            while data:
                data = data[os.write(self._stdin, data) :]
        except OSError as error:
            raise self._ended() from error

    def _read(self, size: int, deadline: float) -> bytes:
        while len(self._unread) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not wait([self._stdout], left):
                raise ReaderDied(
                    f"reading took longer than {self.limits.wall_seconds} s; it is very large, or"
                    " made to be slow (split it, or raise the limit)",
                    may_be_tired=False,
                )
            chunk = os.read(self._stdout, _CHUNK)
            if not chunk:
                raise self._ended()
            self._unread += chunk
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def _ended(self) -> ReaderDied:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return ReaderDied("the reading process closed its pipe")
        if status == -signal.SIGXCPU:
            return ReaderDied(
                f"reading took more than {self.limits.cpu_seconds} s of processor time; it is very"
                " large, or made to be slow (split it, or raise the limit)",
                may_be_tired=False,
            )
        if status == OUT_OF_MEMORY:
            return ReaderDied(
                f"reading needs more than {self.limits.memory_bytes >> 20} MB of memory"
                " (split it, or raise the limit)"
            )
        cause = _SIGNALS.get(-status, f"exit status {status}")
        return ReaderDied(
            f"the reading process crashed ({cause}): the file is damaged, or needs more than"
            f" {self.limits.memory_bytes >> 20} MB of memory"
        )
