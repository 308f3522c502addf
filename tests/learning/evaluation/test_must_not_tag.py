"""The shipped model on passages that are about no diplomacy at all."""

import json
from collections import Counter
from pathlib import Path

import pytest

from textclass.tagger import Tagger

PATH = Path(__file__).parents[2] / "data" / "must_not_tag.jsonl"
MOST = 0.01


@pytest.fixture(scope="module")
def passages():
    return [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]


def test_the_set_is_large_and_varied(passages):
    kinds = Counter(passage["kind"] for passage in passages)
    languages = set(
        "spanish french german portuguese italian dutch swedish polish turkish indonesian russian"
        " arabic chinese".split()
    )
    asked = {"gibberish", "source code", "recipe", "sports", "lorem ipsum", "numbers"}
    assert len({passage["text"] for passage in passages}) >= 300
    assert set(kinds) >= languages | asked | {"legal boilerplate", "song-like"}


def test_at_most_one_in_a_hundred_gets_a_type(passages):
    results = Tagger.load().tag_many([p["text"] for p in passages], evidence=False)
    wrong = [
        (passage["kind"], result["type"], passage["text"])
        for passage, result in zip(passages, results, strict=True)
        if result["type"]
    ]
    assert len(wrong) <= MOST * len(passages), wrong
