import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import uvicorn

from tests.conftest import toy_rows, write_jsonl
from textclass.review import Answers, Passages, Session, read_passages
from textclass.review.app import make_app
from textclass.tagger import Tagger

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def toy_results(tmp_path_factory, toy_model):
    """Results of 120 passages, two a document, as `tag` writes them."""
    tagger = Tagger.load(toy_model.path)
    path = tmp_path_factory.mktemp("results") / "tagged.jsonl"
    rows = []
    for number, row in enumerate(toy_rows(120, seed=5)):
        tags = tagger.tag(row["text"]).to_dict()
        rows.append({**tags, "document": f"doc{number // 2}", "start": 0, "page": 1 + number % 2})
    write_jsonl(path, rows)
    return path


@pytest.fixture(scope="session")
def toy_passages(toy_results, toy_taxonomy) -> Passages:
    return read_passages([str(toy_results)], toy_taxonomy)


@pytest.fixture
def open_session(tmp_path, toy_passages):
    """Open a session on one file of answers; again and again as different readers."""
    opened = []

    def make(passages=toy_passages, **options):
        answers = Answers(tmp_path / "reviewed.jsonl.review")
        opened.append(answers)
        options = {"reader": "anna", **options}
        return Session(passages, answers, **options)

    yield make
    for answers in opened:
        answers.close()


class Server:
    """`textclass review` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "textclass", "review", "--no-browser", *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = self.process.stdout.readline().strip()
        assert self.address, self.process.stderr.read()
        self.origin = re.match(r"http://127\.0\.0\.1:\d+", self.address).group()

    def stop(self, signum: int = signal.SIGINT) -> str:
        """End it and return what it told."""
        self.process.send_signal(signum)
        _, told = self.process.communicate(timeout=60)
        return told


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(*arguments):
        started.append(Server(tmp_path, *arguments))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


@pytest.fixture
def show():
    """Show a session on a page of this very process, and return its address."""
    running = []

    def start(session) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(make_app(session, token="t", port=port), log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread, listener))
        return f"http://127.0.0.1:{port}"

    yield start
    for server, thread, listener in running:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def tab(chromium):
    """Open a tab; what its console says and what it asks of other machines must be nothing."""
    contexts, noise = [], []

    def open_tab(**options):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: noise.append(dialog.message))
        page.on(
            "request",
            lambda asked: asked.url.startswith("http://127.0.0.1:") or noise.append(asked.url),
        )
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert not noise


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
