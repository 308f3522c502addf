import gzip
import json
import unicodedata

import pandas as pd
import pytest

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, row, sources_yaml, write_jsonl
from tests.documents.sheet_makers import ods
from textclass.corpora import read_corpus, scan_corpus
from textclass.corpora import write_jsonl as write
from textclass.errors import CorpusError
from textclass.results import text_id
from textclass.taxonomy import Facet, Label, Taxonomy, parse_taxonomy


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


TABLE = "id,text,topic,tone\n"


def table(tmp_path, *cells, name="a.csv"):
    lines = [f'{n},"{RIVER} {n}",{cell}' for n, cell in enumerate(cells)]
    (tmp_path / name).write_text(TABLE + "\n".join(lines) + "\n")
    return tmp_path / name


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


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("river", {"river"}),
        (" river ", {"river"}),
        ("river;bread", {"river", "bread"}),
        ("river;", {"river"}),
        ('"river, bread"', {"river", "bread"}),
        ("river|bread", {"river", "bread"}),
        ('"[""river"", ""bread""]"', {"river", "bread"}),
        ("\"['river', 'bread']\"", {"river", "bread"}),
        ("['river']", {"river"}),
        ("\"('river', 'bread')\"", {"river", "bread"}),
        ('"{""choices"": [""river"", ""bread""]}"', {"river", "bread"}),
        ("[]", set()),
    ],
)
def test_labels_in_a_cell(tmp_path, cell, labels):
    (only,) = read_corpus(table(tmp_path, f"{cell},[]"), TAXONOMY).rows
    assert only.labels == labels


def test_a_label_that_looks_like_a_list_is_one(tmp_path):
    other = Facet("topic", (Label("(other)", "What is left."),))
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": RIVER, "topic": "(other)"}])
    assert read_corpus(path, Taxonomy((other,))).rows[0].labels == {"(other)"}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["sea"], "unknown label 'sea' (labels.yaml has river, bread)"),
        ("sea", "unknown label 'sea' (labels.yaml has river, bread)"),
        (0, "the label 0 is a number, not a name (labels.yaml has river, bread)"),
        ([1], "the label 1 is a number"),
        ({"river": 1}, "labels were expected, not {'river': 1}"),
        ("['river", "can't read the list \"['river\""),
        ([["river"]], "unknown label ['river']"),
    ],
)
def test_labels_that_arent_understood_are_told_as_they_came(tmp_path, labels, said):
    path = write_jsonl(tmp_path / "a.jsonl", [row() | {"topic": labels}])
    with pytest.raises(CorpusError) as caught:
        read_corpus(path, TAXONOMY)
    assert said in str(caught.value)
    assert f"{path}, line 1" in str(caught.value)


def test_the_number_0_is_an_id_and_a_group_and_a_word_a_label(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [row(id=0), row(BREAD, group=0) | {"topic": "bread"}])
    first, second = read_corpus(path, TAXONOMY).rows
    assert (first.id, second.group) == ("0", "0")
    assert second.labels == {"bread"}  # one label needs no list


def test_numbers_that_pandas_made_floats_are_the_same_numbers(tmp_path):
    whole = write_jsonl(tmp_path / "a.jsonl", [row(id=7, group=66), row(BREAD, group="6.50")])
    (tmp_path / "b.csv").write_text(f'id,group,text,topic,tone\n7.0,66.0,"{RIVER}",[],[]\n')
    frame = pd.DataFrame([row(id=7, group=66), row(BREAD, id=8)])
    frame.to_parquet(tmp_path / "c.parquet")
    assert frame["group"].dtype == float
    names = [
        [(r.id, r.group, r.alone) for r in read_corpus(path, TAXONOMY).rows]
        for path in (whole, tmp_path / "b.csv", tmp_path / "c.parquet")
    ]
    assert [found[0] for found in names] == [("7", "66", False)] * 3
    assert names[0][1][1:] == ("6.50", False)
    assert names[2][1] == ("8", "8", True)


def test_labels_are_the_same_however_their_accents_are_typed(tmp_path):
    taxonomy = parse_taxonomy(
        "facets: [{name: t, labels: [{name: é, definition: d}, {name: è, definition: d}]}]"
    )
    typed = unicodedata.normalize("NFD", "é")
    rows = [
        {"text": RIVER, "t": [typed], "spans": [[0, 3, typed]]},
        {"text": BREAD, "t": typed},
        {"text": OTHER, "scores": {"t": {typed: 0.5}}},
    ]
    first, second, soft = read_corpus(write_jsonl(tmp_path / "a.jsonl", rows), taxonomy).rows
    assert first.labels == second.labels == {"é"}
    assert first.columns["spans"][0]["label"] == "é"
    assert soft.scores == {"é": 0.5, "è": 0}


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
    import pandas as pd

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


def test_scores_left_out_are_zero_and_unknown_ones_refused(tmp_path):
    scores = {"topic": {"river": 0.25}, "tone": {}}
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": RIVER, "scores": scores}])
    (only,) = read_corpus(path, TAXONOMY).rows
    assert only.scores == {"river": 0.25, "bread": 0.0, "warm": 0.0}
    assert not only.hard
    bad = [
        {"topic": {"river": 0.2}},
        {**scores, "tone": {"cold": 1}},
        {**scores, "topic": {"river": 2}},
    ]
    write_jsonl(path, [{"text": RIVER, "scores": each} for each in bad])
    with pytest.raises(CorpusError, match="3 bad rows"):
        read_corpus(path, TAXONOMY)


def test_spans_must_lie_in_the_text_and_have_a_known_label(tmp_path):
    good = {"start": 4, "end": 9, "label": "river"}
    path = write_jsonl(tmp_path / "a.jsonl", [row(spans=[good])])
    assert read_corpus(path, TAXONOMY).rows[0].columns["spans"] == [good]
    bad = [{**good, "end": 10_000}, {**good, "start": 9}, {**good, "label": "sea"}, [4, 9], None]
    bad.append({**good, "label": ["river"]})
    write_jsonl(path, [row(spans=[each]) for each in bad])
    with pytest.raises(CorpusError, match="6 bad rows"):
        read_corpus(path, TAXONOMY)


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
