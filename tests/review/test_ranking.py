import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.conftest import toy_rows
from textclass.review import Kind, Order, rank_passages
from textclass.review.ranking import rank_in_child


def run(work):
    """Run a coroutine in a thread of its own: Playwright's loop may be running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def lesson(rows, names=("river", "bread", "no")):
    targets = [[float(name in row["topic"]) for name in names] for row in rows]
    return [row["text"] for row in rows], np.array(targets), [row["group"] for row in rows]


def test_what_the_answers_settle_comes_last():
    rows = toy_rows(80, seed=1)
    clear = ["ferry current bank water boat bridge flood crossing upstream"] * 3
    unclear = ["ferry oven refused old town market on the road"] * 3
    texts, targets, groups = lesson(rows)
    order = rank_passages([*clear, *unclear], texts, targets, groups)
    assert sorted(order) == list(range(6))
    assert order[0] in {3, 4, 5}


def test_from_nothing_it_draws_unlike_passages():
    kinds = ["ferry water boat flood", "oven flour dough loaf", "refused declined veto never"]
    pool = [f"{kinds[n % 3]} {'again ' * (n // 3)}" for n in range(30)]
    order = rank_passages(pool, [], np.zeros((0, 3)), [])
    assert sorted(order) == list(range(30))
    assert len({number % 3 for number in order[:3]}) == 3


def test_a_label_that_doesn_t_fit_its_passage_is_looked_at_first():
    rows = toy_rows(90, seed=2)
    rows[7] = {**rows[7], "text": "ferry water boat flood crossing bank delta", "topic": ["bread"]}
    texts, targets, groups = lesson(rows)
    assert rank_passages(texts, texts, targets, groups).index(7) < 10


def test_the_queue_learns_in_a_child_while_the_page_goes_on(open_session):
    session = open_session(order=Order.MODEL)

    async def review():
        for number in session.queue.drawn[:25]:
            key = session.passages.keys[number]
            session.add(key, Kind.ACCEPT, session.passages.labels(number))
        before = session.next()
        session.rank_if_due()
        assert session.next() == before
        await session._ranking
        assert not session.fault
        assert session.next() is not None

    run(review())


def test_a_child_that_fails_is_told():
    with pytest.raises(RuntimeError, match="KeyError"):
        run(rank_in_child({"taught": []}))
