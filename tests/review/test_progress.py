import pytest

from textclass.review import Kind
from textclass.review.progress import Share


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # From Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (29, 29, 0.8834, 1.0),
    ],
)
def test_wilson_s_interval_is_that_of_the_literature(hits, of, low, high):
    assert Share(hits, of).interval == pytest.approx((low, high), abs=5e-4)


def test_nothing_answered_tells_nothing(open_session):
    progress = open_session().progress()
    assert (progress.labelled, progress.left, progress.agreement) == (0, 120, ())
    assert progress.right.interval == (0.0, 1.0)


def test_the_estimate_comes_from_the_random_sample_alone(open_session):
    session = open_session()
    drawn, keys = session.queue.drawn, session.passages.keys
    for number in drawn[:30]:
        session.add(keys[number], Kind.ACCEPT, session.passages.labels(number))
    for number in drawn[60:80]:  # chosen by the queue: all wrong
        session.add(keys[number], Kind.UNSURE)
    progress = session.progress()
    assert (progress.sample, progress.unsure, progress.left) == (30, 20, 70)
    assert progress.right.value == progress.found.value == progress.whole.value == 1
    session.add(keys[drawn[0]], Kind.NONE)
    assert session.progress().whole.hits == 29 + (not session.passages.labels(drawn[0]))


def test_what_became_of_each_label_is_counted(open_session):
    session = open_session()
    number = next(n for n in range(120) if session.passages.labels(n) == ("river",))
    session.add(session.passages.keys[number], Kind.ACCEPT, ["bread"])
    counts = {one.name: (one.kept, one.added, one.removed) for one in session.progress().labels}
    assert counts == {"river": (0, 0, 1), "bread": (0, 1, 0), "no": (0, 0, 0)}
    assert session.progress().agreement == (0.0,)
