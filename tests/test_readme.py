"""The README's blocks run as they stand, and print what it says."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(README)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    monkeypatch.chdir(tmp_path)


def matches(expected: str, got: str) -> bool:
    """Compare line by line; `...` in the expected text stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, got.strip(), re.DOTALL) is not None


SESSIONS = [text for kind, text in BLOCKS if kind == "console"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.split("\n")[0][:40])
def test_sessions_print_what_the_readme_shows(session, textclass):
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "textclass"
        # Some of the samples are set aside, as they are meant to be.
        got = textclass(*arguments, check=3 if "corpus/samples" in arguments else 0).out
        assert not expected.strip() or matches(expected, got), f"{command}\n{got}"


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks_run(code, capsys):
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out.splitlines()
    for line in re.findall(r"# prints (.*)", code):
        assert any(matches(line, out) for out in printed)


def test_there_is_something_to_run():
    assert SESSIONS
    assert PYTHON
