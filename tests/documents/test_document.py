import pickle

import pytest

from textclass.documents import Document, Limits


def test_documents_travel_between_processes():
    doc = Document("a", "a", "one", "text/csv", "0" * 64, columns={"n": 1})
    assert pickle.loads(pickle.dumps(doc)) == doc


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="cpu_seconds"):
        Limits(cpu_seconds=0)
