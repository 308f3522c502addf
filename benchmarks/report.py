"""The table in `benchmarks/README.md`: ratios first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from benchmarks.contenders import CONTENDERS, SMALL_CACHE
from benchmarks.measure import Measured
from textclass.language.tokenizer import MAX_CHUNKS


@dataclass(frozen=True)
class Results:
    """All that a run found; ratios that were not measured are NaN."""

    command: str
    source: str
    repeats: int
    measured: Mapping[str, Measured]
    quality: Mapping[str, Mapping[str, float]]
    start_up: float
    training: float
    profile: Mapping[str, Sequence[tuple[str, float]]]

    def speed(self, name: str, state: str = "warm") -> float:
        """Return words per second, NaN where the contender wasn't there."""
        found = self.measured.get(name)
        return found.words / vars(found)[state] if found else float("nan")

    def ratio(self, name: str, other: str, state: str = "warm") -> float:
        """Return the speed of one contender in terms of another's."""
        return self.speed(name, state) / self.speed(other, state)


def write_report(results: Results, path: Path) -> None:
    """Write the report as Markdown."""
    parts = (_head, _ratios, _speeds, _quality, _profile)
    lines = [line for part in parts for line in (*part(results), "")]
    path.write_text("\n".join(lines), encoding="utf-8")


def _head(results: Results) -> Iterator[str]:
    yield "# Speed, side by side"
    yield ""
    yield f"Written by `{results.command}`; `make bench` makes it anew."
    yield ""
    words = results.measured["scores"].words
    yield (
        f"Each contender reads the same {words:,} words ({results.source}; the slow ones a fifth "
        "of them) in a process of its own with one thread: first cold, nothing in any cache, then "
        "the same again, warm. Times are processor time, medians of repeats "
        f"({results.repeats}) that alternate between the contenders. The ratios should hold "
        "anywhere; the absolute figures are those of one machine, busy with other work."
    )


def _ratios(results: Results) -> Iterator[str]:
    ratio = results.ratio
    rows = (
        ("scores / spaCy's tokenizer, both cold", ratio("scores", "tokenizer", "cold"), 1.1),
        (
            "scores, warm / spaCy's tokenizer, cold",
            results.speed("scores") / results.speed("tokenizer", "cold"),
            4,
        ),
        ("scores / spaCy's tokenizer, both warm", ratio("scores", "tokenizer"), 4),
        ("scores / fastText with subwords, warm", ratio("scores", "fasttext"), 2),
        ("scores / notebook with the same features, warm", ratio("scores", "notebook"), 12),
        ("tags with evidence for every label / without, warm", ratio("evidence", "tags"), 0.5),
        ("start-up: `textclass predict` / `import spacy`", results.start_up, -1.3),
        ("training with folds and all / a plain notebook fit, two cores", results.training, -6),
    )
    yield "| ratio | found | aim | |"
    yield "|---|--:|--:|---|"
    for name, found, aim in rows:
        reached = found >= aim if aim > 0 else found <= -aim
        told = "" if reached else "**not reached**: see where the time goes"
        told = "not measured" if isnan(found) else told
        yield f"| {name} | {found:.2f} | {'≥' if aim > 0 else '≤'} {abs(aim):g} | {told} |"


def _speeds(results: Results) -> Iterator[str]:
    yield "| | warm, tokenizer = 1 | words/s cold | warm | passages/s warm | peak | ready after |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name, found in results.measured.items():
        yield (
            f"| {CONTENDERS[name].title} | {results.ratio(name, 'tokenizer'):.2f} "
            f"| {results.speed(name, 'cold'):,.0f} | {results.speed(name):,.0f} "
            f"| {found.passages / found.warm:,.0f} | {found.peak:,.0f} MB | {found.start:.2f} s |"
        )
    yield ""
    yield (
        f"textclass keeps at most {MAX_CHUNKS:,} chunks between white space and the rows of their "
        f"words, then begins anew. With a bound of {SMALL_CACHE:,}, which these texts overrun "
        f"over and over, it reads at {results.ratio('overrun', 'scores'):.2f} of its warm speed. "
        "*Ready after* is import, loading and one passage, and is in neither speed."
    )
    for name in sorted(CONTENDERS.keys() - results.measured.keys()):
        yield f"Not installed: {CONTENDERS[name].title}."


def _quality(results: Results) -> Iterator[str]:
    if not results.quality:
        return
    facets = list(results.quality["scores"])
    yield "## Quality, trained on the same rows with hard labels"
    yield ""
    yield f"| micro-F1 on dev | {' | '.join(facets)} |"
    yield f"|---|{'--:|' * len(facets)}"
    for name, figures in results.quality.items():
        cells = " | ".join(f"{figures[facet]:.3f}" for facet in facets)
        yield f"| {CONTENDERS[name].title} | {cells} |"
    yield ""
    yield (
        "textclass gives labels by its own thresholds, from training. Each peer gets for each "
        "facet the one threshold that is best on this very dev set, which flatters it."
    )


def _profile(results: Results) -> Iterator[str]:
    yield "## Where the time goes"
    yield ""
    for name, shares in results.profile.items():
        told = ", ".join(f"`{function.strip('<>{}')}` {share:.0%}" for function, share in shares)
        yield f"- {name}: {told}"
