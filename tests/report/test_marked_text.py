from hypothesis import given
from hypothesis import strategies as st

from textclass.report.marked_text import Piece, mark_text

TEXT = "The relief convoy reached both sides."


def span(label, words, weight, *, shift=0, text=TEXT):
    start = text.index(words) + shift
    return {
        "label": label,
        "start": start,
        "end": start + len(words),
        "text": words,
        "weight": weight,
    }


def test_overlapping_spans_are_cut_and_each_end_names_its_label():
    evidence = [span("a", "relief convoy", 1.0), span("b", "convoy reached", -0.5)]
    pieces = mark_text(TEXT, evidence).pieces
    assert pieces == (
        Piece("The "),
        Piece("relief ", "for", "for a, +1.00", (), ("a",)),
        Piece("convoy", "for against", "for a, +1.00; against b, −0.50", ("1",), ("a", "b")),
        Piece(" reached", "against", "against b, −0.50", ("−2",), ("b",)),
        Piece(" both sides."),
    )


def test_offsets_count_from_the_document_and_beyond_the_first_plane():
    text = "😀 𝒜 relief came"
    evidence = [span("a", "relief", 1.0, shift=500, text=text)]
    marked = [p.text for p in mark_text(text, evidence, shift=500).pieces if p.kind]
    assert marked == ["relief"]


def test_evidence_that_is_not_where_it_says_is_told_but_not_marked():
    wrong = [{"label": "a", "start": 0, "end": 6, "text": "relief", "weight": 1.0}]
    beyond = [{"label": "a", "start": 30, "end": 99, "text": "sides.", "weight": 0.5}]
    marked = mark_text(TEXT, wrong + beyond)
    assert [p.kind for p in marked.pieces] == [""]
    assert marked.grounds == {"a": [*wrong, *beyond]}


def test_what_a_reader_marked_has_no_weight():
    (_, piece, _) = mark_text(TEXT, [{"label": "a", "start": 4, "end": 10}]).pieces
    assert (piece.text, piece.kind, piece.note) == ("relief", "for", "for a")


def test_labels_are_numbered_as_they_are_given():
    evidence = [span("b", "relief", 1.0), span("a", "convoy", 0.5)]
    assert mark_text(TEXT, evidence, first=["c", "a", "b"]).keys == {"a": 1, "b": 2}


spans = st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40), st.floats(-2, 2)), max_size=12)


@given(st.text(max_size=40), spans)
def test_no_character_is_lost_or_doubled(text, places):
    evidence = [
        {"label": f"l{n % 3}", "start": a, "end": b, "text": text[max(a, 0) : b], "weight": w}
        for n, (a, b, w) in enumerate(places)
    ]
    assert "".join(piece.text for piece in mark_text(text, evidence).pieces) == text
