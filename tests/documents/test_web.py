import pytest

from tests.documents.makers import FILLER
from textclass.documents import Limits
from textclass.documents.web import main_text, read_html, shown_text
from textclass.errors import DocumentError

LIMITS = Limits()


def test_main_text_without_menus_and_with_its_date():
    got = main_text(
        "<html><head><title>T</title><meta property='article:published_time'"
        " content='2023-01-02'></head><body><nav><a href=x>Menu</a></nav><article><h1>Head</h1>"
        f"<p>{FILLER}</p><p>{FILLER} Again.</p></article><script>bad()</script></body></html>",
        LIMITS,
    )
    assert got.text == f"Head\n\n{FILLER}\n\n{FILLER} Again."
    assert got.date == "2023-01-02"


def test_headings_that_trafilatura_loses_are_read():
    page = (
        "<div class=newsletter><h1>June <b>letter</b></h1>"
        + "".join(
            f"<div class=widget><h2>{name}</h2><p>{FILLER} {name}.</p></div>" for name in "AB"
        )
        + "<section class=comments><h2>Comments</h2><p>Ha.</p></section></div>"
    )
    got = main_text(f"<html><body>{page}</body></html>", LIMITS)
    assert got.text.startswith(f"June letter\n\nA\n\n{FILLER} A.\n\nB\n\n{FILLER} B.")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<nav>Peace</nav><div>open <b>today</b><br>at noon</div>", "Peace\n\nopen today\nat noon"),
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
            "a | b\n\nc | d",
        ),
        ("<p>seen<script>unseen()</script><style>p {}</style> words</p>", "seen words"),
    ],
)
def test_what_trafilatura_gives_up_on_is_read_as_seen(monkeypatch, page, text):
    monkeypatch.setattr("trafilatura.extract", lambda *_, **__: None)
    assert main_text(f"<html><body>{page}</body></html>", LIMITS).text == text


def test_the_charset_a_page_names_counts_unless_it_is_utf8():
    russian = "Мир и переговоры в долине идут. "
    head = "<html><head><meta charset='windows-1251'></head><body><p>"
    for encoding in ("cp1251", "utf-8"):
        assert "переговоры" in read_html((head + russian * 3).encode(encoding), LIMITS).text


def test_long_attributes_and_scripts_are_no_attack():
    drawing = (
        "<svg><path d='"
        + "M 1 2 " * 5000
        + "'/></svg><script>if (a < b) "
        + "x " * 5000
        + "</script>"
    )
    assert FILLER in main_text(f"<html><body>{drawing}<p>{FILLER}</p></body></html>", LIMITS).text


def test_deep_pages_within_the_limit_lose_nothing():
    deep = "<div>" * 400 + f"<p>{FILLER}</p>" + "</div>" * 400
    assert main_text(f"<html><body>{deep}</body></html>", LIMITS).text == FILLER


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("<div>" * 600 + "x", "nested more than 500"),
        ("<p " + "a=1 " * 1100 + ">x", "more than 1,000 attributes"),
        ("<p " + "b='1' " * 1100 + ">x", "more than 1,000 attributes"),
    ],
)
def test_markup_made_to_choke_is_refused(source, match):
    with pytest.raises(DocumentError, match=match):
        main_text(f"<html><body>{source}", LIMITS)


def test_too_many_tags_are_refused():
    with pytest.raises(DocumentError, match="more than 10 tags"):
        main_text("<br>" * 11, Limits(tags=10))


@pytest.mark.parametrize(
    ("page", "match"),
    [
        ("<div id=root></div><script>run()</script>", "drawn by a script"),
        ("<p>You need to enable JavaScript to run this app.</p>", "drawn by a script"),
        ("<p>Checking your browser before you enter.</p>", "a check for robots"),
        (
            "<p>We use cookies to improve our site.</p><p>Accept all cookies</p>",
            "a cookie notice",
        ),
    ],
)
def test_a_notice_in_place_of_the_page_is_told(fault_of, page, match):
    fault = fault_of("a.html", f"<html><body>{page}</body></html>".encode())
    assert match in fault.error
    assert "save it as PDF or MHTML" in fault.error


def test_boilerplate_of_a_page_is_marked_and_stays_in_the_text(read):
    page = f"<p>{FILLER}</p><p>Subscribe now to our newsletter.</p><p>{FILLER} Again.</p>"
    (found,) = read("a.html", f"<html><body><article>{page}</article></body></html>".encode())
    ((start, end),) = found.boilerplate
    assert found.text[start:end] == "Subscribe now to our newsletter."


def test_text_in_details_and_shadow_trees_is_read():
    page = (
        f"<article><h1>Head</h1><p>{FILLER * 4}</p><details><summary>More</summary><p>{FILLER}"
        " Folded.</p></details><my-part><template shadowrootmode=open><p>"
        f"{FILLER} Shadowed.</p></template></my-part></article>"
    )
    text = main_text(f"<html><body>{page}</body></html>", LIMITS).text
    assert [word in text for word in ("Folded", "Shadowed")] == [True, True]


@pytest.mark.parametrize(
    ("page", "unread"),
    [
        ("<p>Report of the ministry</p><iframe src=x></iframe>", "in its frames"),
        ("<frameset><frame src=a><noframes>No frames here.</noframes></frameset>", "in its frames"),
        ("<p>Moved. <a href=y>Go on</a></p><meta http-equiv=Refresh content='0; url=y'>", "leads"),
        (f"<p>{FILLER * 4}</p><p>To continue reading, please log in.</p>", "subscribers"),
        (f"<p>{FILLER * 4}</p><p>Subscribe now to read the full story.</p>", "subscribers"),
        (f"<p>{FILLER * 4}</p><p>This article is only for members.</p>", "subscribers"),
        (f"<p>{FILLER * 4}</p><iframe src=advert></iframe>", ""),
        ("<p>Read.</p><noscript><iframe src=counter></iframe></noscript>", ""),
    ],
)
def test_a_page_whose_text_is_elsewhere_is_told(page, unread):
    told = main_text(f"<html>{page}</html>", LIMITS).unread
    assert [unread in what for what in told] == [True] * bool(unread)


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='color: red; DISPLAY : none !important'>Unseen <b>words</b></div>",
        "<p hidden>Unseen</p>",
        "<span style='visibility:hidden'>Unseen</span>",
    ],
)
def test_what_a_page_hides_is_left_out_and_what_follows_is_not(hidden):
    page = f"<html><body><p>{FILLER}</p>{hidden} After it. <p>{FILLER}</p></body></html>"
    for text in (main_text(page, LIMITS).text, shown_text(page, LIMITS)):
        assert "Unseen" not in text
        assert "After it." in text


def test_what_a_page_only_folds_is_read():
    page = f"<p>{FILLER}</p><p hidden=until-found>Folded.</p><p style='display:block'>Shown.</p>"
    text = shown_text(f"<html><body style='display:none'>{page}</body></html>", LIMITS)
    assert text == f"{FILLER}\n\nFolded.\n\nShown."


def test_boilerplate_is_kept_if_wanted(read):
    page = (
        f"<html><body><nav>Home | News</nav><article><p>{FILLER * 3}</p></article>"
        "<footer>Subscribe to our newsletter.</footer></body></html>"
    )
    saved = (
        "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n"
        f"--b\nContent-Type: text/html\n\n{page}\n--b--\n"
    )
    for name, data in (("a.html", page), ("a.mhtml", saved)):
        (found,) = read(name, data.encode())
        assert "Home" not in found.text
        (found,) = read(name, data.encode(), keep_boilerplate=True)
        assert "Home | News" in found.text
        assert "newsletter" in found.text
        assert found.boilerplate == ()
