"""Office documents, rebuilt: nothing that acts is left, and nothing that is read is lost."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
import zipfile

import pytest
from PIL import Image

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild.ooxml import rebuild
from chat_server.sanitizing.report import Rebuilt
from tests.unit.document_samples import COMPOUND, docx, packed, sample
from tests.unit.ooxml_samples import (
    MC,
    SPACES,
    Opened,
    R,
    S,
    W,
    composed,
    picture,
    slides,
    texts,
    word,
    workbook,
)

ACTIVE = re.compile(
    r"vba|oleobject|embeddings/|altchunk|afchunk|macrosheet|externallink|instr[^<>]*[>\"][^<\"]*(?:dde|macrobutton)|file:|javascript:|hlinkfile|\.emf"
    r"|printersettings|xmlmaps|customxml|thumbnail|activex|docProps|auto_open|<!DOCTYPE",
    re.IGNORECASE,
)


def rebuilt(data: bytes) -> tuple[Opened, Rebuilt]:
    target = io.BytesIO()
    said = rebuild(io.BytesIO(data), target, Order(kind="docx"))
    opened = Opened(target.getvalue())
    opened.consistent()
    return opened, said


def refused(data: bytes) -> str:
    target = io.BytesIO()
    with pytest.raises(Refused) as caught:
        rebuild(io.BytesIO(data), target, Order(kind="docx"))
    assert not target.getvalue()
    return caught.value.reason


def told(said: Rebuilt) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in said.removed:
        counts[each.object] = counts.get(each.object, 0) + each.count
    return counts


def body(data: bytes) -> str:
    return rebuilt(word(data.decode()))[0].xml("word/document.xml")


def run(inner: str) -> str:
    return f"<w:r>{inner}</w:r>"


def field(*instructions: str, result: str = "結果", inner: str = "") -> str:
    pieces = "".join(run(f'<w:instrText xml:space="preserve">{each}</w:instrText>') for each in instructions)
    shown = "" if not result else run('<w:fldChar w:fldCharType="separate"/>') + run(f"<w:t>{result}</w:t>")
    return run('<w:fldChar w:fldCharType="begin"/>') + pieces + inner + shown + run('<w:fldChar w:fldCharType="end"/>')


# Files that others made.


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("oletools/dde-test.docx", "docx", {"field": 4}),
        ("oletools/embedded-unicode-2007.docx", "docx", {"embedded": 1, "vector_image": 1}),
        ("SimpleMacro.docm", "docx", {"macro": 1}),
        ("stress012.docx", "docx", {"embedded": 1}),
        ("oletools/harmless-clean.docx", "docx", {}),
        ("oletools/dde-test.xlsx", "xlsx", {"link": 1, "formula": 1}),
        ("oletools/excel4_sample_macro.xlsm", "xlsx", {"macro": 2}),
        ("SimpleMacro.xlsm", "xlsx", {"macro": 1}),
        ("link-external-workbook-b.xlsx", "xlsx", {"link": 1, "formula": 1}),
        ("xxe_in_schema.xlsx", "xlsx", {"custom_data": 2, "printer_settings": 1}),
        ("TwoSheetsOneHidden.xlsx", "xlsx", {}),
        ("oletools/sample_with_external_link_to_doc.pptx", "pptx", {"link": 1, "vector_image": 1, "thumbnail": 1}),
        (
            "PPTWithAttachments.pptm",
            "pptx",
            {"macro": 1, "embedded": 4, "link": 5, "thumbnail": 1, "element": 1},
        ),
        ("with_japanese.pptx", "pptx", {"thumbnail": 1}),
    ],
)
def test_nothing_active_is_left_of_real_files(name: str, kind: str, expected: dict[str, int]) -> None:
    data = sample(name).read_bytes()
    opened, said = rebuilt(data)
    assert said.kind == kind
    counts = told(said)
    assert counts.pop("metadata", 0) == sum(
        n.startswith("docProps/") and n.endswith(".xml") for n in zipfile.ZipFile(io.BytesIO(data)).namelist()
    )
    assert counts == expected
    assert not ACTIVE.search(opened.everything), ACTIVE.search(opened.everything)
    assert sum(map(len, opened.parts.values())) > 0
    before = sum(entry.compress_size for entry in zipfile.ZipFile(io.BytesIO(data)).infolist())
    target = io.BytesIO()
    rebuild(io.BytesIO(data), target, Order(kind=kind))
    assert sum(entry.compress_size for entry in zipfile.ZipFile(target).infolist()) <= before


@pytest.mark.parametrize(
    "name",
    ["oletools/harmless-clean.docx", "oletools/embedded-unicode-2007.docx", "SimpleMacro.docm", "SimpleMacro.xlsm", "TwoSheetsOneHidden.xlsx",
     "xxe_in_schema.xlsx", "link-external-workbook-b.xlsx", "oletools/dde-test.xlsx", "with_japanese.pptx",
     "oletools/sample_with_external_link_to_doc.pptx", "PPTWithAttachments.pptm"],
)  # fmt: skip
def test_every_word_of_real_files_is_kept(name: str) -> None:
    with zipfile.ZipFile(sample(name)) as package:
        before = {
            n: package.read(n)
            for n in package.namelist()
            if n.endswith(".xml") and not n.startswith(("docProps", "customXml"))
        }
    words = texts(before)
    assert rebuilt(sample(name).read_bytes())[0].text == words
    assert words or "embedded" not in name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("oletools/encrypted.docx", "encrypted"),
        ("oletools/encrypted.xlsx", "encrypted"),
        ("duplicate-filename.xlsx", "ambiguous"),
        ("crash-517626e815e0afa9decd0ebb6d1dee63fb9907dd.docx", "broken"),
        ("clusterfuzz-testcase-minimized-POIXSLFFuzzer-6254434927378432.pptx", "broken"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused(name: str, reason: str) -> None:
    assert refused(sample(name).read_bytes()) == reason


def test_a_macro_is_told_with_the_hash_of_its_bytes() -> None:
    data = sample("SimpleMacro.docm").read_bytes()
    macro = zipfile.ZipFile(io.BytesIO(data)).read("word/vbaProject.bin")
    _, said = rebuilt(data)
    (found,) = [each for each in said.removed if each.object == "macro"]
    assert found.sha256 == hashlib.sha256(macro).hexdigest()
    assert said.warnings == ["macros_gone"]


def test_a_document_with_macros_goes_out_as_one_without() -> None:
    types = rebuilt(sample("SimpleMacro.docm").read_bytes())[0].xml("[Content_Types].xml")
    assert "wordprocessingml.document.main+xml" in types
    assert "macroEnabled" not in types


def test_the_same_file_gives_the_same_bytes() -> None:
    made = []
    for _ in range(2):
        target = io.BytesIO()
        rebuild(io.BytesIO(sample("with_japanese.pptx").read_bytes()), target, Order(kind="pptx"))
        made.append(target.getvalue())
    assert made[0] == made[1]
    assert {entry.date_time[0] for entry in zipfile.ZipFile(io.BytesIO(made[0])).infolist()} == {1980}


# The package.


def test_a_second_part_of_a_name_is_refused() -> None:
    target = io.BytesIO(docx("本文"))
    with zipfile.ZipFile(target, "a") as package, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package.writestr("WORD/Document.xml", "<other/>")
    assert refused(target.getvalue()) == "ambiguous"


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "word/../../x", "..\\x"])
def test_a_part_that_wants_out_is_refused(name: str) -> None:
    target = io.BytesIO(docx("本文"))
    with zipfile.ZipFile(target, "a") as package:
        package.writestr(name, "x")
    assert refused(target.getvalue()) == "unsafe_path"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(encoding: str) -> None:
    xml = f'<!DOCTYPE w:document [<!ENTITY x SYSTEM "http://example.jp/">]><w:document xmlns:w="{W}"><w:body/></w:document>'
    data = composed({"word/document.xml": f'<?xml version="1.0" encoding="{encoding}"?>{xml}'.encode(encoding)})
    assert refused(data) == "declares"


def test_a_document_type_in_a_part_of_its_relations_is_refused() -> None:
    relations = f'<!DOCTYPE x><Relationships xmlns="{R}"/>'
    data = composed({"word/document.xml": f'<w:document xmlns:w="{W}"/>', "word/_rels/document.xml.rels": relations})
    assert refused(data) == "declares"


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert refused(word("<w:p>&secret;</w:p>")) == "broken"


def test_a_bomb_is_refused() -> None:
    text = "<w:p/>" + " " * (20 << 20)
    assert refused(word(text)) == "too_large"


def test_xml_that_is_too_deep_is_refused() -> None:
    assert rebuilt(word("<w:sdt>" * 200 + "</w:sdt>" * 200))[1].removed == []
    assert refused(word("<w:sdt>" * 300 + "</w:sdt>" * 300)) in ("too_large", "broken")


def test_an_entry_under_a_password_is_refused() -> None:
    data = bytearray(docx("本文"))
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    assert refused(bytes(data)) == "encrypted"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "broken"),
        (COMPOUND, "broken"),
        (packed({"word/document.xml": "<x/>"}), "broken"),
        (composed({"word/other.xml": "<x/>"}), "broken"),
        (word("<w:p>"), "broken"),
        (composed({"word/document.xml": f'<w:hdr xmlns:w="{W}"/>'}), "broken"),
        (
            composed(
                {"xl/workbook.bin": b"x"},
                types={"xl/workbook.bin": "application/vnd.ms-excel.sheet.binary.macroEnabled.main"},
            ),
            "unknown",
        ),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, reason: str) -> None:
    assert refused(data) == reason


def test_relations_that_share_an_identity_are_refused() -> None:
    one = f'<Relationship Id="rId1" Type="{R}/styles" Target="styles.xml"/>'
    relations = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{one}{one}</Relationships>'
    data = composed({"word/document.xml": f'<w:document xmlns:w="{W}"/>', "word/_rels/document.xml.rels": relations})
    assert refused(data) == "ambiguous"


def test_a_part_that_nothing_leads_to_stays_behind_and_is_told() -> None:
    opened, said = rebuilt(
        word("<w:p/>", more={"word/evil.exe": b"MZ", "word/styles.xml": f'<w:styles xmlns:w="{W}"/>'})
    )
    assert sorted(opened.parts) == ["[Content_Types].xml", "_rels/.rels", "word/document.xml"]
    assert sorted(each.name for each in said.removed if each.object == "part") == ["evil.exe", "styles.xml"]


def test_a_part_that_nothing_shows_stays_behind() -> None:
    chart = f"<c:chartSpace {SPACES}/>"
    opened, said = rebuilt(word("<w:p/>", {"rId1": ("chart", "chart1.xml")}, {"word/chart1.xml": chart}))
    assert "chart" not in opened.everything
    assert said.removed == []


def test_a_part_of_another_type_than_its_relation_stays_behind() -> None:
    opened, said = rebuilt(
        word("<w:p/>", {"rId9": ("styles", "chart1.xml")}, {"word/chart1.xml": f'<w:styles xmlns:w="{W}"/>'})
    )
    assert "word/styles.xml" not in opened.parts
    assert told(said) == {"part": 1}


def test_a_signature_is_void() -> None:
    origin = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin"
    _, said = rebuilt(
        composed(
            {"word/document.xml": f'<w:document xmlns:w="{W}"/>'}, root={"rId8": (origin, "_xmlsignatures/origin.sigs")}
        )
    )
    assert told(said) == {"signature": 1}
    assert said.warnings == ["signature_void"]


def test_the_strict_variant_is_written_as_everybody_reads_it() -> None:
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    data = composed(
        {
            "word/document.xml": f'<w:document xmlns:w="{strict}" w:conformance="strict"><w:body><w:p><w:r><w:t>本文</w:t></w:r></w:p></w:body></w:document>'
        }
    )
    opened, _ = rebuilt(data)
    assert opened.text == ["本文"]
    assert "purl.oclc.org" not in opened.everything
    assert "strict" not in opened.everything


# XML.


def test_what_is_unknown_is_not_copied() -> None:
    xml = rebuilt(
        word(
            '<w:p odd:x="1" onload="a" w:rsidR="00A1"><odd:run>x</odd:run><w:bookmarkEnd>DDEAUTO</w:bookmarkEnd><!-- note --><?go now?><w:r><w:t>本文</w:t></w:r></w:p>'
        )
    )[0].xml("word/document.xml")
    assert "<w:p><w:bookmarkEnd/><w:r><w:t>本文</w:t></w:r></w:p>" in xml
    assert "odd" not in xml
    assert "note" not in xml
    assert "go now" not in xml


def test_vertical_text_ruby_and_fonts_are_kept() -> None:
    kept = (
        '<w:p><w:pPr><w:textDirection w:val="tbRl"/><w:kinsoku/></w:pPr><w:r><w:rPr><w:rFonts w:ascii="MS Mincho" w:eastAsia="ＭＳ 明朝" w:hint="eastAsia"/>'
        '<w:eastAsianLayout w:id="-1" w:vert="1"/></w:rPr><w:ruby><w:rubyPr><w:rubyAlign w:val="distributeSpace"/><w:hps w:val="10"/></w:rubyPr>'
        "<w:rt><w:r><w:t>とうきょうと</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京都</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>"
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:textDirection w:val="tbRl"/><w:docGrid w:type="linesAndChars" w:linePitch="360"/></w:sectPr>'
    )
    assert kept in rebuilt(word(kept))[0].xml("word/document.xml")


def test_revisions_comments_and_tables_are_kept() -> None:
    kept = (
        '<w:tbl><w:tblPr/><w:tr><w:tc><w:p><w:ins w:id="1" w:author="係員"><w:r><w:t>加えた</w:t></w:r></w:ins><w:del w:id="2" w:author="係員"><w:r>'
        '<w:delText>消した</w:delText></w:r></w:del><w:commentRangeStart w:id="0"/></w:p></w:tc></w:tr></w:tbl>'
    )
    comments = f'<w:comments {SPACES}><w:comment w:id="0" w:author="係員"><w:p><w:r><w:t>確認済み</w:t></w:r></w:p></w:comment></w:comments>'
    opened, said = rebuilt(word(kept, {"rId5": ("comments", "comments.xml")}, {"word/comments.xml": comments}))
    assert kept in opened.xml("word/document.xml")
    assert "確認済み" in opened.text
    assert said.removed == []


def test_of_alternatives_one_is_written() -> None:
    def alternate(requires: str) -> str:
        return (
            f'<w:p><w:r><mc:AlternateContent><mc:Choice Requires="{requires}"><w:t>新</w:t></mc:Choice>'
            "<mc:Fallback><w:t>旧</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"
        )

    new = rebuilt(word(alternate("wps")))[0]
    assert new.text == ["新"]
    assert f'xmlns:mc="{MC}"' in new.xml("word/document.xml")
    assert 'Requires="wps"' in new.xml("word/document.xml")
    assert "xmlns:wps=" in new.xml("word/document.xml")
    assert rebuilt(word(alternate("odd")))[0].text == ["旧"]
    assert rebuilt(word(alternate("wps odd")))[0].text == ["旧"]


def test_an_alternative_of_which_nothing_is_left_is_not_taken() -> None:
    xml = (
        '<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><odd:x/></mc:Choice>'
        "<mc:Fallback><w:t>旧</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert rebuilt(word(xml))[0].text == ["旧"]


def test_a_vocabulary_stands_only_where_it_is_judged() -> None:
    smuggled = (
        '<s:f>WEBSERVICE("a")</s:f><xm:f>EXEC("a")</xm:f><s:definedNames><s:definedName name="Auto_Open">EXEC(1)</s:definedName></s:definedNames>'
        '<w:r><w:instrText>DDEAUTO cmd</w:instrText></w:r><w:fldSimple w:instr="DDE a"/><c:f>[1]a!A1</c:f><v:shape href="file:///c:/a"/><p:cmd/>'
    )
    for data in (word(smuggled), workbook(sheet(after=smuggled)), slides(smuggled)):
        opened, _ = rebuilt(data)
        assert not re.search(r"WEBSERVICE|EXEC|Auto_Open|DDE|\[1\]|file:|p:cmd", opened.everything)


def test_later_vocabularies_may_be_passed_over() -> None:
    xml = rebuilt(word('<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr></w:sdt>'))[
        0
    ].xml("word/document.xml")
    assert '<w14:checked w14:val="1"/>' in xml
    assert 'mc:Ignorable="w14"' in xml


def test_bindings_macros_of_forms_and_wrappers_go() -> None:
    opened, said = rebuilt(
        word(
            '<w:sdt><w:sdtPr><w:dataBinding w:xpath="/a"/></w:sdtPr><w:sdtContent><w:p><w:smartTag w:element="x"><w:r><w:t>中</w:t></w:r></w:smartTag>'
            '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="n"/><w:entryMacro w:val="Go"/></w:ffData></w:fldChar></w:r>'
            '<w:r><w:instrText>FORMTEXT</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:sdtContent></w:sdt>'
        )
    )
    xml = opened.xml("word/document.xml")
    assert told(said) == {"custom_data": 1, "macro": 1}
    assert "FORMTEXT" in xml
    assert '<w:name w:val="n"/>' in xml
    assert "<w:p><w:r><w:t>中</w:t></w:r>" in xml
    assert not re.search("dataBinding|Macro|smartTag", xml)


def test_settings_lose_what_reaches_outside() -> None:
    settings = (
        f'<w:settings {SPACES}><w:attachedTemplate r:id="rId1"/><w:mailMerge><w:dataSource r:id="rId2"/></w:mailMerge><w:updateFields w:val="1"/>'
        '<w:docVars><w:docVar w:name="a" w:val="b"/></w:docVars><w:defaultTabStop w:val="840"/><w:trackRevisions/></w:settings>'
    )
    data = composed(
        {"word/document.xml": f'<w:document xmlns:w="{W}"/>', "word/settings.xml": settings},
        {
            "word/document.xml": {"rId1": ("settings", "settings.xml")},
            "word/settings.xml": {
                "rId1": ("attachedTemplate", "!http://203.0.113.5/t.dotm"),
                "rId2": ("mailMergeSource", "!file:///c:/x.csv"),
            },
        },
    )
    opened, said = rebuilt(data)
    assert told(said) == {"link": 1, "external_data": 2, "action": 1, "custom_data": 1}
    kept = opened.xml("word/settings.xml")
    assert '<w:defaultTabStop w:val="840"/><w:trackRevisions/></w:settings>' in kept
    assert not re.search("attached|mailMerge|updateFields|docVar", kept)
    assert "203.0.113.5" not in opened.everything


def test_embedded_fonts_go() -> None:
    fonts = f'<w:fonts {SPACES}><w:font w:name="外字"><w:family w:val="roman"/><w:embedRegular r:id="rId1" w:fontKey="{{0}}"/></w:font></w:fonts>'
    data = composed(
        {"word/document.xml": f'<w:document xmlns:w="{W}"/>', "word/fontTable.xml": fonts, "word/f.odttf": b"x"},
        {
            "word/document.xml": {"rId1": ("fontTable", "fontTable.xml")},
            "word/fontTable.xml": {"rId1": ("font", "f.odttf")},
        },
    )
    opened, said = rebuilt(data)
    assert told(said) == {"font": 1}
    assert '<w:font w:name="外字"><w:family w:val="roman"/></w:font>' in opened.xml("word/fontTable.xml")


# Fields.


@pytest.mark.parametrize(
    "instruction",
    [
        "PAGE", " NUMPAGES \\* MERGEFORMAT ", 'TOC \\o "1-3" \\h \\z \\u', "REF _Ref1 \\h", "= SUM(ABOVE)", 'DATE \\@ "ggge年M月d日"',
        'EQ \\* jc2 \\* "Font:ＭＳ 明朝" \\* hps10 \\o\\ad(\\s\\up 9(とうきょう),東京)', 'HYPERLINK \\l "_Toc1"',
        'HYPERLINK "https://example.lg.jp/?a=1" \\o "説明"', 'HYPERLINK "mailto:a@example.lg.jp"', "FORMCHECKBOX",
    ],
)  # fmt: skip
def test_fields_that_only_show_are_kept(instruction: str) -> None:
    escaped = instruction.replace("&", "&amp;")
    kept = f"<w:p>{field(escaped)}</w:p>"
    opened, said = rebuilt(word(kept))
    assert kept in opened.xml("word/document.xml")
    assert said.removed == []


@pytest.mark.parametrize(
    "instruction",
    [
        'DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc"', " dde excel a b", 'INCLUDETEXT "http://example.jp/a"', 'INCLUDEPICTURE "\\\\\\\\host\\\\a.png" \\d',
        "LINK Excel.Sheet.12 a b \\a", "EMBED Package", 'DATABASE \\c "x"', 'IMPORT "a"', 'QUOTE "DDE"', "ASK a b", "FILLIN x", "PRINT x",
        'HYPERLINK "file:///c:/a.exe"', 'HYPERLINK "\\\\\\\\host\\\\share"', 'HYPERLINK "javascript:a()"', 'HYPERLINK "ms-word:ofe|u|https://a/"',
        "HYPERLINK &quot;https://user@example.jp/&quot;", 'HYPERLINK "https://a.jp" \\x', "RD a.doc", "MERGEFIELD 氏名", "", "PAGEDDE", '"PAGE"', "PAGE1",
    ],
)  # fmt: skip
def test_fields_that_act_are_gone_and_what_they_showed_stays(instruction: str) -> None:
    for way in (
        field(instruction),
        f"<w:fldSimple w:instr={chr(39)}{instruction}{chr(39)}><w:r><w:t>結果</w:t></w:r></w:fldSimple>",
    ):
        opened, said = rebuilt(word(f"<w:p>{run('<w:t>前</w:t>')}{way}{run('<w:t>後</w:t>')}</w:p>"))
        xml = opened.xml("word/document.xml")
        assert told(said) == {"field": 1}
        assert "".join(re.findall("<w:t>(.)", xml)) == "前結後"
        assert "結果" in xml
        assert not re.search("fldChar|instr|fldSimple", xml)


def test_an_instruction_in_pieces_is_read_as_a_whole() -> None:
    xml = rebuilt(word(f"<w:p>{field('DD', 'EAU', 'TO c:', ' cmd')}</w:p><w:p>{field('PA', 'GE')}</w:p>"))[0].xml(
        "word/document.xml"
    )
    assert re.findall("<w:instrText[^>]*>([^<]*)", xml) == ["PA", "GE"]


@pytest.mark.parametrize(
    "hidden",
    [
        # What makes the instruction harmless is not what is written, or not what is read after a change is accepted.
        '<mc:AlternateContent><mc:Choice Requires="wps"><w:r><w:tab/></w:r></mc:Choice><mc:Fallback><w:r><w:instrText>PAGE </w:instrText></w:r></mc:Fallback></mc:AlternateContent>',
        "<odd:x><w:r><w:instrText>PAGE </w:instrText></w:r></odd:x>",
        '<w:del w:id="1"><w:r><w:delInstrText>PAGE </w:delInstrText></w:r></w:del>',
        '<w:ins w:id="1"><w:r><w:instrText>PAGE </w:instrText></w:r></w:ins>',
        "<w:r><w:t>PAGE </w:t></w:r>",
        "<w:object><w:r><w:instrText>PAGE </w:instrText></w:r></w:object>",
        '<mc:AlternateContent><mc:Choice Requires="wps"><w:r><w:instrText>PAGE </w:instrText></w:r></mc:Choice></mc:AlternateContent>',
    ],
)
def test_an_instruction_is_judged_as_it_is_written(hidden: str) -> None:
    begin, end = run('<w:fldChar w:fldCharType="begin"/>'), run('<w:fldChar w:fldCharType="end"/>')
    opened, said = rebuilt(word(f"<w:p>{begin}{hidden}{run('<w:instrText>DDEAUTO cmd</w:instrText>')}{end}</w:p>"))
    assert "DDEAUTO" not in opened.everything
    assert told(said)["field"] == 1


def test_an_instruction_of_more_than_words_is_none() -> None:
    opened, said = rebuilt(word(f"<w:p>{field('PAGE ', inner=run('<w:t>DDE</w:t>'))}</w:p>"))
    assert opened.text == ["結果"]
    assert told(said) == {"field": 1}


def test_a_field_within_an_instruction_goes_with_it() -> None:
    inner = field("QUOTE 68 68 69", result="DDE")
    opened, said = rebuilt(
        word(f"<w:p>{field('', result='結果', inner=inner + run('<w:instrText> cmd</w:instrText>'))}</w:p>")
    )
    assert opened.text == ["結果"]
    assert told(said) == {"field": 2}
    assert "fldChar" not in opened.xml("word/document.xml")


def test_a_field_within_a_condition_stays_if_it_may() -> None:
    good = field("IF ", inner=field("PAGE", result="1") + run('<w:instrText> = 1 "a" "b"</w:instrText>'))
    opened, said = rebuilt(word(f"<w:p>{good}</w:p>"))
    assert good in opened.xml("word/document.xml")
    assert said.removed == []
    bad = field("IF ", inner=field("DDE a b c", result="1") + run('<w:instrText> = 1 "a" "b"</w:instrText>'))
    opened, said = rebuilt(word(f"<w:p>{bad}</w:p>"))
    assert opened.text == ["結果"]
    assert told(said) == {"field": 2}


def test_fields_within_a_result_are_judged_by_themselves() -> None:
    toc = field('TOC \\o "1-3"', result="").replace(
        run('<w:fldChar w:fldCharType="end"/>'),
        run('<w:fldChar w:fldCharType="separate"/>')
        + field("PAGEREF a", result="3")
        + field("DDE a", result="4")
        + run('<w:fldChar w:fldCharType="end"/>'),
    )
    opened, _ = rebuilt(word(f"<w:p>{toc}</w:p>"))
    assert opened.text == ["3", "4"]
    assert re.findall("<w:instrText[^>]*>([^<]*)", opened.xml("word/document.xml")) == ['TOC \\o "1-3"', "PAGEREF a"]


@pytest.mark.parametrize(
    "stray",
    [
        '<w:fldChar w:fldCharType="begin"/>',
        '<w:fldChar w:fldCharType="end"/>',
        '<w:fldChar w:fldCharType="separate"/>',
        "",
    ],
)
def test_a_field_that_is_not_whole_is_taken_apart(stray: str) -> None:
    opened, _ = rebuilt(
        word(f"<w:p>{run(stray)}{run('<w:instrText>PAGE</w:instrText>')}{run('<w:t>本文</w:t>')}</w:p>")
    )
    assert opened.text == ["本文"]
    assert not re.search("fldChar|instrText", opened.xml("word/document.xml"))


def test_a_box_has_fields_of_its_own() -> None:
    box = f"<w:pict><v:shape><v:textbox><w:txbxContent><w:p>{run('<w:instrText>AUTO cmd</w:instrText>')}</w:p></w:txbxContent></v:textbox></v:shape></w:pict>"
    opened, _ = rebuilt(word(f"<w:p>{field('DATE', inner=run(box), result='')}</w:p>"))
    assert "AUTO" not in opened.everything


def test_a_button_leaves_its_words() -> None:
    opened, said = rebuilt(word(f"<w:p>{field('MACROBUTTON NoMacro ここに住所を入力', result='')}</w:p>"))
    assert opened.text == ["ここに住所を入力"]
    assert told(said) == {"field": 1}


def test_a_button_in_one_element_leaves_its_words_too() -> None:
    opened, said = rebuilt(word('<w:p><w:fldSimple w:instr="MACROBUTTON NoMacro ここに氏名"/></w:p>'))
    assert opened.text == ["ここに氏名"]
    assert told(said) == {"field": 1}


def test_a_field_outside_of_runs_is_none() -> None:
    begin, end = '<w:fldChar w:fldCharType="begin"/>', '<w:fldChar w:fldCharType="end"/>'
    opened, _ = rebuilt(
        word(f"<w:p>{begin}<w:instrText>DDEAUTO cmd</w:instrText>{end}<w:r><w:t>本文</w:t></w:r></w:p>")
    )
    assert opened.text == ["本文"]
    assert not re.search("fldChar|instrText", opened.xml("word/document.xml"))


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


def drawing(blip: str) -> str:
    return (
        '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="9" cy="9"/><a:graphic><a:graphicData uri="x"><pic:pic><pic:blipFill>'
        f"{blip}<a:stretch/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )


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


# Workbooks.


def cell(formula: str, ref: str = "A1", value: str = "42", more: str = "") -> str:
    return (
        f'<s:c r="{ref}"><s:f{more}>{formula.replace("&", "&amp;").replace("<", "&lt;")}</s:f><s:v>{value}</s:v></s:c>'
    )


def sheet(*cells: str, after: str = "") -> str:
    return f'<s:sheetData><s:row r="1">{"".join(cells)}</s:row></s:sheetData>{after}'


def formulas(opened: Opened, name: str = "xl/worksheets/sheet1.xml") -> list[str]:
    return [each.text or "" for each in opened.root(name).iter(f"{{{S}}}f")]


@pytest.mark.parametrize(
    "formula",
    [
        "SUM(A1:B9)", "IF(A1>0,\"[1]Sheet!A1\",\"cmd|'/c'!A1\")", "'令和6年 表'!A1+Sheet2!$B$2", "表1[[#This Row],[価格]]*1.1", "SUM(表1[価格])&Sheet2!A1",
        "_xlfn.XLOOKUP(A1,B:B,C:C)", "_xlfn._xlws.FILTER(A1:A9,B1:B9>1)", "_xlfn.LET(_xlpm.x,1,_xlpm.x+1)", "_xlfn.MAP(A1:A9,_xleta.ABS)",
        'HYPERLINK("https://example.lg.jp/"&A1,"見る")', 'HYPERLINK("#Sheet2!A1","移動")', 'HYPERLINK("mailto:a@example.lg.jp","連絡")',
        'TEXT(TODAY(),"ggge年m月d日")', "PHONETIC(A1)", "DATEDIF(A1,B1,\"Y\")", "SUM(Sheet1:Sheet3!A1)", "#REF!+1", "{1,2;3,4}", "'it''s'!A1", "VLOOKUP(A1,表1[#All],2,FALSE)",
        "CELL(\"filename\")", "A1#", "表1[列'[1'']]+1",
    ],
)  # fmt: skip
def test_formulas_that_compute_are_kept(formula: str) -> None:
    opened, said = rebuilt(workbook(sheet(cell(formula))))
    assert formulas(opened) == [formula]
    assert said.removed == []


@pytest.mark.parametrize(
    "formula",
    [
        "[1]Sheet1!A1", "[1]!_xlbgnm.A1", "SUM('[Book.xlsx]表'!A1)", "'C:\\a\\[b.xlsx]表'!A1", "[1]Sheet1:Sheet3!A1", "1+[2]Sheet1!A1", "cmd|'/c calc'!A0", "cmd|'calc'!A0", "excel|topic!A0",
        "=cmd|' /C calc'!'A1'", "'cmd|/c calc'!A1", "'\\\\host\\share\\b.xlsx'!name", "'http://203.0.113.5/b'!A1", 'WEBSERVICE("http://203.0.113.5/")', "_xlfn.WEBSERVICE(A1)",
        "_xlfn.FILTERXML(A1,B1)", 'HYPERLINK("file:///c:/a.exe","x")', "HYPERLINK(A1,B1)", 'HYPERLINK("ht"&"tp://a")', 'HYPERLINK("\\\\host\\a")', "HYPERLINK(\"#\"&A1)",
        'HYPERLINK("https://a.jp/","x")+HYPERLINK(A1)', 'CALL("urlmon","URLDownloadToFileA","JJCCJJ",0)', "REGISTER.ID(A1,B1)", "EXEC(A1)", 'RTD("a",,"b")', "_xlfn.IMAGE(A1)",
        "GET.CELL(6,A1)", "EVALUATE(A1)", "MyMacro(1)", "_xlfn.MAP(A1,_xleta.WEBSERVICE)", "CUBEVALUE(A1)", "_xlfn.STOCKHISTORY(A1)", "INFO(\"directory\")", "IF(1,\"open",
        "webservice (A1)", "表1[a]b!A1", 'T[a"b]&TRANSLATE(A1)&T[c"d]', "T[a\"b]&'\\\\host\\share\\b.xlsx'!n&T[c\"d]", "book.xlsx!Name", "\\\\host\\x!A1", "EVIL.XLA!Func",
    ],
)  # fmt: skip
def test_formulas_that_reach_outside_leave_their_value(formula: str) -> None:
    opened, said = rebuilt(workbook(sheet(cell(formula), cell("SUM(A1)", "B1", "7"))))
    assert formulas(opened) == ["SUM(A1)"]
    assert opened.text == ["42", "7"]
    assert told(said) == {"formula": 1}
    assert said.warnings == ["values_kept"]


def test_cells_that_share_a_formula_lose_it_together() -> None:
    shared = [
        cell("WEBSERVICE(A1)", "A1", "1", ' t="shared" si="0" ref="A1:B1"'), cell("", "B1", "2", ' t="shared" si="0"'),
        cell("SUM(A1)", "C1", "3", ' t="shared" si="1" ref="C1:D1"'), cell("", "D1", "4", ' t="shared" si="1"'),
    ]  # fmt: skip
    opened, said = rebuilt(workbook(sheet(*shared)))
    assert formulas(opened) == ["SUM(A1)", ""]
    assert opened.text == ["1", "2", "3", "4"]
    assert told(said) == {"formula": 2}


def test_rules_and_validations_are_checked_too() -> None:
    after = (
        '<s:conditionalFormatting sqref="A1"><s:cfRule type="expression" priority="1"><s:formula>A1&gt;1</s:formula></s:cfRule></s:conditionalFormatting>'
        '<s:conditionalFormatting sqref="B1"><s:cfRule type="expression" priority="2"><s:formula>EXEC("a")</s:formula></s:cfRule></s:conditionalFormatting>'
        '<s:dataValidations count="2"><s:dataValidation type="list" sqref="A1"><s:formula1>"有,無"</s:formula1></s:dataValidation>'
        '<s:dataValidation type="list" sqref="B1"><s:formula1>[1]Sheet!A1</s:formula1></s:dataValidation></s:dataValidations>'
        '<s:extLst><s:ext uri="{78C0D931-6437-407d-A8EE-F0AAD7539E65}"><x14:conditionalFormattings><x14:conditionalFormatting><x14:cfRule type="expression" priority="3">'
        '<xm:f>WEBSERVICE("a")</xm:f></x14:cfRule><xm:sqref>A1</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings></s:ext>'
        '<s:ext uri="{unknown}"><x14:slicerList/></s:ext></s:extLst>'
    )
    opened, said = rebuilt(workbook(sheet(after=after)))
    xml = opened.xml("xl/worksheets/sheet1.xml")
    assert told(said) == {"formula": 3}
    assert "有,無" in xml
    assert "A1&gt;1" in xml
    assert not re.search(r"EXEC|\[1\]|WEBSERVICE|slicer|count=", xml)
    assert xml.count("<conditionalFormatting") == 1


def test_names_that_run_or_reach_outside_go() -> None:
    names = {
        "範囲": "表!$A$1:$B$2", "_xlnm.Print_Area": "表!$A$1", "Auto_Open": "表!$A$1", "_xlnm.Auto_Close1": "表!$A$1", "外": "[1]Sheet!A1", "評価": "EVALUATE(表!A1)",
    }  # fmt: skip
    book = (
        '<s:sheets><s:sheet name="表" sheetId="1" r:id="rId1"/></s:sheets><s:externalReferences><s:externalReference r:id="rId3"/></s:externalReferences><s:definedNames>'
        + "".join(f'<s:definedName name="{name}">{formula}</s:definedName>' for name, formula in names.items())
        + '<s:definedName name="関数" function="1" xlm="1">表!$A$1</s:definedName></s:definedNames>'
    )
    opened, said = rebuilt(workbook(sheet(), book=book, book_relations={"rId3": ("externalLink", "link1.xml")}))
    assert [each.get("name") for each in opened.root("xl/workbook.xml").iter(f"{{{S}}}definedName")] == [
        "範囲",
        "_xlnm.Print_Area",
    ]
    assert told(said) == {"macro": 3, "formula": 2, "link": 1}
    assert "externalReference" not in opened.everything


def test_the_sheets_that_are_left_keep_their_names_and_one_is_shown() -> None:
    book = (
        '<s:bookViews><s:workbookView activeTab="1" firstSheet="1"/></s:bookViews><s:sheets><s:sheet name="Macro1" sheetId="2" r:id="rId2"/>'
        '<s:sheet name="表" sheetId="1" state="veryHidden" r:id="rId1"/></s:sheets><s:definedNames><s:definedName name="_xlnm.Print_Area" localSheetId="1">表!$A$1</s:definedName>'
        '<s:definedName name="a" localSheetId="0">Macro1!$A$1</s:definedName><s:definedName name="b">Macro1!$A$1</s:definedName></s:definedNames>'
    )
    opened, said = rebuilt(
        workbook(
            sheet(cell("Macro1!A1")), book=book, more={"xl/macro.xml": "<x/>"},
            book_relations={"rId2": ("http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet", "macro.xml")},
        )
    )  # fmt: skip
    xml = opened.xml("xl/workbook.xml")
    assert '<sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets>' in xml
    assert '<workbookView activeTab="0" firstSheet="0"/>' in xml
    assert (
        '<definedNames><definedName name="_xlnm.Print_Area" localSheetId="0">表!$A$1</definedName></definedNames>'
        in xml
    )
    assert formulas(opened) == []
    assert told(said)["macro"] == 1


def test_a_workbook_of_macro_sheets_only_is_refused() -> None:
    book = '<s:sheets><s:sheet name="Macro1" sheetId="2" r:id="rId9"/></s:sheets>'
    assert refused(workbook(sheet(), book=book)) == "unknown"


def test_furigana_is_kept() -> None:
    strings = f'<s:sst {SPACES} count="1" uniqueCount="1"><s:si><s:t>東京都</s:t><s:rPh sb="0" eb="3"><s:t>トウキョウト</s:t></s:rPh><s:phoneticPr fontId="1" type="Hiragana"/></s:si></s:sst>'
    data = workbook(
        sheet('<s:c r="A1" t="s"><s:v>0</s:v></s:c>', after='<s:phoneticPr fontId="1"/>'), more={"xl/strings.xml": strings},
        book_relations={"rId2": ("sharedStrings", "strings.xml")},
    )  # fmt: skip
    opened, said = rebuilt(data)
    assert opened.text == ["0", "トウキョウト", "東京都"]
    assert (
        '<si><t>東京都</t><rPh sb="0" eb="3"><t>トウキョウト</t></rPh><phoneticPr fontId="1" type="Hiragana"/></si>'
        in opened.xml("xl/sharedStrings.xml")
    )
    assert '<phoneticPr fontId="1"/>' in opened.xml("xl/worksheets/sheet1.xml")
    assert said.removed == []


@pytest.mark.parametrize(
    ("row", "written"),
    [
        ('<s:c r="A1" vm="1" cm="1"><s:v>1</s:v></s:c>', '<c r="A1" cm="1"><v>1</v></c>'),
        ('<s:c r="A1"><s:v>1</s:v><odd:x>2</odd:x></s:c>', '<c r="A1"><v>1</v></c>'),
        ('<s:c r="A1" odd:a="1"><s:v>1</s:v></s:c>', '<c r="A1"><v>1</v></c>'),
        ('<s:c r="A1">words<s:v>1</s:v></s:c>', '<c r="A1"><v>1</v></c>'),
        ('<s:c r="A1"><s:v>1</s:v>words</s:c>', '<c r="A1"><v>1</v></c>'),
        ('<s:c r="A1"><s:v>1</s:v><s:oleObject r:id="rId1"/></s:c>', '<c r="A1"><v>1</v></c>'),
        (
            '<s:c r="A1" t="inlineStr"><s:is><s:t>字</s:t></s:is></s:c>',
            '<c r="A1" t="inlineStr"><is><t>字</t></is></c>',
        ),
    ],
)
def test_rows_are_known_to_their_last_attribute(row: str, written: str) -> None:
    xml = rebuilt(workbook(sheet(row)))[0].xml("xl/worksheets/sheet1.xml")
    assert f'<sheetData><row r="1">{written}</row></sheetData>' in xml
    assert "odd" not in xml


def test_links_of_cells() -> None:
    after = (
        '<s:hyperlinks><s:hyperlink ref="A1" r:id="rId1"/><s:hyperlink ref="A2" r:id="rId2"/><s:hyperlink ref="A3" location="表!A1"/>'
        '<s:hyperlink ref="A4" location="[b.xlsx]表!A1"/></s:hyperlinks>'
    )
    opened, said = rebuilt(
        workbook(
            sheet(after=after),
            {"rId1": ("hyperlink", "!https://example.lg.jp/"), "rId2": ("hyperlink", "!file:///c:/a.exe")},
        )
    )
    xml = opened.xml("xl/worksheets/sheet1.xml")
    assert re.findall(r'ref="(A\d)"', xml) == ["A1", "A3"]
    assert told(said) == {"link": 2}


def test_comments_of_cells_get_boxes_of_our_own() -> None:
    comments = f'<s:comments {SPACES}><s:authors><s:author>係</s:author></s:authors><s:commentList><s:comment ref="C3" authorId="0"><s:text><s:t>要確認</s:t></s:text></s:comment></s:commentList></s:comments>'
    boxes = "<xml><br><x:FmlaMacro>Evil</x:FmlaMacro></xml>"  # not even XML: readers of VML are not asked for it
    opened, said = rebuilt(
        workbook(
            sheet(after='<s:pageSetup paperSize="9" r:id="rId3"/><s:legacyDrawing r:id="rId2"/>'),
            {
                "rId1": ("comments", "comments1.xml"),
                "rId2": ("vmlDrawing", "boxes.vml"),
                "rId3": ("printerSettings", "p.bin"),
            },
            {"xl/comments1.xml": comments, "xl/boxes.vml": boxes, "xl/p.bin": b"x"},
        )
    )
    (vml,) = [part.decode() for name, part in opened.parts.items() if name.endswith(".vml")]
    assert "<x:Row>2</x:Row><x:Column>2</x:Column>" in vml
    assert "要確認" in opened.text
    assert '<pageSetup paperSize="9"/><legacyDrawing r:id="rId2"/>' in opened.xml("xl/worksheets/sheet1.xml")
    assert "Evil" not in opened.everything
    assert told(said) == {"printer_settings": 1}


def test_tables_and_shapes_of_sheets() -> None:
    table = (
        f'<s:table {SPACES} id="1" name="表1" displayName="表1" ref="A1:B2" tableType="queryTable" connectionId="1"><s:tableColumns count="1"><s:tableColumn id="1" name="列" uniqueName="x">'
        '<s:calculatedColumnFormula>WEBSERVICE("a")</s:calculatedColumnFormula><s:xmlColumnPr mapId="1" xpath="/a" xmlDataType="string"/></s:tableColumn></s:tableColumns></s:table>'
    )
    shape = '<xdr:twoCellAnchor><xdr:sp macro="[0]!Evil" textlink="[1]a!A1"><xdr:txBody><a:p><a:r><a:t>図形</a:t></a:r></a:p></xdr:txBody></xdr:sp><xdr:clientData/></xdr:twoCellAnchor>'
    empty = "<xdr:twoCellAnchor><odd:thing/><xdr:clientData/></xdr:twoCellAnchor>"
    opened, said = rebuilt(
        workbook(
            sheet(
                after='<s:drawing r:id="rId1"/><s:oleObjects><s:oleObject progId="Package" r:id="rId3"/></s:oleObjects><s:tableParts count="1"><s:tablePart r:id="rId2"/></s:tableParts>'
            ),
            {"rId1": ("drawing", "drawing1.xml"), "rId2": ("table", "table1.xml"), "rId3": ("oleObject", "o.bin")},
            {
                "xl/drawing1.xml": f"<xdr:wsDr {SPACES}>{shape}{empty}</xdr:wsDr>",
                "xl/table1.xml": table,
                "xl/o.bin": b"MZ",
            },
        )
    )
    assert told(said) == {"embedded": 1, "formula": 1, "custom_data": 1, "element": 1}
    made = opened.xml("xl/drawings/drawing1.xml")
    assert made.count("<xdr:twoCellAnchor>") == 1
    assert '<xdr:sp macro="">' in made
    assert "図形" in opened.text
    assert (
        ' id="1" name="表1" displayName="表1" ref="A1:B2"><tableColumns count="1"><tableColumn id="1" name="列"/></tableColumns></table>'
        in opened.xml("xl/tables/table1.xml")
    )
    assert '<drawing r:id="rId1"/><tableParts count="1"><tablePart r:id="rId2"/></tableParts>' in opened.xml(
        "xl/worksheets/sheet1.xml"
    )


def test_a_count_that_would_be_wrong_is_left_out() -> None:
    def count(parts: int) -> str:
        table = f'<s:table {SPACES} id="1" name="表1" displayName="表1" ref="A1:B2"/>'
        named = "".join(f'<s:tablePart r:id="rId{n}"/>' for n in range(1, parts + 1))
        after = f'<s:tableParts count="{parts}">{named}</s:tableParts>'
        opened, _ = rebuilt(workbook(sheet(after=after), {"rId1": ("table", "table1.xml")}, {"xl/table1.xml": table}))
        return opened.xml("xl/worksheets/sheet1.xml")

    assert '<tableParts count="1">' in count(1)
    assert '<tableParts><tablePart r:id="rId1"/></tableParts>' in count(2)


def test_connections_and_pivots_are_told() -> None:
    relations = {
        f"rId{n}": (type_, f"x{n}.xml")
        for n, type_ in enumerate(("connections", "pivotCacheDefinition", "calcChain"), 5)
    }
    _, said = rebuilt(workbook(sheet(), book_relations=relations))
    assert told(said) == {"external_data": 2}


def test_pictures_in_headers_of_sheets_are_told() -> None:
    opened, said = rebuilt(
        workbook(
            sheet(after='<s:legacyDrawingHF r:id="rId1"/>'),
            {"rId1": ("vmlDrawing", "boxes.vml")},
            {"xl/boxes.vml": "<xml/>"},
        )
    )
    assert "legacyDrawing" not in opened.everything
    assert told(said) == {"element": 1}


# Presentations.


def shape(number: int, inner: str = "", text: str = "文") -> str:
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="s">{inner}</p:cNvPr><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f'<p:txBody><a:bodyPr vert="eaVert"/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>'
    )


def test_of_a_slide_only_what_turns_pages_or_is_clicked_stays() -> None:
    kept = [
        '<a:hlinkClick r:id="rId1"/>', '<a:hlinkClick r:id="rId2" action="ppaction://hlinksldjump"/>',
        '<a:hlinkClick r:id="" action="ppaction://hlinkshowjump?jump=nextslide"/>',
    ]  # fmt: skip
    gone = [
        '<a:hlinkClick r:id="rId3" action="ppaction://program"/>', '<a:hlinkClick r:id="" action="ppaction://macro?name=Evil"/>',
        '<a:hlinkHover r:id="rId4" action="ppaction://hlinkfile"/>', '<a:hlinkClick r:id="" action="ppaction://ole?verb=0"/>',
        '<a:hlinkClick r:id="rId1" action="ppaction://hlinkpres"/>', '<a:hlinkClick r:id="" action="ppaction://media"/>', '<a:hlinkClick r:id="rId3"/>',
    ]  # fmt: skip
    opened, said = rebuilt(
        slides(
            "".join(shape(n, link) for n, link in enumerate([*kept, *gone], 2)),
            {
                "rId1": ("hyperlink", "!https://example.lg.jp/"),
                "rId2": ("slide", "slide2.xml"),
                "rId3": ("hyperlink", "!file:///c:/a.exe"),
                "rId4": ("hyperlink", "!a.pptx"),
            },
        )
    )
    xml = opened.xml("ppt/slides/slide1.xml")
    assert re.findall("<a:hlink[^>]*>", xml) == kept
    assert len(opened.text) == 10
    assert xml.count('vert="eaVert"') == 10
    assert told(said)["link"] == 2
    assert told(said)["action"] == 4
    assert 'Target="slide2.xml"' in opened.xml("ppt/slides/_rels/slide1.xml.rels")


def test_what_is_no_longer_clicked_leaves_no_address() -> None:
    link = '<a:hlinkClick r:id="rId1" action="ppaction://hlinkpres"/>'
    opened, said = rebuilt(slides(shape(2, link), {"rId1": ("hyperlink", "!https://example.lg.jp/a.pptx")}))
    assert "example.lg.jp" not in opened.everything
    assert told(said) == {"action": 1}


def test_animations_stay_unless_they_start_something() -> None:
    def timing(inner: str, target: int = 2) -> str:
        return (
            f'<p:timing><p:tnLst><p:par><p:cTn id="1"><p:childTnLst><p:set><p:cBhvr><p:tgtEl><p:spTgt spid="{target}"/></p:tgtEl></p:cBhvr></p:set>{inner}'
            "</p:childTnLst></p:cTn></p:par></p:tnLst></p:timing>"
        )

    assert "<p:timing>" in rebuilt(slides(shape(2), more=timing("")))[0].xml("ppt/slides/slide1.xml")
    opened, said = rebuilt(slides(shape(2), more=timing('<p:cmd type="verb" cmd="0"/>')))
    assert "timing" not in opened.xml("ppt/slides/slide1.xml")
    assert told(said) == {"action": 1}
    assert "timing" not in rebuilt(slides(shape(2), more=timing("", target=9)))[0].xml("ppt/slides/slide1.xml")


def test_sounds_and_films_go() -> None:
    film = '<p:pic><p:nvPicPr><p:cNvPr id="3" name="f"/><p:cNvPicPr/><p:nvPr><a:videoFile r:link="rId1"/></p:nvPr></p:nvPicPr><p:blipFill><a:blip r:embed="rId2"/></p:blipFill></p:pic>'
    more = '<p:transition><p:sndAc><p:stSnd><p:snd r:embed="rId3" name="a.wav"/></p:stSnd></p:sndAc></p:transition>'
    opened, said = rebuilt(
        slides(
            film,
            {"rId1": ("video", "!file:///c:/a.mp4"), "rId2": ("image", "a.png"), "rId3": ("audio", "a.wav")},
            more,
            {"ppt/a.png": picture(), "ppt/a.wav": b"RIFF"},
        )
    )
    xml = opened.xml("ppt/slides/slide1.xml")
    assert told(said) == {"multimedia": 2}
    assert '<a:blip r:embed="rId2"/>' in xml
    assert "<p:transition/>" in xml
    assert not re.search("video|snd|wav|mp4", opened.everything)


def test_of_an_object_on_a_slide_the_picture_stays() -> None:
    def frame(inner: str) -> str:
        return (
            '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="7" name="表"/></p:nvGraphicFramePr><a:graphic><a:graphicData uri="ole"><mc:AlternateContent>'
            '<mc:Choice Requires="v"><p:oleObj r:id="rId1"/></mc:Choice>'
            f'<mc:Fallback><p:oleObj r:id="rId1"><p:embed/>{inner}</p:oleObj></mc:Fallback></mc:AlternateContent></a:graphicData></a:graphic></p:graphicFrame>'
        )

    pic = '<p:pic><p:nvPicPr><p:cNvPr id="0" name=""/></p:nvPicPr><p:blipFill><a:blip r:embed="rId2"/></p:blipFill></p:pic>'
    relations = {"rId1": ("oleObject", "o.bin"), "rId2": ("image", "a.png")}
    opened, said = rebuilt(slides(frame(pic) + frame(""), relations, parts={"ppt/o.bin": b"x", "ppt/a.png": picture()}))
    xml = opened.xml("ppt/slides/slide1.xml")
    assert (
        '<p:pic><p:nvPicPr><p:cNvPr id="7" name="表"/></p:nvPicPr><p:blipFill><a:blip r:embed="rId2"/></p:blipFill></p:pic>'
        in xml
    )
    assert not re.search("graphicFrame|ole", xml)
    assert told(said) == {"embedded": 1}
