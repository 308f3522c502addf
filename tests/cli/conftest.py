import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from textclass.cli.main import main


@dataclass
class Done:
    """What a command printed."""

    out: str
    err: str


@pytest.fixture
def textclass(tmp_path, monkeypatch):
    """Run the command line to its exit, in this process, in a folder of the test's own."""

    def run(*arguments, stdin: str | bytes | None = None, env=None, check: int = 0):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["textclass", *map(str, arguments)])
        # One process is enough for so little.
        variables = {"LOKY_MAX_CPU_COUNT": "1", **(env or {})}
        with CliRunner().isolation(stdin, variables) as (out, err, _):
            with pytest.raises(SystemExit) as ended:
                main()
            done = Done(out.getvalue().decode(), err.getvalue().decode())
        assert ended.value.code == check, done.err
        return done

    return run


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
