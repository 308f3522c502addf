"""The shipped model on passages that are about no diplomacy at all."""

import json
from collections import Counter
from pathlib import Path

import pytest

from textclass.tagger import Tagger

PATH = Path(__file__).parents[1] / "data" / "must_not_tag.jsonl"
MOST = 0.01

LANGUAGES = frozenset(
    "spanish french german portuguese italian dutch swedish polish turkish indonesian russian"
    " arabic chinese".split()
)
ASKED = frozenset({"gibberish", "source code", "recipe", "sports", "lorem ipsum", "numbers"})


@pytest.fixture(scope="module")
def passages():
    return [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]


def test_the_set_is_large_and_varied(passages):
    kinds = Counter(passage["kind"] for passage in passages)
    assert len({passage["text"] for passage in passages}) >= 300
    assert set(kinds) >= LANGUAGES | ASKED | {"legal boilerplate", "song-like"}


@pytest.fixture(scope="module")
def wrong(passages):
    results = Tagger.load().tag_many([p["text"] for p in passages], evidence=False)
    return [
        (passage["kind"], result["type"], passage["text"])
        for passage, result in zip(passages, results, strict=True)
        if result["type"]
    ]


def test_almost_none_gets_a_type(passages, wrong):
    assert len(wrong) <= MOST * len(passages), wrong


def test_none_of_the_kinds_far_from_prose_gets_a_type(wrong):
    far = LANGUAGES | ASKED | {"legal boilerplate", "song-like"}
    assert not [found for found in wrong if found[0] in far]
