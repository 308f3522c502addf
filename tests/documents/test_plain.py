from textclass.documents import Limits
from textclass.documents.plain import read_markdown, read_rtf, read_text

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
