import numpy as np
import pytest

from tests.corpora.makers import BREAD, OTHER, RIVER, TAXONOMY, pointer, row, write_jsonl
from textclass.corpora import (
    check_corpus,
    rare_labels,
    read_corpus,
    scan_corpus,
)
from textclass.corpora.check import near_duplicates
from textclass.taxonomy import Taxonomy

SPANISH = (
    "Los voluntarios de las dos ciudades se encontraron en la plaza para hablar de sus familias y "
    "de lo que habían aprendido durante el largo invierno en las montañas del norte."
)


def check(tmp_path, rows, *, taxonomy=TAXONOMY, held_out=None):
    scan = scan_corpus(write_jsonl(tmp_path / "a.jsonl", rows), taxonomy)
    if held_out is not None:
        held_out = read_corpus(write_jsonl(tmp_path / "held.jsonl", held_out), taxonomy)
    return check_corpus(scan, held_out=held_out)


WHOLE = ("rare-label", "no-group")


def told(report):
    """Return the findings but for those on the whole corpus, which come first."""
    first = [finding.kind not in WHOLE for finding in report].index
    findings = [finding for finding in report if finding.kind not in WHOLE]
    assert not findings or report[first(True) :] == findings
    return findings


def errors(report):
    return [finding for finding in report if finding.level == "error"]


def found(report):
    return [(f.level, f.kind, [int(p.rpartition(" ")[2]) for p in f.where]) for f in told(report)]


def variant(text, *, words=1):
    parts = text.split()
    return " ".join(parts[:-words] + ["otherwise"] * words)


def filler(number, length=25):
    draw = np.random.default_rng(number)
    return " ".join("the " + "".join(draw.choice(list("aeioulmnrst"), 7)) for _ in range(length))


def test_a_sound_corpus_has_no_findings(tmp_path):
    report = check(tmp_path, [row(), row(BREAD, topic=["bread"]), row(OTHER)])
    assert not errors(report)
    assert told(report) == []


def test_labels_with_few_examples_come_first(tmp_path):
    rows = [row(f"{RIVER} {n}", topic=["river"]) for n in range(6)]
    rows[0]["topic"] = ["river", "bread"]
    report = check(tmp_path, [*rows, row(topic=["sea"])])
    lines = [
        "warm: no example; the model can't learn to give it",
        "river: on all 6 passages; the model can't learn where not to give it",
        "bread: 1 example; its threshold means nothing",
    ]
    assert [f.message for f in report][:3] == lines
    alone = "6 of 6 rows have no group: each counts as a document of its own"
    assert (report[3].kind, report[3].message) == ("no-group", alone)
    assert report[4].level == "error"
    assert rare_labels(scan_corpus(tmp_path, TAXONOMY).corpus) == lines


def test_what_a_file_has_wrong_in_many_rows_is_told_once(tmp_path):
    (tmp_path / "a.csv").write_text("text,topic\n" + f'"{RIVER}",river\n' * 40)
    write_jsonl(tmp_path / "b.jsonl", [row(f"{BREAD} {n}") | {"topic": None} for n in range(9)])
    report = check_corpus(scan_corpus(tmp_path, TAXONOMY))
    assert [(f.kind, f.where[0].rpartition("/")[2]) for f in told(report)] == [
        ("no-answer", "a.csv, line 2 and 39 more"),
        ("no-answer", "b.jsonl, line 1 and 8 more"),
    ]


def test_a_corpus_made_of_templates_has_no_errors(tmp_path):
    rows = [
        row(f"The {filler(n, 3)} were discussed beside the market in the town on the {n} visit.")
        for n in range(60)
    ]
    report = check(tmp_path, rows)
    assert not errors(report)
    assert [f.kind for f in told(report) if f.kind != "near-duplicate"] == [
        "length",
        "stock-phrase",
    ]


def test_rows_of_two_readers_are_no_duplicates_but_may_be_in_conflict(tmp_path):
    rows = [row(topic=["river"], reader="anna"), row(topic=["river"], reader="ben")]
    assert told(check(tmp_path, rows)) == []
    rows.append(row(topic=["bread"], reader="cleo"))
    assert found(check(tmp_path, rows)) == [("error", "conflict", [1, 2, 3])]
    rows.append(row(topic=["bread"], labelled="settled"))
    assert told(check(tmp_path, rows)) == []


def test_bad_rows_and_missing_texts_stand_beside_other_findings(tmp_path):
    rows = [row(topic=["sea"]), {"text": ""}, pointer(BREAD, "a.txt"), row(RIVER), row(RIVER)]
    report = check(tmp_path, rows)
    kinds = [(f.level, f.kind) for f in told(report)]
    assert kinds == [
        ("error", "row"),
        ("error", "row"),
        ("warning", "missing-text"),
        ("warning", "duplicate"),
    ]
    assert "unknown label 'sea' (labels.yaml has river, bread)" in told(report)[0].message
    assert errors(report)


def test_the_same_text_is_told_by_what_it_breaks(tmp_path):
    rows = [
        row(RIVER, topic=["river"], group="a"),
        row(RIVER.upper(), group="a"),
        row(BREAD, group="b"),
        row(BREAD.replace(" ", "  "), group="c"),
        row(OTHER, group="d", source="x", path="y"),
        row(OTHER, group="e", source="x", path="z"),
    ]
    report = check(tmp_path, rows)
    assert found(report) == [
        ("warning", "duplicate", [1, 2]),
        ("warning", "duplicate", [3, 4]),
        ("warning", "duplicate", [5, 6]),
    ]
    assert [f.message for f in told(report)] == [
        "the same text twice",
        "the same text in two documents",
        "the same text in two documents",
    ]


def test_near_duplicates_are_told_within_and_across_documents(tmp_path):
    rows = [row(RIVER, group="a"), row(variant(RIVER), group="a"), row(variant(RIVER, words=3))]
    report = check(tmp_path, rows)
    assert {f.kind for f in told(report)} == {"near-duplicate"}
    assert not errors(report)
    within = {f.message.rpartition(" in ")[2] for f in told(report)}
    assert within == {"one document", "two documents"}


def test_leaks_into_held_out_passages_are_errors(tmp_path):
    rows = [row(RIVER, group="a"), row(BREAD, group="b"), row(OTHER, group="c")]
    held_out = [row(RIVER, group="x"), row(variant(BREAD), group="y"), row(filler(1), group="c")]
    report = check(tmp_path, rows, held_out=held_out)
    assert errors(report)
    assert [f.kind for f in errors(report)] == ["leak"] * 3
    messages = " ".join(f.message for f in errors(report))
    assert "the same text in two splits" in messages
    assert "five-word sequences the same in two splits" in messages
    assert "document 'c' stands in two splits" in messages


def test_a_split_column_is_kept_apart_too(tmp_path):
    rows = [row(RIVER, group="a", split="train"), row(BREAD, group="a", split="test")]
    assert [f.message for f in errors(check(tmp_path, rows))] == [
        "document 'a' stands in two splits"
    ]


def test_documents_in_two_files_are_told_once_for_the_two(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [row(RIVER, group="a"), row(OTHER, group="b")])
    write_jsonl(tmp_path / "b.jsonl", [row(BREAD, group="a"), row(filler(1), group="b")])
    (finding,) = told(check_corpus(scan_corpus(tmp_path, TAXONOMY)))
    assert (finding.level, finding.kind) == ("warning", "group")
    assert finding.message.startswith("2 documents")
    assert finding.where == (str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"))


def test_one_id_for_two_texts_is_an_error(tmp_path):
    assert found(check(tmp_path, [row(id="1"), row(BREAD, id="1")])) == [("error", "id", [1, 2])]


def test_stock_phrases_of_written_passages_only(tmp_path):
    stock = "in the spirit of friendship"
    rows = [row(f"{filler(n)} {stock} {filler(1000 + n)}") for n in range(6)]
    rows += [row(filler(n)) for n in range(2000, 2300)]
    report = check(tmp_path, rows)
    assert not errors(report)
    (finding,) = told(report)
    assert finding.message.startswith("6 of 306 passages say 'in the spirit of'")
    public = [{**r, "source": "un", "path": "a"} for r in rows]
    assert told(check(tmp_path, public)) == []
    few = rows[:5] + rows[6:]
    assert told(check(tmp_path, few)) == []


def test_numbers_make_no_stock_phrase(tmp_path):
    rows = [row(f"{filler(n)} 19{n:02} 20{n:02} 30 40 {filler(50 + n)}") for n in range(20)]
    assert told(check(tmp_path, rows)) == []


@pytest.mark.parametrize(
    ("labels", "text", "said"),
    [
        ({"type": ["compassionate"], "principle": ["dialogue"]}, RIVER, "compassionate + dialogue"),
        ({"type": [], "principle": ["impartiality"]}, RIVER, "impartiality without"),
        ({"type": ["humanitarian"], "principle": ["impartiality"]}, RIVER, None),
        ({"type": ["human-rights"], "principle": []}, f"{RIVER} Apartheid.", "without equality"),
        ({"type": ["human-rights"], "principle": ["equality"]}, f"{RIVER} Apartheid.", None),
        ({"type": [], "principle": []}, f"{RIVER} Apartheid.", None),
        (
            {"type": ["human-rights"], "principle": ["liberty"]},
            f"{RIVER} They keep the death penalty.",
            "without dignity",
        ),
    ],
)
def test_labels_against_the_guideline_are_warnings_with_the_reason(tmp_path, labels, text, said):
    report = check(tmp_path, [{"text": text, **labels}], taxonomy=Taxonomy.load())
    assert not errors(report)
    assert [said in f.message for f in told(report)] == ([True] if said else [])


def test_texts_that_teach_nothing(tmp_path):
    rows = [
        row("Far too short"),
        row(" ".join(RIVER.split()[:12])),
        row(filler(1, 150)),
        row(SPANISH),
    ]
    assert found(check(tmp_path, rows)) == [
        ("warning", "length", [1]),
        ("warning", "length", [2, 3]),
        ("warning", "language", [4]),
    ]


def test_near_duplicates_are_found_in_a_crowd_and_little_else():
    texts = [filler(n) for n in range(400)]
    texts += [variant(texts[n], words=3) for n in range(100)]
    pairs = near_duplicates(texts)
    assert {pair[:2] for pair in pairs} == {(n, 400 + n) for n in range(100)}
    first, second = (
        set(zip(*(texts[i].split()[k:] for k in range(5)), strict=False)) for i in (0, 400)
    )
    share = {one: share for one, _, share in pairs}[0]
    assert share == pytest.approx(len(first & second) / len(first | second))


def test_a_thousand_copies_take_no_thousand_squared_pairs():
    texts = [RIVER] * 1000
    assert 999 <= len(near_duplicates(texts)) < 3000


def test_shares_of_a_few_words_mean_nothing():
    assert near_duplicates(["one two three four five six seven"] * 2) == []


@pytest.mark.parametrize("texts", [[], [""], ["one two"], ["", RIVER, ""]])
def test_texts_without_sequences_have_no_duplicates(texts):
    assert near_duplicates(texts) == []


def test_labels_in_doubt_are_ranked_by_how_far_they_are_off(tmp_path):
    rows = [row(f"{RIVER} {n}", topic=["river"] if n < 5 else []) for n in range(10)]
    soft = {"text": BREAD, "scores": {"topic": {"river": 1}, "tone": {}}}
    path = write_jsonl(tmp_path / "a.jsonl", [*rows, soft])
    probabilities = np.zeros((11, 3))
    probabilities[:5, 0] = 0.9, 0.9, 0.9, 0.9, 0.05
    probabilities[5:10, 0] = 0.1, 0.1, 0.1, 0.1, 0.8
    probabilities[10] = np.nan
    report = check_corpus(scan_corpus(path, TAXONOMY), probabilities=probabilities)
    first, second = (finding for finding in report if finding.kind == "label-doubt")
    assert first.message.startswith("river is given, probability 0.05: The ferry crossed")
    assert first.where == (f"{path}, line 5",)
    assert second.message.startswith("river is not given, probability 0.80: ")
