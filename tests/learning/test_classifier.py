from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from textclass.learning import LabelClassifier, WordFeatures

OWN_FOLDS = (
    "probabilities and thresholds come from folds, and rows repeated or left out change the folds"
)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": OWN_FOLDS,
    "check_sample_weight_equivalence_on_sparse_data": OWN_FOLDS,
    "check_classifier_multioutput": (
        "labels are given by calibrated probability and threshold, not by the sign of scores"
    ),
}


@pytest.fixture(scope="module")
def data():
    x, labels = make_multilabel_classification(400, n_classes=4, n_labels=1, random_state=1)
    return x / x.max(), labels


@pytest.fixture(scope="module")
def fitted(data):
    return LabelClassifier(C=10.0).fit(*data)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_pass_but_those_with_a_reason():
    told = check_estimator(
        LabelClassifier(folds=2), expected_failed_checks=EXPECTED, on_skip=None, on_fail=None
    )
    by_status = {
        status: {check["check_name"] for check in told if check["status"] == status}
        for status in ("failed", "xfail", "passed")
    }
    assert not by_status["failed"]
    assert by_status["xfail"] == set(EXPECTED)
    assert len(by_status["passed"]) > 40


def test_learned_attributes_have_a_row_for_each_label(data, fitted):
    x, labels = data
    assert fitted.coef_.shape == (4, x.shape[1])
    assert fitted.intercept_.shape == fitted.thresholds_.shape == (4,)
    assert fitted.calibration_.shape == (4, 2)
    assert fitted.out_of_fold_.shape == labels.shape
    assert fitted.classes_.tolist() == [0, 1, 2, 3]
    scores = fitted.decision_function(x)
    logits = scores * fitted.calibration_[:, 0] + fitted.calibration_[:, 1]
    assert np.allclose(fitted.predict_proba(x), 1 / (1 + np.exp(-logits)))
    assert np.array_equal(fitted.predict(x), fitted.predict_proba(x) >= fitted.thresholds_)
    assert fitted.score(x, labels) == f1_score(labels, fitted.predict(x), average="micro")
    assert fitted.score(x, labels) > 0.7


def test_sparse_and_dense_features_give_the_same(data, fitted):
    x, labels = data
    other = LabelClassifier(C=10.0).fit(sparse.csr_matrix(x), labels)
    assert np.allclose(fitted.predict_proba(x), other.predict_proba(x), atol=1e-3)


def test_columns_of_a_frame_are_the_classes(data):
    x, labels = data
    named = pd.DataFrame(labels, columns=["a", "b", "c", "d"])
    assert LabelClassifier().fit(x, named).classes_.tolist() == ["a", "b", "c", "d"]


def test_out_of_fold_probabilities_are_calibrated_and_honest(data):
    x, labels = data
    labels = np.random.default_rng(0).permutation(labels)
    p = LabelClassifier(C=1000.0).fit(x, labels).out_of_fold_
    assert np.abs(p.mean(axis=0) - labels.mean(axis=0)).max() < 0.02
    # Nothing can be learnt from labels at random, so nothing is certain.
    assert p.std(axis=0).max() < 0.15


def test_rows_of_one_document_never_stand_on_both_sides(data):
    x, labels = data
    draw = np.random.default_rng(0)
    labels = draw.permutation(labels)
    twice, labels = np.vstack([x, x]), np.vstack([labels, labels])
    alone = LabelClassifier(C=1e4).fit(twice, labels)
    documents = np.tile(np.arange(len(x)), 2)
    together = LabelClassifier(C=1e4).fit(twice, labels, groups=documents)
    loss = [((c.out_of_fold_ - labels) ** 2).mean() for c in (alone, together)]
    assert loss[0] < loss[1]


def test_soft_rows_teach_and_set_no_threshold(data):
    x, labels = data
    soft = np.where(labels[100:] > 0, 0.9, 0.05)
    few = LabelClassifier(C=10.0).fit(x[:100], labels[:100])
    taught = LabelClassifier(C=10.0).fit(x, np.vstack([labels[:100], soft]))
    assert np.isnan(taught.out_of_fold_[100:]).all()
    assert not taught.row_weights_[100:].any()
    assert taught.score(x[100:], labels[100:]) > few.score(x[100:], labels[100:])
    deaf = LabelClassifier(C=10.0, soft_weight=0.0).fit(x, np.vstack([labels[:100], soft]))
    assert np.allclose(deaf.coef_, few.coef_, atol=1e-2)


def test_thresholds_follow_their_rule(data):
    x, labels = data
    found = LabelClassifier(target_precision=[None, None, None, 0.8]).fit(x, labels)
    assert found.threshold_rules_[0] == "best F1"
    assert found.threshold_rules_[3].startswith("precision 0.8")


def test_every_part_weighs_the_same(data):
    x, labels = data
    parts = np.where(np.arange(len(x)) < 40, "few", "many")
    weights = LabelClassifier().fit(x, labels, parts=parts).row_weights_
    assert weights[:40].sum() == pytest.approx(weights[40:].sum())
    assert weights.mean() == pytest.approx(1)


def test_one_of_two_classes_a_row_works_too(data):
    x, labels = data
    y = np.where(labels.any(axis=1), "yes", "no")
    classifier = LabelClassifier(C=10.0).fit(x, y)
    p = classifier.predict_proba(x)
    assert p.shape == (len(x), 2)
    assert np.allclose(p.sum(axis=1), 1)
    assert classifier.score(x, y) == (classifier.predict(x) == y).mean() > 0.5


@pytest.mark.parametrize(
    ("y", "told"),
    [
        ([[0, 2], [1, 0]], "0 and 1, or probabilities"),
        ([1, 1], "1 class"),
        ([[0, 1], [1, 0]], "5 folds need at least as many"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(y, told):
    with pytest.raises(ValueError, match=told):
        LabelClassifier().fit(np.eye(2), y)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"target_precision": 1.5}, "target_precision must be a float in the range"),
        ({"target_precision": [None, 0.9]}, "target_precision has 2 values for 4 labels"),
        ({"facets": ["a", "b"]}, "facets has 2 values for 4 labels"),
        ({"soft_weight": [1, 1, 1, -1]}, "soft_weight must be .* for each label; not -1"),
        ({"folds": 1}, "'folds' parameter of LabelClassifier"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(data, parameters, told):
    with pytest.raises(ValueError, match=told):
        LabelClassifier(**parameters).fit(*data)


def test_a_row_needs_its_document(data):
    groups = np.where(np.arange(400) == 7, None, "one")
    with pytest.raises(ValueError, match="groups has NaN"):
        LabelClassifier().fit(*data, groups=groups)


def test_rows_of_no_weight_are_as_good_as_left_out(data):
    x, labels = data
    weights = np.where(np.arange(400) < 300, 1.0, 0.0)
    wrong = np.where(weights[:, None] > 0, labels, 1)
    parts = np.where(np.arange(400) % 3, "a", "b")
    found = LabelClassifier().fit(x, wrong, sample_weight=weights, parts=parts)
    few = LabelClassifier().fit(x[:300], labels[:300], parts=parts[:300])
    for learnt in ("coef_", "intercept_", "calibration_", "thresholds_"):
        assert np.array_equal(getattr(found, learnt), getattr(few, learnt)), learnt
    assert np.array_equal(found.out_of_fold_[:300], few.out_of_fold_)
    assert np.isnan(found.out_of_fold_[300:]).all()
    with pytest.raises(ValueError, match="Negative"):
        LabelClassifier().fit(x, labels, sample_weight=-weights)


@pytest.fixture(scope="module")
def pipeline():
    features = WordFeatures(min_df=2, vector_size=0)
    return make_pipeline(features, LabelClassifier(folds=3))


def test_a_researcher_cross_validates_and_searches(toy_corpus, pipeline):
    few = replace(toy_corpus, rows=toy_corpus.rows[:120])
    texts, labels, groups = few.texts, few.targets, few.groups
    passed = {"labelclassifier__groups": groups}
    scores = cross_val_score(
        pipeline, texts, labels, groups=groups, cv=GroupKFold(2), params=passed
    )
    assert scores.min() > 0.7
    search = GridSearchCV(pipeline, {"labelclassifier__C": [0.001, 1.0]}, cv=GroupKFold(2))
    search.fit(texts, labels, groups=groups)
    assert search.best_params_ == {"labelclassifier__C": 1.0}


def test_groups_are_routed(toy_corpus, pipeline):
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            pipeline,
            toy_corpus.texts[:120],
            toy_corpus.targets[:120],
            cv=GroupKFold(2),
            params={"groups": toy_corpus.groups[:120]},
        )
    assert scores.min() > 0.7
