"""What several tests share: a toy taxonomy, corpus and model, the command line, a browser.

What is heavy is imported where it is used: the process that only hands out tests reads this, too.
"""

import json
import os
import random
import shutil
import sys
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from textclass.cli.main import main
from textclass.taxonomy import parse_taxonomy

TOY_LABELS = """
facets:
  - name: topic
    question: What is it about?
    labels:
      - {name: river, definition: Water that flows., cues: [river, ferry]}
      - {name: bread, definition: What bakers make., cues: [bread, oven]}
      - {name: "no", definition: A label that YAML readers trip over., cues: [refused]}
"""

_WORDS = {
    "river": "ferry current bank water boat bridge flood crossing upstream delta".split(),
    "bread": "oven flour dough baker loaf yeast crust kneading rye bakery".split(),
    "no": "refused declined rejected denied objection veto against refusal never nobody".split(),
}
_PLAIN = (
    "the a of in and on morning people saw day then it was with by near old town market road"
).split()


def toy_rows(n_rows: int = 240, *, seed: int = 0) -> list[dict]:
    """Rows whose labels follow from their words, two rows a document."""
    draw = random.Random(seed)
    rows = []
    for number in range(n_rows):
        labels = [label for label in _WORDS if draw.random() < 0.35]
        words = [draw.choice(_PLAIN) for _ in range(25)]
        for label in labels:
            words += draw.sample(_WORDS[label], 4)
        draw.shuffle(words)
        rows.append({"text": " ".join(words), "topic": labels, "group": f"doc{number // 2}"})
    return rows


def write_jsonl(path, rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="session")
def toy_taxonomy():
    return parse_taxonomy(TOY_LABELS)


@pytest.fixture(scope="session")
def toy_corpus(tmp_path_factory, toy_taxonomy):
    from textclass.corpora import read_corpus

    path = tmp_path_factory.mktemp("toy") / "corpus.jsonl"
    write_jsonl(path, toy_rows())
    return read_corpus(path, toy_taxonomy)


@pytest.fixture(scope="session")
def toy_pipeline():
    """Small features, not fitted; `train` and `fit_corpus` copy it."""
    from textclass.learning import default_pipeline

    return default_pipeline(min_df=2, vector_size=8, folds=3, n_jobs=1)


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory, toy_corpus, toy_pipeline):
    """A model folder; tests that change it copy it first."""
    from textclass.learning import train

    return train(toy_corpus, tmp_path_factory.mktemp("models") / "toy", toy_pipeline)


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


FLAGS = """--no-sandbox --disable-gpu --disable-background-networking --disable-component-update
--disable-sync --no-first-run --disable-quic --disable-extensions""".split()


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; once it runs, asyncio needs a thread of its own beside it."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()
