import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Done


@pytest.fixture
def process(tmp_path):
    """Run the command line in a process of its own, in a folder of the test's own."""

    def run(*arguments, check: int = 0):
        done = subprocess.run(
            [sys.executable, "-m", "textclass", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == check, done.stderr
        return Done(done.stdout, done.stderr)

    return run
