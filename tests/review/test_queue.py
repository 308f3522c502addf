import numpy as np
import pytest

from tests.conftest import toy_rows
from textclass.review import Passages, Queue, TaggedPassage, rank_passages
from textclass.review.queue import FROM_ONE_DOCUMENT, RANDOM_EVERY, doubt


def make(taxonomy, texts, documents=None, p=None):
    documents = documents or [f"d{number}" for number in range(len(texts))]
    p = [[0.1] * 3] * len(texts) if p is None else p
    return Passages(
        taxonomy,
        [
            TaggedPassage(text, document, [], probabilities)
            for text, document, probabilities in zip(texts, documents, p, strict=True)
        ],
    )


def ask(queue, times):
    """Answer so many passages and return their numbers."""
    done = []
    for _ in range(times):
        done.append(queue.next(done))
    return done


def varied(n):
    names = ["".join(chr(97 + int(digit)) for digit in str(number)) for number in range(n)]
    return [f"{name} wholly other {name} words follow {name} here" for name in names]


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
    assert ask(Queue(passages, "order"), 30) == list(range(30))
    drawn = ask(Queue(passages, "random"), 30)
    assert sorted(drawn) == list(range(30)) != drawn
    assert ask(Queue(passages, "random"), 30) == drawn


@pytest.mark.parametrize("order", ["unsure", "model"])
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
    texts = [*varied(10), *(f"the very same words stand in this one {n}" for n in range(10))]
    queue = Queue(make(toy_taxonomy, texts, documents=["one"] * 20), "unsure")
    assert sorted(ask(queue, 20)) == list(range(20))
    assert queue.next(range(20)) is None


def test_few_passages_of_one_document_come_in_a_row(toy_taxonomy):
    p = np.array([[0.5] * 3] * 20 + [[0.01] * 3] * 20)
    documents = ["one"] * 20 + [f"d{n}" for n in range(20)]
    asked = ask(Queue(make(toy_taxonomy, varied(40), documents, p), "unsure"), 12)
    names = "".join("1" if number < 20 else "." for number in asked)
    assert "1" * (FROM_ONE_DOCUMENT + 1) not in names
    assert "1" * FROM_ONE_DOCUMENT in names


def test_near_duplicates_of_an_answered_passage_wait(toy_taxonomy):
    text = "the delegates met in the old town hall to speak of water and of bread again"
    twins = [f"{text} {number}" for number in range(10)]
    p = np.array([[0.5] * 3] * 10 + [[0.01] * 3] * 10)
    asked = ask(Queue(make(toy_taxonomy, [*twins, *varied(10)], p=p), "unsure"), 4)
    assert [number < 10 for number in asked] == [True, False, False, False]


def test_a_passage_whose_answer_was_taken_back_is_no_twin_of_its_own(toy_taxonomy):
    queue = Queue(make(toy_taxonomy, varied(20)), "unsure")
    first = queue.next([])
    assert queue.next([first]) != first
    assert queue.next([]) == first


def test_promoted_passages_come_first(toy_taxonomy):
    queue = Queue(make(toy_taxonomy, varied(20)), "model")
    queue.promote([7, 3])
    assert ask(queue, 2) == [7, 3]


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
