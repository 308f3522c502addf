import json

import pytest

from tests.learning.golden import FIGURES, measure


def numbers(value, path=""):
    """Every figure of nested data after its path; what isn't a figure as it stands."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    else:
        yield path, value
        return
    for key, item in pairs:
        yield from numbers(item, f"{path}/{key}")


def test_figures_of_the_shipped_model_stay():
    kept = dict(numbers(json.loads(FIGURES.read_text(encoding="utf-8"))))
    found = dict(numbers(json.loads(json.dumps(measure()))))
    assert found.keys() == kept.keys()
    for path, value in kept.items():
        assert found[path] == (
            pytest.approx(value, abs=2e-6) if isinstance(value, float) else value
        ), path
