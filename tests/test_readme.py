"""The README's blocks run as they stand, and print what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(README)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    return tmp_path


def run(command: str, folder: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "textclass", command
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def matches(expected: str, got: str) -> bool:
    """Compare line by line; `...` in the expected text stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, got.strip(), re.DOTALL) is not None


SESSIONS = [text for kind, text in BLOCKS if kind == "console"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.split("\n")[0][:40])
def test_sessions_print_what_the_readme_shows(session, folder):
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        got = run(command, folder)
        assert not expected.strip() or matches(expected, got), f"{command}\n{got}"


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks_run(code, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in re.findall(r"# prints (.*)", code):
        assert matches(line, next(out for out in done.stdout.splitlines() if matches(line, out)))


def test_there_is_something_to_run():
    assert SESSIONS
    assert PYTHON
