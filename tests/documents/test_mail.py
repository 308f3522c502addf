import pytest

from tests.documents.makers import FILLER, mail, page, pdf, zipped
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
    parts = [(PLAIN, b"Please open this mail in a browser."), (HTML, f"<p>{FILLER * 3}".encode())]
    assert FILLER in read_mail(mail(*parts, kind="alternative"), LIMITS).text


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
        ),
    )
    assert [one.id for one in found] == [
        "mail.eml", "mail.eml!Visit.eml", "mail.eml!Visit.eml!r.pdf", "mail.eml!files.zip!a.txt",
        "mail.eml!t.csv#1", "mail.eml!t.csv#2",
    ]  # fmt: skip
    assert found[0].unread == ("attachment evil.xyz: binary data of no known kind",)


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
