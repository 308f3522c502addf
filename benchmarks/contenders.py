"""What is compared. A contender is trained once, then loaded and run in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reader = Callable[[Sequence[str]], NDArray[np.float64] | None]

SMALL_CACHE = 10_000


@dataclass(frozen=True, eq=False)
class Contender:
    """Something that reads texts.

    Attributes
    ----------
    title : str
    load : callable
        Takes the folder that `train` wrote to; returns what reads a batch of texts, and gives for
        each text and label a number that rises with the label's probability, if it gives any.
    train : callable
        Takes texts, their labels as a bool array of shape (n_texts, n_labels), and a folder.
    needs : str
        A package.
    slow : bool
        Whether a fifth of the texts is enough.
    """

    title: str
    load: Callable[[Path], Reader]
    train: Callable[[Sequence[str], NDArray[np.bool_], Path], None] | None = None
    needs: str = "textclass"
    slow: bool = False

    @property
    def available(self) -> bool:
        """Whether the package is installed."""
        return find_spec(self.needs) is not None


def _tagger(work: Path) -> Any:  # noqa: ANN401 -- imported late, so that each process loads its own
    from textclass.tagger import Tagger

    return Tagger.load((work / "model").resolve())


def load_scores(work: Path, max_chunks: int | None = None) -> Reader:
    """Batch scoring to arrays; probabilities less thresholds."""
    from textclass.language import Tokenizer

    tagger = _tagger(work)
    if max_chunks:
        tagger._tokenizer = Tokenizer(max_chunks=max_chunks)
    return lambda texts: tagger.score(texts).probabilities - tagger.model.thresholds


def load_tags(work: Path, *, evidence: bool) -> Reader:
    """Tags as users get them."""
    tagger = _tagger(work)

    def tag(texts: Sequence[str]) -> None:
        for _ in tagger.tag_many(texts, evidence=evidence):
            pass

    return tag


def load_tokenizer(_work: Path) -> Reader:
    """Tokenize by spaCy's English rules, and nothing else."""
    from spacy.lang.en import English

    tokenizer = English().tokenizer

    def tokenize(texts: Sequence[str]) -> None:
        for text in texts:
            tokenizer(text)

    return tokenize


def notebook_features(*, characters: bool) -> Any:  # noqa: ANN401 -- scikit-learn has no types
    """TF-IDF of words and pairs of words, and of character n-grams of the model's lengths."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    parts = [("words", TfidfVectorizer(ngram_range=(1, 2), min_df=4, sublinear_tf=True))]
    if characters:
        grams = {"analyzer": "char_wb", "ngram_range": (4, 6)}
        parts.append(("characters", TfidfVectorizer(min_df=4, sublinear_tf=True, **grams)))
    return FeatureUnion(parts)


def plain_fit(features: Any, targets: NDArray[np.bool_], jobs: int = 1) -> Any:  # noqa: ANN401 -- as above
    """One-vs-rest logistic regression, classes balanced."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    model = LogisticRegression(class_weight="balanced", max_iter=300)
    return OneVsRestClassifier(model, n_jobs=jobs).fit(features, targets.astype(int))


def notebook(title: str, *, characters: bool) -> Contender:
    """TF-IDF, and a product with a dense matrix of coefficients."""
    name = f"notebook-{characters}"

    def train(texts: Sequence[str], targets: NDArray[np.bool_], work: Path) -> None:
        vectorizer = notebook_features(characters=characters)
        model = plain_fit(vectorizer.fit_transform(texts), targets)
        coef = np.vstack([label.coef_ for label in model.estimators_]).T.copy()
        intercept = np.concatenate([label.intercept_ for label in model.estimators_])
        learnt = {"coef": coef, "intercept": intercept}
        for part, vectors in vectorizer.transformer_list:
            learnt |= {f"{part} terms": vectors.get_feature_names_out().astype(str)}
            learnt |= {f"{part} idf": vectors.idf_}
        np.savez(work / f"{name}.npz", **learnt)

    def load(work: Path) -> Reader:
        learnt = np.load(work / f"{name}.npz")
        coef, intercept = learnt["coef"], learnt["intercept"]
        vectorizer = notebook_features(characters=characters)
        for part, vectors in vectorizer.transformer_list:
            vectors.vocabulary = learnt[f"{part} terms"].tolist()
            vectors.idf_ = learnt[f"{part} idf"]
        return lambda texts: vectorizer.transform(texts) @ coef + intercept

    return Contender(title, load, train, needs="sklearn", slow=True)


def train_fasttext(texts: Sequence[str], targets: NDArray[np.bool_], work: Path) -> None:
    """Train on lines, every label on its own; a text without labels carries one for that."""
    import fasttext

    def line(text: str, target: NDArray[np.bool_]) -> str:
        labels = [f"__label__{column}" for column in np.flatnonzero(target)]
        return f"{' '.join(labels or ['__label__none'])} {text}\n"

    (work / "lines.txt").write_text("".join(map(line, texts, targets)), encoding="utf-8")
    options = {"lr": 0.5, "epoch": 25, "dim": 50, "loss": "ova", "thread": 1, "verbose": 0}
    options |= {"wordNgrams": 2, "minn": 4, "maxn": 6, "bucket": 200_000}
    fasttext.train_supervised(str(work / "lines.txt"), **options).save_model(str(work / "ft.bin"))
    np.save(work / "n_labels.npy", targets.shape[1])


def load_fasttext(work: Path) -> Reader:
    """All labels of each text. `model.predict` itself fails on NumPy 2."""
    import fasttext

    model = fasttext.load_model(str(work / "ft.bin")).f
    n_labels = int(np.load(work / "n_labels.npy"))

    def predict(texts: Sequence[str]) -> NDArray[np.float64]:
        found = np.zeros((len(texts), n_labels + 1))
        for row, text in zip(found, texts, strict=True):
            for p, label in model.predict(text + "\n", n_labels + 1, 0.0, "strict"):
                row[int(label.removeprefix("__label__").replace("none", "-1"))] = p
        return found[:, :-1]

    return predict


def train_textcat(texts: Sequence[str], targets: NDArray[np.bool_], work: Path) -> None:
    """Train for five rounds over all rows."""
    import spacy
    from spacy.training import Example
    from spacy.util import minibatch

    model = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False}
    model |= {"length": 262144, "ngram_size": 1, "no_output_layer": False}
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("textcat_multilabel", config={"model": model})
    names = [str(column) for column in range(targets.shape[1])]
    for name in names:
        pipe.add_label(name)
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": dict(zip(names, target, strict=True))})
        for text, target in zip(texts, targets.astype(float).tolist(), strict=True)
    ]
    nlp.initialize(lambda: examples[:100])
    for _ in range(5):
        for batch in minibatch(examples, 64):
            nlp.update(batch)
    nlp.to_disk(work / "textcat")


def load_textcat(work: Path) -> Reader:
    """Probabilities of a bag of words."""
    import spacy

    nlp = spacy.load(work / "textcat")
    return lambda texts: np.array([list(doc.cats.values()) for doc in nlp.pipe(texts)])


CONTENDERS: dict[str, Contender] = {
    "scores": Contender("textclass: scores", load_scores),
    "tags": Contender("textclass: tags", lambda work: load_tags(work, evidence=False)),
    "evidence": Contender(
        "textclass: tags with evidence", lambda work: load_tags(work, evidence=True)
    ),
    "overrun": Contender(
        "textclass: scores, small cache overrun", lambda work: load_scores(work, SMALL_CACHE)
    ),
    "tokenizer": Contender("spaCy's tokenizer alone", load_tokenizer, needs="spacy"),
    "notebook": notebook("notebook: TF-IDF of n-grams, words, pairs", characters=True),
    "words": notebook("notebook: TF-IDF of words, pairs", characters=False),
    "fasttext": Contender(
        "fastText with subwords", load_fasttext, train_fasttext, needs="fasttext"
    ),
    "textcat": Contender(
        "spaCy textcat, bag of words", load_textcat, train_textcat, needs="spacy", slow=True
    ),
}
