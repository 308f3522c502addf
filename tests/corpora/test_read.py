import gzip
import json

import pandas as pd
import pytest

from tests.corpora.makers import (
    BREAD,
    OTHER,
    RIVER,
    TAXONOMY,
    row,
    sources_yaml,
    table,
    write_jsonl,
)
from tests.documents.sheet_makers import ods
from textclass.corpora import read_corpus, scan_corpus
from textclass.corpora import write_jsonl as write
from textclass.errors import CorpusError
from textclass.results import text_id


def test_rows_of_a_jsonl_keep_labels_columns_and_place(tmp_path):
    path = write_jsonl(
        tmp_path / "a.jsonl", [row(topic=["river"], group="d1", register="blog"), row(BREAD)]
    )
    corpus = read_corpus(path, TAXONOMY)
    first, second = corpus.rows
    assert first.labels == {"river"}
    assert (first.group, first.columns["register"]) == ("d1", "blog")
    assert first.where == f"{path}, line 1"
    assert second.labels == frozenset()
    assert second.group == second.id == text_id(BREAD)
    assert corpus.targets.tolist() == [[1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("empty", [None, "", " ", ";", float("nan")])
def test_no_answer_is_not_an_answer_of_none(tmp_path, empty):
    path = write_jsonl(tmp_path / "a.jsonl", [row(), *[row() | {"topic": empty}] * 3])
    with pytest.raises(CorpusError, match=r"3 bad rows: .*line 2 and 2 more: no answer for topic "):
        read_corpus(path, TAXONOMY)
    assert len(scan_corpus(path, TAXONOMY).corpus) == 1


def test_empty_cells_are_told_once_a_file_and_column(tmp_path):
    path = table(tmp_path, "river,[]", ",[]", ",[]", "[],", "river;bread,warm")
    with pytest.raises(CorpusError) as caught:
        read_corpus(path, TAXONOMY)
    assert str(caught.value).startswith("3 bad rows")
    assert "line 3 and 1 more: no answer for topic (write [] where" in str(caught.value)
    assert "line 5: no answer for tone" in str(caught.value)


def test_a_header_in_capitals_names_the_same_columns(tmp_path):
    (tmp_path / "a.csv").write_text(f'ID,Text,source,topic,tone\n7,"{RIVER}",news,river,[]\n')
    (only,) = read_corpus(tmp_path, TAXONOMY).rows
    assert (only.id, only.text) == ("7", RIVER)


def test_a_header_without_the_column_is_told_once_with_what_it_has(tmp_path):
    (tmp_path / "a.csv").write_text(f"nr,sentence,topic\n1,{RIVER[:30]},river\n2,x,bread\n")
    (tmp_path / "b.csv").write_text(f"id,text,topic\n1,{RIVER[:30]},river\n2,x,bread\n")
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path, TAXONOMY)
    said = str(caught.value)
    assert said.count("there is no 'text', only nr, sentence, topic") == 1
    assert said.count("no answer for tone; its columns are id, text, topic") == 1


def test_readers_who_agree_give_one_row_and_others_are_told_with_both_places(tmp_path):
    rows = [row(topic=["river"], reader=reader) for reader in ("anna", "ben")] + [row(BREAD)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    assert read_corpus(path, TAXONOMY).texts == [RIVER, BREAD]
    assert len(read_corpus(path, TAXONOMY, each_reader=True)) == 3
    path = write_jsonl(tmp_path / "b.jsonl", [*rows, row(topic=["bread"], reader="cleo")])
    with pytest.raises(CorpusError, match=r"line 4: the same text has other labels in .*line 1"):
        read_corpus(path, TAXONOMY)
    settled = row(topic=["bread"], labelled="settled")
    write_jsonl(tmp_path / "b.jsonl", [*rows, row(topic=["bread"], reader="cleo"), settled])
    corpus = read_corpus(path, TAXONOMY)
    assert [(r.text, r.labels) for r in corpus.rows] == [(RIVER, {"bread"}), (BREAD, frozenset())]
    write_jsonl(path, [settled, row(topic=["river"], labelled="settled")])
    with pytest.raises(CorpusError, match="line 2: the same text has other labels"):
        read_corpus(path, TAXONOMY)


def test_documents_are_read_where_their_file_is_named_not_with_a_folder(tmp_path):
    path = write_jsonl(tmp_path / "d.jsonl", [row(OTHER, level="document")])
    write_jsonl(tmp_path / "a.jsonl", [row()])
    assert read_corpus(tmp_path, TAXONOMY).texts == [RIVER]
    assert read_corpus(path, TAXONOMY).texts == [OTHER]


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tsv", "b.csv", "c.csv", "d.csv", "a.xlsx", "a.ods", "a.parquet"]
)
def test_every_table_that_tag_reads_is_a_corpus(tmp_path, name):

    rows = [row(f"{RIVER} – café {n}", group=f"g{n}") for n in range(30)]
    labels = ["river", "['river', 'bread']", "[]"] * 10
    frame = pd.DataFrame(rows).assign(topic=labels, tone="[]")
    forms = {
        "a.tsv": {"sep": "\t"},
        "b.csv": {"sep": ";"},
        "c.csv": {"encoding": "utf-16"},
        "d.csv": {"encoding": "cp1252"},
    }
    if name.endswith("ods"):
        (tmp_path / name).write_bytes(ods(list(frame), *frame.astype(str).to_numpy().tolist()))
    elif name.endswith("xlsx"):
        frame.to_excel(tmp_path / name, index=False)
    elif name.endswith("parquet"):
        lists = [["river"], ["river", "bread"], []] * 10
        frame.assign(topic=lists, tone=[[]] * 30).to_parquet(tmp_path / name)
    else:
        frame.to_csv(tmp_path / name, index=False, **forms.get(name, {}))
    corpus = read_corpus(tmp_path / name, TAXONOMY)
    assert corpus.texts == [each["text"] for each in rows]
    assert [sorted(r.labels) for r in corpus.rows[:3]] == [["river"], ["bread", "river"], []]
    assert corpus.groups[:3] == ["g0", "g1", "g2"]


def test_columns_that_dont_matter_may_repeat(tmp_path):
    (tmp_path / "a.csv").write_text(f'text,topic,tone,Note,Note,,\n"{BREAD}",river,[],a,b,c,d\n')
    (only,) = read_corpus(tmp_path / "a.csv", TAXONOMY).rows
    assert (only.labels, only.columns["Note"]) == ({"river"}, "a")


def test_every_bad_row_is_told_at_once_whatever_is_wrong_with_it(tmp_path):
    good = json.dumps(row())
    lines = [
        good.encode(),
        b"{not json}",
        b'"a string"',
        b'{"text": "\xff"}',
        json.dumps(row(topic=["sea"])).encode(),
        json.dumps({"text": RIVER, "topic": []}).encode(),
        json.dumps(row("  ")).encode(),
        b'{"text": "a", "topic": [], "tone": [], "scores": {"topic": NaN}}',
        json.dumps(row("half \ud800 a pair")).encode(),
        b"[" * 100_000,
        good.encode(),
    ]
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(CorpusError) as caught:
        read_corpus(path, TAXONOMY)
    message = str(caught.value)
    assert message.startswith("8 bad rows")
    for number in (2, 3, 4, 5, 6, 7, 8, 10):
        assert f"line {number}" in message
    assert "unknown label 'sea'" in message
    assert "no answer for tone" in message


def test_bad_lines_of_a_csv_dont_hide_the_others(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(f'text,topic,tone\n{BREAD},a,b,c,d\n"{OTHER}",sea,[]\n"{RIVER}" x,river,[]\n')
    with pytest.raises(CorpusError) as caught:
        read_corpus(path, TAXONOMY)
    assert str(caught.value).startswith("3 bad rows")
    assert "unknown label 'sea'" in str(caught.value)


def test_bad_rows_beyond_twenty_are_counted(tmp_path):
    path = tmp_path / "bad.jsonl"
    write_jsonl(path, [row(topic=[f"label {n}"]) for n in range(25)])
    with pytest.raises(CorpusError, match=r"25 bad rows: .*line 20.*; and 5 more"):
        read_corpus(path, TAXONOMY)


def test_a_broken_file_is_told_with_the_bad_rows_of_the_others(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [row(topic=["sea"])])
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])
    (tmp_path / "c.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "d.csv").write_bytes(b"text,topic,tone\n\xff\xfe,,\n")
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path, TAXONOMY)
    for name in "abcd":
        assert str(tmp_path / name) in str(caught.value)


def point(text, **more):
    return row(None, source="news", path="a/b.txt", id=text_id(text)) | more


def test_pointers_get_their_text_and_document_from_the_cache(tmp_path):
    (tmp_path / "sources.yaml").write_text(sources_yaml("https://x.org/n", "0" * 40))
    path = write_jsonl(tmp_path / "public" / "p.jsonl", [point(RIVER), point(BREAD, group="g")])
    with pytest.raises(CorpusError, match=r"2 bad rows: .*line 1 and 1 more: its text isn't here"):
        read_corpus(path, TAXONOMY)
    write(tmp_path / "cache" / "news.jsonl", [{"text": text} for text in (RIVER, BREAD)])
    for where in (tmp_path, path):
        first, second = read_corpus(where, TAXONOMY).rows
        assert first.columns["licence"] == "CC0-1.0"
        assert (first.text, first.group) == (RIVER, "news:a/b.txt")
        assert second.group == "g"


def test_an_altered_text_in_the_cache_counts_as_not_here(tmp_path):
    (tmp_path / "sources.yaml").write_text(sources_yaml("https://x.org/n", "0" * 40))
    path = write_jsonl(tmp_path / "p.jsonl", [point(RIVER), point(RIVER, id=["a"])])
    write_jsonl(tmp_path / "cache" / "news.jsonl", [{"id": text_id(RIVER), "text": RIVER + "!"}])
    with pytest.raises(CorpusError, match=r"line 1 and 1 more: its text isn't here .*corpus fetch"):
        read_corpus(path, TAXONOMY)


def test_a_file_given_twice_is_read_once(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row()])
    assert len(read_corpus([tmp_path, path, path], TAXONOMY)) == 1


def test_a_place_without_a_corpus_is_told(tmp_path):
    for path, said in ((tmp_path, "no .jsonl"), (tmp_path / "x.jsonl", "no such file")):
        with pytest.raises(CorpusError, match=said):
            read_corpus(path, TAXONOMY)
    (tmp_path / "x.txt").write_text("no table\n")
    with pytest.raises(CorpusError, match=r"x\.txt"):
        read_corpus(tmp_path / "x.txt", TAXONOMY)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(CorpusError, match="the file is empty"):
        read_corpus(tmp_path / "empty.jsonl", TAXONOMY)


def test_good_rows_are_read_around_a_byte_order_mark_an_empty_line_and_a_bad_row(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = ("\ufeff" + json.dumps(row()), "", "x", json.dumps(row(BREAD)), "")
    path.write_text("\n".join(lines), encoding="utf-8")
    scan = scan_corpus(path, TAXONOMY)
    assert scan.corpus.texts == [RIVER, BREAD]
    assert [fault.where for fault in scan.faults] == [f"{path}, line 3"]
    with pytest.raises(CorpusError, match=r"1 bad row: .*line 3"):
        read_corpus(path, TAXONOMY)


def test_a_write_that_fails_leaves_the_old_file_and_no_scraps(tmp_path):
    path = tmp_path / "a.jsonl"
    write(path, [{"id": 1}])

    def broken():
        yield {"id": 2}
        raise CorpusError("no")

    with pytest.raises(CorpusError):
        write(path, broken())
    assert path.read_text() == '{"id":1}\n'
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]
