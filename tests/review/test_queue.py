import numpy as np
import pytest

from textclass.review import Order, Passages, Queue
from textclass.review.queue import FROM_ONE_DOCUMENT, RANDOM_EVERY, doubt
from textclass.review.tagged_passages import Details


def make(taxonomy, texts, documents=None, p=None):
    n = len(texts)
    p = np.full((n, 3), 0.1) if p is None else np.asarray(p)
    return Passages(
        taxonomy=taxonomy,
        texts=list(texts),
        keys=[f"{(n * 7919) % 1009:04}" for n in range(n)],
        documents=documents or [f"d{number}" for number in range(n)],
        suggested=p > 0.5,
        probabilities=p.astype(np.float32),
        taught=np.zeros(n, dtype=bool),
        details=Details(),
    )


def ask(queue, times):
    """Answer so many passages and return their numbers."""
    done = []
    for _ in range(times):
        number = queue.next(set(done), len(done), done)
        queue.saw(number)
        done.append(number)
    return done


def varied(n):
    return [
        f"{number} wholly other words {number + 1} follow {number + 2} here" for number in range(n)
    ]


def test_doubt_is_greatest_in_the_middle_and_for_rare_labels():
    p = np.array([[0.5, 0.01], [0.9, 0.01], [0.9, 0.5], [0.9, 0.01], [0.9, 0.01]])
    worth = doubt(p, p > 0.5)
    assert worth.argmax() == 2
    assert worth[0] > worth[1]


def test_a_label_that_the_model_speaks_against_is_looked_at_first():
    p = np.array([[0.05], [0.5], [0.95]])
    assert doubt(p, np.array([[True], [False], [True]])).argmax() == 0


def test_order_and_random_take_each_passage_once(toy_taxonomy):
    passages = make(toy_taxonomy, varied(30))
    assert ask(Queue(passages, Order.ORDER), 30) == list(range(30))
    drawn = ask(Queue(passages, Order.RANDOM), 30)
    assert sorted(drawn) == list(range(30)) != drawn
    assert ask(Queue(passages, Order.RANDOM), 30) == drawn


@pytest.mark.parametrize("order", [Order.UNSURE, Order.MODEL])
def test_the_unsure_come_first_and_some_by_chance(toy_taxonomy, order):
    p = np.linspace(0.001, 0.4, 60)[:, None].repeat(3, axis=1)
    queue = Queue(make(toy_taxonomy, varied(60), p=p), order)
    asked = ask(queue, 20)
    by_chance = asked[RANDOM_EVERY - 1 :: RANDOM_EVERY]
    assert by_chance == [n for n in queue.drawn if n in by_chance]
    chosen = [n for n in asked if n not in by_chance]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] == 59


def test_everything_is_asked_in_the_end(toy_taxonomy):
    texts = [*varied(10), *["the very same words stand in this one"] * 10]
    queue = Queue(make(toy_taxonomy, texts, documents=["one"] * 20), Order.UNSURE)
    assert sorted(ask(queue, 20)) == list(range(20))
    assert queue.next(set(range(20)), 20, [1]) is None


def test_few_passages_of_one_document_come_in_a_row(toy_taxonomy):
    p = np.array([[0.5] * 3] * 20 + [[0.01] * 3] * 20)
    documents = ["one"] * 20 + [f"d{n}" for n in range(20)]
    asked = ask(Queue(make(toy_taxonomy, varied(40), documents, p), Order.UNSURE), 12)
    names = "".join("1" if number < 20 else "." for number in asked)
    assert "1" * (FROM_ONE_DOCUMENT + 1) not in names
    assert "1" * FROM_ONE_DOCUMENT in names


def test_near_duplicates_of_an_answered_passage_wait(toy_taxonomy):
    text = "the delegates met in the old town hall to speak of water and of bread again"
    twins = [f"{text} {number}" for number in range(10)]
    p = np.array([[0.5] * 3] * 10 + [[0.01] * 3] * 10)
    asked = ask(Queue(make(toy_taxonomy, [*twins, *varied(10)], p=p), Order.UNSURE), 4)
    assert [number < 10 for number in asked] == [True, False, False, False]


def test_promoted_passages_come_first(toy_taxonomy):
    queue = Queue(make(toy_taxonomy, varied(20)), Order.MODEL)
    queue.promote([7, 3])
    assert ask(queue, 2) == [7, 3]
