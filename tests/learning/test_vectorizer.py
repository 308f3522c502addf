import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from textclass.learning import WordFeatures

TEXTS = ["the ferry left the bank", "the baker lit the oven", "Ferry ferry on the river", ""]

# check_estimator skips estimators of text whole, as it does CountVectorizer, since most of its
# checks feed matrices of numbers; these are the ones that need no data.
CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learns_own_checks_pass(check):
    getattr(estimator_checks, check)("WordFeatures", WordFeatures())


@pytest.mark.filterwarnings("ignore:Can't test estimator WordFeatures which requires input")
def test_check_estimator_finds_nothing_wrong_with_a_text_estimator():
    told = estimator_checks.check_estimator(WordFeatures(), on_skip=None, on_fail=None)
    assert not [check for check in told if check["status"] == "failed"]


def dense(**parameters) -> np.ndarray:
    parameters = {"min_df": 1, "vector_size": 0, **parameters}
    return WordFeatures(**parameters).fit_transform(TEXTS).toarray()


def test_values_follow_the_formula():
    values = WordFeatures(
        shortest=99, longest=99, bigram_weight=0, vector_size=0, min_df=1, word_weight=1.0
    ).fit(TEXTS)
    found = values.transform(["the ferry ferry"]).toarray()
    df = {"the": 3, "ferry": 2}
    idf = {word: np.log((1 + 4) / (1 + n)) + 1 for word, n in df.items()}
    a = {"the": 1.0, "ferry": 1 + np.log(2)}
    norm = np.sqrt(sum((a[w] * idf[w]) ** 2 for w in df))
    expected = sorted(a[w] * idf[w] / norm for w in df)
    assert sorted(found[found > 0]) == pytest.approx(expected, rel=1e-6)


def test_rare_features_are_left_out():
    assert dense(min_df=2).shape[1] < dense(min_df=1).shape[1]


def test_features_do_not_depend_on_the_order_of_the_texts():
    one = WordFeatures(min_df=1, vector_size=2).fit(TEXTS)
    other = WordFeatures(min_df=1, vector_size=2).fit(TEXTS[::-1])
    assert np.array_equal(one.feature_keys_, other.feature_keys_)
    assert np.array_equal(one.bigram_keys_, other.bigram_keys_)
    assert np.allclose(one.transform(TEXTS[:2]).data, other.transform(TEXTS[:2]).data)


def test_names_are_as_many_as_columns(toy_corpus):
    features = WordFeatures(min_df=2, vector_size=5)
    matrix = features.fit_transform(toy_corpus.texts)
    assert sparse.issparse(matrix)
    assert len(features.get_feature_names_out()) == matrix.shape[1]
    assert (matrix != features.transform(toy_corpus.texts)).nnz == 0


def test_names_can_be_read_and_are_of_their_columns():
    texts = ["cease fire now", "the convoy left", "cease fire and convoy"]
    features = WordFeatures(min_df=1, vector_size=2).fit(texts)
    names = features.get_feature_names_out().tolist()
    assert len(set(names)) == len(names)
    assert {"word:convoy", "chars:^conv", "chars:nvoy$", "pair:cease fire", "vector:1"} <= set(
        names
    )
    matrix = features.transform(["convoy", "cease fire"]).toarray()
    assert matrix[0, names.index("word:convoy")] > 0
    assert matrix[0, names.index("chars:^conv")] > 0
    assert matrix[0, names.index("pair:cease fire")] == 0
    assert matrix[1, names.index("pair:cease fire")] > 0
    held = {names[column] for column in np.flatnonzero(matrix[0]) if "vector" not in names[column]}
    assert all(name.partition(":")[2].strip("^$") in "convoy" for name in held)


def test_it_works_in_a_researchers_pipeline(toy_corpus):
    target = toy_corpus.targets[:, 0] > 0
    pipeline = make_pipeline(WordFeatures(min_df=2, vector_size=5), LogisticRegression())
    pipeline.fit(toy_corpus.texts[:200], target[:200])
    assert pipeline.score(toy_corpus.texts[200:], target[200:]) > 0.9


@pytest.mark.parametrize(
    ("texts", "error", "told"),
    [
        ("one text", ValueError, "not one text"),
        ([], ValueError, "0 texts"),
        (pd.DataFrame({"text": ["a", "b"]}), ValueError, r"pass one column: frame\['text'\]"),
        (["a", None], TypeError, "text 1 is NoneType"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(texts, error, told):
    with pytest.raises(error, match=told):
        WordFeatures().fit(texts)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"min_df": 0.05}, "'min_df' parameter of WordFeatures must be an int"),
        ({"min_df": -1}, "'min_df' parameter"),
        ({"shortest": 9, "longest": 3}, "shortest=9 is more than longest=3"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters, told):
    with pytest.raises(ValueError, match=told):
        WordFeatures(**parameters).fit_transform(TEXTS)


def test_it_must_be_fitted_first():
    with pytest.raises(NotFittedError):
        WordFeatures().transform(["a"])
