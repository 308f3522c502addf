"""Small files of each format, honest and hostile."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
FILLER = "The ministers met in the valley and agreed on the opening of the convoy road."


def pdf(pages, *, catalog=b"", trailer=b"", filters=b"", extra=()):
    """A PDF of content streams."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R"
            b" >> /XObject << /Im1 %d 0 R >> >> /Contents %d 0 R >>"
            % (4 + 2 * len(pages), 5 + 2 * i)
        )
        objects.append(
            b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), filters, content)
        )
    objects += extra
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out) + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R %s >>\n"
        b"startxref\n%d\n%%%%EOF" % (len(objects) + 1, table, len(objects) + 1, trailer, len(out))
    )


def page(*lines):
    """A content stream of (x, y, size, text) lines."""
    return b"\n".join(
        b"BT /F1 %d Tf %d %d Td (%s) Tj ET"
        % (size, x, y, text.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)"))
        for x, y, size, text in lines
    )


def scanned_pdf():
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray"
        b" /BitsPerComponent 8 /Length 1 >>\nstream\nA\nendstream"
    )
    return pdf([b"q 612 0 0 792 0 0 cm /Im1 Do Q"], extra=[image])


def encrypted_pdf():
    """A PDF that asks for a password: the keys fit none."""
    key = b"00" * 32
    return pdf(
        [page((72, 700, 12, "secret"))],
        trailer=b"/ID [<00><00>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44"
        b" /O <%s> /U <%s> >>" % (key, key),
    )


def double_deflated_pdf(megabytes=1024):
    """A few kB that pdfium inflates twice, to a GB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    once = b"\x78\xda" + block * megabytes + b"\x03\x00\x00\x00\x00\x00"
    return pdf([zlib.compress(once, 9)], filters=b"/Filter [/FlateDecode /FlateDecode]")


def zipped(members, *, method=zipfile.ZIP_DEFLATED):
    """A zip; a list as a member's data is written piece by piece."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, compresslevel=1) as archive:
        for name, data in members:
            if isinstance(data, list):
                with archive.open(name, "w") as member:
                    for piece in data:
                        member.write(piece)
            else:
                archive.writestr(name, data)
    return buffer.getvalue()


def misnamed_zip():
    """A zip of which a member's name says that it is UTF-8, and isn't."""
    return zipped([("é.txt", FILLER)]).replace("é".encode(), b"\xff\xff")


def docx(body, *, head="", name="word/document.xml"):
    """A DOCX with this XML in its body."""
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    return zipped(
        [
            (
                "[Content_Types].xml",
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default'
                ' Extension="rels" ContentType="application/vnd.openxmlformats-package'
                f'.relationships+xml"/><Override PartName="/{name}" ContentType="{office}"/>'
                "</Types>",
            ),
            (
                "_rels/.rels",
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                f'<Relationship Id="r1" Type="{relation}" Target="{name}"/></Relationships>',
            ),
            (
                name,
                [
                    f'<?xml version="1.0"?>{head}<w:document xmlns:w="{W}"><w:body>'.encode(),
                    *([body.encode()] if isinstance(body, str) else body),
                    b"</w:body></w:document>",
                ],
            ),
        ]
    )


def paragraph(text):
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def odt(body, *, meta=""):
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    return zipped(
        [
            ("mimetype", "application/vnd.oasis.opendocument.text"),
            (
                "content.xml",
                f"<office:document-content {names}><office:body><office:text>{body}</office:text>"
                "</office:body></office:document-content>",
            ),
            ("meta.xml", f"<office:document-meta {names}>{meta}</office:document-meta>"),
        ]
    )


def zeros(size):
    """A gzip of `size` zero bytes, made in little memory."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as packed:
        for _ in range(size >> 20):
            packed.write(b" " * (1 << 20))
    return buffer.getvalue()


RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def relations(*targets):
    """A relationship part; each target is (id, kind, part)."""
    inner = "".join(
        f'<Relationship Id="{name}" Type="{RELATION}/{kind}" Target="{part}"/>'
        for name, kind, part in targets
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{inner}</Relationships>'


def with_parts(package, **parts):
    """A package with more parts, named with __ for /, and _DOT_ for a dot."""
    buffer = io.BytesIO(package)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), data)
    return buffer.getvalue()


def pptx(*slides):
    """A presentation; each slide is its text and its speaker's notes."""
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    p = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    ids = "".join(f'<p:sldId id="{i}" r:id="s{i}"/>' for i in range(len(slides)))
    # A list of sections repeats the slides, without saying where they are.
    sections = '<s:sectionLst xmlns:s="urn:sections"><s:sldId id="0"/></s:sectionLst>'
    members = [
        ("[Content_Types].xml", "<Types/>"),
        ("_rels/.rels", relations(("r1", "officeDocument", "ppt/presentation.xml"))),
        (
            "ppt/presentation.xml",
            f'<p:presentation {p} xmlns:r="{RELATION}"><p:sldIdLst>{ids}</p:sldIdLst>'
            f"{sections}</p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            relations(*((f"s{i}", "slide", f"slides/s{i}.xml") for i in range(len(slides)))),
        ),
    ]
    for i, (text, notes) in enumerate(slides):
        for name, words in ((f"slides/s{i}", text), (f"notes/n{i}", notes)):
            members.append(
                (
                    f"ppt/{name}.xml",
                    f"<p:sld {p} {a}><p:txBody><a:p><a:r><a:t>{words}</a:t></a:r>"
                    "<a:fld><a:t>7</a:t></a:fld></a:p></p:txBody></p:sld>",
                )
            )
        members.append(
            (
                f"ppt/slides/_rels/s{i}.xml.rels",
                relations(("n", "notesSlide", f"../notes/n{i}.xml")),
            )
        )
    return zipped(members)


def epub(*chapters, in_order=True):
    """A book; a chapter of None is named but not there."""
    items = "".join(f'<item id="c{i}" href="c{i}.xhtml"/>' for i in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)) if in_order)
    return zipped(
        [
            ("mimetype", "application/epub+zip"),
            (
                "META-INF/container.xml",
                '<container xmlns="urn:c"><rootfiles><rootfile full-path="b/book.opf"/></rootfiles>'
                "</container>",
            ),
            (
                "b/book.opf",
                f'<package xmlns="urn:o"><manifest>{items}</manifest><spine>{spine}</spine>'
                "</package>",
            ),
            *(
                (f"b/c{i}.xhtml", f"<html><body><p>{text}</p></body></html>")
                for i, text in enumerate(chapters)
                if text
            ),
        ]
    )


def tarred(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if not data:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


SECTOR, SMALL_SECTOR, SMALL_BELOW = 512, 64, 4096
END, FREE, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF


def compound(tree):
    """A compound file ([MS-CFB], version 3) of streams (bytes) and storages (dicts) by name."""
    entries, small, big = [], bytearray(), bytearray()
    small_table, big_table = [], []

    def stored(data, space, table, size):
        """Where `data` begins in a chain of its own; also fills the table of chains."""
        if not data:
            return END
        first, count = len(table), -(-len(data) // size)
        table.extend([*range(first + 1, first + count), END])
        space.extend(data.ljust(count * size, b"\0"))
        return first

    def add(name, kind, data=b""):
        entry = {"name": name, "kind": kind, "right": NONE, "child": NONE, "size": len(data)}
        if len(data) < SMALL_BELOW:
            entry["start"] = stored(data, small, small_table, SMALL_SECTOR)
        else:
            entry["start"] = stored(data, big, big_table, SECTOR)
        entries.append(entry)
        return entry

    def fill(parent, tree):
        place, key = parent, "child"
        # A tree may lean to one side, as long as its names are in order.
        for name in sorted(tree, key=lambda name: (len(name), name.upper())):
            inner, place[key] = tree[name], len(entries)
            is_storage = isinstance(inner, dict)
            place, key = add(name, 1 if is_storage else 2, b"" if is_storage else inner), "right"
            if is_storage:
                fill(place, inner)

    root = add("Root Entry", 5)
    fill(root, tree)
    root["size"] = len(small)
    root["start"] = stored(bytes(small), big, big_table, SECTOR)
    small_start = stored(struct.pack(f"<{len(small_table)}I", *small_table), big, big_table, SECTOR)
    directory = b"".join(
        entry["name"].encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBB", 2 * len(entry["name"]) + 2, entry["kind"], 1)
        + struct.pack("<III", NONE, entry["right"], entry["child"])
        + bytes(36)
        + struct.pack("<IQ", entry["start"], entry["size"])
        for entry in entries
    )
    directory_start = stored(directory, big, big_table, SECTOR)
    tables = -(-len(big_table) // (SECTOR // 4 - 1))  # each holds its own place too
    assert tables <= 109
    places = [*range(len(big_table), len(big_table) + tables)]
    big_table += [0xFFFFFFFD] * tables + [FREE] * (tables * SECTOR // 4 - len(big_table) - tables)
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, tables, directory_start, 0, SMALL_BELOW, small_start),
        *(-(-len(small_table) // (SECTOR // 4)), END, 0),
    )
    header += struct.pack("<109I", *places, *[FREE] * (109 - tables))
    return header + bytes(big) + struct.pack(f"<{len(big_table)}I", *big_table)
