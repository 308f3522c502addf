"""Measure the models in FOLDER on the three development sets: `measure.py FOLDER`.

One run for all sets, since the TF-IDF baselines are the same for each: fitted, like the models, on
the labelled rows of `corpus/` without the documents of any of the three.
"""

import sys
from functools import partial
from pathlib import Path

import orjson

from textclass import evaluate
from textclass.corpora import read_corpus
from textclass.learning import (
    figure_tables,
    findings,
    fit_baselines,
    leave_out,
    read_documents,
    update_card,
)
from textclass.model import load_folder
from textclass.report import write_evaluation_report

PUBLIC = Path("corpus/public")

work = Path(sys.argv[1])
default, accurate = load_folder(work / "default"), load_folder(work / "accurate")
taxonomy = default.model.taxonomy
training, sets = read_corpus("corpus", taxonomy), {}
for name, level, read in (
    ("dev_gold", "passage", read_corpus),
    ("dev_new_gold", "passage", read_corpus),
    ("documents_dev", "document", read_documents),
):
    path = PUBLIC / f"{name}.jsonl"
    corpus = read([path], taxonomy)
    training = leave_out(training, corpus)
    sets[name] = corpus, partial(evaluate, level=level, by=["source"], paths=[str(path)])
baselines = fit_baselines(training)
for name, (corpus, measure) in sets.items():
    measured = {
        "default": measure(default, corpus, baselines=baselines),
        "accurate": measure(accurate, corpus, compare=[default]),
    }
    for model, found in measured.items():
        update_card(work / model, found)
        data = found.to_dict()
        write_evaluation_report(data, work / f"{name}-{model}.html")
        (work / f"{name}-{model}.json").write_bytes(orjson.dumps(data))
        print(f"\n{model} on {name}")
        for table in figure_tables(data):
            print(table.to_string())
        print(*findings(data), sep="\n", flush=True)
