"""Tables that the tests make."""

import csv
import io
import struct

import pyarrow as pa
from pyarrow import parquet

from tests.documents.makers import compound, relations, zipped


def as_csv(rows, delimiter=","):
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, ["id", "text", "note"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def as_parquet(rows):
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def xlsx(rows, **more_sheets):
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, rows in more_sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ods(*rows):
    """A spreadsheet of one sheet."""
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    )
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p>'
            "</table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    return zipped(
        [
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", "<manifest/>"),
            (
                "content.xml",
                f"<office:document-content {names}><office:body><office:spreadsheet><table:table"
                f' table:name="One">{cells}</table:table></office:spreadsheet></office:body>'
                "</office:document-content>",
            ),
        ]
    )


def xls(rows, *, notes=()):
    """A workbook in the form of Excel 97 to 2003, of one sheet with notes on (row, column)."""

    def record(kind, data):
        return struct.pack("<HH", kind, len(data)) + data

    begins = struct.pack("<HHHHII", 0x600, 0x05, 0, 0x07CC, 0, 6)
    named = struct.pack("<IHBB", 0, 0, 3, 0) + b"One"
    place = len(record(0x809, begins) + record(0x85, named) + record(0x0A, b""))
    cells = [
        record(0x204, struct.pack("<HHHHB", y, x, 0, len(cell), 0) + cell.encode("latin-1"))
        for y, row in enumerate(rows)
        for x, cell in enumerate(row)
    ]
    told = [record(0x1C, struct.pack("<HHHHHB", *at, 0, 1, 0, 0)) for at in notes]
    book = [
        record(0x809, begins),
        record(0x85, struct.pack("<I", place) + named[4:]),
        record(0x0A, b""),
        record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0x07CC, 0, 6)),
        *cells,
        *told,
        record(0x0A, b""),
    ]
    return compound({"Workbook": b"".join(book)})


def xlsb(rows, **parts):
    """A binary workbook of one sheet."""

    def record(kind, data=b""):
        number = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
        assert len(data) < 128
        return number + bytes([len(data)]) + data

    def text(words):
        return struct.pack("<I", len(words)) + words.encode("utf-16-le")

    cells = b""
    for y, row in enumerate(rows):
        cells += record(0, struct.pack("<I", y) + bytes(13))
        for x, cell in enumerate(row):
            cells += record(6, struct.pack("<II", x, 0) + text(cell))
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    sheet = record(129) + record(148, size) + record(145) + cells + record(146) + record(130)
    book = (
        record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + text("s") + text("One"))
    )
    return zipped(
        [
            ("[Content_Types].xml", "<Types/>"),
            ("_rels/.rels", relations(("r", "officeDocument", "xl/workbook.bin"))),
            ("xl/workbook.bin", book + record(144) + record(132)),
            ("xl/_rels/workbook.bin.rels", relations(("s", "worksheet", "worksheets/sheet1.bin"))),
            ("xl/worksheets/sheet1.bin", sheet),
            *parts.items(),
        ]
    )
