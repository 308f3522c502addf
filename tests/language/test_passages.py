import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.language import split_passages, whole_passage

SENTENCE = "The delegation met the mayor and spoke about the school. "


def texts(text: str) -> list[str]:
    return [text[p.start : p.end] for p in split_passages(text)]


def test_paragraphs_are_passages():
    paragraphs = [f"{number} {SENTENCE * 3}".strip() for number in range(3)]
    assert texts("\n\n".join(paragraphs)) == paragraphs


def test_a_heading_joins_the_paragraph_below_it():
    assert texts(f"Annual report\n\n{SENTENCE * 3}") == [f"Annual report\n\n{SENTENCE * 3}".strip()]


def test_a_short_end_joins_the_paragraph_above():
    text = f"{SENTENCE * 3}\n\nThe end."
    assert texts(text) == [text]


def test_a_heading_above_prose_begins_a_passage():
    sections = ["Weather\n\nRain came.", "Sport\n\nThe match was lost.\n\nNo goal fell."]
    assert texts("\n\n".join(sections)) == sections
    listed = "They want:\n\nBread\n\nWork\n\nAll of it was given.\n\nThe end"
    assert texts(listed) == [listed]


def test_no_passage_goes_on_over_a_form_feed():
    assert texts(f"{SENTENCE * 3}\n\n\fThe end.\f\n\nAfter it") == [
        (SENTENCE * 3).strip(),
        "The end.",
        "After it",
    ]
    left_out = len("One.\fTwo.")
    found = split_passages("One.\fTwo.\fThree.\fFour.", without=[(left_out, left_out + 7)])
    assert [(p.start, p.end) for p in found] == [(0, 4), (5, 9), (17, 22)]


def test_a_long_paragraph_is_cut_at_sentences_into_even_parts():
    passages = split_passages(SENTENCE * 50)
    assert [p.words for p in passages] == [130, 130, 130, 110]


def test_a_sentence_without_end_is_cut_between_words():
    passages = split_passages("word " * 1000)
    assert [p.words for p in passages] == [200] * 5


def test_long_lines_without_blank_lines_are_paragraphs():
    line = (SENTENCE * 3).strip()
    assert texts(f"{line}\n{line}") == [line, line]


def test_wrapped_lines_are_one_paragraph():
    text = "The delegation met the mayor\nand spoke about the school\n" * 4
    assert texts(text) == [text.strip()]


@pytest.mark.parametrize("text", ["", " \n\n\t ", "\x00", "\ud800"])
def test_texts_without_words(text):
    assert sum(p.words for p in split_passages(text)) == len(text.split())


def test_form_lines_and_a_very_long_line_take_linear_time():
    # 25 s with spaCy alone; over 1,000,000 characters spaCy refuses.
    assert len(split_passages("( " * 3 + "(" * 20_000 + " x" * 600_000)) > 2_000


@given(
    st.lists(
        st.sampled_from(["word ", "Stop. ", "\n\n", "\n", "\ud800", "()" * 40, "\f", "\u00a0"]),
        max_size=300,
    )
)
def test_every_word_is_in_exactly_one_passage(parts):
    text = "".join(parts)
    passages = split_passages(text)
    assert [w for p in passages for w in text[p.start : p.end].split()] == text.split()
    assert all(a.end <= b.start for a, b in itertools.pairwise(passages))
    assert all(p.words == len(text[p.start : p.end].split()) <= 200 for p in passages)


def test_the_whole_text_is_one_passage_without_its_margins():
    whole = whole_passage("  two words\n")
    assert (whole.start, whole.end, whole.words) == (2, 11, 2)
    assert whole_passage(" ").words == 0
