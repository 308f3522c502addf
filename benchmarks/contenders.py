"""What is compared: each is a command a user would run, from files to files.

    python -m benchmarks.contenders NAME WORK PROCESSES

`train` trains the peers once; each of the others then runs in a process of its own, which says at
its end how much memory it took.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAINED_ON = 2_000
BATCH = 256
_GRAMS = {"analyzer": "char_wb", "ngram_range": (4, 6)}
"""The model's own features: words, pairs, and character n-grams inside words."""


def train(work: Path, _processes: int) -> None:
    """Train the peers on labels that textclass gives: how good they are doesn't matter here."""
    import textclass

    texts = [text for _, text in _rows(work)][:TRAINED_ON]
    tagger = textclass.load()
    found = [tags.labels for tags in tagger.tag_many(texts, evidence=False)]
    counts = {name: sum(name in labels for labels in found) for name in tagger.taxonomy.names}
    names = [name for name, count in counts.items() if count > 10]
    targets = [[name in labels for name in names] for labels in found]
    _train_notebook(texts, targets, work)
    _train_fasttext(texts, targets, work)
    _train_textcat(texts, targets, work)


def tag(work: Path, processes: int, *arguments: str, given: str = "passages.jsonl") -> None:
    """`textclass tag`, with evidence, to JSON lines."""
    from textclass.cli.main import cli

    out = work / f"out-{given.strip('/')}.jsonl"
    options = ["--workers", str(processes), "-o", str(out), "--quiet", "--fresh", *arguments]
    cli(["tag", str(work / given), *options], standalone_mode=False)


def tag_folder(work: Path, processes: int) -> None:
    """`textclass tag` on the folder of documents."""
    tag(work, processes, given="folder")


def tag_dask(work: Path, processes: int) -> None:
    """`textclass tag --engine dask` on a folder of partitions."""
    tag(work, processes, "--engine", "dask", given="partitions")


def in_memory(work: Path, _processes: int) -> None:
    """Tag with evidence by one process, nothing written."""
    import textclass

    tagger = textclass.load()
    for _ in tagger.tag_many(text for _, text in _rows(work)):
        pass


def notebook(work: Path, processes: int) -> None:
    """Pandas in, TF-IDF and logistic regression in as many processes, pandas out."""
    import joblib
    import numpy as np
    import pandas as pd

    frame = pd.read_json(work / "passages.jsonl", lines=True)
    parts = np.array_split(np.arange(len(frame)), processes * 4)
    found = joblib.Parallel(processes)(
        joblib.delayed(_notebook_scores)(work, frame["text"].iloc[part].tolist()) for part in parts
    )
    scores = pd.DataFrame(np.vstack(found)).round(4).add_prefix("label ")
    pd.concat([frame, scores], axis=1).to_json(work / "nb.jsonl", orient="records", lines=True)


def _notebook_parts() -> list[Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    plain = {"min_df": 4, "sublinear_tf": True}
    return [TfidfVectorizer(ngram_range=(1, 2), **plain), TfidfVectorizer(**_GRAMS, **plain)]


def _train_notebook(texts: Sequence[str], targets: Sequence[Sequence[bool]], work: Path) -> None:
    import numpy as np
    from scipy.sparse import hstack
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    parts = _notebook_parts()
    features = hstack([part.fit_transform(texts) for part in parts]).tocsr()
    model = LogisticRegression(class_weight="balanced", max_iter=50)
    found = OneVsRestClassifier(model).fit(features, np.array(targets, dtype=int)).estimators_
    learnt: dict[str, Any] = {"coef": np.vstack([one.coef_ for one in found]).T.copy()}
    learnt["intercept"] = np.concatenate([one.intercept_ for one in found])
    for i, part in enumerate(parts):
        learnt |= {f"terms{i}": part.get_feature_names_out().astype(str), f"idf{i}": part.idf_}
    np.savez(work / "notebook.npz", **learnt)


def _notebook_scores(work: Path, texts: list[str]) -> NDArray[Any]:
    import numpy as np
    from scipy.sparse import hstack
    from scipy.special import expit

    learnt, parts = np.load(work / "notebook.npz"), _notebook_parts()
    for i, part in enumerate(parts):
        part.vocabulary, part.idf_ = learnt[f"terms{i}"].tolist(), learnt[f"idf{i}"]
    features = hstack([part.transform(texts) for part in parts]).tocsr()
    scores: NDArray[Any] = expit(features @ learnt["coef"] + learnt["intercept"])
    return scores


def fasttext(work: Path, _processes: int) -> None:
    """Do what `fasttext predict-prob model.bin lines.txt -1` does: it knows one process only."""
    library: Any = import_module("fasttext")
    model = library.load_model(str(work / "ft.bin")).f
    with (work / "lines.txt").open(encoding="utf-8") as lines, (work / "ft.txt").open("w") as out:
        for line in lines:
            found = model.predict(line, -1, 0.0, "strict")  # `model.predict` fails on NumPy 2
            out.write(" ".join(f"{label} {p:.5f}" for p, label in found) + "\n")


def _train_fasttext(texts: Sequence[str], targets: Sequence[Sequence[bool]], work: Path) -> None:
    library: Any = import_module("fasttext")
    lines = []
    for text, target in zip(texts, targets, strict=True):
        labels = [f"__label__{i}" for i, given in enumerate(target) if given]
        lines.append(f"{' '.join(labels or ['__label__none'])} {text}\n")
    (work / "ft-train.txt").write_text("".join(lines), encoding="utf-8")
    options = {"lr": 0.5, "epoch": 5, "dim": 50, "loss": "ova", "thread": 1, "verbose": 0}
    options |= {"wordNgrams": 2, "minn": 4, "maxn": 6, "bucket": 200_000}
    model = library.train_supervised(str(work / "ft-train.txt"), **options)
    model.save_model(str(work / "ft.bin"))


def textcat(work: Path, processes: int) -> None:
    """spaCy: a bag of words by `nlp.pipe`, to JSON lines."""
    import spacy

    nlp = spacy.load(work / "textcat")
    rows = ((text, name) for name, text in _rows(work))
    with (work / "textcat.jsonl").open("w") as out:
        for doc, name in nlp.pipe(rows, as_tuples=True, n_process=processes, batch_size=BATCH):
            out.write(json.dumps({"id": name, "text": doc.text, "cats": doc.cats}) + "\n")


def _train_textcat(texts: Sequence[str], targets: Sequence[Sequence[bool]], work: Path) -> None:
    import spacy
    from spacy.training import Example

    model = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False}
    model |= {"length": 262144, "ngram_size": 1, "no_output_layer": False}
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("textcat_multilabel", config={"model": model})
    for column in range(len(targets[0])):
        pipe.add_label(str(column))
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {str(i): float(y) for i, y in enumerate(t)}})
        for text, t in zip(texts[:500], targets, strict=False)
    ]
    nlp.initialize(lambda: examples)
    nlp.update(examples)
    nlp.to_disk(work / "textcat")


def extraction(work: Path, processes: int) -> None:
    """Run the libraries that read each form, alone, in as many processes."""
    import joblib

    paths = sorted((work / "folder").iterdir())
    found = joblib.Parallel(processes)(joblib.delayed(_extract)(path) for path in paths)
    assert all(found)


def _extract(path: Path) -> int:
    if path.suffix == ".pdf":
        from pypdfium2 import PdfDocument

        return sum(len(page.get_textpage().get_text_range()) for page in PdfDocument(path))
    if path.suffix == ".docx":
        from docx import Document

        return sum(len(paragraph.text) for paragraph in Document(str(path)).paragraphs)
    if path.suffix == ".html":
        from trafilatura import extract

        return len(extract(path.read_text(encoding="utf-8")) or "")
    if path.suffix == ".eml":
        from email import message_from_bytes, policy

        body: Any = message_from_bytes(path.read_bytes(), policy=policy.default).get_body()
        return len(body.get_content())
    return len(path.read_text(encoding="utf-8"))


def _rows(work: Path) -> Iterable[tuple[int, str]]:
    with (work / "passages.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield row["id"], row["text"]


COMMANDS: dict[str, Callable[[Path, int], None]] = {
    one.__name__: one
    for one in (
        train,
        tag,
        tag_folder,
        tag_dask,
        in_memory,
        notebook,
        fasttext,
        textcat,
        extraction,
    )
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(status.partition("VmHWM:")[2].split()[0])
