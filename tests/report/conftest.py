import pytest

from tests.report.chromium import Browser, find_chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if not find_chromium():
        pytest.skip("no Chromium here: apt-get install chromium")
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()
