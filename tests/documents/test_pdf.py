import io

import pypdfium2
import pytest

from tests.documents.makers import FILLER, encrypted_pdf, page, pdf, scanned_pdf
from textclass.documents import Limits
from textclass.documents.pdf import read_pdf
from textclass.errors import DocumentError

LIMITS = Limits()
TOPICS = ("grain", "water", "prisoners", "borders")


def set_lines(top, *lines, left=72):
    return [(left, top - 14 * i, 12, line) for i, line in enumerate(lines)]


def report():
    """Four pages with running heads; on each a paragraph goes on from the page before."""
    pages = []
    for number, topic in enumerate(TOPICS, 1):
        head = (72, 760, 9, f"ANNUAL REPORT {2019 + number}")
        foot = (300, 30, 9, f"- {number} -")
        first = set_lines(
            700,
            f"of {topic} ended here.",
            f"About {topic} the two govern-",
            "ments agreed on a cease-",
            "fire, which both of them have signed.",
        )
        last = set_lines(
            600, f"A paragraph on {topic} begins here and it", f"goes on: {topic} talk"
        )
        pages.append(page(head, *first, *last, foot))
    return pdf(pages)


def test_lines_become_paragraphs_and_running_heads_stand_once():
    got = read_pdf(report(), LIMITS)
    assert got.text.split("\n\n")[:5] == [
        "ANNUAL REPORT 2020",
        "of grain ended here.",
        "About grain the two governments agreed on a ceasefire, which both of them have signed.",
        "A paragraph on grain begins here and it goes on: grain talk of water ended here.",
        "About water the two governments agreed on a ceasefire, which both of them have signed.",
    ]
    assert got.text.count("ANNUAL REPORT") == 1
    assert "- 2 -" not in got.text


def test_a_sentence_on_each_page_with_numbers_of_its_own_is_no_running_head():
    years = {2019: 14, 2020: 3, 2021: 41, 2022: 22}
    said = [f"In {year} they released {count} prisoners." for year, count in years.items()]
    pages = [page((72, 740, 12, line), *set_lines(640, FILLER, FILLER)) for line in said]
    text = read_pdf(pdf(pages), LIMITS).text
    assert [line in text for line in said] == [True] * len(said)


def test_headings_and_ends_that_do_not_stand_apart_are_no_running_heads():
    pages = []
    for n in range(1, 5):
        ends = [(72, 640, 12, f"Recommendation {n}"), (72, 616, 12, "The committee")]
        pages.append(page((72, 700, 18, f"Case {n}"), *set_lines(678, FILLER, FILLER), *ends))
    text = read_pdf(pdf(pages), LIMITS).text
    assert [text.count(f"Case {n}") + text.count(f"Recommendation {n}") for n in range(1, 5)] == [
        2
    ] * 4
    assert text.count("The committee") == 4


@pytest.mark.parametrize("number", ["{}", "- {} -", "{}/9"])
def test_page_numbers_close_to_the_text_cut_no_sentence(number):
    pages = [
        page(*set_lines(700, f"and {topic} came", f"to {topic}"), (300, 674, 9, number.format(n)))
        for n, topic in enumerate(TOPICS, 4)
    ]
    text = " ".join(f"and {topic} came to {topic}" for topic in TOPICS)
    assert read_pdf(pdf(pages), LIMITS).text == text


def test_the_last_row_of_each_page_is_no_page_number():
    rows = [f"{n} {n * n + 90} 3.{n % 4}" for n in (14, 3, 41, 22)]
    pages = [page(*set_lines(700, f"Held after {row[:2]} talks", "in all", row)) for row in rows]
    text = read_pdf(pdf(pages), LIMITS).text
    assert [row in text for row in rows] == [True] * len(rows)


def test_a_first_running_head_cuts_no_sentence():
    pages = []
    for topic in TOPICS:
        ends = set_lines(700, f"The talks on {topic} and", f"on what {topic} means")
        goes_on = [(72, 700, 12, f"for {topic} ended."), *set_lines(672, f"So {topic}", "waits.")]
        pages += [page((72, 760, 9, "Right"), *ends), page((72, 760, 9, "Left"), *goes_on)]
    assert read_pdf(pdf(pages), LIMITS).text.startswith(
        "Right\n\nThe talks on grain and on what grain means for grain ended.\n\nLeft\n\nSo"
    )


def test_the_raised_number_of_a_note_stays_with_its_passage():
    lines = set_lines(700, "We took no", "armed escort.")
    mark = (147, 691, 8, "1")
    text = read_pdf(pdf([page(*lines, mark, *set_lines(656, "We told them so."))]), LIMITS).text
    assert text == "We took no armed escort. 1\n\nWe told them so."


def test_page_starts_lead_to_each_page():
    got = read_pdf(report(), LIMITS)
    assert len(got.page_starts) == len(TOPICS)
    assert got.page_starts[0] == 0
    for start, topic in zip(got.page_starts[1:], TOPICS[1:], strict=True):
        assert got.text[start:].startswith(f"of {topic} ended")


def test_empty_pages_keep_the_count():
    got = read_pdf(
        pdf([b"", page((72, 700, 12, "Words.")), b"", page((72, 700, 12, "More."))]), LIMITS
    )
    assert got.text == "Words.\n\nMore."
    assert got.page_starts == (0, 0, 6, 8)


def test_columns_stay_apart():
    left = set_lines(700, "The left column tells", "about the talks.")
    right = set_lines(700, "The right one tells", "about the truce.", left=330)
    text = read_pdf(pdf([page(*left, *right)]), LIMITS).text
    assert text == "The left column tells about the talks.\n\nThe right one tells about the truce."


def test_a_word_divided_over_pages_is_joined_and_its_own_hyphen_kept():
    pages = [
        page(*set_lines(700, "The two-state plan and the", "long negoti-")),
        page(*set_lines(700, "ations on the two-", "state plan with Anglo-", "French help")),
    ]
    got = read_pdf(pdf(pages), LIMITS)
    assert got.text == (
        "The two-state plan and the long negotiations on the two-state plan with Anglo-French help"
    )
    assert got.text[got.page_starts[1] :].startswith("ations")


@pytest.mark.parametrize(
    ("ends", "goes_on", "joined"),
    [("a five-", "hour pause", "a five-hour pause"), ("the six-", "teenth", "the sixteenth")],
)
def test_a_number_word_keeps_the_hyphen_at_a_lines_end(ends, goes_on, joined):
    assert read_pdf(pdf([page(*set_lines(700, ends, goes_on))]), LIMITS).text == joined


def test_an_empty_page_inside_a_divided_word_starts_where_the_next_does(text_of):
    first, second = (page(*set_lines(700, line)) for line in ("The long negoti-", "ations go on"))
    data = pdf([first, b"", second])
    got = read_pdf(data, LIMITS)
    assert got.text == text_of("a.pdf", data) == "The long negotiations go on"
    assert got.page_starts == (0, 15, 15)


def test_a_document_that_only_repeats_is_kept():
    got = read_pdf(pdf([page((72, 700, 12, "Copy of the note."))] * 3), LIMITS)
    assert got.text.count("Copy of the note.") == 3


def test_headings_by_size_are_paragraphs():
    lines = [(72, 700, 18, "The truce"), *set_lines(682, "Both sides keep it")]
    assert read_pdf(pdf([page(*lines)]), LIMITS).text == "The truce\n\nBoth sides keep it"


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (encrypted_pdf(), "it is encrypted"),
        (scanned_pdf(), r"needs text recognition \(OCR\)"),
        (b"%PDF-1.7 and no more", "damaged or cut short"),
    ],
)
def test_what_has_no_text_says_why(data, match):
    with pytest.raises(DocumentError, match=match):
        read_pdf(data, LIMITS)


def test_limits_on_pages_and_text():
    with pytest.raises(DocumentError, match="more than 1"):
        read_pdf(report(), Limits(pages=1))
    with pytest.raises(DocumentError, match="longer than 50 characters"):
        read_pdf(report(), Limits(text_chars=50))


def test_the_date_is_read():
    data = pdf(
        [page((72, 700, 12, "Words."))],
        trailer=b"/Info 6 0 R",
        extra=[b"<< /CreationDate (D:20240506070809+02'00') >>"],
    )
    assert read_pdf(data, LIMITS).date == "2024-05-06T07:08:09+02:00"


def picture(extra=b""):
    """A page that is one picture, with more drawn on it."""
    return b"q 612 0 0 792 0 0 cm /Im1 Do Q\n" + extra


IMAGE = (
    b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray"
    b" /BitsPerComponent 8 /Length 1 >>\nstream\nA\nendstream"
)
TEXT_PAGE = page(*set_lines(700, "The two sides met in the valley and", "agreed on a truce."))


@pytest.mark.parametrize(("texts", "scans"), [(1, 5), (2, 8), (5, 1)])
def test_scanned_pages_among_others_are_told_whatever_their_share(texts, scans):
    got = read_pdf(pdf([TEXT_PAGE] * texts + [picture()] * scans, extra=[IMAGE]), LIMITS)
    first, last = texts + 1, texts + scans
    where = f"page {first}" if scans == 1 else f"pages {first}-{last}"
    assert got.unread == (f"{where}: no text layer",)
    assert "agreed on a truce" in got.text


def test_a_scanned_page_with_a_stamp_is_scanned_and_an_empty_one_is_not():
    stamp = page((300, 20, 8, "Copy 7"))
    got = read_pdf(pdf([TEXT_PAGE, picture(stamp), b"", picture(stamp)], extra=[IMAGE]), LIMITS)
    assert got.unread == ("pages 2, 4: no text layer",)


@pytest.mark.parametrize(("data", "told"), [(scanned_pdf(), True), (pdf([TEXT_PAGE]), False)])
def test_attachments_are_read_whatever_the_pages_are(read, data, told):
    document = pypdfium2.PdfDocument(data)
    document.new_attachment("a.txt").set_data(FILLER.encode())
    document.save(buffer := io.BytesIO())
    outer, attached = read("a.pdf", buffer.getvalue())
    assert (attached.id, attached.text) == ("a.pdf!a.txt", FILLER)
    assert ("page 1: no text layer" in getattr(outer, "error", "")) == told


def with_annotation(annotation, *, catalog=b""):
    data = pdf([page((72, 700, 12, "Activity:"), (72, 500, 12, "Name:"))], catalog=catalog)
    return data.replace(
        b"/Contents 5 0 R", b"/Annots [<< /Type /Annot %s >>] /Contents 5 0 R" % annotation
    )


def test_what_is_filled_into_a_form_is_read_where_it_stands():
    field = b"/Subtype /Widget /FT /Tx /T (a) /V (The convoy crossed.) /Rect [72 600 500 690]"
    data = with_annotation(field, catalog=b"/AcroForm << /Fields [] >>")
    assert read_pdf(data, LIMITS).text == "Activity:\n\nThe convoy crossed.\n\nName:"


def test_what_is_written_on_a_page_is_read():
    note = b"/Subtype /FreeText /Contents (The convoy crossed.) /Rect [72 600 500 690]"
    assert "\n\nThe convoy crossed.\n\n" in read_pdf(with_annotation(note), LIMITS).text
    link = b"/Subtype /Link /Contents (A link) /Rect [72 600 500 690]"
    assert "link" not in read_pdf(with_annotation(link), LIMITS).text


def columns(left, right):
    rows = zip(set_lines(700, *left), set_lines(700, *right, left=330), strict=True)
    return page(*(line for row in rows for line in row))


def test_columns_drawn_row_by_row_are_read_one_after_the_other():
    left = [f"the left column tells of {topic}," for topic in TOPICS]
    right = [f"the right one is about {topic}," for topic in TOPICS]
    text = read_pdf(pdf([columns(left, right)]), LIMITS).text
    assert " ".join(text.split()) == " ".join(left + right)


def test_tables_are_read_row_by_row():
    text = read_pdf(pdf([columns(list(TOPICS), ["1", "2", "3", "4"])]), LIMITS).text
    assert " ".join(text.split()) == "grain 1 water 2 prisoners 3 borders 4"


def test_a_page_on_its_side_is_read_as_it_is_shown():
    lines = ["The two sides met in the valley and", "agreed on a truce for the harvest."]
    drawn = b"".join(
        b"BT /F1 12 Tf 0 1 -1 0 %d 100 Tm (%s) Tj ET\n" % (300 + 14 * i, line.encode())
        for i, line in enumerate(lines)
    )
    data = pdf([drawn]).replace(b"/MediaBox", b"/Rotate 90 /MediaBox")
    assert read_pdf(data, LIMITS).text == " ".join(lines)


def test_a_file_attached_to_a_place_on_a_page_is_read(read):
    file = b"/FS << /F (a.txt) /EF << /F 7 0 R >> >>"
    data = with_annotation(b"/Subtype /FileAttachment /Rect [72 600 90 620] " + file)
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(FILLER), FILLER.encode())
    data = data.replace(b"xref\n", b"7 0 obj\n%s\nendobj\nxref\n" % stream, 1)
    assert [one.text for one in read("a.pdf", data)] == ["Activity: Name:", FILLER]


def test_letters_that_are_only_numbers_of_a_font_are_told():
    page_of_codes = b"BT /F1 12 Tf 72 700 Td (" + bytes(range(1, 9)) * 10 + b") Tj ET"
    got = read_pdf(pdf([page_of_codes, TEXT_PAGE]), LIMITS)
    assert got.unread == ("page 1: letters whose font doesn't say what they are",)


def drawn(width, height, *lines):
    """A page with a picture of this size, and lines of text."""
    return b"q %d 0 0 %d 72 72 cm /Im1 Do Q\n" % (width, height) + page(*lines)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (drawn(60, 60), "no text layer"),
        (drawn(450, 600, (72, 700, 12, "The registry's copy of the letter of May 3")), "mostly a"),
        (drawn(200, 200, (72, 700, 12, "The registry's copy of the letter of May 3")), ""),
        (drawn(450, 600, *set_lines(780, *[FILLER] * 3)), ""),
    ],
)
def test_a_page_that_a_picture_fills_is_told_unless_it_has_text(content, told):
    unread = read_pdf(pdf([TEXT_PAGE, content], extra=[IMAGE]), LIMITS).unread
    assert [f"page 2: {told}" in what for what in unread] == [True] * bool(told)


def test_pages_of_pictures_with_running_heads_only_are_scanned():
    pages = [drawn(450, 400, (72, 30, 9, f"Annual register, page {n}")) for n in (1, 2, 3)]
    with pytest.raises(DocumentError, match="text recognition"):
        read_pdf(pdf(pages, extra=[IMAGE]), LIMITS)
