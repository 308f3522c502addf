import io
import zipfile

import pytest

from tests.documents.makers import (
    W,
    docx,
    epub,
    odt,
    paragraph,
    pptx,
    relations,
    with_parts,
    zipped,
)
from textclass.documents import Limits
from textclass.documents.office import read_epub, read_opendocument, read_openxml
from textclass.errors import DocumentError

LIMITS = Limits()


def test_docx_gives_all_text_in_order():
    body = (
        paragraph("Head")
        + "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t></w:r><w:ins><w:r><w:t> inserted</w:t>"
        "</w:r></w:ins><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p><w:tbl><w:tr><w:tc>"
        + paragraph("a")
        + "</w:tc><w:tc>"
        + paragraph("b")
        + "</w:tc></w:tr><w:tr><w:tc>"
        + paragraph("long " * 50)
        + "</w:tc></w:tr></w:tbl><w:sdt><w:sdtContent>"
        + paragraph("control")
        + "</w:sdtContent></w:sdt><w:p><w:r><w:t>last</w:t><w:txbxContent>"
        + paragraph("box")
        + "</w:txbxContent></w:r></w:p>"
    )
    expected = [
        "Head",
        "one\ttwo inserted",
        "a | b",
        ("long " * 50).strip(),
        "\fcontrol",
        "last",
        "box",
    ]
    got = read_openxml(docx(body), LIMITS)
    assert got.text.split("\n\n") == expected
    assert got.date is None


def test_a_real_docx_has_its_date(tmp_path):
    import datetime as dt

    import docx as python_docx

    document = python_docx.Document()
    document.add_heading("Truce", 1)
    document.core_properties.modified = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
    document.save(tmp_path / "x.docx")
    got = read_openxml((tmp_path / "x.docx").read_bytes(), LIMITS)
    assert (got.text, got.date[:10]) == ("Truce", "2024-05-06")


def test_odt_gives_all_text_in_order():
    body = (
        "<text:h>Head</text:h><text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:p>One<text:s text:c="999999999"/>two <text:span>three</text:span> tail<text:note>'
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>note</text:p>"
        "</text:note-body></text:note> end</text:p><table:table><table:table-row><table:table-cell"
        ' table:number-columns-repeated="999999"><text:p>a</text:p></table:table-cell>'
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    got = read_opendocument(odt(body, meta="<dc:date>2020-02-03T04:05:06</dc:date>"), LIMITS)
    assert got.text.split("\n\n") == ["Head", "One two three tail end", "note", "a | b"]
    assert got.date == "2020-02-03T04:05:06"


def test_an_encrypted_odt_is_told():
    data = zipped([("META-INF/manifest.xml", "<m:encryption-data/>"), ("content.xml", "\x01")])
    with pytest.raises(DocumentError, match="encrypted"):
        read_opendocument(data, LIMITS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_any_encoding(encoding):
    main = relations(("r", "officeDocument", "word/document.xml"))
    hostile = '<!DOCTYPE d [<!ENTITY x "y">]><d/>'.encode(encoding)
    data = zipped([("_rels/.rels", main), ("word/document.xml", hostile)])
    with pytest.raises(DocumentError, match="XML entities"):
        read_openxml(data, LIMITS)


def test_too_many_tags_are_refused():
    with pytest.raises(DocumentError, match="more than 9 XML tags"):
        read_openxml(docx("<w:p/>" * 10), Limits(tags=9))


def test_a_table_inside_a_table_comes_once():
    inner = (
        f"<w:tbl><w:tr><w:tc>{paragraph('N0')}</w:tc><w:tc>{paragraph('N1')}</w:tc></w:tr></w:tbl>"
    )
    body = f"<w:tbl><w:tr><w:tc>{paragraph('left')}</w:tc><w:tc>{inner * 2}</w:tc></w:tr></w:tbl>"
    assert read_openxml(docx(body), LIMITS).text == "left\n\nN0 | N1\n\nN0 | N1"


def test_a_row_that_holds_prose_is_set_apart():
    rows = [("Date", "What"), ("May", "long " * 50, "None"), ("June", "Talks"), ("July", "Rain")]
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    table = "".join(f"<w:tr>{row}</w:tr>" for row in cells)
    got = read_openxml(docx(f"<w:tbl>{table}</w:tbl>"), LIMITS)
    prose = ("long " * 50).strip()
    assert got.text.split("\f") == [
        f"Date | What\n\nMay\n\n{prose}\n\nNone\n\n",
        "June | Talks\n\nJuly | Rain",
    ]


def test_notes_and_comments_follow_their_paragraph_and_other_parts_are_told():
    def notes(kind):
        node = f'<w:{kind} w:id="2">{paragraph(f"the {kind}")}</w:{kind}>'
        return f'<w:{kind}s xmlns:w="{W}">{node}</w:{kind}s>'

    kinds = ("footnote", "endnote", "comment")
    calls = "".join(f'<w:r><w:{kind}Reference w:id="2"/></w:r>' for kind in kinds)
    related = [(kind, f"{kind}s", f"{kind}s.xml") for kind in kinds]
    data = with_parts(
        docx(f"<w:p><w:r><w:t>One.</w:t></w:r>{calls}</w:p>{paragraph('Two.')}"),
        word___rels__document_DOT_xml_DOT_rels=relations(
            *related, ("o", "oleObject", "embeddings/table.bin")
        ),
        **{f"word__{kind}s_DOT_xml": notes(kind) for kind in kinds},
    )
    got = read_openxml(data, LIMITS)
    assert got.text.split("\n\n") == ["One.", "the footnote", "the endnote", "the comment", "Two."]
    assert got.unread == ("embedded file table.bin: not read",)


def test_strict_files_and_those_with_macros_are_read():
    strict = zipped(
        [
            ("[Content_Types].xml", ""),
            ("_rels/.rels", relations(("r", "officeDocument", "word/d.xml")).replace(
                "schemas.openxmlformats.org/officeDocument/2006/relationships",
                "purl.oclc.org/ooxml/officeDocument/relationships",
            )),
            ("word/d.xml", '<w:document xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main">'
                f"<w:body>{paragraph('Strict.')}</w:body></w:document>"),
        ]
    )  # fmt: skip
    assert read_openxml(strict, LIMITS).text == "Strict."


def test_slides_are_pages_with_their_notes():
    got = read_openxml(pptx(("First", "said"), ("", ""), ("Third", "")), LIMITS)
    assert (got.text, got.page_starts) == ("First\n\nsaid\n\n\fThird", (0, 14, 14))


def test_comments_follow_their_slide():
    p = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    slide = f'<p:sld {p} xmlns:a="urn:a"><a:p><a:r><a:t>Words</a:t></a:r></a:p></p:sld>'
    comments = f"<p:cmLst {p}><p:cm><p:pos/><p:text>A remark</p:text></p:cm></p:cmLst>"
    main = f'<p:presentation {p} xmlns:r="urn:r"><p:sldId id="1" r:id="s"/></p:presentation>'
    data = zipped(
        [
            ("_rels/.rels", relations(("r", "officeDocument", "ppt/p.xml"))),
            ("ppt/p.xml", main),
            ("ppt/_rels/p.xml.rels", relations(("s", "slide", "s.xml"))),
            ("ppt/s.xml", slide),
            ("ppt/_rels/s.xml.rels", relations(("c", "comments", "comments/c.xml"))),
            ("ppt/comments/c.xml", comments),
        ]
    )
    assert read_openxml(data, LIMITS).text == "Words\n\nA remark"


def test_equations_are_read():
    equation = '<m:oMath xmlns:m="urn:math"><m:r><m:t>x = 1</m:t></m:r></m:oMath>'
    got = read_openxml(docx(f"<w:p><w:r><w:t>If </w:t></w:r>{equation}</w:p>"), LIMITS)
    assert got.text == "If x = 1"


def test_a_book_is_its_chapters_and_a_lost_one_is_told(read):
    (found,) = read("a.epub", epub("One.", None, "Three."))
    assert (found.text, found.unread) == ("One.\n\nThree.", ("chapter c1.xhtml: missing",))
    assert read_epub(epub("One."), LIMITS).text == "One."


def test_a_book_without_an_order_is_read_as_it_lists_its_chapters():
    assert read_epub(epub("One.", "Two.", in_order=False), LIMITS).text == "One.\n\nTwo."


def drawn(width, height):
    size = f'<a:ext cx="{width}" cy="{height}"/>'
    pic = f'<p:pic xmlns:p="urn:p" xmlns:a="urn:a"><p:spPr><a:xfrm>{size}</a:xfrm></p:spPr></p:pic>'
    return f"<w:p><w:r><w:drawing>{pic}</w:drawing></w:r></w:p>"


def test_pictures_in_place_of_text_are_told():
    letter = paragraph("Annex") + drawn(5_500_000, 7_700_000) + drawn(500_000, 500_000)
    assert read_openxml(docx(letter), LIMITS).unread == ("pictures as large as pages: 1",)
    deck = pptx(("Words of the first slide.", ""), ("</a:t><p:pic/><a:t>", ""))
    assert read_openxml(deck, LIMITS).unread == ("slide 2: a picture without text",)
    pictures = epub("<img src='cover.png'/>", "One.", "<img src='scan.png'/>")
    assert read_epub(pictures, LIMITS).unread == ("chapter c2.xhtml: pictures without text",)


def test_the_text_of_charts_is_read():
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    chart = (
        f"<chartSpace {a}><title><a:p><a:r><a:t>Aid by year</a:t></a:r></a:p></title></chartSpace>"
    )
    data = with_parts(
        docx(paragraph("Words.")),
        word___rels__document_DOT_xml_DOT_rels=relations(("c", "chart", "chart.xml")),
        word__chart_DOT_xml=chart,
    )
    assert read_openxml(data, LIMITS).text == "Words.\n\nAid by year"


def test_what_is_embedded_in_an_odt_is_read_or_told():
    inside = (
        "<draw:frame xmlns:draw='urn:draw' xmlns:x='urn:x'><draw:{} x:href='./{}'/></draw:frame>"
    )
    table = inside.format("object", "Object 1") + inside.format("object-ole", "Object 2")
    inner = zipfile.ZipFile(io.BytesIO(odt("<text:p>Grain: 7 tonnes</text:p>"))).read("content.xml")
    data = with_parts(
        odt(f"<text:p>Words.</text:p><text:p>{table}</text:p>"),
        **{"Object 1__content_DOT_xml": inner},
    )
    got = read_opendocument(data, LIMITS)
    assert got.text == "Words.\n\nGrain: 7 tonnes"
    assert got.unread == ("embedded file Object 2: not read",)


def test_hidden_text_is_left_out():
    runs = "".join(
        f"<w:r><w:rPr>{mark}</w:rPr><w:t>{words}</w:t></w:r>"
        for mark, words in (
            ("", "Seen, "), ("<w:vanish/>", "unseen, "), ('<w:vanish w:val="0"/>', "shown again.")
        )
    )  # fmt: skip
    got = read_openxml(docx(f"<w:p>{runs}</w:p>{paragraph('After.')}"), LIMITS)
    assert got.text == "Seen, shown again.\n\nAfter."
