"""The formats: what each is called, what it is told by, and what reads it.

Its bytes tell what a content is; its name only where they don't.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from textclass.documents.content import Content, Reading, Table, from_gzip, tar_members, zip_members
from textclass.documents.document import Limits
from textclass.documents.mail import mbox_members, read_mail, read_msg
from textclass.documents.office import read_epub, read_opendocument, read_openxml
from textclass.documents.pdf import read_pdf
from textclass.documents.plain_text import (
    encoding_of,
    is_binary,
    read_markdown,
    read_rtf,
    read_text,
)
from textclass.documents.tables import (
    read_csv,
    read_json,
    read_jsonl,
    read_parquet,
    read_workbook,
)
from textclass.documents.web import read_html
from textclass.errors import DocumentError

ReadDocument = Callable[[bytes, Limits], Reading]


@dataclass(frozen=True)
class Format:
    """A format; a document, a table, or something that holds members.

    Parameters
    ----------
    media_type : str
    document, table, members : callable, optional
        Reads a document; yields the tables, told which column holds the texts; yields the members,
        by name, or what is wrong with them. One of these is given.
    starts : bytes, optional
        What its content begins with.
    in_zip, in_compound : tuple of str, optional
        Parts, such as `word/`, that only a zipped or a compound file of this format holds.
    endings : tuple of str, optional
        Of its name, where the content doesn't tell.
    attaches : bool, optional
        Whether documents of this format may hold others.
    with_boilerplate : bool, optional
        Whether they may hold advertising, navigation and the like.
    whole : callable, optional
        Reads a document with what `document` leaves out of that.
    """

    media_type: str
    document: ReadDocument | None = None
    table: Callable[[Content, Limits, str], Iterator[Table]] | None = None
    members: Callable[[Content, Limits], Iterator[tuple[str, Content | str]]] | None = None
    starts: bytes = b""
    in_zip: tuple[str, ...] = ()
    in_compound: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    attaches: bool = False
    with_boilerplate: bool = False
    whole: ReadDocument | None = None


_MICROSOFT = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_TSV = partial(read_csv, delimiters="\t")
FORMATS = {
    "pdf": Format("application/pdf", read_pdf, starts=b"%PDF-", attaches=True),
    "docx": Format(f"{_MICROSOFT}wordprocessingml.document", read_openxml, in_zip=("word/",)),
    "pptx": Format(f"{_MICROSOFT}presentationml.presentation", read_openxml, in_zip=("ppt/",)),
    "odt": Format(f"{_OPEN}text", read_opendocument),
    "odp": Format(f"{_OPEN}presentation", read_opendocument),
    "epub": Format("application/epub+zip", read_epub),
    "rtf": Format("application/rtf", read_rtf, starts=b"{\\rtf"),
    "html": Format(
        "text/html",
        read_html,
        endings=(".html", ".htm", ".xhtml"),
        with_boilerplate=True,
        whole=partial(read_html, whole=True),
    ),
    "mhtml": Format(
        "multipart/related",
        read_mail,
        with_boilerplate=True,
        whole=partial(read_mail, whole=True),
    ),
    "mail": Format("message/rfc822", read_mail, endings=(".eml",), attaches=True),
    "msg": Format(
        "application/vnd.ms-outlook",
        read_msg,
        in_compound=("__properties_version1.0",),
        attaches=True,
    ),
    "markdown": Format("text/markdown", read_markdown, endings=(".md", ".markdown")),
    "text": Format("text/plain", read_text, with_boilerplate=True),
    "csv": Format("text/csv", table=read_csv, endings=(".csv",)),
    "tsv": Format("text/tab-separated-values", table=_TSV, endings=(".tsv", ".tab")),
    "jsonl": Format("application/jsonl", table=read_jsonl, endings=(".jsonl", ".ndjson")),
    "json": Format("application/json", table=read_json),
    "parquet": Format("application/vnd.apache.parquet", table=read_parquet, starts=b"PAR1"),
    "xlsb": Format(
        "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        table=read_workbook,
        in_zip=("xl/workbook.bin",),
    ),
    "xlsx": Format(f"{_MICROSOFT}spreadsheetml.sheet", table=read_workbook, in_zip=("xl/",)),
    "xls": Format(
        "application/vnd.ms-excel", table=read_workbook, in_compound=("Workbook", "Book")
    ),
    "ods": Format(f"{_OPEN}spreadsheet", table=read_workbook),
    "mbox": Format("application/mbox", members=mbox_members),
    "zip": Format("application/zip", members=zip_members),
    "tar": Format("application/x-tar", members=tar_members),
}
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPOUND = b"\xd0\xcf\x11\xe0"  # the form of Office up to 2003 and of Outlook
_CONVERT = "convert it to PDF, DOCX or text"
_UNREADABLE = {  # by the way out
    _CONVERT: {
        b"\x89PNG": "a PNG image",
        b"\xff\xd8\xff": "a JPEG image",
        b"GIF8": "a GIF image",
        b"II*\x00": "a TIFF image",
        b"MM\x00*": "a TIFF image",
        b"\x7fELF": "a program",
        b"SQLite format 3": "an SQLite database",
        b"BEGIN:VCALENDAR": "a calendar entry",
        b"BEGIN:VCARD": "a visiting card",
    },
    "unpack it first": {
        b"7z\xbc\xaf": "a 7z archive",
        b"Rar!": "a RAR archive",
        b"BZh": "a bzip2 archive",
        b"\xfd7zXZ": "an XZ archive",
        b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    },
    "ask for it as .eml, or for the files": {b"\x78\x9f\x3e\x22": "Outlook's own packing"},
}
_UNREADABLE_COMPOUND = {
    "WordDocument": "a Word file of the years up to 2003",
    "PowerPoint Document": "a PowerPoint file of the years up to 2003",
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


def recognised(content: Content, limits: Limits) -> tuple[Format, Content]:
    """Return the format of `content`, and itself; of a gzip, those of what it holds.

    Raises
    ------
    DocumentError
        If it is empty, packed twice, or nothing that can be read as text.
    """
    if content.head.startswith(_GZIP):
        content = from_gzip(content, limits)
        if content.head.startswith(_GZIP):
            raise DocumentError("it is packed twice with gzip", hint="unpack it once")
    return _format_of(content, limits), content


def _format_of(content: Content, limits: Limits) -> Format:
    head = content.head
    if not head:
        raise DocumentError("the file is empty", hint="fetch it again or take it out")
    if head.startswith(_ZIP):
        return _inside_zip(content, limits)
    if head.startswith(_COMPOUND):
        return _inside_compound(content.whole(limits.document_bytes))
    begun = head.lstrip()
    for form in FORMATS.values():
        if form.starts and begun.startswith(form.starts):
            return form
    # After some rubbish, as readers accept it; not in a mail with a PDF in it.
    is_mail = _MAIL_HEADER.search(head[:1024].decode("latin-1"))
    if b"%PDF-" in head[:1024] and b" obj" in head and not is_mail:
        return FORMATS["pdf"]
    if head[257:262] == b"ustar":
        return FORMATS["tar"]
    _refuse_unreadable(begun)
    if is_binary(head[:4096]) and not is_mail:
        raise _unreadable("binary data of no known kind")
    return FORMATS[_kind_of_text(head, content.name)]


def _inside_zip(content: Content, limits: Limits) -> Format:
    with content.searchable(limits.document_bytes) as stream, zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        mimetype = archive.read("mimetype")[:100] if names[:1] == ["mimetype"] else b""
    for kind in ("epub", "odt", "ods", "odp"):
        if mimetype.startswith(FORMATS[kind].media_type.encode()):  # also templates
            return FORMATS[kind]
    if b"opendocument" in mimetype:
        raise _unreadable("an OpenDocument drawing or formula", hint="save it as PDF")
    if "[Content_Types].xml" in names:
        for form in FORMATS.values():
            if form.in_zip and any(name.startswith(form.in_zip) for name in names):
                return form
    return FORMATS["zip"]


def _inside_compound(data: bytes) -> Format:
    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") + b"\0\0" in data

    if any(map(holds, FORMATS["msg"].in_compound)):  # whatever is attached to it
        return FORMATS["msg"]
    if holds("EncryptedPackage"):
        raise DocumentError("it is encrypted", hint="save it without a password")
    for form in FORMATS.values():
        if any(map(holds, form.in_compound)):
            return form
    for stream, what in _UNREADABLE_COMPOUND.items():
        if holds(stream):
            raise _unreadable(what, hint="save it as DOCX or PDF")
    raise _unreadable("a Microsoft file of an old or unknown kind", hint="save it as PDF")


def _refuse_unreadable(begun: bytes) -> None:
    for hint, kinds in _UNREADABLE.items():
        for magic, what in kinds.items():
            if begun.startswith(magic):
                raise _unreadable(what, hint)


def _unreadable(what: str, hint: str = _CONVERT) -> DocumentError:
    return DocumentError(f"it is {what}, which holds no text that can be read here", hint=hint)


def _kind_of_text(head: bytes, name: str) -> str:
    start = head[:8192].decode(encoding_of(head), "replace").removeprefix("\ufeff")
    suffix = PurePosixPath(name.lower()).suffix
    named = next((kind for kind, form in FORMATS.items() if suffix in form.endings), None)
    if _HTML.match(start) or (named == "html" and "<" in start):
        return "html"
    if _XML.match(start):
        raise _unreadable("XML of no known kind", hint="convert it to HTML or text")
    if _MBOX.match(start) and named in {None, "mail"}:
        return "mbox"
    header = re.split(r"\r?\n\r?\n", start, maxsplit=1)[0]
    if named in {None, "mail"} and len(set(_MAIL_HEADER.findall(header.casefold()))) > 1:
        saved = suffix in {".mht", ".mhtml"} or "saved by" in header[:200].casefold()
        return "mhtml" if saved and _SAVED_PAGE.search(header) else "mail"
    if named and named != "html":
        return named
    if _json_line(start):
        return "jsonl"
    if suffix == ".json":
        if start.lstrip().startswith("["):
            return "json"
        raise _unreadable("JSON", hint="write an array of objects, or one on each line (JSONL)")
    return "text"


def _json_line(start: str) -> bool:
    """Whether the first line is a whole JSON object."""
    line = start.lstrip().partition("\n")[0]
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
