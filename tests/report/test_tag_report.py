import gc
import re
import weakref
from urllib.parse import unquote_to_bytes

import pytest

from tests.report import examples
from textclass.errors import TextclassError
from textclass.report import write_tag_report
from textclass.report.overview import Tally, draw_bars, month_of

TAXONOMY = examples.small_taxonomy()


def write(path, number=6, **options):
    records = [examples.record(TAXONOMY, n) for n in range(1, number + 1)]
    return write_tag_report(records, examples.SET_ASIDE, path, taxonomy=TAXONOMY, **options)


def names(page):
    return re.findall(r'<span class="name"><bdi>(.*?)</bdi>', page)


def test_a_small_report_is_one_file_with_every_document_unsure_first(tmp_path):
    (path,) = write(tmp_path / "tagged.html", 30)
    page = path.read_text("utf-8")
    assert len(names(page)) == 30
    outcomes = re.findall(r'<li class="doc (\w+)', page)
    ranks = [("unsure", "tagged", "none").index(outcome) for outcome in outcomes]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1


def test_what_was_set_aside_is_told_with_its_reason(tmp_path):
    page = write(tmp_path / "tagged.html")[0].read_text("utf-8")
    assert "2 items have no result" in page
    assert "no text layer: the pages are pictures" in page
    assert "<bdi>scans.zip!scan.pdf</bdi>" in page


def test_unsure_passages_come_first_and_say_why(tmp_path):
    page = write(tmp_path / "tagged.html", 30)[0].read_text("utf-8")
    assert "just under a threshold" in page
    for document in page.split('<li class="doc ')[1:]:
        outcomes = re.findall(r'<li class="passage (\w+)', document)
        ranks = [("unsure", "tagged", "none").index(outcome) for outcome in outcomes]
        assert ranks == sorted(ranks)


def test_a_large_report_links_every_document_to_a_page_that_has_it(tmp_path):
    files = write(tmp_path / "tagged.html", 30, page_bytes=40_000)
    assert [file.name for file in files[:3]] == [
        "tagged.html",
        "tagged-002.html",
        "tagged-003.html",
    ]
    page = files[0].read_text("utf-8")
    links = re.findall(r'class="row" href="\./([^"#]*)#(d\d+)"', page)
    assert len(links) == len(names(page)) == 30
    for name, anchor in links:
        assert f'id="{anchor}"' in (tmp_path / name).read_text("utf-8")
    assert sum(len(names(file.read_text("utf-8"))) for file in files[1:]) == 30


@pytest.mark.parametrize("name", ["a:b #1?.html", "50%.html", "x & y's.html", "re\udce9port.html"])
def test_pages_of_an_oddly_named_report_are_found(tmp_path, name):
    files = write(tmp_path / name, 12, page_bytes=20_000)
    page = files[0].read_text("utf-8")
    linked = {unquote_to_bytes(found) for found in re.findall(r'href="\./([^"#]*)', page)}
    assert linked == {file.name.encode("utf-8", "surrogateescape") for file in files[1:]}


def test_pages_that_an_earlier_report_left_go_and_other_files_stay(tmp_path):
    write(tmp_path / "tagged.html", 30, page_bytes=20_000)
    kept = tmp_path / "tagged-099.html"
    kept.write_text("mine")
    write(tmp_path / "tagged.html", 3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tagged-099.html", "tagged.html"]
    assert kept.read_text() == "mine"


def test_a_file_of_the_user_is_never_overwritten_by_a_page(tmp_path):
    mine = tmp_path / "tagged-002.html"
    mine.write_text("mine")
    with pytest.raises(TextclassError, match=r"tagged-002.html: it would be overwritten"):
        write(tmp_path / "tagged.html", 12, page_bytes=20_000)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "tagged.html").exists()


class Watched(dict):
    pass


def test_documents_are_let_go_as_they_stream(tmp_path):
    seen, most = weakref.WeakSet(), 0

    class Key:
        pass

    def records():
        nonlocal most
        for number in range(1, 40):
            record = Watched(examples.record(TAXONOMY, number, passages=2))
            record["key"] = key = Key()
            seen.add(key)
            del key
            gc.collect(0)
            most = max(most, len(seen))
            yield record

    write_tag_report(records(), [], tmp_path / "tagged.html", taxonomy=TAXONOMY)
    assert most <= 3


def test_what_was_not_read_of_a_document_is_told(tmp_path):
    records = [examples.record(TAXONOMY, n) for n in (1, 2)]
    records[0]["document"]["unread"] = ["pages 3-10: no text layer", "part <x>: encrypted"]
    (path,) = write_tag_report(records, [], tmp_path / "tagged.html", taxonomy=TAXONOMY)
    page = path.read_text("utf-8")
    assert page.count("read in part</span>") == 1
    assert ">pages 3-10: no text layer</li>" in page
    assert ">part &lt;x&gt;: encrypted</li>" in page
    assert re.search(r"<dt>read in part</dt><dd>1<", page)


def test_an_empty_batch_has_a_report(tmp_path):
    (path,) = write_tag_report([], [], tmp_path / "tagged.html", taxonomy=TAXONOMY)
    assert "every file was read" in path.read_text("utf-8")


def test_long_documents_and_lists_are_capped_and_say_so(tmp_path):
    record = examples.record(TAXONOMY, 1, passages=350)
    aside = [{"id": f"{n}.pdf", "stage": "read", "error": "broken"} for n in range(1_200)]
    path = tmp_path / "tagged.html"
    write_tag_report([record], aside, path, taxonomy=TAXONOMY)
    page = path.read_text("utf-8")
    assert "50 more passages not shown" in page
    assert "1,200 items have no result" in page
    assert "200 more are in the set-aside file" in page
    anchors = set(re.findall(r' id="(d1p\d+)"', page))
    assert set(re.findall(r'href="#(d1p\d+)"', page)) <= anchors


@pytest.mark.parametrize(
    ("date", "month"),
    [
        ("2024-03-11", "2024-03"),
        ("2024-03", "2024-03"),
        ("2024-13-01", ""),
        ("March", ""),
        (None, ""),
    ],
)
def test_months(date, month):
    assert month_of(date) == month


def tally(records, taxonomy=TAXONOMY):
    counted = Tally(taxonomy)
    for record in records:
        counted.add(record)
    return counted


def maps(records):
    return {plot.heading: plot for plot in tally(records).maps()}


def test_time_runs_in_months_and_in_years_when_long():
    records = [examples.record(TAXONOMY, n) for n in range(30)]
    for record, date in zip(records, ("2024-04-30", "2024-01-02", None), strict=False):
        record["date"] = date
    assert maps(records[:3])["Type by month"].columns == ["2024-01", "2024-04"]
    for number, record in enumerate(records):
        record["date"] = (
            f"{1990 + number % 2}-{number // 2 % 12 + 1:02}-03" if number else "1601-01"
        )
    assert maps(records)["Type by year"].columns == ["1601", "1990", "1991"]


def test_a_cell_tells_its_share_of_the_documents():
    records = [examples.record(TAXONOMY, n, name=f"{n % 2}/a.pdf") for n in range(20)]
    counted = tally(records)
    (by_folder,) = (plot for plot in counted.maps() if plot.heading == "Type by folder")
    for label, cells in by_folder.rows.items():
        numbers = [int(note.split(": ")[1].split(" of ")[0]) for _, _, note in cells]
        assert sum(numbers) == counted.labels[label]
        assert all(note.endswith(" of 10 documents") for _, _, note in cells)
    assert max(shade for cells in by_folder.rows.values() for shade, _, _ in cells) == 9


def test_folders_beyond_the_largest_are_counted():
    records = [examples.record(TAXONOMY, n, name=f"folder{n}/a.pdf") for n in range(1, 30)]
    by_folder = maps(records)["Type by folder"]
    assert len(by_folder.columns) == 24
    assert by_folder.note.endswith(" 5 folders with fewer documents not shown.")


def test_a_single_document_of_ten_thousand_still_has_a_bar():
    bars = draw_bars("", "", {"a": 10_000, "b": 1, "c": 0}, 10_001)
    assert bars.rows == (("a", 100, "10,000 · >99%"), ("b", 2, "1 · <1%"), ("c", 0, "0 · 0%"))
    assert draw_bars("", "", {}).rows == ()


def test_one_facet_is_counted_against_itself():
    taxonomy = examples.small_taxonomy(types=("a", "b", "c"), principles=())
    taxonomy = type(taxonomy)(taxonomy.facets[:1])
    record = examples.record(taxonomy, 1)
    record["passages"] = [{**record["passages"][0], "type": ["a", "b"]}]
    label = {"facet": "type", "share": 1, "passages": 1, "strongest": [0], "probability": 1}
    record["document"]["labels"] = [{**label, "label": name} for name in ("a", "b")]
    (together,) = tally([record], taxonomy).maps()
    assert together.rows["a"] == [(0, "", "a with a: 0 passages"), (9, "1", "a with b: 1 passage")]
