"""Every figure against scikit-learn, on labels drawn at random; intervals against resampling."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from textclass.learning.metrics import (
    Bootstrap,
    as_frame,
    as_text,
    calibration_error,
    facet_figures,
    interval,
    reliability,
    wide,
    wilson,
)

N = 150
GROUPS = [str(i // 3) for i in range(N)]


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(7)
    truth = random.random((N, 3)) < [0.4, 0.2, 0.02]
    p = np.clip(0.3 * truth + 0.7 * random.random((N, 3)), 0, 1).round(2)
    return truth, p, p >= 0.5


@pytest.fixture(scope="module")
def bootstrap():
    return Bootstrap(GROUPS, samples=200, seed=0)


def by_metric(rows, label=""):
    return {row["metric"]: row for row in rows if row["label"] == label}


NAMES = ["first", "second", "third"]


def test_figures_of_a_facet(case, bootstrap):
    truth, p, given = case
    found = by_metric(facet_figures(bootstrap, NAMES, truth, given, p))
    values = {name: row["value"] for name, row in found.items()}
    assert values["micro_f1"] == sk.f1_score(truth, given, average="micro")
    assert values["exact_match"] == sk.accuracy_score(truth, given)
    assert values["any_f1"] == sk.f1_score(truth.any(axis=1), given.any(axis=1))
    # The third label has too few true passages to count in macro figures.
    both = sk.f1_score(truth[:, :2], given[:, :2], average="macro")
    assert values["macro_f1"] == pytest.approx(both)
    assert values["brier"] == pytest.approx(((p - truth) ** 2).mean())
    for name, row in found.items():
        assert (row["n"], row["n_true"]) == (N, truth.sum())
        if name not in ("ece", "brier"):
            assert row["low"] < row["value"] < row["high"]


def test_a_label_never_given_counts_as_no_precision_in_macro(case, bootstrap):
    truth, p, given = case
    given = given & [True, False, True]
    rows = facet_figures(bootstrap, NAMES, truth, given, p)
    macro, alone = by_metric(rows)["macro_precision"], by_metric(rows, "second")
    half = sk.precision_score(truth[:, 0], given[:, 0]) / 2
    assert macro["value"] == pytest.approx(half)
    assert macro["low"] < half < macro["high"]
    assert np.isnan(alone["precision"]["value"])
    assert alone["recall"]["value"] == alone["f1"]["value"] == 0


def test_without_a_frequent_label_there_is_no_macro_figure(case, bootstrap):
    truth, p, given = (values[:, 2:] for values in case)
    assert np.isnan(
        by_metric(facet_figures(bootstrap, ["third"], truth, given, p))["macro_f1"]["value"]
    )


def test_figures_of_a_label(case, bootstrap):
    truth, p, given = case
    truth = truth & [True, True, False]
    rows = facet_figures(bootstrap, NAMES, truth, given, p)
    found = by_metric(rows, "first")
    assert found["precision"]["value"] == sk.precision_score(truth[:, 0], given[:, 0])
    assert found["average_precision"]["value"] == sk.average_precision_score(truth[:, 0], p[:, 0])
    assert found["brier"]["value"] == sk.brier_score_loss(truth[:, 0], p[:, 0])
    assert found["given"]["value"] == given[:, 0].sum()
    assert np.isnan(by_metric(rows, "third")["average_precision"]["value"])
    ranked = facet_figures(bootstrap, NAMES, truth, given, p, calibrated=False)
    assert not {"ece", "brier"} & {row["metric"] for row in ranked}


def test_the_interval_is_that_of_documents_laid_out_as_often_as_drawn(case):
    truth, _, given = case
    found = Bootstrap(GROUPS, samples=40, seed=3).rates(truth, given)["f1"]
    names = sorted(set(GROUPS))
    share = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(3).multinomial(len(names), share, size=40)
    for sample, counts in enumerate(drawn, 1):
        times = dict(zip(names, counts.tolist(), strict=True))
        rows = np.repeat(np.arange(N), [times[group] for group in GROUPS])
        expected = sk.f1_score(truth[rows], given[rows], average="micro")
        assert found[sample] == pytest.approx(expected)


def test_the_interval_covers_a_known_share_about_95_times_in_100():
    random = np.random.default_rng(5)
    covered = 0
    for trial in range(200):
        hits = random.random((60, 1)) < 0.5
        bootstrap = Bootstrap(list(map(str, range(60))), samples=300, seed=trial)
        found = interval(bootstrap.totals(hits) / 60)
        covered += found["low"] <= 0.5 <= found["high"]
    assert 0.88 <= covered / 200 <= 0.98


def test_passages_of_one_document_widen_the_interval():
    values = np.repeat(np.random.default_rng(0).random(20) < 0.5, 10)[:, None]

    def width(groups):
        found = interval(Bootstrap(groups, samples=500, seed=0).totals(values) / len(values))
        return found["high"] - found["low"]

    apart = width([str(i) for i in range(200)])
    assert width([str(i // 10) for i in range(200)]) > 2 * apart


def test_samples_without_the_figure_do_not_count():
    found = interval(np.array([0.5, np.nan, 0.4, 0.6]))
    assert 0.4 <= found["low"] <= found["high"] <= 0.6


def test_four_right_of_four_prove_little():
    low, high = wilson(1.0, 4)
    assert low == pytest.approx(0.510, abs=1e-3)
    assert high == 1
    assert np.isnan(wilson(np.nan, 0)).all()


def test_calibration_error_by_hand():
    p = np.array([0.05, 0.05, 0.92, 0.98, 1.0, 0.1])
    truth = np.array([False, True, True, True, True, False])
    # Bins: [0, 0.1) mean 0.05, half true; [0.1, 0.2) 0.1, none; [0.9, 1] mean 2.9 / 3, all true.
    by_hand = (2 * 0.45 + 1 * 0.1 + 3 * (1 - 2.9 / 3)) / 6
    assert calibration_error(truth, p) == pytest.approx(by_hand)
    bins = reliability(truth, p)
    assert bins["count"].tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 3]
    assert bins.iloc[0].tolist() == [0.0, 0.1, 0.05, 0.5, 2]
    assert bins["mean"].isna().tolist() == [False, False, *[True] * 7, False]


def test_perfect_and_useless_probabilities():
    truth = np.array([True, False] * 50)
    assert calibration_error(truth, truth.astype(float)) == 0
    assert calibration_error(truth, np.full(100, 0.5)) == 0
    assert calibration_error(truth, np.full(100, 0.9)) == pytest.approx(0.4)


def test_figures_as_text():
    assert as_text({"value": 0.5, "low": 0.25, "high": 1.0}) == "0.500 [0.250-1.000]"
    assert as_text({"value": 0.5, "low": None, "high": None}) == "0.500"
    assert as_text({"value": 1.0, "low": 1.0, "high": 1.0}) == "1.000 [-]"
    assert as_text({"metric": "given", "value": 1.0, "low": np.nan, "high": np.nan}) == "1"
    assert as_text({"value": np.nan, "low": np.nan, "high": np.nan}) == "-"


def test_a_wide_table_keeps_the_order_of_the_figures():
    rows = [
        {"label": label, "metric": metric, "value": 0.5, "low": 0.4, "high": 0.6}
        for label in ("zebra", "ape")
        for metric in ("recall", "f1")
        if (label, metric) != ("ape", "recall")
    ]
    table = wide(as_frame(rows), ["label"], "metric")
    assert table.index.tolist() == ["zebra", "ape"]
    assert table.columns.tolist() == ["recall", "f1"]
    assert table.loc["ape"].tolist() == ["-", "0.500 [0.400-0.600]"]
    assert wide(as_frame([]), ["label"], "metric").empty
    assert isinstance(table, pd.DataFrame)
