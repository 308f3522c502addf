"""The figures of an evaluation: what `textclass evaluate --output metrics.json` writes.

Plain dicts, lists, text and numbers, so that JSON carries them. A figure that can't be known (the
precision of a label that was never given) is None. Facets and labels stand in `labels.yaml` order.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class Estimate(TypedDict):
    """A figure with the ends of its 95 % bootstrap interval."""

    value: float | None
    low: float | None
    high: float | None


class Scores(TypedDict):
    """Precision, recall and F1."""

    precision: Estimate
    recall: Estimate
    f1: Estimate


class MacroScores(Scores):
    """Means over labels with enough examples; the rest are named in `left_out`."""

    labels: list[str]
    left_out: list[str]


class FacetMetrics(TypedDict):
    """The figures of a facet.

    `any` is none-against-any: whether a passage has any label at all. `support` counts the true
    labels. `ece` (expected calibration error) and `brier` are means over the facet's labels.
    """

    micro: Scores
    macro: MacroScores
    exact_match: Estimate
    any: Scores
    support: int
    ece: float | None
    brier: float | None


class ReliabilityBin(TypedDict):
    """Probabilities between `low` and `high`: their mean, the share that came true, the count."""

    low: float
    high: float
    mean: float | None
    share: float | None
    count: int


class SweepPoint(TypedDict):
    """What a threshold would give."""

    threshold: float
    precision: float | None
    recall: float
    f1: float


class TargetPrecision(TypedDict):
    """A promised precision, and whether it was kept.

    `yes` if the interval's low end is at or above the target, `no` if its high end is below,
    `unclear` otherwise.
    """

    target: float
    reached: Literal["yes", "no", "unclear"]
    value: float | None
    low: float | None
    high: float | None


class LabelMetrics(TypedDict):
    """The figures of a label; `support` counts its true passages, `predicted` those given it."""

    name: str
    facet: str
    support: int
    predicted: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    average_precision: Estimate
    threshold: float
    ece: float | None
    brier: float | None
    reliability: list[ReliabilityBin]
    sweep: list[SweepPoint]
    target_precision: TargetPrecision | None


class MicroF1(TypedDict):
    """The micro F1 of a facet."""

    micro_f1: Estimate


class Baseline(TypedDict):
    """Another way to tag, fitted in the same run on the same data."""

    name: str
    facets: dict[str, MicroF1]


class Slice(TypedDict):
    """The passages that have `value` in `column`."""

    column: str
    value: str
    passages: int
    facets: dict[str, MicroF1]


class Confusion(TypedDict):
    """Passages that have `true` and were given `given` instead.

    `none` stands for no label of the facet: `true: none` was tagged wrongly, `given: none` missed.
    """

    facet: str
    true: str
    given: str
    count: int


class CoveragePoint(TypedDict):
    """The precision of the tags of the most certain share `coverage` of the passages."""

    coverage: float
    precision: float


class RiskCoverage(TypedDict):
    """Precision by share of passages tagged; `at_95` is the widest point with 95 % precision."""

    curve: list[CoveragePoint]
    at_95: CoveragePoint | None


class Faithfulness(TypedDict):
    """What taking the evidence away does to tags.

    `cases` are tags tried, `dropped` those whose score then fell below the threshold, `share` is
    `dropped / cases`; `control_share` is the share that taking as many other words away changed.
    """

    cases: int
    dropped: int
    share: float | None
    control_share: float | None


class MarkedEvidence(TypedDict):
    """Evidence in a passage; offsets are code points into the passage's own `text`."""

    label: str
    start: int
    end: int
    text: str
    weight: float


class WorstError(TypedDict):
    """A passage that was tagged badly; `probabilities` of the labels missing, wrong or right."""

    id: str
    group: str
    text: str
    missing: list[str]
    wrong: list[str]
    probabilities: dict[str, float]
    evidence: list[MarkedEvidence]


class Difference(TypedDict):
    """Micro F1 of the model less the other's; the p value of the paired bootstrap test."""

    difference: Estimate
    p: float


class Comparison(TypedDict):
    """Another model on the same passages."""

    model: str
    facets: dict[str, Difference]


class Corpus(TypedDict):
    """What was evaluated on.

    `leaks` holds the ids of passages that the model was trained on, they or their documents; None
    where the model doesn't say what it was trained on.
    """

    paths: list[str]
    passages: int
    documents: int
    fingerprint: str
    leaks: list[str] | None


class Bootstrap(TypedDict):
    """How the intervals were made."""

    samples: int
    unit: str


class Metrics(TypedDict):
    """All figures of an evaluation.

    `risk_coverage` is by facet. `faithfulness` is None where there was no tag to try; the lists
    may be empty.
    """

    model: str
    corpus: Corpus
    facets: dict[str, FacetMetrics]
    labels: list[LabelMetrics]
    baselines: list[Baseline]
    slices: list[Slice]
    confusions: list[Confusion]
    risk_coverage: dict[str, RiskCoverage]
    faithfulness: Faithfulness | None
    worst_errors: list[WorstError]
    comparison: list[Comparison]
    bootstrap: Bootstrap
