"""Features to labels, as a scikit-learn estimator: a logistic regression per label, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, f1_score
from sklearn.utils import Tags, check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from textclass.learning.calibration import calibrate, choose_thresholds, per_label
from textclass.learning.fitting import Progress, fit_labels, group_folds, is_hard

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FLOATS = (np.float64, np.float32)
_SHARE = Interval(Real, 0, 1, closed="neither")
_WEIGHT = Interval(Real, 0, None, closed="left")


class LabelClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Independent labels by logistic regression, with calibrated probabilities and thresholds.

    Each label is fitted on all rows and once for each fold without the fold's documents. The
    scores out of fold make slope and offset of its probability, and then its threshold.

    Rows of `y` can hold probabilities in the place of labels, as another model gives them: such a
    soft row (one with any value that is neither 0 nor 1) is fitted as a positive example weighted
    by p and a negative one weighted by 1 - p, and doesn't count for calibration and thresholds.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty, as in `LogisticRegression`.
    soft_weight : float or array-like of shape (n_labels,)
        Weight of a soft row beside one with labels.
    balance : float
        Positives weigh (negatives / positives) to this power.
    folds : int
        Folds by document.
    facets : array-like of shape (n_labels,) or None
        The facet of each label; None makes all labels one facet. Labels are given from the
        probability of the best micro-F1 of their facet.
    target_precision : float, array-like of shape (n_labels,) or None
        Give a label from the lowest probability with at least this precision out of fold instead;
        None, also for one label of several, doesn't ask for one.
    shrinkage : float
        How many positives the common slope of the calibration is worth against a label's own.
    n_jobs : int or None
        Processes, as in scikit-learn. The result doesn't depend on it.
    random_state : int or None
        Of the folds.
    progress : callable or None
        Called with the fits done and the fits in all.

    Attributes
    ----------
    classes_ : ndarray
        The columns of a DataFrame `y`, otherwise 0 to n_labels - 1; or the two values of a `y` of
        one dimension.
    coef_ : ndarray of float64, shape (n_labels, n_features)
    intercept_ : ndarray of float64, shape (n_labels,)
    calibration_ : ndarray of float64, shape (n_labels, 2)
        Slope and offset: probability = 1 / (1 + exp(-(slope score + offset))).
    thresholds_ : ndarray of float64, shape (n_labels,)
        The least probability at which a label is given.
    threshold_rules_ : list of str
        Where each threshold comes from.
    out_of_fold_ : ndarray of float64, shape (n_rows, n_labels)
        Probabilities from fits that never saw the row's document; NaN in rows that don't count.
    row_weights_ : ndarray of float64, shape (n_rows,)
        How much each row counted for calibration and thresholds; 0 for soft rows.
    n_features_in_ : int

    Notes
    -----
    A `y` of one dimension with two values works too, as one label.

    `cross_val_score` gives a pipeline's classifier its groups by
    `params={"labelclassifier__groups": groups}`, or with metadata routing by
    `params={"groups": groups}`. Without groups every row counts as a document of its own.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> LabelClassifier().fit(X, Y).predict(X).shape
    (100, 5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "soft_weight": [Real, "array-like"],
        "balance": [_WEIGHT],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "facets": ["array-like", None],
        "target_precision": [Real, "array-like", None],
        "shrinkage": [_WEIGHT],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "progress": [callable, None],
    }

    # With metadata routing a pipeline passes these on without being asked to.
    __metadata_request__fit = {"groups": True, "parts": True}  # noqa: RUF012 -- scikit-learn's way

    def __init__(
        self,
        *,
        C: float = 0.3,  # noqa: N803 -- scikit-learn's name
        soft_weight: float | ArrayLike = 0.3,
        balance: float = 0.5,
        folds: int = 5,
        facets: Sequence[object] | None = None,
        target_precision: float | Sequence[float | None] | None = None,
        shrinkage: float = 20.0,
        n_jobs: int | None = None,
        random_state: int | None = 0,
        progress: Progress | None = None,
    ) -> None:
        self.C = C
        self.soft_weight = soft_weight
        self.balance = balance
        self.folds = folds
        self.facets = facets
        self.target_precision = target_precision
        self.shrinkage = shrinkage
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.progress = progress

    def fit(
        self,
        X: Any,  # noqa: ANN401, N803 -- scikit-learn's name; any matrix
        y: Any,  # noqa: ANN401 -- array or DataFrame
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        parts: ArrayLike | None = None,
    ) -> Self:
        """Fit every label, then calibrate and set thresholds out of fold.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_rows, n_features)
        y : array-like or DataFrame, shape (n_rows, n_labels) or (n_rows,)
            0 and 1, or probabilities, with a column for each label; or one of two classes a row.
        sample_weight : array-like, shape (n_rows,), optional
            How much a row counts in each fit, in calibration and in thresholds; of weight 0 it is
            as good as left out. Folds take no notice of other weights: a row of weight 2 isn't the
            same as two rows, which can stand in two folds unless they share a group.
        groups : array-like, shape (n_rows,), optional
            The document of each row, which never stands on both sides of a split.
        parts : array-like, shape (n_rows,), optional
            Calibration and thresholds give the rows of each part the same weight together, so that
            the largest part of a corpus doesn't speak for all.

        Raises
        ------
        ValueError
            If parameters, weights, `y` or `groups` have other values, or there are too few groups.
        """
        self._validate_params()
        features = validate_data(self, X, accept_sparse="csr", dtype=_FLOATS)
        targets = self._targets(y)
        soft_weight, asked, facets = (
            per_label(name, getattr(self, name), targets.shape[1])
            for name in ("soft_weight", "target_precision", "facets")
        )
        check_consistent_length(features, targets, groups, parts)
        given = _check_sample_weight(
            sample_weight, features, dtype=np.float64, ensure_non_negative=True
        )
        counted = given > 0
        documents = np.arange(len(targets)) if groups is None else np.asarray(groups, dtype=object)
        folds = np.full(len(targets), -1)
        folds[counted] = group_folds(
            documents[counted], targets[counted], folds=self.folds, seed=self.random_state
        )
        hard, rows = is_hard(targets) & counted, np.flatnonzero(counted)
        coefficients, intercepts = fit_labels(
            features,
            targets,
            given[:, None] * np.where(hard[:, None], 1.0, np.asarray(soft_weight, dtype=float)),
            [rows, *(rows[folds[rows] != fold] for fold in range(self.folds))],
            C=self.C,
            balance=self.balance,
            n_jobs=self.n_jobs,
            progress=self.progress,
        )
        # A copy, so that the fits of the folds do not stay in memory with it.
        self.coef_, self.intercept_ = coefficients[0].copy(), intercepts[0]
        self.out_of_fold_ = np.full(targets.shape, np.nan)
        for fold in range(self.folds):
            held = hard & (folds == fold)
            scores = safe_sparse_dot(features[held], coefficients[fold + 1].T)
            self.out_of_fold_[held] = scores + intercepts[fold + 1]
        even = 1.0 if parts is None else compute_sample_weight("balanced", np.asarray(parts)[hard])
        truth, weights = targets[hard] > 0, given[hard] * even
        self.calibration_ = calibrate(
            self.out_of_fold_[hard], truth, weights, shrinkage=self.shrinkage
        )
        self.out_of_fold_ = self._probabilities(self.out_of_fold_)
        self.thresholds_, self.threshold_rules_ = choose_thresholds(
            self.out_of_fold_[hard], truth, weights, asked, facets
        )
        self.row_weights_ = np.zeros(len(targets))
        self.row_weights_[hard] = weights
        return self

    def _validate_params(self) -> None:
        super()._validate_params()
        for name, allowed in (("target_precision", _SHARE), ("soft_weight", _WEIGHT)):
            for value in np.asarray(getattr(self, name), dtype=object).ravel().tolist():
                none = value is None and name == "target_precision"
                if not (none or allowed.is_satisfied_by(value)):
                    raise ValueError(f"{name} must be {allowed}, for each label; not {value!r}")

    def _targets(self, y: Any) -> NDArray[np.float64]:  # noqa: ANN401 -- array or DataFrame
        """Return the probability of each label and remember the classes."""
        if y is None:
            raise ValueError("LabelClassifier requires y to be passed, but the target y is None")
        names = getattr(y, "columns", None)
        values = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        self._of_two = values.ndim == 1
        if self._of_two:
            check_classification_targets(values)
            self.classes_, column = np.unique(values, return_inverse=True)
            if len(self.classes_) != 2:
                raise ValueError(
                    "Only binary classification is supported by a y of one dimension; it has "
                    f"{len(self.classes_)} class(es), for several labels give each a column"
                )
            return column[:, None].astype(np.float64)
        targets = np.array(values, dtype=np.float64)
        if not ((targets >= 0) & (targets <= 1)).all():
            raise ValueError(
                "y of two dimensions must hold 0 and 1, or probabilities; it has other values"
            )
        self.classes_ = np.arange(targets.shape[1]) if names is None else np.asarray(names)
        return targets

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803 -- scikit-learn's name
        """Return scores before calibration, shape (n_rows, n_labels); (n_rows,) for two classes."""
        check_is_fitted(self)
        features = validate_data(self, X, accept_sparse="csr", dtype=_FLOATS, reset=False)
        scores: NDArray[np.float64] = safe_sparse_dot(features, self.coef_.T, dense_output=True)
        scores += self.intercept_
        return scores.ravel() if self._of_two else scores

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803 -- scikit-learn's name
        """Return the calibrated probability of each label, shape (n_rows, n_labels).

        For two classes, of each of them.
        """
        p = self._probabilities(self.decision_function(X).reshape(-1, len(self.coef_)))
        return np.hstack([1 - p, p]) if self._of_two else p

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: ANN401, N803 -- scikit-learn's name
        """Return 1 for each label whose probability reaches its threshold, else 0.

        For two classes, the class of each row.
        """
        p = self.predict_proba(X)
        given = (p[:, -len(self.coef_) :] >= self.thresholds_).astype(np.int64)
        return np.asarray(self.classes_[given.ravel()]) if self._of_two else given

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:  # noqa: ANN401, N803 -- scikit-learn's names
        """Return micro F1 over the rows with labels; accuracy for two classes."""
        given = self.predict(X)
        if self._of_two:
            return float(accuracy_score(y, given, sample_weight=sample_weight))
        truth = np.asarray(y, dtype=np.float64)
        sure = is_hard(truth)
        weights = None if sample_weight is None else np.asarray(sample_weight)[sure]
        options = {"average": "micro", "zero_division": 0.0, "sample_weight": weights}
        return float(f1_score(truth[sure], given[sure], **options))

    def _probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        p: NDArray[np.float64] = expit(self.calibration_[:, 0] * scores + self.calibration_[:, 1])
        return p

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
