"""One file → its texts and faults, in the child process."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from textclass.documents import detect as kinds
from textclass.documents.content import Content, from_gzip, from_member, refuse_bomb
from textclass.documents.data import Limits, TableOptions
from textclass.documents.mail import read_eml
from textclass.documents.names import name_fault
from textclass.documents.office import read_docx, read_odt
from textclass.documents.pdf import read_pdf
from textclass.documents.plain import read_markdown, read_rtf, read_text
from textclass.documents.tables import read_csv, read_jsonl, read_parquet, read_tsv, read_xlsx
from textclass.documents.text import refuse_longer
from textclass.documents.web import read_html
from textclass.documents.wire import Fault, Found, Member, Part
from textclass.errors import DocumentError, TextclassError

_DOCUMENTS: dict[str, Callable[[bytes, Limits], Found]] = {
    kinds.PDF: read_pdf,
    kinds.DOCX: read_docx,
    kinds.ODT: read_odt,
    kinds.RTF: read_rtf,
    kinds.HTML: read_html,
    kinds.EML: read_eml,
    kinds.MARKDOWN: read_markdown,
    kinds.TEXT: read_text,
}
_TABLES: dict[str, Callable[[Content, Limits, TableOptions], Iterator[Found | Fault]]] = {
    kinds.CSV: read_csv,
    kinds.TSV: read_tsv,
    kinds.JSONL: read_jsonl,
    kinds.PARQUET: read_parquet,
    kinds.XLSX: read_xlsx,
}


def read_file(
    path: Path, limits: Limits, options: TableOptions, *, skip: int = 0
) -> Iterator[Part]:
    """Yield what a file holds; of an archive, not the first `skip` members."""
    return _parts(Content(path.name, lambda: path.open("rb"), path), limits, options, skip)


def _parts(
    content: Content, limits: Limits, options: TableOptions, skip: int = 0
) -> Iterator[Part]:
    """Yield what a content holds; only one on disk may be an archive."""
    stage = "detect"
    try:
        kind = kinds.detect(content, limits)
        if kind == kinds.GZIP and content.path:
            content = from_gzip(content, content.path.stat().st_size, limits)
            kind = kinds.detect(content, limits)
        elif kind == kinds.ZIP and content.path:
            stage = "read"
            yield from _members(content, limits, options, skip)
            return
        if kind in {kinds.GZIP, kinds.ZIP}:
            raise DocumentError("it is an archive inside an archive", hint="unpack the outer one")
        stage = "read"
        if kind in _TABLES:
            yield from _rows(_TABLES[kind](content, limits, options), kind, limits)
        else:
            yield _document(content, kind, limits)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a parser may raise anything on hostile bytes
        yield Fault(stage, _told(error))


def _document(content: Content, kind: str, limits: Limits) -> Found | Fault:
    data = content.whole(limits.document_bytes)
    found = _DOCUMENTS[kind](data, limits)
    refuse_longer(len(found.text), limits.text_chars)
    if not found.text.strip():
        fault = f"no text was found in it, though it holds {len(data):,} bytes ({kind})"
        return Fault("text", fault)
    return replace(found, media_type=kind, sha256=hashlib.sha256(data).hexdigest())


def _rows(rows: Iterator[Found | Fault], kind: str, limits: Limits) -> Iterator[Part]:
    count = 0
    for count, row in enumerate(rows, 1):
        if count > limits.rows:
            raise DocumentError(f"it has more than {limits.rows:,} rows", hint="split it")
        yield replace(row, media_type=kind) if isinstance(row, Found) else row
    if not count:
        yield Fault("text", "the table has no rows")


def _members(content: Content, limits: Limits, options: TableOptions, skip: int) -> Iterator[Part]:
    with content.open() as stream, zipfile.ZipFile(stream) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > limits.members:
            raise DocumentError(
                f"it has {len(infos):,} members, more than {limits.members:,}", hint="split it"
            )
        inflated = sum(info.file_size for info in infos)
        refuse_bomb(inflated, sum(info.compress_size for info in infos), limits)
        # macOS puts a shadow of each file there; none holds text.
        shadows = [info.orig_filename.startswith("__MACOSX/") for info in infos]
        seen: set[str] = set()
        for index, info in enumerate(infos):
            name = info.orig_filename
            if index >= skip and not shadows[index]:
                yield Member(index, name)
                fault = "another member has the same name" if name in seen else name_fault(name)
                if stat.S_ISLNK(info.external_attr >> 16):
                    fault = "it is a link, not a file"
                if fault:
                    yield Fault("open", fault)
                else:
                    yield from _parts(from_member(archive, info, limits), limits, options)
            seen.add(name)
        if all(shadows):
            yield Fault("text", "the archive holds no files")


def _told(error: Exception) -> str:
    """Return what happened, in words where the library's own say little."""
    if isinstance(error, TextclassError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, zipfile.BadZipFile | EOFError):
        return f"its zip container is damaged or cut short: {error} (fetch the file again)"
    return f"it can't be read, it may be damaged: {type(error).__name__}: {error}"
