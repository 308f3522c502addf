import base64

import pytest

from tests.documents.mail_makers import mail, msg
from tests.documents.makers import FILLER, misnamed_zip, page, pdf, zipped
from textclass.documents import Limits
from textclass.documents.mail import read_mail

LIMITS = Limits()
HEAD = (
    "From: a@b.c\nSubject: =?utf-8?q?Tr=C3=AAve?= and\n talks\n"
    "Date: Tue, 02 Jan 2024 10:00:00 +0100\n"
)


def test_subject_plain_part_and_date():
    parts = (
        "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=X\n\n--X\nContent-Type:"
        " text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nTr=EAve"
        " =\nsigned.\n--X\nContent-Type: text/html\n\n<p>other</p>\n--X--\n"
    )
    got = read_mail((HEAD + parts).encode(), LIMITS)
    assert got.text == "Trêve and talks\n\nTrêve signed."
    assert got.date == "2024-01-02T10:00:00+01:00"


def test_html_alone_is_read_as_html():
    got = read_mail(
        f"{HEAD}Content-Type: text/html\n\n<html><p>{FILLER}</p></html>".encode(), LIMITS
    )
    assert got.text == f"Trêve and talks\n\n{FILLER}"


@pytest.mark.parametrize(
    ("kind", "body", "parts"),
    [
        (
            "plain",
            "Noted.\r\n\r\nOn Monday A wrote:\r\n> The truce\r\n> held.\r\n>\r\n>> First.\r\n"
            "> > So\r\nBye",
            ["Noted.\n\nOn Monday A wrote:", "The truce\nheld.", "First.\nSo", "Bye"],
        ),
        (
            "plain",
            "FYI\n\n---- Forwarded message ----\nFrom: A\nDate: Monday\nTo: B\n\nThe truce held.",
            [
                "FYI",
                "---- Forwarded message ----\nFrom: A\nDate: Monday\nTo: B\n\nThe truce held.",
            ],
        ),
        (
            "html",
            "<p>Lunch?</p><blockquote>One.<blockquote>Two.</blockquote></blockquote>"
            "<div>From: A<br>Sent: Monday</div><p>Three.</p>",
            ["Lunch?", "One.", "Two.", "From: A\nSent: Monday\n\nThree."],
        ),
    ],
)
def test_what_a_mail_quotes_is_set_apart_without_its_marks(kind, body, parts):
    got = read_mail(f"{HEAD}Content-Type: text/{kind}\n\n{body}".encode(), LIMITS)
    assert got.text == "\n\n\f".join(["Trêve and talks\n\n" + parts[0], *parts[1:]])


def test_unknown_and_wrong_charsets_fall_back_on_the_bytes():
    for charset in ("x-unknown", "us-ascii"):
        mail = f"{HEAD}Content-Type: text/plain; charset={charset}\n\nÉté à Genève.".encode()
        assert read_mail(mail, LIMITS).text.endswith("Été à Genève.")


def test_malformed_headers_do_not_lose_the_body():
    mail = b"Subject: =?utf-8?b?////?= \nDate: never\nTo: <<<\nContent-Type: ;;;\n\nPeace talks."
    got = read_mail(mail, LIMITS)
    assert got.text.endswith("Peace talks.")
    assert got.date is None


OTHER = "Families of the sister city hosted forty students and arranged a choir concert."
PLAIN = "Content-Type: text/plain; charset=utf-8"
HTML = "Content-Type: text/html; charset=utf-8"


def test_all_text_is_read_in_order_and_pictures_are_told():
    parts = [(PLAIN, FILLER.encode()), ("Content-Type: image/png; name=a.png", b"x")]
    parts += [(PLAIN, OTHER.encode()), (HTML, b"<p>Last <b>words</b>.</p>")]
    got = read_mail(mail(*parts), LIMITS)
    assert got.text == f"Visit\n\n{FILLER}\n\n{OTHER}\n\nLast words."
    assert got.unread == ("attachment a.png: a picture, sound or film",)


def test_one_of_several_alternatives_is_read_but_no_attachment_lost():
    report = ("Content-Type: application/pdf; name=a.pdf", b"%PDF-")
    parts = [(PLAIN, FILLER.encode()), (HTML, FILLER.encode()), report]
    got = read_mail(mail(*parts, kind="alternative"), LIMITS)
    assert got.text == f"Visit\n\n{FILLER}"
    assert [attached.name for attached in got.attachments] == ["a.pdf"]


def test_a_plain_part_that_only_stands_in_gives_way_to_the_page():
    for plain, times in ((b"Please open this mail in a browser.", 3), (FILLER.encode() * 4, 20)):
        page = f"<p>{OTHER * times}".encode()
        text = read_mail(mail((PLAIN, plain), (HTML, page), kind="alternative"), LIMITS).text
        assert text == f"Visit\n\n{OTHER * times}"


def test_pictures_that_a_page_is_drawn_with_are_not_told():
    parts = [(HTML, FILLER.encode()), ("Content-Type: image/png\nContent-ID: <a>", b"x")]
    assert read_mail(mail(*parts, kind="related"), LIMITS).unread == ()


def test_attachments_and_forwarded_mails_are_documents_of_their_own(read):
    table = b"text\none\ntwo\n"
    inner = mail((PLAIN, b"Inner."), ("Content-Type: application/pdf; name=r.pdf", PDF))
    found = read(
        "mail.eml",
        mail(
            (PLAIN, FILLER.encode()),
            ("Content-Type: message/rfc822", inner),
            ("Content-Type: application/zip; name=files.zip", zipped([("a.txt", OTHER)])),
            ("Content-Type: text/csv; name=t.csv\nContent-Disposition: attachment", table),
            ('Content-Type: application/x-y; name="../evil.xyz"', b"\0\1\2" * 90),
            ("Content-Type: application/zip; name=bad.zip", misnamed_zip()),
        ),
    )
    assert [one.id for one in found] == [
        "mail.eml", "mail.eml!Visit.eml", "mail.eml!Visit.eml!r.pdf", "mail.eml!files.zip!a.txt",
        "mail.eml!t.csv#1", "mail.eml!t.csv#2",
    ]  # fmt: skip
    assert found[0].unread == (
        "attachment evil.xyz: binary data of no known kind",
        "attachment bad.zip: damaged or cut short",
    )


PDF = pdf([page((72, 700, 12, FILLER))])


def test_the_mails_of_a_digest_are_documents(read):
    head = "Content-Type: message/rfc822\n\nSubject: "
    parts = [(head + name, b"Words.") for name in ("One", "Two")]
    found = read("d.eml", mail(*parts, kind="digest"))
    assert [one.text for one in found] == ["Visit", "One\n\nWords.", "Two\n\nWords."]


@pytest.mark.parametrize(
    ("headers", "match"),
    [
        ("Content-Type: application/ms-tnef; name=winmail.dat", "winmail.dat: Outlook's own"),
        ("Content-Type: application/pkcs7-mime; smime-type=signed-data", "signed in a closed form"),
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "is encrypted"),
    ],
)
def test_what_is_closed_is_told_and_alone_set_aside(read, fault_of, headers, match):
    assert match in fault_of("a.eml", mail((headers, b"x"))).error
    (found,) = read("a.eml", mail((PLAIN, FILLER.encode()), (headers, b"x")))
    assert found.unread


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_latin_1_is_believed_no_more_than_by_browsers(encoding):
    text = "The people’s right to “speak” – and to be heard."
    data = b"Subject: Note\nContent-Type: text/plain; charset=iso-8859-1\n\n" + text.encode(
        encoding
    )
    assert read_mail(data, LIMITS).text == f"Note\n\n{text}"


def test_the_mails_of_a_mailbox_are_documents(read):
    one = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: One\nContent-Transfer-Encoding: base64\n\n"
    one += b"UGVhY2UgdGFsa3MuCj5Gcm9tIGhlcmU=\n\n"
    two = b"From c@d Mon Jan  1 00:00:01 2024\nSubject: Two\n\nFirst.\n>From here on, peace.\n"
    found = read("box.mbox", one + two)
    assert [(doc.id, doc.text) for doc in found] == [
        ("box.mbox!1.eml", "One\n\nPeace talks.\n>From here"),
        ("box.mbox!2.eml", "Two\n\nFirst.\nFrom here on, peace."),
    ]


def test_a_saved_page_is_read_as_a_page(read):
    data = (
        "From: <Saved by Blink>\nSnapshot-Content-Location: https://e.org\nSubject: Title\n"
        'MIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary=M\n\n--M\n'
        "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
        f"<html><nav>Menu</nav><article><p>{FILLER * 3}=\n</p></article></html>\n--M\n"
        "Content-Type: text/css\n\np {}\n--M--\n"
    )
    (found,) = read("page.mhtml", data.encode())
    assert (found.text, found.media_type, found.unread) == (
        f"Title\n\n{FILLER * 3}", "multipart/related", (),
    )  # fmt: skip


def test_a_damaged_outlook_mail_is_set_aside(fault_of):
    name = "__properties_version1.0".encode("utf-16-le") + bytes(2)
    assert "damaged" in fault_of("a.msg", b"\xd0\xcf\x11\xe0" + bytes(600) + name).error


def test_an_outlook_mail_is_read_with_what_is_attached(read):
    picture = {0x3707: "logo.png", 0x370E: "image/png", 0x3712: "logo", 0x3701: b"\x89PNG"}
    photo = {0x3707: "photo.png", 0x370E: "image/png", 0x3701: b"\x89PNG"}
    inner = {"subject": "Inner", "parts": {0x1000: "Inner words."}}
    inner["attachments"] = [{0x3707: "deep.txt", 0x3701: OTHER.encode()}]
    page = f"<p>{FILLER * 3}</p><img src='cid:logo'>".encode()
    sent = 133_500_000_000_000_000  # in tenths of microseconds since 1601
    found = read(
        "a.msg",
        msg(
            "Visit",
            parts={0x1000: "See the page.", 0x1013: page, 0x3FDE: 65001, 0x0039: sent},
            attachments=[
                {0x3704: "REPORT~1.PDF", 0x370E: "application/pdf", 0x3701: PDF * 9},
                {0x3001: "Fwd", 0x3701: inner},
                {0x3707: "table.bin", 0x3701: {"subject": "no mail", "parts": {}}},
                {0x3707: "link"},
                {0x3707: "smime.p7s", 0x370E: "application/pkcs7-signature", 0x3701: b"x"},
                photo,
                picture,
                {0x3707: "a.ics", 0x370E: "text/calendar", 0x3701: b"BEGIN:VCALENDAR"},
            ],
        ),
    )
    assert [(one.id, one.text) for one in found] == [
        ("a.msg", f"Visit\n\n{FILLER * 3}"),
        ("a.msg!REPORT~1.PDF", FILLER),
        ("a.msg!Fwd.eml", "Inner\n\nInner words."),
        ("a.msg!Fwd.eml!deep.txt", OTHER),
        ("a.msg!table.bin.eml", "no mail"),
    ]
    assert (found[0].media_type, found[0].date) == (
        "application/vnd.ms-outlook", "2024-01-17T21:20:00+00:00",
    )  # fmt: skip
    assert found[0].unread == (
        "attachment link: something in Outlook's own form (save the mail as .eml)",
        "attachment photo.png: a picture, sound or film",
        "attachment a.ics: a calendar entry or visiting card",
    )


def test_of_an_outlook_mail_no_text_is_lost_unsaid(read, fault_of):
    text = "Les négociations à Genève ont été ajournées jusqu'à l'été, a déclaré le délégué."
    latin = {0x1013: f"<p>{text}</p>".encode("cp1252"), 0x3FDE: 65001}  # it says UTF-8
    (found,) = read("a.msg", msg("Page", parts=latin))
    assert found.text == f"Page\n\n{text}"
    assert "in Outlook's own form" in fault_of("a.msg", msg("Rich", parts={0x1009: b"LZFu"})).error
    signed = {0x370E: "multipart/signed", 0x3701: mail((PLAIN, OTHER.encode()))}
    (found,) = read("a.msg", msg("Signed", attachments=[signed]))
    assert found.text == f"Signed\n\n{OTHER}"


def test_a_forwarded_mail_that_is_packed_is_read(read):
    head = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64"
    packed = base64.encodebytes(b"Subject: Inner\n\n" + OTHER.encode())
    found = read("a.eml", mail((PLAIN, b"See below."), (head, packed)))
    assert found[1].text == f"Inner\n\n{OTHER}"


def test_a_third_form_of_the_text_is_not_taken_for_an_attachment(read):
    amp = ("Content-Type: text/x-amp-html", f"<html>{FILLER}</html>".encode())
    (found,) = read("a.eml", mail((PLAIN, FILLER.encode()), amp, kind="alternative"))
    assert (found.text, found.unread) == (f"Visit\n\n{FILLER}", ())


def test_encrypted_text_is_told_and_not_read_as_words(read, fault_of):
    secret = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA5Yb0g3v\n-----END PGP MESSAGE-----\n"
    (found,) = read("a.eml", mail((PLAIN, b"Read this:\n\n" + secret)))
    assert (found.text, found.unread) == ("Visit\n\nRead this:", ("part of the text: encrypted",))
    assert "is encrypted" in fault_of("a.eml", mail((PLAIN, secret))).error


@pytest.mark.parametrize("form", [b"%s\n%s<?xml?><plist/>", b"\xef\xbb\xbf\n%.0s%s"])
def test_a_mail_as_apple_keeps_it_or_after_a_blank_line_is_read(read, form):
    data = mail((PLAIN, FILLER.encode()))
    (found,) = read("1.emlx", form % (b"%d" % len(data), data))
    assert found.text == f"Visit\n\n{FILLER}"


def test_what_a_mail_server_returns_is_told(read):
    returned = ("Content-Type: text/rfc822-headers", b"Subject: Lost\nTo: a@b.c\n")
    (found,) = read("a.eml", mail((PLAIN, FILLER.encode()), returned))
    assert found.unread == (
        "part text/rfc822-headers: a mail server's note, or a mail that isn't here whole",
    )


def test_a_saved_page_of_frames_is_told(fault_of):
    data = (
        "From: <Saved by Blink>\nSnapshot-Content-Location: x\nSubject: Title\nMIME-Version: 1.0\n"
        "Content-Type: multipart/related; boundary=M\n\n--M\nContent-Type: text/html\n\n<html>"
        "<frameset><frame src=a></frameset></html>\n--M--\n"
    )
    assert "in its frames" in fault_of("page.mhtml", data.encode()).error


@pytest.mark.parametrize(
    ("packed", "text", "told"),
    [
        (b"VGhlIG1pbmlzdGVycyBtZXQ=", "The ministers met", ""),
        (b"VGhlIG1pbmlzdGVycyBtZXQ", "The ministers met", ""),
        (b"VGhlIG1pbmlzdGVycyBtZXQ=\n____", "The ministers met", "not all could be decoded"),
    ],
)
def test_a_text_whose_packing_is_damaged_is_told(read, packed, text, told):
    head = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64"
    (found,) = read("a.eml", mail((head, packed)))
    assert found.text.startswith(f"Visit\n\n{text}")
    assert [told in what for what in found.unread] == [True] * bool(told)


def test_a_text_whose_packing_cannot_be_undone_is_not_read(fault_of):
    head = "Content-Type: text/plain\nContent-Transfer-Encoding: base64"
    fault = fault_of("a.eml", mail((head, b"!!!!notbase64@@@@")))
    assert "only its subject can be read: part text/plain: damaged" in fault.error
