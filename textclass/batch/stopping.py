"""Signals that end a run in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818 - no error, and never seen outside
    """A signal has asked the run to end."""


class StopFlag:
    """Which signal has asked the run to end, if any."""

    signum: int | None = None

    def check(self) -> None:
        """Leave a run that should end, at a place where it can be left.

        Raises
        ------
        Stopped
        """
        if self.signum is not None:
            raise Stopped


@contextmanager
def stop_on_signals() -> Iterator[StopFlag]:
    """Let SIGINT and SIGTERM raise a flag; a second one ends the program at once."""
    flag = StopFlag()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def note(signum: int, _frame: FrameType | None) -> None:
        if flag.signum is not None:
            raise KeyboardInterrupt
        flag.signum = signum

    before = {one: signal.signal(one, note) for one in _SIGNALS}
    try:
        yield flag
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
