import datetime as dt
import decimal
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents.makers import FILLER
from textclass.documents import Limits
from textclass.documents.plain_text import (
    decode,
    encoding_of,
    iso_date,
    make_safe,
    plain,
    read_markdown,
    read_rtf,
    read_text,
    tidy,
)
from textclass.errors import DocumentError

LIMITS = Limits()


def test_wrapped_text_keeps_its_paragraphs_and_unwrapped_lines_become_some():
    assert (
        read_text(b"one\ntwo\r\n\r\n\r\nthree\fpage  \n", LIMITS).text
        == "one\ntwo\n\nthree\n\npage"
    )
    long = "word " * 40
    assert read_text(f"{long}\n{long}".encode(), LIMITS).text.count("\n\n") == 1


def test_markdown_loses_front_matter_and_markup_but_no_words():
    source = (
        "---\ntitle: x\ndate: 2024-05-06\n---\n# Head *one*\nA **bold** [link](http://x.y/(a))"
        " ![seen](p.png) `co_de_x`\nsnake_case_name 2 * 3 * 4 <b>html</b> <!-- gone -->\n> quote\n"
        "\n```py\ncode\n```\n[ref]: http://x\n\\*lit\\*\n\n| a | b |\n|---|---|\n"
    )
    got = read_markdown(source.encode(), LIMITS)
    assert got.date == "2024-05-06"
    assert got.text == (
        "Head one\n\nA bold link seen co_de_x\nsnake_case_name 2 * 3 * 4 html\nquote\n\ncode\n\n"
        "*lit*\n\n| a | b |"
    )


def test_rtf_gives_paragraphs_in_its_own_code_page_without_pictures():
    picture = b"{\\*\\shppict{\\pict " + b"abcdef0123" * 50 + b"}}"
    source = (
        rb"{\rtf1\ansi\ansicpg1251{\fonttbl\f0 Arial;}"
        + picture
        + rb"\'cc\'e8\'f0 \b bold\b0 .\par"
        rb" It\u8217?s here.\par}"
    )
    assert read_rtf(source, LIMITS).text == "Мир bold.\n\nIt\u2019s here."


RUSSIAN = "Переговоры между сторонами продолжаются, сообщил министр иностранных дел."
FRENCH = "Les négociations à Genève ont été ajournées jusqu'à l'été, a déclaré le délégué."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "cp1251"),
        (FRENCH, "latin-1"),
        (FRENCH, "utf-16-le"),
        (FRENCH, "utf-16-be"),
        (FRENCH, "utf-32"),
        ("Mojibake such as Ã© stays as it is.", "utf-8"),
    ],
)
def test_any_encoding_gives_the_text(text, encoding):
    assert decode(text.encode(encoding), 1000) == text


def test_a_text_cut_inside_a_character_is_still_utf8():
    assert encoding_of(RUSSIAN.encode()[:-1] + RUSSIAN.encode()[:1]) == "utf-8"


def test_too_long_a_text_is_refused():
    with pytest.raises(DocumentError, match="longer than 10 characters"):
        decode(b"a" * 11, 10)


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_tidy_text_can_be_stored_and_has_one_blank_line_at_most(text):
    tidied = tidy(text)
    tidied.encode()
    assert not set("\0\r\f\x1b") & set(tidied)
    assert "\n\n\n" not in tidied
    assert tidy(tidied) == tidied


def test_dates_become_iso_or_nothing():
    assert iso_date("2024-05-06") == "2024-05-06"
    assert iso_date("2024-05-06T07:08:09Z") == "2024-05-06T07:08:09+00:00"
    assert iso_date("last week") is None
    assert iso_date(None) is None


def test_safe_text_keeps_its_length_so_that_offsets_stay_true():
    assert make_safe("a\0b\ud800c\N{DOVE OF PEACE}") == "a\ufffdb\ufffdc\N{DOVE OF PEACE}"


def test_values_that_json_lacks_become_strings():
    value = {
        "d": dt.date(2024, 1, 2),
        "n": decimal.Decimal("1.10"),
        "b": b"\xff",
        "l": (1, None),
        "x": 1 << 80,
        "i": float("inf"),
    }
    assert plain(value) == {"d": "2024-01-02", "n": "1.10", "b": "\\xff", "l": [1, None]} | {
        "x": str(1 << 80),
        "i": None,
    }


def test_deep_values_are_refused():
    with pytest.raises(DocumentError, match="50 levels"):
        plain(json.loads("[" * 60 + "]" * 60))


def test_markdown_keeps_footnotes_and_remarks_but_no_addresses():
    addresses = b"[a]: http://x.y 'title'\n[b]: /z\n"
    source = b"One.[^1]\n\n[^1]: The convoy\n[Annex]: aid passes here\n"
    got = read_markdown(source + addresses, LIMITS)
    assert got.text == "One.[^1]\n\nThe convoy\n[Annex]: aid passes here"


def test_what_is_not_read_of_rtf_is_told():
    source = rb"{\rtf1 Words.{\object\objemb{\*\objdata 0105}{\result shown}}{\shp{\shptxt box}}}"
    assert read_rtf(source, LIMITS).unread == ("text boxes", "embedded files")


@pytest.mark.parametrize(
    "text",
    [
        "The mayor of Malmö met farmers. They said that prices rose again.",
        "The ambassador met farmers in São Paulo.",
        "It’s señor Muñoz’s view – “and Bogotá’s”.",
        "Türkiye",
        "€500",
        "café",
    ],
)
def test_what_is_mostly_ascii_is_taken_for_windows_own_encoding(text):
    assert decode(text.encode("cp1252"), 1000) == text


def test_all_of_a_text_is_looked_at_not_only_its_beginning():
    text = "peace " * 50_000
    assert decode((text + "Malmö").encode("cp1252"), 10**6).endswith("Malmö")
    assert decode((text + "Malmö").encode(), 10**6).endswith("Malmö")


def test_letters_that_could_not_be_decoded_are_told(read):
    (found,) = read("a.txt", f"In Malmö, Århus and Tromsø {FILLER} ".encode() + b"\xff")
    assert found.unread == ("letters that could not be decoded",)
    (found,) = read("a.jsonl", b'{"text": "peace \\ud800"}')
    assert found.unread == ("letters that could not be decoded",)
