"""What users read back: results of any format as one frame."""

from pathlib import Path

import pytest

from textclass.batch import Level, TagJob, read_results, tag_files
from textclass.errors import TextclassError

RIVER = "the old ferry left the bank upstream near the town "
PLAIN = "on the old road near the town it was morning and people saw the market "


@pytest.fixture(scope="module")
def results(toy_model, tmp_path_factory):
    """A folder with results of two documents in each format and level."""
    folder = tmp_path_factory.mktemp("results")
    inbox = folder / "inbox"
    inbox.mkdir()
    (inbox / "a.txt").write_text(RIVER * 3)
    (inbox / "b.csv").write_text(f"id,text,year,place\n=7,{PLAIN * 3},1999,NA\n")
    for level in Level:
        names = [*(f"{level}.{form}" for form in ("jsonl", "csv", "parquet", "xlsx")), f"{level}/"]
        tag_files(
            TagJob(
                (str(inbox),),
                tuple(f"{folder}/{name}" for name in names),
                model=toy_model.path,
                level=level,
                workers=1,
            )
        )
    return folder


@pytest.mark.parametrize("form", [".jsonl", ".csv", ".parquet", ".xlsx", ""])
def test_results_of_every_format_are_read_alike(form, results):
    passages = read_results(results / f"passage{form}")
    given, none = passages["topic"]
    assert (given[0], none) == ("river", [])
    assert passages["unread"].tolist() == [[], []]
    assert passages["topic.river"].dtype == float
    assert passages.loc[0, "topic.river"] > 0.5
    assert int(passages.loc[1, "year"]) == 1999
    assert passages.loc[1, "place"] == "NA"
    documents = read_results(results / f"document{form}")
    assert documents["topic"].tolist() == [given, []]
    assert documents.loc[0, "primary.topic"] in given
    assert documents["topic.river"].tolist() == passages["topic.river"].tolist()


@pytest.mark.parametrize("name", ["both.xlsx", "both"])
def test_of_what_holds_both_levels_one_is_read(name, results):
    for level in ("passage", "document"):
        found = read_results(results / name, level=level)
        assert found.equals(read_results(results / f"{level}{Path(name).suffix}"))
    assert "text" in read_results(results / name)


def test_what_holds_no_results_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n1,x\n")
    with pytest.raises(TextclassError, match=r"holds no results.*its columns are id, text"):
        read_results(tmp_path / "a.csv")
    with pytest.raises(TextclassError, match="can't be read"):
        read_results(tmp_path / "none.jsonl")
    with pytest.raises(TextclassError, match=r"results end in \.jsonl"):
        read_results(tmp_path / "a.docx")
