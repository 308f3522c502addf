"""What a content is, by its bytes; its name only where bytes don't tell."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import PurePosixPath

from textclass.documents.content import Content
from textclass.documents.data import Limits
from textclass.documents.text import encoding_of
from textclass.errors import DocumentError

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
RTF = "application/rtf"
HTML = "text/html"
EML = "message/rfc822"
MARKDOWN = "text/markdown"
TEXT = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"
JSONL = "application/jsonl"
PARQUET = "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GZIP = "application/gzip"
ZIP = "application/zip"

# Without a slash: what can't be read.
_MAGIC = {
    b"%PDF-": PDF,
    b"\x1f\x8b": GZIP,
    b"PAR1": PARQUET,
    b"{\\rtf": RTF,
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an XZ archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"\x7fELF": "a program",
    b"SQLite format 3": "an SQLite database",
}
_IN_ZIP = {"word/": DOCX, "xl/": XLSX, "ppt/": "a PowerPoint file"}
_BY_NAME = {
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".eml": EML,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
}
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_XML = re.compile(r"\s*<(?:\?xml|!doctype|svg)\b", re.I)
_MAIL_HEADER = re.compile(r"^(received|message-id|mime-version|return-path):", re.I | re.M)


def detect(content: Content, limits: Limits) -> str:
    """Return the media type of `content`, one of those above.

    Raises
    ------
    DocumentError
        If it is empty, or nothing that can be read as text.
    """
    head = content.head
    if not head:
        raise DocumentError("the file is empty", hint="fetch it again or take it out")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _inside_zip(content, limits)
    kind = next((kind for magic, kind in _MAGIC.items() if head.lstrip().startswith(magic)), "")
    if "/" in kind:
        return kind
    if b"%PDF-" in head[:1024] and b" obj" in head:  # after some rubbish, as readers accept it
        return PDF
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise _ole(content, limits)
    if kind or _binary(head[:4096]):
        raise _unreadable(kind or "binary data of no known kind")
    return _kind_of_text(head, content.name)


def _inside_zip(content: Content, limits: Limits) -> str:
    with content.searchable(limits.document_bytes) as stream, zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        mimetype = archive.read("mimetype")[:100] if names[:1] == ["mimetype"] else b""
    if b"opendocument" in mimetype:
        if b"opendocument.text" in mimetype:
            return ODT
        raise _unreadable("an OpenDocument file that isn't a text", hint="save it as ODT or CSV")
    if "[Content_Types].xml" in names:
        for folder, kind in _IN_ZIP.items():
            if any(name.startswith(folder) for name in names):
                if "/" not in kind:
                    raise _unreadable(kind, hint="save it as PDF")
                return kind
    return ZIP


def _ole(content: Content, limits: Limits) -> DocumentError:
    if "EncryptedPackage".encode("utf-16-le") in content.whole(limits.document_bytes):
        return DocumentError("it is encrypted", hint="save it without a password")
    return _unreadable("an Office file of the years up to 2003", hint="save it as DOCX or XLSX")


def _unreadable(what: str, hint: str = "convert it to PDF, DOCX or text") -> DocumentError:
    return DocumentError(f"it is {what}, which holds no text that can be read here", hint=hint)


def _binary(sample: bytes) -> bool:
    """Whether `sample` isn't Unicode, and holds too many control characters for any encoding."""
    encoding = encoding_of(sample)
    # With underscores it is a guess, and any bytes can be guessed to be UTF-16.
    if encoding.startswith(("utf-16", "utf-32")) or (encoding[:5] == "utf-8" and 0 not in sample):
        return False
    controls = len(sample.translate(None, bytes(range(32, 256)) + b"\t\n\r\f\b\x1b"))
    return controls > 1 and controls > len(sample) / 20


def _kind_of_text(head: bytes, name: str) -> str:
    start = head[:8192].decode(encoding_of(head), "replace").removeprefix("\ufeff")
    suffix = PurePosixPath(name.lower()).suffix
    named = _BY_NAME.get(suffix)
    if _HTML.match(start) or (named == HTML and "<" in start):
        return HTML
    if _XML.match(start):
        raise _unreadable("XML of no known kind", hint="convert it to HTML or text")
    if named is None and len(set(_MAIL_HEADER.findall(start.split("\n\n")[0]))) > 1:
        return EML
    if named and named != HTML:
        return named
    if _json_line(start):
        return JSONL
    if suffix == ".json":
        raise _unreadable("JSON", hint="write one object on each line (JSONL)")
    return TEXT


def _json_line(start: str) -> bool:
    """Whether the first line is a whole JSON object."""
    line = start.lstrip().partition("\n")[0]
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
