"""What lies in Office documents: links, objects, pictures."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from chat_server.sanitizing.report import Rebuilt
from tests.unit.ooxml_rebuilding import drawing, rebuilt, told
from tests.unit.ooxml_samples import (
    SPACES,
    Opened,
    composed,
    picture,
    word,
)

# Links and objects.


def test_links_that_are_clicked_stay_and_others_leave_their_words() -> None:
    def link(id_: str, words: str, more: str = "") -> str:
        return f'<w:hyperlink r:id="{id_}"{more}><w:r><w:t>{words}</w:t></w:r></w:hyperlink>'

    targets = {
        "rId1": "!https://www.example.lg.jp/届出?a=1#b", "rId2": "!mailto:soumu@example.lg.jp", "rId3": "!file:///c:/windows/system32/calc.exe",
        "rId4": "!\\\\host\\share\\a.docx", "rId5": "!javascript:alert(1)", "rId6": "!ms-msdt:/id", "rId7": "!https://www.example.lg.jp@203.0.113.9/",
        "rId8": "!a.docx", "rId9": "!ftp://example.jp/", "rId10": "!https://a.jp\\@b.jp/",
    }  # fmt: skip
    links = (
        "".join(link(id_, f"語{id_}", ' w:tgtFrame="_blank"') for id_ in targets)
        + '<w:hyperlink w:anchor="章"><w:r><w:t>章へ</w:t></w:r></w:hyperlink>'
    )
    opened, said = rebuilt(word(f"<w:p>{links}</w:p>", {id_: ("hyperlink", target) for id_, target in targets.items()}))
    xml = opened.xml("word/document.xml")
    assert re.findall('<w:hyperlink [^>]*"', xml) == [
        '<w:hyperlink r:id="rId1"',
        '<w:hyperlink r:id="rId2"',
        '<w:hyperlink w:anchor="章"',
    ]
    assert xml.count("<w:hyperlink") == 3
    assert len(opened.text) == 11
    assert told(said) == {"link": 8}
    assert said.warnings == ["links_gone"]
    relations = opened.xml("word/_rels/document.xml.rels")
    assert re.findall('Target="([^"]*)"', relations) == [
        "https://www.example.lg.jp/届出?a=1#b",
        "mailto:soumu@example.lg.jp",
    ]


def test_a_picture_that_would_be_fetched_is_not() -> None:
    opened, said = rebuilt(
        word(drawing('<a:blip r:link="rId1"/>'), {"rId1": ("image", "!http://203.0.113.5/track.png")})
    )
    assert "203.0.113.5" not in opened.everything
    assert "<pic:blipFill><a:stretch/></pic:blipFill>" in opened.xml("word/document.xml")
    assert told(said) == {"link": 1}


def test_a_link_that_is_clicked_cannot_be_used_to_fetch() -> None:
    links = {"rId1": ("hyperlink", "!http://203.0.113.5/track.png")}
    for inner in (
        drawing('<a:blip r:embed="rId1"/>'),
        '<w:altChunk r:id="rId1"/>',
        '<w:subDoc r:id="rId1"/>',
        '<w:pict><v:shape><v:imagedata r:id="rId1"/></v:shape></w:pict>',
    ):
        assert "203.0.113.5" not in rebuilt(word(inner, links))[0].everything


def test_shapes_lose_links_and_addresses() -> None:
    shape = (
        '<w:p><w:r><w:pict><v:shape id="a" type="#b" style="width:9pt" href="file:///c:/a.exe" o:button="t" o:ole="t"><v:imagedata src="http://203.0.113.5/a" o:href="http://203.0.113.5/b"/>'
        '<v:textbox><w:txbxContent><w:p><w:r><w:t>箱</w:t></w:r></w:p></w:txbxContent></v:textbox><o:OLEObject Type="Link"/></v:shape></w:pict></w:r></w:p>'
    )
    opened, said = rebuilt(word(shape))
    xml = opened.xml("word/document.xml")
    assert '<v:shape id="a" type="#b" style="width:9pt">' in xml
    assert opened.text == ["箱"]
    assert not re.search(r"203|href|file:|button|ole", xml, re.IGNORECASE)
    assert told(said) == {"link": 1}


def test_of_an_embedded_object_the_picture_stays() -> None:
    object_ = (
        '<w:p><w:r><w:object w:dxaOrig="9"><v:shape id="s" style="width:9pt"><v:imagedata r:id="rId1"/></v:shape>'
        '<o:OLEObject Type="Embed" ProgID="Package" r:id="rId2"/></w:object></w:r></w:p>'
    )
    opened, said = rebuilt(
        word(
            object_,
            {"rId1": ("image", "a.png"), "rId2": ("oleObject", "o.bin")},
            {"word/a.png": picture(), "word/o.bin": b"MZ"},
        )
    )
    assert '<w:pict><v:shape id="s" style="width:9pt"><v:imagedata r:id="rId1"/></v:shape></w:pict>' in opened.xml(
        "word/document.xml"
    )
    assert told(said) == {"embedded": 1}
    assert "word/media/image1.png" in opened.parts


def test_a_chart_keeps_its_values_without_its_workbook() -> None:
    def series(reference: str) -> str:
        return (
            f"<c:ser><c:tx><c:strRef><c:f>{reference}!$A$1</c:f><c:strCache><c:ptCount val='1'/><c:pt idx='0'><c:v>人口</c:v></c:pt></c:strCache></c:strRef></c:tx>"
            f"<c:val><c:numRef><c:f>{reference}!$B$1</c:f><c:numCache><c:ptCount val='1'/><c:pt idx='0'><c:v>7</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser>"
        )

    chart = f'<c:chartSpace {SPACES}><c:chart><c:plotArea>{series("Sheet1")}{series("[1]Sheet1")}</c:plotArea></c:chart><c:externalData r:id="rId1"><c:autoUpdate val="1"/></c:externalData></c:chartSpace>'
    graphic = '<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData uri="x"><c:chart r:id="rId1"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>'
    opened, said = rebuilt(
        word(
            graphic,
            {"rId1": ("chart", "chart1.xml")},
            {"word/chart1.xml": chart, "word/b.xlsx": b"PK"},
            chart1={"rId1": ("package", "b.xlsx")},
        )
    )
    xml = opened.xml("word/charts/chart1.xml")
    assert told(said) == {"embedded": 1, "formula": 2}
    assert "<c:f>Sheet1!$B$1</c:f>" in xml
    assert "[1]" not in xml
    assert "<c:tx><c:v>人口</c:v></c:tx>" in xml
    assert '<c:val><c:numLit><c:ptCount val="1"/><c:pt idx="0"><c:v>7</c:v></c:pt></c:numLit></c:val>' in xml
    assert "externalData" not in xml


def test_a_diagram_keeps_the_drawing_that_shows_it() -> None:
    graphic = (
        '<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData uri="x"><dgm:relIds r:dm="rId1"/></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )
    data = (
        f'<dgm:dataModel {SPACES}><dgm:ptLst/><dgm:extLst><a:ext uri="http://schemas.microsoft.com/office/drawing/2008/diagram">'
        '<dsp:dataModelExt relId="rId2" minVer="a"/></a:ext></dgm:extLst></dgm:dataModel>'
    )
    drawn = f"<dsp:drawing {SPACES}><dsp:spTree><dsp:sp><dsp:txBody><a:p><a:r><a:t>図</a:t></a:r></a:p></dsp:txBody></dsp:sp></dsp:spTree></dsp:drawing>"
    opened, said = rebuilt(
        word(
            graphic,
            {
                "rId1": ("diagramData", "data1.xml"),
                "rId2": ("http://schemas.microsoft.com/office/2007/relationships/diagramDrawing", "drawn1.xml"),
            },
            {"word/data1.xml": data, "word/drawn1.xml": drawn},
        )
    )
    assert 'relId="rId2"' in opened.xml("word/diagrams/data1.xml")
    assert 'Id="rId2"' in opened.xml("word/_rels/document.xml.rels")
    assert opened.text == ["図"]
    assert said.removed == []


def test_shapes_on_a_chart_lose_their_macros() -> None:
    graphic = (
        '<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData uri="x"><c:chart r:id="rId1"/></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )
    shapes = f'<c:userShapes {SPACES}><cdr:relSizeAnchor><cdr:sp macro="Evil" textlink="[1]a!A1"/></cdr:relSizeAnchor></c:userShapes>'
    opened, _ = rebuilt(
        word(
            graphic,
            {"rId1": ("chart", "chart1.xml")},
            {
                "word/chart1.xml": f'<c:chartSpace {SPACES}><c:userShapes r:id="rId1"/></c:chartSpace>',
                "word/shapes1.xml": shapes,
            },
            chart1={"rId1": ("chartUserShapes", "shapes1.xml")},
        )
    )
    assert "<cdr:relSizeAnchor><cdr:sp/></cdr:relSizeAnchor>" in opened.xml("word/drawings/shapes1.xml")


def test_the_looks_of_shapes_are_kept() -> None:
    kept = '<w:pict><v:shape id="a" fillcolor="red" alt="印"><v:shadow on="t"/><v:textpath on="t" string="見本"/></v:shape></w:pict>'
    assert kept in rebuilt(word(f"<w:p><w:r>{kept}</w:r></w:p>"))[0].xml("word/document.xml")


def page(data: bytes, content_type: str = "text/html") -> tuple[Opened, Rebuilt]:
    parts: dict[str, str | bytes] = {
        "word/document.xml": f'<w:document {SPACES}><w:body><w:p/><w:altChunk r:id="rId1"/><w:sectPr/></w:body></w:document>',
        "word/page.htm": data,
    }
    relations = {"word/document.xml": {"rId1": ("aFChunk", "page.htm")}}
    return rebuilt(composed(parts, relations, types={"word/page.htm": content_type}))


@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis", "euc-jp"])
def test_of_a_page_within_a_text_the_words_stay(encoding: str) -> None:
    html = (
        f'<html><head><meta charset="{encoding}"><title>題</title><script>evil()</script></head><body onload="evil()"><!-- c --><h1>通知</h1><p>本文の\n'
        '<b>太字</b>です　よ。<br>次の行&#1;<a href="javascript:evil()">押す</a></p><iframe src="http://203.0.113.5/">枠</iframe>'
        "<table><tr><td>甲</td><td>乙</td></tr></table></body></html>"
    )
    opened, said = page(html.encode(encoding))
    paragraphs = re.findall('<w:t xml:space="preserve">([^<]*)</w:t>', opened.xml("word/document.xml"))
    assert paragraphs == ["通知", "本文の 太字です　よ。", "次の行押す", "甲 乙"]
    assert not re.search("evil|203.0.113.5|altChunk|htm", opened.everything)
    assert told(said) == {"embedded": 1}


def test_of_plain_text_within_a_text_the_words_stay() -> None:
    assert page("一行目\r\n\r\n二行目".encode("cp932"), "text/plain")[0].text == ["一行目", "二行目"]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(b"PK\3\4", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"), (b"{\\rtf1 x}", "application/rtf"), (b"", "text/html"),
     (b"<!-- -->", "text/html")],
)  # fmt: skip
def test_of_other_formats_within_a_text_nothing_stays(data: bytes, content_type: str) -> None:
    opened, said = page(data, content_type)
    assert "<w:body><w:p/><w:sectPr/></w:body>" in opened.xml("word/document.xml")
    assert told(said) == {"embedded": 1}


def test_a_picture_is_not_shown_by_what_would_fetch_it() -> None:
    opened, _ = rebuilt(
        word(drawing('<a:blip r:link="rId1"/>'), {"rId1": ("image", "a.png")}, {"word/a.png": picture()})
    )
    assert "media" not in opened.everything


# Pictures.


def images(data: bytes) -> tuple[dict[str, Image.Image], Rebuilt]:
    opened, said = rebuilt(
        word(drawing('<a:blip r:embed="rId1"/>'), {"rId1": ("image", "media/a.bin")}, {"word/media/a.bin": data})
    )
    return {name: Image.open(io.BytesIO(part)) for name, part in opened.parts.items() if "media" in name}, said


@pytest.mark.parametrize(
    ("format_", "mode", "suffix", "after"),
    [("PNG", "RGB", "png", "RGB"), ("PNG", "RGBA", "png", "RGBA"), ("PNG", "P", "png", "P"), ("PNG", "1", "png", "1"), ("GIF", "P", "png", "P"),
     ("BMP", "RGB", "png", "RGB"), ("TIFF", "CMYK", "png", "RGB"), ("JPEG", "RGB", "jpeg", "RGB"), ("JPEG", "L", "jpeg", "L"),
     ("JPEG", "CMYK", "jpeg", "RGB"), ("MPO", "RGB", "jpeg", "RGB"), ("PNG", "I;16", "png", "L"), ("WEBP", "RGBA", "png", "RGBA")],
)  # fmt: skip
def test_pictures_are_encoded_again(format_: str, mode: str, suffix: str, after: str) -> None:
    made, said = images(picture(format_, mode) + b"<script>trailing</script>")
    ((name, image),) = made.items()
    assert name == f"word/media/image1.{suffix}"
    assert (image.mode, image.size) == (after, (8, 6))
    assert said.removed == []


def test_a_picture_of_many_greys_is_not_burnt_out() -> None:
    target = io.BytesIO()
    Image.new("I;16", (4, 4), 0x8000).save(target, "PNG")
    (image,) = images(target.getvalue())[0].values()
    assert image.getpixel((0, 0)) == 0x80


def test_transparent_colours_stay_transparent() -> None:
    target = io.BytesIO()
    Image.new("P", (4, 4), 1).save(target, "GIF", transparency=1)
    (image,) = images(target.getvalue())[0].values()
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_a_photo_stands_upright_and_says_nothing_of_its_place() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x8825] = {1: "N", 2: (35.0, 41.0, 0.0)}
    made, said = images(picture("JPEG", exif=exif))
    (image,) = made.values()
    assert image.size == (6, 8)
    assert not image.getexif()
    assert told(said) == {"place": 1}


@pytest.mark.parametrize(
    ("data", "object_"),
    [
        (b"\x89PNG\r\n\x1a\nbroken", "image"),
        (picture(size=(90, 90), mode="RGBA")[:-40], "image"),
        (b"MZ\x90\0" * 20, "image"),
        (b"\xd7\xcd\xc6\x9a" + bytes(60), "vector_image"),
        (b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(60), "vector_image"),
        (b"<?xml version='1.0'?><svg onload='a()'/>", "vector_image"),
    ],
)
def test_what_is_no_picture_leaves_a_grey_place(data: bytes, object_: str) -> None:
    made, said = images(data)
    (image,) = made.values()
    assert image.size == (1, 1)
    assert image.getpixel((0, 0)) == (217, 217, 217)
    assert told(said) == {object_: 1}


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    target = io.BytesIO()
    Image.new("1", (12_000, 9_000)).save(target, "PNG")
    assert told(images(target.getvalue())[1]) == {"image": 1}
