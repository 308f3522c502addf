from __future__ import annotations

from pathlib import Path

import pytest

from tests.batch.makers import make_model, write_inputs
from textclass.batch import TagJob, tag_files


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes long; run by `make soak` (-m slow)")


def pytest_collection_modifyitems(config, items):
    if "slow" in (config.option.markexpr or ""):
        return
    skip = pytest.mark.skip(reason="minutes long: pytest -m slow")
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def inbox(tmp_path_factory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("given") / "inbox", 24)


@pytest.fixture
def tag(model, tmp_path):
    """Run `tag_files` on one worker into a folder of the test's own."""

    def run(paths, *outputs, on_progress=None, **options):
        paths = [paths] if isinstance(paths, str | Path) else paths
        job = TagJob(
            paths=tuple(map(str, paths)),
            outputs=tuple(f"{tmp_path}/{name}" for name in outputs),
            **{"model": model, "workers": 1} | options,
        )
        return tag_files(job, on_progress=on_progress)

    return run
