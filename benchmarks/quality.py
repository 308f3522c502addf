"""Compare the quality of peers on the same rows: `python -m benchmarks.quality TEST…`.

fastText, spaCy's textcat (a bag of words) and logistic regression on the frozen sentence encoder
learn from the labelled passages of `corpus/` without the documents of any TEST. Their calibration
and thresholds come, by the rules of our models, from a tenth of the documents set aside. Needs the
extras `bench` and, for the encoder, `finetune`.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from textclass import Tagger
from textclass.corpora import Corpus, read_corpus
from textclass.learning import LabelClassifier
from textclass.learning.calibration import calibrate, choose_thresholds
from textclass.learning.metrics import Bootstrap, interval
from textclass.learning.stack import is_set_aside

Scores = NDArray[np.float64]
SAMPLES = 1000


def fasttext(training: Corpus, texts: list[str]) -> Scores:
    """Return probabilities of one classifier per label on words, pairs and character n-grams."""
    library: Any = import_module("fasttext")
    names = training.taxonomy.names
    options = {"lr": 0.5, "epoch": 25, "dim": 100, "loss": "ova", "wordNgrams": 2, "minn": 3}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for row in training.rows:
            labels = [f"__label__{name}" for name in row.labels or ()] or ["__label__"]
            file.write(f"{' '.join(labels)} {' '.join(row.text.lower().split())}\n")
        file.flush()
        model = library.train_supervised(file.name, maxn=6, thread=1, verbose=0, **options).f
    p = np.zeros((len(texts), len(names)))
    for place, text in enumerate(texts):
        for found, label in model.predict(" ".join(text.lower().split()) + "\n", -1, 0.0, "strict"):
            if label != "__label__":
                p[place, training.taxonomy.columns[label.removeprefix("__label__")]] = found
    return p


def textcat(training: Corpus, texts: list[str]) -> Scores:
    """Return probabilities of spaCy's bag of words, five times through the rows."""
    import spacy
    from spacy.training import Example
    from spacy.util import minibatch

    model = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False}
    model |= {"length": 262144, "ngram_size": 1, "no_output_layer": False}
    nlp, names = spacy.blank("en"), training.taxonomy.names
    pipe: Any = nlp.add_pipe("textcat_multilabel", config={"model": model})
    for name in names:
        pipe.add_label(name)
    examples = [
        Example.from_dict(nlp.make_doc(row.text), {"cats": dict(zip(names, target, strict=True))})
        for row, target in zip(training.rows, training.targets.tolist(), strict=True)
    ]
    optimizer, draw = nlp.initialize(lambda: examples[:1000]), random.Random(0)
    for _ in range(5):
        draw.shuffle(examples)
        for batch in minibatch(examples, 64):  # type: ignore[no-untyped-call]  # spaCy's
            nlp.update(batch, sgd=optimizer)
    return np.array([[doc.cats[name] for name in names] for doc in nlp.pipe(texts)])


def frozen_vectors(texts: list[str]) -> Scores:
    """Return the mean token vectors of the base encoder as it comes, (n_texts, size)."""
    import torch
    from tokenizers import Tokenizer

    from textclass.learning.network import Network, base_folder, padded

    network = Network(torch.zeros(1)).eval()
    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(200)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    vectors = np.zeros((len(ids), network.encoder.config.hidden_size))
    with torch.inference_mode():
        for begin in range(0, len(order), 32):
            batch = order[begin : begin + 32]
            tokens, mask = padded([ids[i] for i in batch])
            weight = mask.unsqueeze(-1).float()
            vectors[batch] = ((network(tokens, mask) * weight).sum(1) / weight.sum(1)).numpy()
    return vectors


def by_probabilities(
    contender: Callable[[Corpus, list[str]], Scores], corpus: Corpus, test: Corpus
) -> NDArray[np.bool_]:
    """Train on nine tenths, calibrate and threshold on the tenth set aside, tag the test."""
    aside = corpus.select(lambda row: is_set_aside(row.group))
    p = contender(
        corpus.select(lambda row: not is_set_aside(row.group)), [*aside.texts, *test.texts]
    )
    odds, truth = logit(np.clip(p, 1e-6, 1 - 1e-6)), aside.targets > 0
    alike = np.ones(len(aside))
    slope, offset = calibrate(odds[: len(aside)], truth, alike, shrinkage=20.0).T
    p = expit(slope * odds + offset)
    taxonomy = corpus.taxonomy
    targets = [None] * len(taxonomy.names)
    bars, _ = choose_thresholds(p[: len(aside)], truth, alike, targets, taxonomy.facet_of_each)
    return np.asarray(p[len(aside) :] >= bars)


def by_frozen_encoder(corpus: Corpus, test: Corpus) -> NDArray[np.bool_]:
    """Fit our classifier on the frozen vectors of all rows."""
    vectors = frozen_vectors([*corpus.texts, *test.texts])
    classifier = LabelClassifier(C=1.0, facets=corpus.taxonomy.facet_of_each, n_jobs=-1)
    classifier.fit(vectors[: len(corpus)], corpus.targets, groups=corpus.groups)
    return np.asarray(classifier.predict(vectors[len(corpus) :]) > 0)


def by_model(name: str, test: Corpus) -> NDArray[np.bool_]:
    """Tag by a model that ships."""
    tagger = Tagger.load(name)
    found = [set(tags.labels) for tags in tagger.tag_many(test.texts, evidence=False)]
    return np.array([[label in said for label in test.taxonomy.names] for said in found])


def main(paths: list[Path]) -> None:
    """Print a table per test: micro-F1, and by how much `accurate` is better."""
    tests = [read_corpus(path) for path in paths]
    corpus = read_corpus("corpus").select(lambda row: row.hard)
    for test in tests:
        corpus = corpus.without_groups(test.groups)
    whole = Corpus(corpus.taxonomy, tuple(row for test in tests for row in test.rows))
    given = {
        "fastText": by_probabilities(fasttext, corpus, whole),
        "spaCy textcat": by_probabilities(textcat, corpus, whole),
        "frozen encoder": by_frozen_encoder(corpus, whole),
        "default": by_model("default", whole),
        "accurate": by_model("accurate", whole),
    }
    begin = 0
    for path, test in zip(paths, tests, strict=True):
        rows, begin = slice(begin, begin + len(test)), begin + len(test)
        found = {name: tags[rows] for name, tags in given.items()}
        print_table(path.stem, test, found, "accurate")


def print_table(title: str, test: Corpus, given: dict[str, NDArray[np.bool_]], best: str) -> None:
    """Print the micro-F1 of each contender, and by how much the best one is ahead of it."""
    bootstrap = Bootstrap(test.groups, samples=SAMPLES, seed=0)
    table = []
    for facet, columns in test.taxonomy.slices.items():
        truth = test.targets[:, columns] > 0
        samples = {
            name: bootstrap.rates(truth, found[:, columns])["f1"] for name, found in given.items()
        }
        for name, f1 in samples.items():
            lead = samples[best] - f1
            ends = interval(lead)
            shown = f"{lead[0]:.3f} [{ends['low']:.3f}, {ends['high']:.3f}]"
            table.append({"model": name, "facet": facet, "F1": f"{f1[0]:.3f}", "lead": shown})
    print(f"{title}: {len(test)} passages, {bootstrap.documents} documents")
    frame = pd.DataFrame(table).pivot_table(
        index="model", columns="facet", values=["F1", "lead"], aggfunc="first", sort=False
    )
    print(frame.to_string())


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
