from pathlib import Path

import pytest

from tests.corpora.makers import sources_yaml
from textclass.corpora.sources import load_sources, parse_sources
from textclass.errors import CorpusError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_sources_of_the_house_are_whole():
    sources = load_sources(Path(__file__).parents[2] / "corpus" / "sources.yaml")
    assert sorted(sources) == ["history", "messages", "milestones", "ungd", "wh"]
    assert all(source.url.startswith("https://github.com/") for source in sources.values())


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "ssh://host/x",
        "http://host/x",
        "--upload-pack=x",
        "https://-oProxyCommand=x",
        "file:///a b",
        "/srv/x",
    ],
)
def test_only_https_and_file_addresses(url):
    with pytest.raises(CorpusError, match=r"line 5: sources\[0\]\.url"):
        parse_sources(sources_yaml(f"'{url}'", COMMIT))


def test_all_faults_are_told_with_their_lines():
    text = sources_yaml("https://x.org/y", "main", name="../x", reader="pdf")
    text += (
        "    branch: main\n" + sources_yaml("https://x.org/y", COMMIT).partition("sources:\n")[2]
    )
    text += sources_yaml("https://x.org/y", COMMIT).partition("sources:\n")[2]
    with pytest.raises(CorpusError) as caught:
        parse_sources(text)
    message = str(caught.value)
    for said in (
        "line 3: sources[0].name",
        "line 6: sources[0].commit",
        "line 8: sources[0].reader: value error, no reader 'pdf'; there are front-matter-markdown",
        "line 9: sources[0].branch: extra inputs",
        "line 16: source 'news' stands twice, first in line 10",
    ):
        assert said in message


def test_a_commit_that_yaml_takes_for_a_number_is_told():
    text = sources_yaml("https://x.org/y", "1" * 40).replace('"', "")
    with pytest.raises(CorpusError, match=r"commit: input should be a valid string"):
        parse_sources(text)


@pytest.mark.parametrize("text", ["", "sources: []", "sources: x", "a: [", "- 1"])
def test_what_is_no_list_of_sources_is_told(text):
    with pytest.raises(CorpusError):
        parse_sources(text)
