"""Files made to kill a reader: each is set aside, soon, and the next file is read."""

import gzip
import os
import resource
import zlib

import pytest

from tests.documents.makers import (
    FILLER,
    docx,
    double_deflated_pdf,
    encrypted_pdf,
    page,
    paragraph,
    pdf,
    scanned_pdf,
    zeros,
    zipped,
)
from textclass.documents import Document, DocumentReader, Limits, SetAside, Source

ENTITIES = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
OPERATORS = zlib.compress(b"BT /F1 12 Tf 72 700 Td " + b"(a) Tj " * 2_000_000 + b"ET", 9)
LINE = b"peace " * (45_000_000 // 6)

KILLERS = {
    "million.docx": (lambda: docx("<w:p/>" * 2_100_000), "more than 2,000,000 XML tags"),
    "inflates.docx": (lambda: docx([b"<w:p> </w:p>" * 50_000] * 100), "larger than 50 MB"),
    "laughs.docx": (
        lambda: docx(paragraph("&l9;"), head=f'<!DOCTYPE d [<!ENTITY l0 "ha">{ENTITIES}]>'),
        "XML entities",
    ),
    "xxe.docx": (
        lambda: docx(
            paragraph("&x;"), head='<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        ),
        "XML entities",
    ),
    "deflated.pdf": (double_deflated_pdf, "memory"),
    "operators.pdf": (lambda: pdf([OPERATORS], filters=b"/Filter /FlateDecode"), "memory"),
    "nested.html": (
        lambda: b"<html><body>" + b"<div>" * 200_000 + b"words",
        "nested more than 500",
    ),
    "attributes.html": (
        lambda: b"<html><p " + b" ".join(b"a%d=1" % i for i in range(200_000)) + b">words",
        "more than 1,000 attributes",
    ),
    "line.txt": (lambda: LINE, "longer than 20,000,000 characters"),
    "line.csv": (lambda: b"text\n" + LINE, "field larger than field limit"),
    "bomb.zip": (lambda: zipped([(f"{i}", " " * 60_000_000) for i in range(3)]), "like a zip bomb"),
    "bomb.csv.gz": (lambda: zeros(64 << 20), "like a zip bomb"),
    "bomb.txt.gz": (lambda: zeros(64 << 20), "like a zip bomb"),
    "encrypted.pdf": (encrypted_pdf, "encrypted"),
    "scanned.pdf": (scanned_pdf, "text recognition"),
    "cut.pdf": (lambda: pdf([page((72, 700, 12, FILLER))])[:300], "cut short"),
    "cut.docx": (lambda: docx(paragraph(FILLER))[:300], "cut short"),
    "cut.txt.gz": (lambda: gzip.compress(FILLER.encode())[:-12], "cut short"),
}


def _processor_seconds():
    """Of this process and of the children that have ended, whatever else the machine does."""
    return sum(os.times()[:4])


@pytest.mark.parametrize("name", KILLERS)
def test_a_killer_is_set_aside_and_the_next_file_is_read(name, tmp_path):
    make, match = KILLERS[name]
    (tmp_path / name).write_bytes(make())
    (tmp_path / "next.txt").write_text(FILLER)
    # Lower limits end sooner what would take all that there is.
    limits = Limits(memory_bytes=300 << 20, document_bytes=50_000_000)
    with DocumentReader(limits) as reader:
        begun = _processor_seconds()
        (found,) = reader.read(Source(tmp_path / name, name))
        taken = _processor_seconds() - begun
        (after,) = reader.read(Source(tmp_path / "next.txt", "next.txt"))
    assert isinstance(found, SetAside)
    assert match in found.error
    assert "\n" not in found.error
    assert taken < 20
    assert isinstance(after, Document)


def test_the_child_is_held_to_its_memory_and_processor_time(read):
    attributes = b"<html><p " + b" ".join(b"a%d=1" % i for i in range(60_000)) + b">words"
    limits = Limits(cpu_seconds=1, attributes=10**6)
    (found,) = read("slow.html", attributes, limits=limits)
    assert "more than 1 s of processor time" in found.error
    (found,) = read("wide.txt", b"peace " * 10_000_000, limits=Limits(memory_bytes=80 << 20))
    assert "memory" in found.error


def test_the_child_writes_no_files_and_leaves_no_core(reader, read):
    read("a.txt", FILLER.encode())
    pid = reader._process._process.pid
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        assert resource.prlimit(pid, limit) == (0, 0)
    assert resource.prlimit(pid, resource.RLIMIT_DATA)[0] == Limits().memory_bytes
