import pytest

from textclass.language import is_english


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("the committee met in the hall and agreed on a date", True),
        ("el comité se reunió en la sala y acordó una fecha", False),
        ("le comité s' est réuni dans la salle et a fixé une date", False),
        ("der ausschuss traf sich im saal und einigte sich auf ein datum", False),
        ("комитет собрался в зале", False),
        ("委員会 は 会議 を 開いた", False),
        ("geneva berlin nairobi", True),
        ("", True),
    ],
)
def test_languages(text, english):
    assert is_english(text.split()) is english
