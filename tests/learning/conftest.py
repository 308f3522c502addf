import numpy as np
import pytest

from textclass.corpora import Corpus, Row
from textclass.learning import fit_baselines, train
from textclass.results import text_id
from textclass.taxonomy import parse_taxonomy

LABELS = """
facets:
  - name: topic
    labels:
      - {name: sea, definition: About the sea., cues: [harbour, at sea]}
      - {name: bread, definition: About bread., cues: [oven]}
  - name: mood
    labels:
      - {name: glad, definition: Somebody is glad., target_precision: 0.5}
      - {name: rare, definition: Hardly ever.}
"""
WORDS = {
    "sea": "harbour sailor waves anchor tide captain deck voyage".split(),
    "bread": "oven flour crust baker dough yeast loaf bakery".split(),
    "glad": "laughed cheerful smiled delighted singing merry".split(),
    "rare": "comet meteor".split(),
}
PLAIN = "the of and a in was to with they from street morning house window under road".split()


@pytest.fixture(scope="session")
def taxonomy():
    return parse_taxonomy(LABELS)


def make_corpus(taxonomy, *, n, seed, name):
    """Texts whose words tell their labels, but for some noise; two passages a document."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        labels = {label for label in ("sea", "bread", "glad") if random.random() < 0.35}
        labels |= {"rare"} if random.random() < 0.03 else set()
        words = list(random.choice(PLAIN, size=int(random.integers(12, 70))))
        for label in sorted(labels if random.random() < 0.9 else {"sea"}):
            words += list(random.choice(WORDS[label], size=3))
        random.shuffle(words)
        text = " ".join(words)
        columns = {"source": ("north", "south")[number // 2 % 2], "licence": "CC0"}
        group = f"{name}-{number // 2}"
        rows.append(Row(text_id(text), text, frozenset(labels), None, group, columns))
    return Corpus(taxonomy, tuple(rows))


@pytest.fixture(scope="session")
def training(taxonomy):
    return make_corpus(taxonomy, n=160, seed=1, name="training")


@pytest.fixture(scope="session")
def corpus(taxonomy):
    return make_corpus(taxonomy, n=120, seed=2, name="held-out")


@pytest.fixture(scope="session")
def folder(training, toy_pipeline, tmp_path_factory):
    """A small model that knows what it was trained on."""
    return train(training, tmp_path_factory.mktemp("models") / "small", toy_pipeline)


@pytest.fixture(scope="session")
def baselines(training):
    return fit_baselines(training, jobs=1)


@pytest.fixture(scope="session")
def tagger(folder):
    from textclass.tagger import Tagger

    return Tagger(folder.model)
