"""Files with a few bytes changed: each ends in documents or is set aside, within its limits.

TEXTCLASS_FUZZ says how many of each format are tried.
"""

import gzip
import os
import random
import re

import pytest

from tests.documents.mail_makers import mail, msg
from tests.documents.makers import (
    FILLER,
    docx,
    epub,
    odt,
    page,
    paragraph,
    pdf,
    pptx,
    tarred,
    zipped,
)
from tests.documents.sheet_makers import ods, xlsx
from textclass.documents import Document, DocumentReader, Limits, Source

COUNT = int(os.environ.get("TEXTCLASS_FUZZ", "50"))
TEXT = FILLER.encode()
MAIL = mail(
    ("Content-Type: text/plain; charset=iso-8859-1", TEXT),
    ("Content-Type: message/rfc822", b"Subject: Inner\n\n" + TEXT),
    ("Content-Type: application/pdf; name=a.pdf", TEXT),
)
SEEDS = {
    "a.pdf": pdf([page((72, 700, 12, FILLER))] * 2),
    "a.docx": docx(
        paragraph(FILLER) + f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc></w:tr></w:tbl>"
    ),
    "a.pptx": pptx((FILLER, "note")),
    "a.odt": odt(f"<text:p>{FILLER}</text:p>"),
    "a.epub": epub(FILLER),
    "a.ods": ods(["text"], [FILLER]),
    "a.xlsx": xlsx([["id", "text"], [1, FILLER]]),
    "a.msg": msg(
        "Visit",
        parts={0x1000: FILLER},
        attachments=[{0x3707: "a.txt", 0x3701: TEXT}, {0x3701: {"subject": "Inner"}}],
    ),
    "a.rtf": b"{\\rtf1\\ansi " + TEXT + b"\\par \\'e9\\u8217? {\\footnote x}}",
    "a.html": b"<html><body><nav>Home</nav><p>" + TEXT + b"</p><table><tr><td>a</table></html>",
    "a.eml": MAIL,
    "a.mbox": b"From a@b Mon Jan  1 00:00:00 2024\n" + MAIL + b"\nFrom b@c Mon 2024\n" + MAIL,
    "a.md": b"---\ndate: 2024-01-02\n---\n# Head\n" + TEXT + b" [a](b) *c* `d` <e>",
    "a.txt": TEXT * 3,
    "a.csv": b"id,text,n\n" + b'1,"' + TEXT + b'",2\n3,peace talks,4\n',
    "a.jsonl": b'{"id": 1, "text": "' + TEXT + b'"}\n{"text": "b", "x": [1, {"y": null}]}\n',
    "a.txt.gz": gzip.compress(TEXT),
    "a.zip": zipped([("a.txt", FILLER), ("b.zip", zipped([("c.txt", FILLER)]))]),
    "a.tar": tarred([("a.txt", TEXT), ("b.txt", TEXT)]),
}


UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
"""What would disturb a terminal, or not be seen in one."""


def mutated(data, rng):
    """Some bytes changed, cut out, doubled, or the end cut off."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        place = rng.randrange(len(data))
        end = place + rng.choice((1, 1, 4, 60))
        what = rng.randrange(5)
        if what == 0:
            data[place] = rng.randrange(256)
        elif what == 1:
            del data[place:end]
        elif what == 2:
            data[place:place] = data[place:end] * rng.choice((1, 2, 50))
        elif what == 3:
            data[place:end] = rng.choice((b"\0", b"\xff\xff", b"<", b'"', b"\n", b"-1", b"9" * 20))
        elif len(data) > 40:
            del data[place:]
        data = data or bytearray(b" ")
    return bytes(data)


@pytest.mark.parametrize("name", SEEDS)
def test_a_damaged_file_ends_in_documents_or_is_set_aside(name, tmp_path):
    rng = random.Random(name)
    path = tmp_path / name
    with DocumentReader(Limits(wall_seconds=30)) as reader:
        path.write_bytes(SEEDS[name])
        whole = list(reader.read(Source(path, name)))
        assert whole
        assert isinstance(whole[0], Document), whole
        for _ in range(COUNT):
            path.write_bytes(mutated(SEEDS[name], rng))
            found = list(reader.read(Source(path, name)))
            assert found
            for one in found:
                one.id.encode()
                if not isinstance(one, Document):
                    assert not UNSEEN.search(one.error)
                    assert "Error" not in one.error
                    assert not re.search(r"0x[0-9a-f]{8}", one.error)
