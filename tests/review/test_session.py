import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from textclass.review import Kind
from textclass.review.session import Share


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
    assert (progress["labelled"], progress["left"], progress["agreement"]) == (0, 120, [])
    assert progress["right"].of == 0


def test_the_estimate_comes_from_the_random_sample_alone(open_session):
    session = open_session()
    drawn, keys = session.queue.drawn, session.passages.keys
    for number in drawn[:30]:
        session.add(keys[number], Kind.ACCEPT, session.passages.labels(number))
    for number in drawn[60:80]:  # chosen by the queue: all wrong
        session.add(keys[number], Kind.UNSURE)
    progress = session.progress()
    assert (progress["sample"], progress["unsure"], progress["left"]) == (30, 20, 70)
    assert progress["right"].value == progress["found"].value == 1
    labelled = next(n for n in drawn if session.passages.labels(n))
    session.add(keys[labelled], Kind.NONE)
    progress = session.progress()
    assert progress["right"].value < progress["found"].value == 1


def test_what_became_of_each_label_is_counted(open_session):
    session = open_session()
    number = next(n for n in range(120) if session.passages.labels(n) == ("river",))
    session.add(session.passages.keys[number], Kind.ACCEPT, ["bread"])
    assert session.progress()["labels"] == {"river": (0, 0, 1), "bread": (0, 1, 0)}
    assert session.progress()["agreement"] == [0.0]


def run(work):
    """Run a coroutine in a thread of its own: Playwright's loop may be running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_the_queue_learns_in_a_child_while_the_page_goes_on(open_session):
    session = open_session(order="model")

    async def review():
        assert session.rank_if_due() is None
        for number in session.queue.drawn[:25]:
            key = session.passages.keys[number]
            session.add(key, Kind.ACCEPT, session.passages.labels(number))
        before = session.next()
        ranking = session.rank_if_due()
        assert session.next() == before
        await ranking
        assert not session.fault
        assert session.next() is not None

    run(review())


def test_a_ranking_that_fails_is_told(open_session, monkeypatch):
    session = open_session(order="model")
    for number in session.queue.drawn[:25]:
        session.add(session.passages.keys[number], Kind.NONE)
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    async def review():
        await session.rank_if_due()

    run(review())
    assert "the queue can't be ranked: " in session.fault
