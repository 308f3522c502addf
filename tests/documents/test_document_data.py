import pickle

import pytest

from textclass.documents import Document, Limits


def test_page_at_counts_from_one_and_needs_pages():
    doc = Document("a", "a", "one two three", "application/pdf", "0" * 64, page_starts=(0, 4, 8))
    assert [doc.page_at(i) for i in (0, 3, 4, 7, 8, 12)] == [1, 1, 2, 2, 3, 3]
    assert Document("a", "a", "one", "text/plain", "0" * 64).page_at(0) is None


def test_documents_travel_between_processes():
    doc = Document("a", "a", "one", "text/csv", "0" * 64, columns={"n": 1})
    assert pickle.loads(pickle.dumps(doc)) == doc


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="cpu_seconds"):
        Limits(cpu_seconds=0)
