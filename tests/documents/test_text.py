import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.documents.text import decode, encoding_of, iso_date, tidy
from textclass.errors import DocumentError

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


def test_too_long_a_text_is_refused_before_and_after_decoding():
    with pytest.raises(DocumentError, match="longer than 10 characters"):
        decode(b"a" * 11, 10)
    with pytest.raises(DocumentError, match="longer than 10 characters"):
        decode(b"a" * 1000, 10)


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
