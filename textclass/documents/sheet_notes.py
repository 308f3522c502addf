"""What stands in a workbook beside its cells: the reader of cells gives no notes and text boxes."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

from textclass.documents.document import Limits
from textclass.documents.office import Package

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
# Kinds of records in a workbook of the years up to 2003.
_SHEET_NAMED, _SHEET_BEGINS, _NOTE = 0x85, 0x809, 0x1C

Beside = tuple[str, int, str]
"""A sheet and a row, and what isn't in the cells there; of all sheets, if none is named."""


def beside_cells(stream: IO[bytes], limits: Limits) -> Iterator[Beside]:
    """Yield where a workbook of any form has notes and text boxes, in no order."""
    if not zipfile.is_zipfile(stream):
        yield from _in_compound_file(stream)
        return
    with Package(stream, limits) as package:
        book = package.target("officeDocument")
        if book.endswith(".xml"):
            yield from _in_openxml(package, book)
        elif any(re.search(r"comments\d*\.bin$", name) for name in package.namelist()):
            yield "", 1, "notes on cells"
        if b":annotation" in package.bytes_of("content.xml"):
            yield from _in_opendocument(package)


def _in_openxml(package: Package, book: str) -> Iterator[Beside]:
    for sheet, part in package.named_in(book, "sheet"):
        name = sheet.get("name", "")
        for relation in package.relations(part):
            if relation.kind == "comments":
                for note in package.xml(relation.target).iter("{*}comment"):
                    cell = note.get("ref", "")
                    yield name, int(re.sub(r"\D", "", cell) or 1), f"the note on cell {cell}"
            if relation.kind == "drawing":
                for box in package.xml(relation.target).iterchildren("*"):
                    if any(node.text for node in box.iter("{*}t")):
                        yield name, int(box.findtext("{*}from/{*}row", "0")) + 1, "a text box"


def _in_opendocument(package: Package) -> Iterator[Beside]:
    for sheet in package.xml("content.xml").iter(f"{_TABLE}table"):
        place = 1
        for row in sheet.iter(f"{_TABLE}table-row"):
            for _ in row.iter("{*}annotation"):
                yield sheet.get(f"{_TABLE}name", ""), place, "the note on a cell"
            place += int(row.get(f"{_TABLE}number-rows-repeated", "1"))


def _in_compound_file(stream: IO[bytes]) -> Iterator[Beside]:
    from olefile import OleFileIO  # type: ignore[import-untyped]  # it has no types

    with OleFileIO(stream) as file:
        # Before 1997 a workbook's stream had another name, and notes another form.
        data = file.openstream("Workbook").read() if file.exists("Workbook") else b""
    names, sheet, place = {}, "", 0
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        record = data[place + 4 : place + 4 + size]
        if kind == _SHEET_NAMED:
            begins, _, length, wide = struct.unpack_from("<IHBB", record)
            name = record[8 : 8 + length * (1 + wide)]
            names[begins] = name.decode("utf-16-le" if wide else "latin-1")
        elif kind == _SHEET_BEGINS:
            sheet = names.get(place, "")
        elif kind == _NOTE:
            row, column = struct.unpack_from("<HH", record)
            yield sheet, row + 1, f"the note in row {row + 1}, column {column + 1}"
        place += 4 + size
