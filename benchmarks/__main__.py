"""Speed beside peers: `python -m benchmarks`, or `make bench`. Writes `benchmarks/README.md`.

Once `textclass corpus fetch` has brought the public texts, all contenders are trained on the same
of them and their quality is told too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.contenders import CONTENDERS
from benchmarks.measure import Measured, measure
from benchmarks.report import Results, write_report
from benchmarks.stages import TRAINED_ON, micro_f1, own_labels, profile, start_up, training
from benchmarks.texts import load_texts
from textclass.corpora import read_corpus
from textclass.learning import train

ROOT = Path(__file__).parent.parent


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--texts", type=Path, help="JSONL with a text a line")
    parser.add_argument("--model", type=Path, default=ROOT / "models/default")
    parser.add_argument("--train", type=Path, nargs="+", help="labelled JSONL, for quality")
    parser.add_argument("--dev", type=Path, help="labelled JSONL, for quality")
    parser.add_argument("--words", type=int, default=600_000, help="words to read")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-training", action="store_true", help="don't time training")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/README.md")
    options = parser.parse_args()
    if bool(options.train) != bool(options.dev):
        parser.error("--train and --dev go together")
    corpus = ROOT / "corpus"
    if not options.train and (corpus / "cache").is_dir():
        options.train = [corpus / "public/silver.jsonl", corpus / "written"]
        options.dev = corpus / "public/dev_gold.jsonl"
    return options


def _prepare(
    options: argparse.Namespace, texts: list[str], work: Path
) -> dict[str, dict[str, float]]:
    """Train every contender into `work`; return micro-F1 by contender and facet, if asked for."""
    names = [name for name, contender in CONTENDERS.items() if contender.available]
    if options.train:
        corpus = read_corpus(options.train).select(lambda row: row.hard)
        train(corpus, work / "model")
        rows, targets = corpus.texts, corpus.targets > 0
    else:
        shutil.copytree(options.model, work / "model")
        rows = texts[:TRAINED_ON]
        targets = own_labels(rows, work)
    for name in names:
        if peer := CONTENDERS[name].train:
            _note(f"training: {CONTENDERS[name].title}")
            peer([" ".join(row.split()) for row in rows], targets, work)
    if not options.dev:
        return {}
    dev = read_corpus(options.dev)
    found = {name: micro_f1(name, dev, work) for name in names if name != "overrun"}
    return {name: figures for name, figures in found.items() if figures}


def _measure_in_turn(work: Path, repeats: int) -> dict[str, Measured]:
    """Return the medians over repeats that alternate between the contenders."""
    names = [name for name, contender in CONTENDERS.items() if contender.available]
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    for number in range(repeats):
        for name in names if number % 2 == 0 else reversed(names):
            _note(f"{number + 1}/{repeats}: {CONTENDERS[name].title}")
            runs[name].append(measure(name, work))
    return {
        name: Measured(**{key: median(vars(run)[key] for run in found) for key in vars(found[0])})
        for name, found in runs.items()
    }


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Train, measure in turn, and write the report."""
    options = _parse()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        texts, source = load_texts(options.texts, options.words)
        (work / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        quality = _prepare(options, texts, work)
        results = Results(
            command=" ".join(["python -m benchmarks", *(Path(a).name for a in sys.argv[1:])]),
            source=source,
            repeats=options.repeats,
            measured=_measure_in_turn(work, options.repeats),
            quality=quality,
            start_up=start_up(work, 2 * options.repeats + 1),
            training=float("nan") if options.no_training else training(work),
            profile=profile(texts, work),
        )
    write_report(results, options.out)
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
