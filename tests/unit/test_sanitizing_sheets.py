"""Workbooks, rebuilt: formulas that compute stay, and those that reach outside leave their value."""

from __future__ import annotations

import re

import pytest

from tests.unit.ooxml_rebuilding import cell, rebuilt, refused, sheet, told
from tests.unit.ooxml_samples import (
    SPACES,
    Opened,
    S,
    workbook,
)


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
