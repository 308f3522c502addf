"""The analyst's morning: 3,000 files of all formats, 60 of them broken or hostile."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

import textclass
from tests.batch.makers import read_lines, text_of

sys.path.append(str(Path(__file__).parents[1] / "documents"))

COMMAND = """
import re, sys
from textclass.cli.tag import tag
try:
    tag()
finally:
    # ru_maxrss would count the memory of the test before it started this process.
    peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
    sys.stderr.write(f"\\npeak {peak}\\n")
"""


def honest(number):
    """Name and content of a file that can be read, in one of ten forms."""
    from tests.documents.makers import docx, odt, page, paragraph, pdf, zipped
    from tests.documents.sheet_makers import xlsx

    text = text_of(number)
    parts = text.split("\n\n")
    html = "".join(f"<p>{part}</p>" for part in parts)
    forms = {
        "txt": lambda: text.encode(),
        "md": lambda: f"# Report {number}\n\n{text}".encode(),
        "html": lambda: f"<html><head><title>x</title></head><body>{html}</body></html>".encode(),
        "pdf": lambda: pdf([page(*((72, 700 - 40 * i, 9, p) for i, p in enumerate(parts)))]),
        "docx": lambda: docx("".join(map(paragraph, parts))),
        "odt": lambda: odt("".join(f"<text:p>{part}</text:p>" for part in parts)),
        "eml": lambda: f"From: a@b.example\nSubject: Report {number}\n\n{text}".encode(),
        "csv": lambda: f'id,text,place\n1,"{text}",north\n2,"{text_of(number + 1)}",=1'.encode(),
        "zip": lambda: zipped([("a.txt", text), ("b/c.html", f"<html><body>{html}</body></html>")]),
        "txt.gz": lambda: gzip.compress(text.encode()),
        "xlsx": lambda: xlsx([["id", "text"], [number, text]]),
    }
    ending = list(forms)[number % len(forms)]
    return f"{number % 13:02}/{number:04}.{ending}", forms[ending]()


def hostile(number):
    """Name and content of a file that can't be read whole."""
    from tests.documents.makers import (
        docx,
        double_deflated_pdf,
        encrypted_pdf,
        paragraph,
        pdf,
        scanned_pdf,
        zeros,
        zipped,
    )

    operators = b"BT /F1 12 Tf 72 700 Td " + b"(a) Tj " * 2_000_000 + b"ET"
    forms = [
        ("million.docx", lambda: docx("<w:p/>" * 1_000_000)),
        ("inflates.docx", lambda: docx(paragraph(" " * 600_000_000))),
        ("laughs.docx", lambda: docx(paragraph("&a;"), head='<!DOCTYPE d [<!ENTITY a "ha">]>')),
        ("deflated.pdf", double_deflated_pdf),
        (
            "operators.pdf",
            lambda: pdf([zlib.compress(operators, 9)], filters=b"/Filter /FlateDecode"),
        ),
        ("nested.html", lambda: b"<html><body>" + b"<div>" * 200_000 + b"words"),
        ("attributes.html", lambda: b"<html><p " + b" ".join(b"a%d=1" % i for i in range(200_000))),
        ("line.txt", lambda: b"peace " * (100_000_000 // 6)),
        ("bomb.zip", lambda: zipped([(str(i), " " * 60_000_000) for i in range(3)])),
        ("bomb.txt.gz", lambda: zeros(300 << 20)),
        ("encrypted.pdf", encrypted_pdf),
        ("scanned.pdf", scanned_pdf),
        ("empty.txt", lambda: b""),
        ("cut.docx", lambda: docx(paragraph("words"))[:200]),
        ("picture.md", lambda: b"\x89PNG\r\n\x1a\n"),
    ]
    name, make = forms[number % len(forms)]
    return f"{number % 13:02}/hostile-{number:02}-{name}", make()


@pytest.mark.slow
def test_three_thousand_files_with_sixty_hostile_ones(model, tmp_path):
    inbox, out = tmp_path / "inbox", tmp_path / "out.parquet"
    honest_names, hostile_names = [], []
    for names, make, count in ((honest_names, honest, 2_940), (hostile_names, hostile, 60)):
        for number in range(count):
            name, content = make(number)
            (inbox / name).parent.mkdir(parents=True, exist_ok=True)
            (inbox / name).write_bytes(content)
            names.append(name)

    options = ["--model", str(model), "--json", "--level", "document", "-o", str(out)]
    options += ["-o", f"{tmp_path}/out.jsonl", "--report", f"{tmp_path}/report.html"]
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(inbox), *options],
        env=os.environ | {"PYTHONPATH": str(Path(textclass.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=3_000,
        check=False,
    )
    peak = int(done.stderr.rpartition("peak ")[2])
    summary = json.loads(done.stdout)
    figures = f"{time.monotonic() - begun:.0f} s, parent {peak >> 10} MB, {summary}"

    assert done.returncode == 3, done.stderr
    assert peak < 1 << 20, figures
    results = [row["document"] for row in read_lines(tmp_path / "out.jsonl")]
    aside = [row["id"] for row in read_lines(tmp_path / "out.parquet.set-aside.jsonl")]
    assert len(set(results)) == len(results)
    assert len(set(aside)) == len(aside)
    assert not set(results) & set(aside)
    accounted = {name.partition("#")[0].partition("!")[0] for name in results}
    assert accounted == set(honest_names), figures
    assert {name.partition("!")[0] for name in aside} == set(hostile_names), figures
    assert summary["inputs"] == 3_000
    (tmp_path / "figures.txt").write_text(figures)
