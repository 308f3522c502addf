import pytest

from textclass.results import Outcome, Reason
from textclass.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(toy_model):
    return Tagger.load(toy_model.path)


PLAIN = "on the old road near the town it was morning and people saw the market with the day"


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        (PLAIN + " ferry bank upstream delta boat", Outcome.TAGGED, None),
        (PLAIN, Outcome.NONE, Reason.BELOW_THRESHOLD),
        ("", Outcome.UNSURE, Reason.TOO_SHORT),
        ("ferry", Outcome.UNSURE, Reason.TOO_SHORT),
        (
            "xqzv plorb grint vuzzle snorp kebb dwimp torl fench mipp",
            Outcome.UNSURE,
            Reason.UNFAMILIAR,
        ),
        (
            "le bateau est sur la rive et les gens sont dans la ville",
            Outcome.UNSURE,
            Reason.NOT_ENGLISH,
        ),
        ("корабль стоит у берега реки рядом с городом", Outcome.UNSURE, Reason.NOT_ENGLISH),
    ],
)
def test_outcomes_and_reasons(tagger, text, outcome, reason):
    tags = tagger.tag(text)
    assert (tags.outcome, tags.reason) == (outcome, reason)
    assert bool(tags.labels) == (outcome is Outcome.TAGGED)
    assert bool(tags.evidence) == (outcome is Outcome.TAGGED)


def test_near_the_threshold_is_unsure(tagger):
    words = "ferry bank upstream delta boat bridge".split()
    outcomes = [tagger.tag(f"{PLAIN} {' '.join(words[:n])}").outcome for n in range(7)]
    assert outcomes[0] is Outcome.NONE
    assert outcomes[-1] is Outcome.TAGGED
    reasons = {tagger.tag(f"{PLAIN} {' '.join(words[:n])}").reason for n in range(7)}
    assert reasons <= {Reason.BELOW_THRESHOLD, Reason.NEAR_THRESHOLD, None}
