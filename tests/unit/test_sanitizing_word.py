"""Texts of Word, rebuilt: their vocabulary and their fields."""

from __future__ import annotations

import re

import pytest

from tests.unit.ooxml_rebuilding import field, rebuilt, run, sheet, told
from tests.unit.ooxml_samples import (
    MC,
    SPACES,
    W,
    composed,
    slides,
    word,
    workbook,
)

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
