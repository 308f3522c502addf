"""The child process as its parent sees it: started, asked, and ended."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson

from textclass.documents.document import OUT_OF_MEMORY, Document, Limits, Member, SetAside
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_START_SECONDS = 60
_SPARE_BYTES = 64 << 20  # What a message may hold beside the text of one document.
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


def misunderstood() -> ReaderDied:
    """Return an error that says so."""
    return ReaderDied("the reading process sent what can't be understood")


class ReadingProcess:
    """One child process; not to be used again once `ReaderDied` was raised.

    Attributes
    ----------
    used : bool
        Whether it has read anything yet.
    """

    def __init__(self, limits: Limits, options: Mapping[str, object]) -> None:
        self.limits = limits
        self.used = False
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        # The child finds this package wherever the parent found it.
        places = [str(Path(__file__).parents[2]), *map(os.path.abspath, sys.path)]
        environment |= {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
        ours, theirs = socket.socketpair()
        # The kernel's own clock, also for a message that stops half-way.
        wait = struct.pack("ll", limits.wall_seconds, 0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        self._connection = Connection(ours.detach())
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "textclass.documents.child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                # Ctrl-C on the terminal is the parent's business.
                start_new_session=True,
            )
        try:
            self.send({"limits": asdict(limits), "options": options})
            self._connection.poll(_START_SECONDS)
            self.answer()
        except ReaderDied as error:
            self.stop()
            raise DocumentError(
                "the reading process doesn't start",
                hint="to see why, run: python -m textclass.documents.child < /dev/null",
            ) from error

    def send(self, request: object) -> None:
        """Tell it what to do."""
        try:
            self._connection.send_bytes(orjson.dumps(request))
        except OSError as error:
            raise self._ended() from error

    def answer(self) -> list[Document | SetAside | Member] | None:
        """Return its next message; raise `ReaderDied` if none comes in time."""
        try:
            data = self._connection.recv_bytes(8 * self.limits.text_chars + _SPARE_BYTES)
        except BlockingIOError as error:
            raise ReaderDied(
                f"reading took longer than {self.limits.wall_seconds} s; it is very large, or"
                " made to be slow (split it, or raise the limit)",
                may_be_tired=False,
            ) from error
        except (EOFError, ConnectionError) as error:
            raise self._ended() from error
        except OSError as error:
            raise ReaderDied("the reading process sent more than its limits allow") from error
        try:
            # strict: nothing is taken for what it isn't.
            return _form().validate_json(data, strict=True)
        except ValueError as error:
            raise misunderstood() from error

    def stop(self) -> None:
        """End it at once."""
        self._connection.close()
        with self._process:
            self._process.kill()

    def _ended(self) -> ReaderDied:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return ReaderDied("the reading process closed its connection")
        if status == -signal.SIGXCPU:
            return ReaderDied(
                f"reading took more than {self.limits.cpu_seconds} s of processor time; it is very"
                " large, or made to be slow (split it, or raise the limit)",
                may_be_tired=False,
            )
        memory = f"{self.limits.memory_bytes >> 20} MB of memory"
        if status == OUT_OF_MEMORY:
            return ReaderDied(f"reading needs more than {memory} (split it, or raise the limit)")
        cause = f"exit status {status}"
        with suppress(ValueError):
            cause = signal.Signals(-status).name
        return ReaderDied(
            f"the reading process crashed ({cause}): the file is damaged, or needs more than"
            f" {memory}"
        )


@cache
def _form() -> TypeAdapter[list[Document | SetAside | Member] | None]:
    """Return the form of a message; None says that the child is ready, or done with a file."""
    from pydantic import Field, TypeAdapter  # not loaded by the child

    part = Annotated[Document | SetAside | Member, Field(union_mode="left_to_right")]
    return TypeAdapter(list[part] | None)
