import copy
import json

import pytest

from tests.report import examples
from textclass.report import write_evaluation_report


@pytest.fixture
def render(tmp_path):
    def write(metrics):
        # As it comes back from the file that `evaluate --output` wrote.
        read = json.loads(json.dumps(metrics))
        return write_evaluation_report(read, tmp_path / "evaluation.html").read_text("utf-8")

    return write


@pytest.fixture
def metrics():
    return copy.deepcopy(examples.example_metrics())


def test_figures_stand_with_their_intervals(render, metrics):
    metrics["facets"]["type"]["micro"]["f1"] = {"value": 0.7194, "low": 0.6491, "high": 0.7772}
    page = render(metrics)
    assert "<dd>0.719<small>0.649 to 0.777</small></dd>" in page
    for part in ("keyword cues", "word TF-IDF", "reliefweb", "older@77aa", "p = 0.041", "97%"):
        assert part in page


def test_what_cannot_be_known_is_a_dash_and_no_plot_breaks(render, metrics):
    nothing = {"value": None, "low": None, "high": None}
    for label in metrics["labels"]:
        label |= {"precision": nothing, "recall": nothing, "f1": nothing, "ece": None}
        label |= {"average_precision": nothing, "brier": None, "reliability": [], "sweep": []}
    for facet in metrics["facets"].values():
        facet["micro"] = dict.fromkeys(("precision", "recall", "f1"), nothing)
    page = render(metrics)
    assert "<dd>–</dd>" in page
    assert "None" not in page
    assert "nan" not in page


def test_parts_that_were_not_measured_are_left_out(render, metrics):
    for part in ("baselines", "slices", "confusions", "worst_errors", "comparison"):
        metrics[part] = []
    metrics |= {"risk_coverage": {}, "faithfulness": None}
    page = render(metrics)
    for heading in ("Against baselines", "Slices", "Most confused", "Worst errors", "Evidence<"):
        assert heading not in page


@pytest.mark.parametrize(
    ("reached", "words"),
    [("yes", "reached: 90%"), ("no", "not reached: 90%"), ("unclear", "unclear: 90%")],
)
def test_a_promised_precision_is_told_kept_or_not(render, metrics, reached, words):
    target = {"target": 0.9, "reached": reached, "value": 0.91, "low": 0.84, "high": 0.96}
    metrics["labels"][0]["target_precision"] = target
    assert f"{words} <small>measured 0.910, 0.840–0.960</small>" in render(metrics)


@pytest.mark.parametrize(
    ("leaks", "words"),
    [(["a", "b"], "2 passages are in the model's training data"), (None, "leakage can't be told")],
)
def test_figures_on_training_data_are_called_too_good(render, metrics, leaks, words):
    assert words not in render(metrics)
    metrics["corpus"]["leaks"] = leaks
    assert words in render(metrics)


def test_worst_errors_show_what_was_wrong_and_missing(render, metrics):
    page = render(metrics)
    assert '<mark class="for against" title="for humanitarian, +1.20; against humanitarian' in page
    assert page.count('<span class="badge unsure">wrong</span>') == len(metrics["worst_errors"])
