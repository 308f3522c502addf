import os
import pty
import signal
import subprocess
import sys

import pytest

from textclass import __version__


def test_version(textclass):
    assert textclass("--version").out == f"textclass {__version__}\n"


def test_wrong_usage_exits_2(textclass):
    assert "No such command" in textclass("guess", check=2).err
    told = "no-such-file: neither a model that ships nor a model folder"
    assert told in textclass("model", "info", "no-such-file", check=2).err


def test_our_errors_are_one_line_and_exit_1(textclass, tmp_path):
    (tmp_path / "empty").mkdir()
    done = textclass("model", "verify", "empty", check=1)
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("textclass: empty/manifest.json: can't be read")


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    done = subprocess.run(
        f"{sys.executable} -m textclass labels --json | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_ctrl_c_exits_130():
    running = subprocess.Popen(
        [sys.executable, "-m", "textclass", "predict", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A test run in the background ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(1.5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.strip() == b"textclass: interrupted"


def test_a_command_without_input_shows_help_on_a_terminal():
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "textclass", "predict"],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert "Usage: textclass predict" in done.stderr


def test_shell_completion(textclass):
    env = {"_TEXTCLASS_COMPLETE": "bash_complete", "COMP_WORDS": "textclass pre", "COMP_CWORD": "1"}
    assert "predict" in textclass(env=env).out
