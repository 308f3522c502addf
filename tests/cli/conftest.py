import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def textclass(tmp_path):
    """Run the command line in a process of its own, in a folder of its own."""

    def run(*arguments, stdin: str | bytes | None = "", env=None, check: int | None = 0):
        stdin = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "textclass", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})},
            timeout=300,
            check=False,
        )
        done.out, done.err = done.stdout.decode(), done.stderr.decode()
        assert check is None or done.returncode == check, done.err
        return done

    return run
