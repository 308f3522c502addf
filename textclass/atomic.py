"""Files written whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from textclass.errors import TextclassError


def write_atomically(path: str | Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file beside its place and move it there when it is whole.

    Parameters
    ----------
    path : path
        What stood there before stays until the new file is whole.
    content : bytes or iterable of bytes
        All of it, or piece by piece.

    Raises
    ------
    TextclassError
        If the file can't be written.
    """
    path = Path(path)
    draft = path.parent / f".textclass-{os.getpid()}-{threading.get_ident()}.partial"
    try:
        with draft.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        draft.replace(path)
    except OSError as error:
        raise TextclassError(f"can't be written: {error.strerror}", where=str(path)) from error
    finally:
        # Where the folder is missing or full, the first error is the one to tell.
        with suppress(OSError):
            draft.unlink(missing_ok=True)
