"""Documents read in part: what their tags say; figures rounded in bulk."""

from hypothesis import given
from hypothesis import strategies as st

from textclass.results import Outcome, Reason, rounded
from textclass.tagger import Tagger, Text

RIVER = "the old ferry left the bank upstream near the town "
PLAIN = "on the old road near the town it was morning and people saw the market "


def test_a_document_read_in_part_is_never_none(toy_model):
    tagger = Tagger.load(toy_model.path)
    whole = tagger.tag_document(PLAIN * 3)
    partly = tagger.tag_document(PLAIN * 3, unread=["pages 2-3: no text layer"])
    assert (whole.outcome, whole.reason) == (Outcome.NONE, None)
    assert (partly.outcome, partly.reason) == (Outcome.UNSURE, Reason.UNREAD)
    assert partly.passages[0].outcome is Outcome.NONE
    row = partly.to_dict()
    assert list(row)[1:4] == ["outcome", "reason", "unread"]
    assert row["unread"] == partly.passages[0].to_dict()["unread"] == ["pages 2-3: no text layer"]
    foreign = tagger.tag_document("Der Fluss und die Stadt liegen an dem Meer und sind alt")
    assert (foreign.outcome, foreign.reason) == (Outcome.UNSURE, foreign.passages[0].reason)
    labelled = tagger.tag_document(RIVER * 3, unread=["page 2: no text layer"])
    assert (labelled.outcome, labelled.reason) == (Outcome.TAGGED, None)


def test_boilerplate_is_no_passage_and_moves_no_offset(toy_model):
    tagger = Tagger.load(toy_model.path)
    text = f"{RIVER * 3}\n\n{PLAIN * 3}\n\n{RIVER * 3}"
    start = text.index(PLAIN)
    (tags,) = tagger.tag_documents([Text(text, boilerplate=((start, start + len(PLAIN * 3)),))])
    assert [text[one.start : one.end] for one in tags.passages] == [(RIVER * 3).strip()] * 2
    assert tags.labels[0].share == 1


def test_a_passage_too_short_to_judge_does_not_count_in_a_document(toy_model):
    tagger = Tagger.load(toy_model.path)
    for text in (RIVER * 3, PLAIN * 3):
        alone, beside = tagger.tag_document(text), tagger.tag_document(f"FYI\n\f{text}\fThe end.")
        assert [one.reason for one in beside.passages[::2]] == [Reason.TOO_SHORT] * 2
        assert (beside.outcome, beside.probabilities) == (alone.outcome, alone.probabilities)
    assert tagger.tag_document("The end.").outcome is Outcome.UNSURE


@given(
    st.lists(st.floats(-1, 1) | st.floats() | st.integers(-99_999, 99_999).map(lambda n: n / 2e4))
)
def test_figures_are_rounded_in_bulk_as_one_by_one(figures):
    assert repr(rounded(figures)) == repr([round(figure, 4) for figure in figures])
