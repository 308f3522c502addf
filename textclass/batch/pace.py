"""How fast a run goes, in words, and a log of it with a line a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textclass.batch.data import Progress
from textclass.errors import BatchError

EVERY_SECONDS = 60.0


def describe(progress: Progress) -> str:
    """Return a run's progress in one line."""
    if progress.stage != "tagging":
        return f"{progress.stage}, {progress.inputs:,} inputs"
    seconds = max(progress.seconds, 1e-9)
    time_left = "time left unknown"
    if done := progress.finished - progress.started_with:
        left = progress.seconds / done * (progress.inputs - progress.finished)
        time_left = f"{timedelta(seconds=round(left))} left"
    return (
        f"{progress.finished:,} of {progress.inputs:,} inputs, "
        f"{progress.documents / seconds:,.1f} documents/s, "
        f"{progress.passages / seconds:,.0f} passages/s, "
        f"{progress.set_aside:,} set aside, {time_left}"
    )


@contextmanager
def pace_log(path: Path) -> Iterator[Callable[[Progress], None]]:
    """Give a function that takes note of progress, with a line a minute appended to a file.

    Raises
    ------
    BatchError
        If the file can't be opened.
    """
    try:
        stream = path.open("a", encoding="utf-8", buffering=1)
    except (OSError, ValueError) as error:
        raise BatchError(f"the log can't be opened: {error}", where=str(path)) from error
    last, stage = time.monotonic(), ""

    def write(text: str) -> None:
        stream.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")

    def watch(progress: Progress) -> None:
        nonlocal last, stage
        now = time.monotonic()
        if now - last >= EVERY_SECONDS or progress.stage != stage:
            last, stage = now, progress.stage
            write(describe(progress))

    with stream:
        try:
            yield watch
        except BaseException as error:
            write(f"ended: {error}")
            raise
