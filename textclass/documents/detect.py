"""What a content is, by its bytes; its name only where bytes don't tell."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import PurePosixPath

from textclass.documents.content import Content, from_gzip
from textclass.documents.document import Limits
from textclass.documents.plain_text import encoding_of
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
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLS = "application/vnd.ms-excel"
XLSB = "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"
EPUB = "application/epub+zip"
MSG = "application/vnd.ms-outlook"
MBOX = "application/mbox"
MHTML = "multipart/related"
TAR = "application/x-tar"
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
_IN_ZIP = {"word/": DOCX, "xl/workbook.bin": XLSB, "xl/": XLSX, "ppt/": PPTX}
# By the name of a stream in a compound file, the form of Office up to 2003 and of Outlook.
_IN_COMPOUND = {
    "__properties_version1.0": MSG,
    "EncryptedPackage": "",
    "Workbook": XLS,
    "Book": XLS,
    "WordDocument": "a Word file of the years up to 2003",
    "PowerPoint Document": "a PowerPoint file of the years up to 2003",
}
_SUFFIXES = {
    CSV: ".csv",
    TSV: ".tsv .tab",
    JSONL: ".jsonl .ndjson",
    MARKDOWN: ".md .markdown",
    EML: ".eml",
    HTML: ".html .htm .xhtml",
}
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_XML = re.compile(r"\s*<(?:\?xml|!doctype|svg)\b", re.I)
_MAIL_HEADER = re.compile(
    r"^(received|message-id|mime-version|return-path|content-type|snapshot-content-location):",
    re.I | re.M,
)
_SAVED_PAGE = re.compile(r"^content-type:\s*multipart/related", re.I | re.M)
_MBOX = re.compile(r"From \S.*\d{4}.*\n(?:>?[\w-]+:|\s)")


def unpacked(content: Content, limits: Limits) -> tuple[str, Content]:
    """Return the media type of `content`, and itself; of a gzip, those of what it holds.

    Raises
    ------
    DocumentError
        As `detect`; also if it is packed twice.
    """
    kind = detect(content, limits)
    if kind != GZIP:
        return kind, content
    content = from_gzip(content, limits)
    if detect(content, limits) == GZIP:
        raise DocumentError("it is packed twice with gzip", hint="unpack it once")
    return detect(content, limits), content


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
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _inside_compound(content.whole(limits.document_bytes))
    kind = next((kind for magic, kind in _MAGIC.items() if head.lstrip().startswith(magic)), "")
    if "/" in kind:
        return kind
    # After some rubbish, as readers accept it; not in a mail with a PDF in it.
    is_mail = _MAIL_HEADER.search(head[:1024].decode("latin-1"))
    if b"%PDF-" in head[:1024] and b" obj" in head and not is_mail:
        return PDF
    if head[257:262] == b"ustar":
        return TAR
    if kind or (_binary(head[:4096]) and not is_mail):
        raise _unreadable(kind or "binary data of no known kind")
    return _kind_of_text(head, content.name)


def _inside_zip(content: Content, limits: Limits) -> str:
    with content.searchable(limits.document_bytes) as stream, zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        mimetype = archive.read("mimetype")[:100] if names[:1] == ["mimetype"] else b""
    if mimetype.startswith(EPUB.encode()):
        return EPUB
    if b"opendocument" in mimetype:
        for kind in (ODT, ODS, ODP):
            if mimetype.startswith(kind.encode()):  # also templates
                return kind
        raise _unreadable("an OpenDocument drawing or formula", hint="save it as PDF")
    if "[Content_Types].xml" in names:
        for folder, kind in _IN_ZIP.items():
            if any(name.startswith(folder) for name in names):
                return kind
    return ZIP


def _inside_compound(data: bytes) -> str:
    for stream, kind in _IN_COMPOUND.items():
        if stream.encode("utf-16-le") + b"\0\0" in data:
            if not kind:
                raise DocumentError("it is encrypted", hint="save it without a password")
            if "/" not in kind:
                raise _unreadable(kind, hint="save it as DOCX or PDF")
            return kind
    raise _unreadable("a Microsoft file of an old or unknown kind", hint="save it as PDF")


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
    named = next((k for k, known in _SUFFIXES.items() if suffix in known.split()), None)
    if _HTML.match(start) or (named == HTML and "<" in start):
        return HTML
    if _XML.match(start):
        raise _unreadable("XML of no known kind", hint="convert it to HTML or text")
    if _MBOX.match(start) and named in {None, EML}:
        return MBOX
    header = re.split(r"\r?\n\r?\n", start, maxsplit=1)[0]
    if named in {None, EML} and len(set(_MAIL_HEADER.findall(header.casefold()))) > 1:
        saved = suffix in {".mht", ".mhtml"} or "saved by" in header[:200].casefold()
        return MHTML if saved and _SAVED_PAGE.search(header) else EML
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
