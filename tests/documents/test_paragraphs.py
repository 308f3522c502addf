import re

from hypothesis import given
from hypothesis import strategies as st

from textclass.documents.paragraphs import Line, joined, without_running_heads

TEXTS = ["Case {}", "Released {} of {}", "Status: released", "{}", "{} sides keep it", "Page {}/9"]
NUMBERS = st.integers(0, 6)
PLACES = st.lists(st.sampled_from([760, 700, 686, 640, 612, 60, 30]), unique=True, max_size=5)


def line_at(top, text, first, second):
    return Line(72, top - 12, 300, top, text.format(first, second), 12)


LINE = st.builds(lambda *given: given, st.sampled_from(TEXTS), NUMBERS, NUMBERS)
PAGE = PLACES.flatmap(
    lambda tops: st.tuples(*(LINE.map(lambda one, top=top: line_at(top, *one)) for top in tops))
).map(list)


def is_same_but_for_the_page(one, other):
    """Whether two (page, text) differ at most in one number, and in it as their pages do."""
    (page, text), (other_page, other_text) = one, other
    pairs = zip(re.split(r"(\d+)", text), re.split(r"(\d+)", other_text), strict=False)
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if not differing:
        return text == other_text
    return [int(a) - int(b) for a, b in differing if a.isdigit() and b.isdigit()] == [
        page - other_page
    ] * len(differing) and len(differing) == 1


@given(st.lists(PAGE | st.just([line_at(760, "Case {}", 1, 1)]), min_size=3, max_size=7))
def test_every_line_with_words_stands_in_the_text_at_least_once(pages):
    kept = without_running_heads(pages)
    texts = [(n, line.text) for n, page in enumerate(kept) for line in page]
    for n, page in enumerate(pages):
        for line in page:
            if not line.text.isdigit():
                assert any(is_same_but_for_the_page((n, line.text), one) for one in texts)
    text = " ".join(joined(kept)[0].split())
    assert [one for _, one in texts if one not in text] == []
