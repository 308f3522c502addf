"""The samples are tagged as before: what `python -m tests.goldens` wrote."""

import json

import pytest

from tests.goldens import GOLDENS, LEAST_SCORE, tagged

RENEW = "if that is meant: python -m tests.goldens"
STEP = 1e-4
"""Results are rounded to so much."""


def test_the_samples_are_tagged_as_before(tmp_path):
    wanted = [json.loads(line) for line in GOLDENS.read_text(encoding="utf-8").splitlines()]
    found = tagged(tmp_path)
    assert {row["model"] for row in found} == {row["model"] for row in wanted}, RENEW
    for new, old in zip(found, wanted, strict=True):
        scores, before = new.pop("scores"), old.pop("scores")
        assert new == old, RENEW
        for label in scores.keys() | before.keys():
            kept = before.get(label, LEAST_SCORE)
            assert scores.get(label, LEAST_SCORE) == pytest.approx(kept, abs=STEP), RENEW
