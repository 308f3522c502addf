"""How fast a run goes, in words, and a log of it with a line a minute."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from textclass.batch.data import Progress
from textclass.errors import BatchError

EVERY_SECONDS = 60.0


def describe(progress: Progress) -> str:
    """Return a run's progress in one line."""
    if progress.stage != "tagging":
        return f"{progress.stage}, {progress.inputs:,} inputs"
    seconds = max(progress.seconds, 1e-9)
    left = progress.seconds_left
    time_left = (
        f"{timedelta(seconds=round(left))} left" if left is not None else "time left unknown"
    )
    return (
        f"{progress.finished:,} of {progress.inputs:,} inputs, "
        f"{progress.documents / seconds:,.1f} documents/s, "
        f"{progress.passages / seconds:,.0f} passages/s, "
        f"{progress.set_aside:,} set aside, {time_left}"
    )


class PaceLog:
    """Appends a line a minute to a file.

    Parameters
    ----------
    path : Path
    every : float, keyword-only
        Seconds between two lines.

    Raises
    ------
    BatchError
        If the file can't be opened.
    """

    def __init__(self, path: Path, *, every: float = EVERY_SECONDS) -> None:
        self._every = every
        self._last = time.monotonic()
        self._stage = ""
        try:
            self._stream = path.open("a", encoding="utf-8")
        except (OSError, ValueError) as error:
            raise BatchError(f"the log can't be opened: {error}", where=str(path)) from error

    def __enter__(self) -> PaceLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error:
            self.line(f"ended: {error}")
        self._stream.close()

    def __call__(self, progress: Progress) -> None:
        """Take note of progress; write a line when one is due."""
        now = time.monotonic()
        if now - self._last >= self._every or progress.stage != self._stage:
            self._last, self._stage = now, progress.stage
            self.line(describe(progress))

    def line(self, text: str) -> None:
        """Write a line with the time before it."""
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        self._stream.write(f"{stamp} {text}\n")
        self._stream.flush()
