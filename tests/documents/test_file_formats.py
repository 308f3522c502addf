import gzip
import random
import struct

import pytest

from tests.documents.makers import FILLER, docx, odt, page, paragraph, pdf


def utf16(name):
    return name.encode("utf-16-le") + bytes(2)


HTML = f"<!doctype html><html><body><p>{FILLER}</p></body></html>".encode()
POINTS = [point for point in range(0x4E00, 0x7000) if point % 256 < 160]
INTEGERS = struct.pack("<2048h", *random.Random(0).choices(POINTS, k=2048))
MAIL = f"Received: from x\nMessage-ID: <1@x>\nSubject: Talks\n\n{FILLER}\n".encode()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pdf([page((72, 700, 12, FILLER))]), "application/pdf"),
        (b"\x00\x01rubbish" + pdf([page((72, 700, 12, FILLER))]), "application/pdf"),
        (docx(paragraph(FILLER)), "officedocument.wordprocessingml"),
        (odt(f"<text:p>{FILLER}</text:p>"), "opendocument.text"),
        (b"{\\rtf1 " + FILLER.encode() + b"}", "application/rtf"),
        (HTML, "text/html"),
        (MAIL, "message/rfc822"),
        (b'{"text": "peace"}\n', "application/jsonl"),
        (FILLER.encode(), "text/plain"),
        (f"FROM: the embassy\nTO: the minister\nDATE: today\n\n{FILLER}".encode(), "text/plain"),
    ],
)
def test_content_decides_whatever_the_name(read, data, media_type):
    for name in ("x.bin", "x.txt", "x.pdf"):
        (found,) = read(name, data)
        assert media_type in found.media_type


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.txt.gz", gzip.compress(b"", mtime=0), "the file is empty"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image"),
        ("a.doc", b"\xd0\xcf\x11\xe0" + bytes(range(256)), "of an old or unknown kind"),
        ("a.doc", b"\xd0\xcf\x11\xe0" + utf16("WordDocument"), "Word file of the years up to 2003"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + utf16("EncryptedPackage"), "it is encrypted"),
        ("a.dat", bytes(range(256)) * 10, "binary data of no known kind"),
        ("a.ics", b"\r\nBEGIN:VCALENDAR\r\nSUMMARY:Talks", "a calendar entry"),
        ("winmail.dat", b"\x78\x9f\x3e\x22" + bytes(9), "packing, which holds no text"),
        ("winmail.dat", b"\x78\x9f\x3e\x22" + bytes(9), "ask for it as .eml, or for the files"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        ("a.rar", b"Rar!\x1a\x07", "(unpack it first)"),
        ("a.dat", INTEGERS, "binary data of no known kind"),
        ("a.xml", b"<?xml version='1.0'?><svg/>", "XML of no known kind"),
        ("a.json", b'{"data":\n [{"text": "peace"}]}', "an array of objects, or one on each line"),
        ("a.docx", docx(paragraph(FILLER))[:200], "container is damaged or cut short"),
    ],
)
def test_what_is_no_text_is_told_with_the_way_out(fault_of, name, data, match):
    fault = fault_of(name, data)
    assert match in fault.error
    assert fault.stage == "detect"
