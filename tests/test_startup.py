"""What a command loads, and that it starts nearly as soon as spaCy itself."""

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = "The navy's hospital ship treated 1,200 people of the quake-hit coast, and trained nurses."


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
        text=True,
    )


def loaded(*arguments: str) -> tuple[set[str], str]:
    """Top-level packages that a command imports, and what it prints."""
    done = run("-X", "importtime", "-m", "textclass", *arguments)
    times = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in times}, done.stdout


HELP = """
import sys
from textclass.cli.main import cli

def show(command, words):
    cli([*words, "--help"], prog_name="textclass", standalone_mode=False)
    for name, one in getattr(command, "commands", {}).items():
        show(one, [*words, name])

show(cli, [])
print(sys.modules.keys() & {"spacy", "sklearn", "pandas", "numpy", "scipy", "pyarrow", "rich"})
"""


def test_every_command_has_help_that_loads_nothing_heavy():
    printed = run("-c", HELP).stdout
    for command in ("", " predict", " tag", " train", " evaluate", " corpus check", " model info"):
        assert f"Usage: textclass{command} " in printed
    assert printed.splitlines()[-1] == "set()"


def test_predict_loads_no_more_than_it_needs(toy_model):
    heavy = {"sklearn", "pandas", "pyarrow", "scipy", "joblib", "dask", "trafilatura"}
    packages, _ = loaded("predict", "--model", str(toy_model.path), TEXT)
    assert not packages & heavy


def test_predict_starts_nearly_as_soon_as_spacy(toy_model):
    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    spacy, predict = [], []
    for _ in range(2):
        spacy.append(seconds("-c", "import spacy"))
        predict.append(seconds("-m", "textclass", "predict", "-m", str(toy_model.path), TEXT))
    assert min(predict) < 1.6 * min(spacy)
