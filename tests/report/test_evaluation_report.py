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
        write_evaluation_report(read, tmp_path / "evaluation.html")
        return (tmp_path / "evaluation.html").read_text("utf-8")

    return write


@pytest.fixture
def metrics():
    return copy.deepcopy(examples.example_metrics())


def test_figures_stand_with_their_intervals(render, metrics):
    metrics["figures"][2] |= {"value": 0.7194, "low": 0.6491, "high": 0.7772}
    page = render(metrics)
    assert "<dd>0.719<small>0.649 to 0.777</small></dd>" in page
    for part in ("keyword cues", "word TF-IDF", "reliefweb", "older@77aa", "p = 0.041", "97%"):
        assert part in page


def test_what_cannot_be_known_is_a_dash_and_no_plot_breaks(render, metrics):
    for figure in metrics["figures"]:
        if figure["metric"] != "given":
            figure |= {"value": None, "low": None, "high": None}
    metrics |= {"reliability": [], "sweep": []}
    page = render(metrics)
    assert "<dd>–</dd>" in page
    assert "None" not in page
    assert "nan" not in page


def test_parts_that_were_not_measured_are_left_out(render, metrics):
    for part in ("differences", "confusions", "mistakes", "coverage", "reliability"):
        metrics[part] = []
    metrics["figures"] = [
        figure
        for figure in metrics["figures"]
        if figure["model"] == metrics["model"] and not figure["part"]
    ]
    metrics |= {"faithfulness": None}
    page = render(metrics)
    for heading in (
        "Against baselines",
        "Better by",
        "Slices",
        "Most frequent mistakes",
        "Worst errors",
        "Evidence<",
    ):
        assert heading not in page


@pytest.mark.parametrize(
    ("reached", "words"),
    [("yes", "reached: 90%"), ("no", "not reached: 90%"), ("unclear", "unclear: 90%")],
)
def test_a_promised_precision_is_told_kept_or_not(render, metrics, reached, words):
    metrics["labels"][0] |= {"target": 0.9, "reached": reached}
    (precision,) = (
        figure
        for figure in metrics["figures"]
        if figure["label"] == metrics["labels"][0]["label"] and figure["metric"] == "precision"
    )
    precision |= {"value": 0.91, "low": 0.84, "high": 0.96}
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
    assert page.count('<span class="badge unsure">wrong</span>') == len(metrics["mistakes"])
