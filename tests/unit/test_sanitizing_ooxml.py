"""Office documents, rebuilt: nothing that acts is left, and nothing that is read is lost."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
import zipfile

import pytest

from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild.ooxml import rebuild
from tests.unit.document_samples import COMPOUND, docx, packed, sample
from tests.unit.ooxml_rebuilding import rebuilt, refused, told
from tests.unit.ooxml_samples import (
    SPACES,
    R,
    W,
    composed,
    texts,
    word,
)

ACTIVE = re.compile(
    r"vba|oleobject|embeddings/|altchunk|afchunk|macrosheet|externallink|instr[^<>]*[>\"][^<\"]*(?:dde|macrobutton)|file:|javascript:|hlinkfile|\.emf"
    r"|printersettings|xmlmaps|customxml|thumbnail|activex|docProps|auto_open|<!DOCTYPE",
    re.IGNORECASE,
)


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
