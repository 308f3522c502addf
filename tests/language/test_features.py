from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textclass.language import (
    FeatureSpec,
    Tokenizer,
    count_words,
    feature_keys,
    neighbours,
    pair_keys,
    word_keys,
)

words_lists = st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=6, unique=True)


@given(words_lists, st.integers(1, 4), st.integers(0, 3))
def test_one_key_for_each_ngram_inside_its_word(words, shortest, more):
    spec = FeatureSpec(shortest, shortest + more, word_weight=0)
    seen: dict[int, str] = {}
    counted = Counter()
    for n, (keys, owners) in enumerate(feature_keys(words, spec), shortest):
        places = Counter()
        for key, owner in zip(keys.tolist(), owners.tolist(), strict=True):
            bordered = f"\x02{words[owner]}\x03"
            gram = bordered[places[owner] : places[owner] + n]
            places[owner] += 1
            assert seen.setdefault(key, gram) == gram
            counted[owner, gram] += 1
    for owner, word in enumerate(words):
        bordered = f"\x02{word}\x03"
        expected = Counter(
            bordered[i : i + n]
            for n in range(shortest, shortest + more + 1)
            for i in range(len(bordered) - n + 1)
        )
        assert {g: c for (o, g), c in counted.items() if o == owner} == expected


def test_the_word_itself_is_another_feature_than_its_ngrams():
    *_, (keys, owners) = feature_keys(["aid", "aids"], FeatureSpec(3, 3, word_weight=1))
    assert len(set(keys.tolist())) == 2
    assert owners.tolist() == [0, 1]
    assert not set(keys.tolist()) & set(word_keys(["aid", "aids"]).tolist())


def test_pairs_have_an_order_and_stay_inside_their_passage():
    tokenizer = Tokenizer()
    batch = tokenizer.read(["human rights", "", "rights human human"])
    keys = word_keys(tokenizer.words)[batch.ids]
    places, passages = neighbours(batch)
    assert places.tolist() == [0, 2, 3]
    assert passages.tolist() == [0, 2, 2]
    assert len(set(pair_keys(keys[places], keys[places + 1]).tolist())) == 3


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=9), max_size=5))
def test_counts_are_those_of_a_counter(passages):
    tokenizer = Tokenizer()
    counts = count_words(tokenizer.read([" ".join(words) for words in passages]))
    for i, words in enumerate(passages):
        part = slice(counts.starts[i], counts.starts[i + 1])
        found = {
            tokenizer.words[w]: n
            for w, n in zip(counts.words[part], counts.tf[part].tolist(), strict=True)
        }
        assert found == Counter(words)
    assert np.allclose(counts.weights, 1 + np.log(counts.tf))
