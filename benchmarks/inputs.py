"""What the contenders read: passages as JSON lines, and a folder of mixed documents."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from email.message import EmailMessage
from html import escape
from itertools import chain, cycle, islice
from pathlib import Path

ROOT = Path(__file__).parent.parent
FORMS = ("pdf", "docx", "html", "eml", "txt")


def read_texts(paths: list[Path]) -> list[str]:
    """Return the texts of JSON lines: those given, else what `corpus fetch` brought."""
    paths = paths or sorted((ROOT / "corpus/cache").glob("*.jsonl*"))
    paths = paths or sorted((ROOT / "corpus/written").glob("*.jsonl"))
    texts: list[str] = []
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            texts += [" ".join(json.loads(line)["text"].split()) for line in lines]
    return texts


def passages(texts: list[str], count: int) -> Iterator[str]:
    """Yield so many passages: the texts, then new ones of the halves of two."""
    draw = random.Random(0)
    sentences = [text.split(". ") for text in texts]

    def mixed() -> Iterator[str]:
        while True:
            first, second = draw.choices(sentences, k=2)
            yield ". ".join(first[: len(first) // 2 + 1] + second[len(second) // 2 :])

    return islice(chain(texts, mixed()), count)


def write_folder(texts: list[str], folder: Path, count: int) -> int:
    """Write documents of eight passages each, in turn in each form; return how many words."""
    folder.mkdir()
    words = 0
    for number, form in zip(range(count), cycle(FORMS), strict=False):
        parts = [texts[(8 * number + i) % len(texts)] for i in range(8)]
        words += sum(len(part.split()) for part in parts)
        (folder / f"{number:04}.{form}").write_bytes(_document(parts, form))
    return words


def _document(parts: list[str], form: str) -> bytes:
    if form == "pdf":
        return _pdf(parts)
    if form == "docx":
        return _docx(parts)
    if form == "html":
        body = "".join(f"<p>{escape(part)}</p>" for part in parts)
        menu = "<nav><a href='/'>Home</a> <a href='/news'>News</a></nav>"
        return f"<html><head><title>x</title></head><body>{menu}<main>{body}</main>".encode()
    text = "\n\n".join(parts)
    if form == "txt":
        return text.encode()
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "a@b.example", "Report"
    mail.set_content(text)
    return mail.as_bytes()


def _docx(parts: list[str]) -> bytes:
    from io import BytesIO

    from docx import Document

    document, target = Document(), BytesIO()
    for part in parts:
        document.add_paragraph(part)
    document.save(target)
    return target.getvalue()


def _pdf(parts: list[str]) -> bytes:
    """Return a PDF of one page for every two passages, in lines of 90 characters."""
    from importlib import import_module
    from textwrap import wrap

    makers = import_module("tests.documents.makers")
    pages = []
    for first in range(0, len(parts), 2):
        lines = [line for part in parts[first : first + 2] for line in [*wrap(part, 90), " "]]
        shown = (line.encode("cp1252", "replace").decode("cp1252") for line in lines)
        pages.append(makers.page(*((50, 750 - 11 * i, 9, line) for i, line in enumerate(shown))))
    return bytes(makers.pdf(pages))
