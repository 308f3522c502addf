"""What the queue of `textclass review` brings, and how it stands a hundred thousand passages.

    python -m benchmarks.review [SEEDS [PASSAGES]]

A simulated reader answers with the labels of the written corpus, in the order of `--queue model`
and of `--queue random`, from 1,200 passages; after 100, 200 and 400 answers a model is trained on
them and measured on a fifth of the documents, which neither has seen. Then results of many passages
are reviewed over HTTP. Prints Markdown tables. SEEDS or PASSAGES of 0 leave a part out.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from sklearn.metrics import f1_score

from textclass.corpora import Corpus, read_corpus
from textclass.learning import default_pipeline
from textclass.review import Order, Passages, Queue, TaggedPassage, rank_passages
from textclass.taxonomy import Taxonomy

SIZES = (100, 200, 400)
POOL = 1200
RANK_EVERY = 25
ANSWERS = 40


def answers_of_reader(corpus: Corpus, order: Order) -> Iterator[list[int]]:
    """Yield the rows answered so far, each time that there are as many as `SIZES` says."""
    n = len(corpus)
    bare = [TaggedPassage(row.text, row.group) for row in corpus.rows]
    passages = Passages(corpus.taxonomy, bare)
    queue, done = Queue(passages, order), list[int]()
    while len(done) < max(SIZES):
        if order == "model" and len(done) % RANK_EVERY == 0:
            left = [number for number in range(n) if number not in set(done)]
            ranked = rank_passages(
                [corpus.texts[number] for number in left],
                [corpus.texts[number] for number in done],
                corpus.targets[done],
                [corpus.groups[number] for number in done],
            )
            queue.promote([left[number] for number in ranked])
        number = queue.next(done)
        assert number is not None
        done.append(number)
        if len(done) in SIZES:
            yield done


def figures(corpus: Corpus, rows: list[int], test: Corpus) -> list[float]:
    """Train on rows and return micro- and macro-F1 of each facet on the test corpus."""
    pipeline = default_pipeline().set_params(
        labelclassifier__n_jobs=1, labelclassifier__folds=3, wordfeatures__vector_size=50
    )
    targets = corpus.targets[rows]
    known = np.flatnonzero(targets.sum(axis=0) >= 2)
    texts, groups = [corpus.texts[row] for row in rows], [corpus.groups[row] for row in rows]
    pipeline.fit(texts, targets[:, known], labelclassifier__groups=groups)
    given = np.zeros((len(test), targets.shape[1]))
    given[:, known] = pipeline.predict(test.texts)
    truth = test.targets > 0
    return [
        float(f1_score(truth[:, columns], given[:, columns], average=average, zero_division=0))
        for columns in corpus.taxonomy.slices.values()
        for average in ("micro", "macro")
    ]


def simulate(seeds: int) -> None:
    """Print the table of the queues."""
    written = read_corpus("corpus/written")
    groups = sorted(set(written.groups))
    found: dict[tuple[int, Order], list[list[float]]] = {}
    for seed in range(seeds):
        held_out = set(random.Random(seed).sample(groups, len(groups) // 5))
        rest = written.without_groups(held_out)
        test = written.without_groups(rest.groups)
        for order in ("random", "model"):
            mixed = Corpus(rest.taxonomy, tuple(random.Random(seed).sample(rest.rows, POOL)))
            for rows in answers_of_reader(mixed, order):
                result = figures(mixed, rows, test)
                found.setdefault((len(rows), order), []).append(result)
                print(seed, order, len(rows), np.round(result, 3), file=sys.stderr, flush=True)
    heads = [f"{facet}, {kind}" for facet in written.taxonomy.slices for kind in ("micro", "macro")]
    print(f"| answers | queue | {' | '.join(heads)} |\n|--:|---|{'--:|' * len(heads)}")
    for (size, order), results in sorted(found.items()):
        means = " | ".join(f"{value:.3f}" for value in np.mean(results, axis=0))
        print(f"| {size} | `{order}` | {means} |")


def results_of_tag(path: Path, n_passages: int) -> None:
    """Write results of as many made-up passages, of the size that real ones have."""
    taxonomy = Taxonomy.load()
    source = read_corpus("corpus/written")
    words = " ".join(source.texts).split()
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as lines:
        for number in range(n_passages):
            first = draw.randrange(len(words) - 90)
            text = " ".join(words[first : first + draw.randrange(40, 90)]) + f" {number}"
            scores = {
                facet.name: {name: round(draw.random() ** 4, 4) for name in facet.names}
                for facet in taxonomy
            }
            tags = {
                facet: [name for name, p in values.items() if p > 0.5]
                for facet, values in scores.items()
            }
            evidence = [
                {"label": label, "start": 0, "end": 9, "text": text[:9], "weight": 0.5}
                for labels in tags.values()
                for label in labels
                for _ in range(4)
            ]
            row: dict[str, object]
            row = {"id": f"{number:016x}", "document": f"d{number // 20}", "page": None, "start": 0}
            row |= {"end": len(text), "text": text, "outcome": "tagged", "reason": None, **tags}
            row |= {"scores": scores, "evidence": evidence, "model": "made-up"}
            lines.write(json.dumps(row) + "\n")


def load(n_passages: int) -> None:
    """Print the table of many passages."""
    with tempfile.TemporaryDirectory() as folder:
        results_of_tag(Path(folder) / "tagged.jsonl", n_passages)
        command = [sys.executable, "-m", "textclass", "review", "tagged.jsonl", "-o", "out.jsonl"]
        server = subprocess.Popen(
            [*command, "--no-browser", "--quiet"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        loading = _processor_time(server.pid)
        try:
            before = _processor_time(server.pid)
            first, steps = _answer_pages(address)
            processor = (_processor_time(server.pid) - before) / (1 + ANSWERS)
            status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        finally:
            server.terminate()
            server.wait(timeout=60)
    peak = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000
    print(
        "\n| passages | loading (processor time) | first page | answer and next page, median "
        "| slowest | processor time for one | peak |\n|--:|--:|--:|--:|--:|--:|--:|"
    )
    print(
        f"| {n_passages:,} | {loading:.1f} s | {1000 * first:.0f} ms | "
        f"{1000 * np.median(steps):.0f} ms | {1000 * max(steps):.0f} ms | "
        f"{1000 * processor:.0f} ms | {peak:.0f} MB |"
    )


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answer_pages(address: str) -> tuple[float, list[float]]:
    """Return how long the first page took, and each answer with the next page."""
    place = address.removeprefix("http://").partition("/")[0]
    connection = HTTPConnection(place)

    def ask(path: str, headers: dict[str, str], body: str | None = None) -> tuple[str, str]:
        connection.request("POST" if body else "GET", path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        if answer.status == 303:
            return ask(answer.headers["location"], headers)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return page, answer.getheader("set-cookie", "")

    headers = {"origin": f"http://{place}", "host": place}
    headers["cookie"] = ask(f"/?{address.partition('?')[2]}", headers)[1].partition(";")[0]
    began = time.perf_counter()
    page, _ = ask("/", headers)
    first = time.perf_counter() - began
    steps = []
    for _ in range(ANSWERS):
        key = re.findall(r'name="passage" value="(\w+)"', page)[0]
        began = time.perf_counter()
        page, _ = ask("/answer", headers, urlencode({"passage": key, "kind": "none"}))
        steps.append(time.perf_counter() - began)
    return first, steps


def main(seeds: int = 3, n_passages: int = 100_000) -> None:
    """Print both tables."""
    if seeds:
        simulate(seeds)
    if n_passages:
        load(n_passages)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
