from tests.documents.makers import FILLER
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
