"""Office documents composed for the tests of their rebuilder: of many parts, with what they are related to."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from lxml import etree
from PIL import Image

from tests.unit.document_samples import packed

OPEN = "http://schemas.openxmlformats.org/"
R = f"{OPEN}officeDocument/2006/relationships"
W = f"{OPEN}wordprocessingml/2006/main"
S = f"{OPEN}spreadsheetml/2006/main"
P = f"{OPEN}presentationml/2006/main"
A = f"{OPEN}drawingml/2006/main"
MC = f"{OPEN}markup-compatibility/2006"
V = "urn:schemas-microsoft-com:vml"
SPACES = (
    f'xmlns:w="{W}" xmlns:s="{S}" xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{R}" xmlns:mc="{MC}" xmlns:v="{V}" '
    f'xmlns:wp="{OPEN}drawingml/2006/wordprocessingDrawing" xmlns:pic="{OPEN}drawingml/2006/picture" '
    f'xmlns:c="{OPEN}drawingml/2006/chart" xmlns:xdr="{OPEN}drawingml/2006/spreadsheetDrawing" '
    'xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
    'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:dsp="http://schemas.microsoft.com/office/drawing/2008/diagram" '
    'xmlns:cdr="http://schemas.openxmlformats.org/drawingml/2006/chartDrawing" xmlns:odd="urn:example:odd"'
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES = {
    "word/document.xml": f"{_OFFICE}wordprocessingml.document.main+xml",
    "word/styles.xml": f"{_OFFICE}wordprocessingml.styles+xml",
    "word/settings.xml": f"{_OFFICE}wordprocessingml.settings+xml",
    "word/header1.xml": f"{_OFFICE}wordprocessingml.header+xml",
    "word/comments.xml": f"{_OFFICE}wordprocessingml.comments+xml",
    "word/fontTable.xml": f"{_OFFICE}wordprocessingml.fontTable+xml",
    "word/data1.xml": f"{_OFFICE}drawingml.diagramData+xml",
    "word/drawn1.xml": "application/vnd.ms-office.drawingml.diagramDrawing+xml",
    "word/shapes1.xml": f"{_OFFICE}drawingml.chartshapes+xml",
    "word/chart1.xml": f"{_OFFICE}drawingml.chart+xml",
    "xl/workbook.xml": f"{_OFFICE}spreadsheetml.sheet.main+xml",
    "xl/sheet1.xml": f"{_OFFICE}spreadsheetml.worksheet+xml",
    "xl/sheet2.xml": f"{_OFFICE}spreadsheetml.worksheet+xml",
    "xl/macro.xml": "application/vnd.ms-excel.macrosheet+xml",
    "xl/strings.xml": f"{_OFFICE}spreadsheetml.sharedStrings+xml",
    "xl/comments1.xml": f"{_OFFICE}spreadsheetml.comments+xml",
    "xl/table1.xml": f"{_OFFICE}spreadsheetml.table+xml",
    "xl/drawing1.xml": f"{_OFFICE}drawing+xml",
    "xl/boxes.vml": f"{_OFFICE}vmlDrawing",
    "ppt/presentation.xml": f"{_OFFICE}presentationml.presentation.main+xml",
    "ppt/slide1.xml": f"{_OFFICE}presentationml.slide+xml",
    "ppt/slide2.xml": f"{_OFFICE}presentationml.slide+xml",
}
Relations = Mapping[str, tuple[str, str]]
"""By identity: the last word of the type (or all of it), and where it leads; outside where that begins with !."""


def related(relations: Relations) -> str:
    rows = []
    for id_, (type_, target) in relations.items():
        whole = type_ if ":" in type_ else f"{R}/{type_}"
        mode = ' TargetMode="External"' if target.startswith("!") else ""
        rows.append(f'<Relationship Id="{id_}" Type="{whole}" Target={quoteattr(target.removeprefix("!"))}{mode}/>')
    return f'<Relationships xmlns="{OPEN}package/2006/relationships">{"".join(rows)}</Relationships>'


def composed(
    parts: Mapping[str, str | bytes],
    relations: Mapping[str, Relations] | None = None,
    *,
    types: Mapping[str, str] | None = None,
    root: Relations | None = None,
) -> bytes:
    """A package whose main part is the first of `parts`. `relations`: by part."""
    main = next(iter(parts))
    known = TYPES | dict(types or {})
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{known[name]}"/>' for name in parts if name in known
    )
    held: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{OPEN}package/2006/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        "_rels/.rels": related({"rId1": ("officeDocument", main), **(root or {})}),
        **parts,
    }
    for name, of in (relations or {}).items():
        folder, _, file = name.rpartition("/")
        held[f"{folder}/_rels/{file}.rels"] = related(of)
    return packed(held)


def word(
    body: str, relations: Relations | None = None, more: Mapping[str, str | bytes] | None = None, **others: Relations
) -> bytes:
    """A Word document. `others`: relations of further parts, by their names without folder and suffix."""
    parts: dict[str, str | bytes] = {
        "word/document.xml": f"<w:document {SPACES}><w:body>{body}</w:body></w:document>",
        **(more or {}),
    }
    of = {"word/document.xml": relations or {}} | {f"word/{name}.xml": each for name, each in others.items()}
    return composed(parts, of)


def workbook(
    sheet: str,
    relations: Relations | None = None,
    more: Mapping[str, str | bytes] | None = None,
    *,
    book: str = '<s:sheets><s:sheet name="表" sheetId="1" r:id="rId1"/></s:sheets>',
    book_relations: Relations | None = None,
) -> bytes:
    """A workbook of one sheet."""
    parts: dict[str, str | bytes] = {
        "xl/workbook.xml": f"<s:workbook {SPACES}>{book}</s:workbook>",
        "xl/sheet1.xml": f"<s:worksheet {SPACES}>{sheet}</s:worksheet>",
        **(more or {}),
    }
    return composed(
        parts,
        {
            "xl/workbook.xml": {"rId1": ("worksheet", "sheet1.xml"), **(book_relations or {})},
            "xl/sheet1.xml": relations or {},
        },
    )


def slides(
    tree: str, relations: Relations | None = None, more: str = "", parts: Mapping[str, str | bytes] | None = None
) -> bytes:
    """A presentation of two slides; `tree`: the shapes of the first, `more`: what follows them."""
    group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    return composed(
        {
            "ppt/presentation.xml": f'<p:presentation {SPACES}><p:sldIdLst><p:sldId id="256" r:id="rId1"/><p:sldId id="257" r:id="rId2"/>'
            "</p:sldIdLst></p:presentation>",
            "ppt/slide1.xml": f"<p:sld {SPACES}><p:cSld><p:spTree>{group}{tree}</p:spTree></p:cSld>{more}</p:sld>",
            "ppt/slide2.xml": f"<p:sld {SPACES}><p:cSld><p:spTree>{group}</p:spTree></p:cSld></p:sld>",
            **(parts or {}),
        },
        {
            "ppt/presentation.xml": {"rId1": ("slide", "slide1.xml"), "rId2": ("slide", "slide2.xml")},
            "ppt/slide1.xml": relations or {},
        },
    )


def picture(
    format_: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (8, 6), exif: Image.Exif | None = None
) -> bytes:
    target = io.BytesIO()
    image = Image.new(mode, size)
    if mode in ("RGB", "RGBA", "CMYK"):
        image.paste((255, 0, 0, 128)[: len(mode)], (0, 0, 1, 1))
    if exif is None:
        image.save(target, format_)
    else:
        image.save(target, format_, exif=exif)
    return target.getvalue()


class Opened:
    """What came out."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            assert package.testzip() is None
            self.parts = {name: package.read(name) for name in package.namelist()}
        assert len({name.lower() for name in self.parts}) == len(self.parts)

    @property
    def everything(self) -> str:
        """Names and content of all parts."""
        return "\n".join(f"{name}\n{data.decode('utf-8', 'replace')}" for name, data in self.parts.items())

    def xml(self, name: str) -> str:
        return self.parts[name].decode()

    def root(self, name: str) -> etree._Element:
        return etree.fromstring(self.parts[name])

    @property
    def text(self) -> list[str]:
        return texts(self.parts)

    def consistent(self) -> None:
        """Every relationship leads to a part that is there, every part has a type, every identity that is named is defined."""
        types = self.root("[Content_Types].xml")
        named = {each.get("PartName", "").lstrip("/") for each in types if each.tag.endswith("Override")}
        suffixes = {each.get("Extension") for each in types if each.tag.endswith("Default")}
        assert named <= set(self.parts)
        for name, data in self.parts.items():
            if name == "[Content_Types].xml":
                continue
            assert name in named or name.rpartition(".")[2] in suffixes, name
            if name.endswith(".rels"):
                folder = posixpath.dirname(posixpath.dirname(name))
                for each in etree.fromstring(data):
                    if each.get("TargetMode") != "External" and not each.get("Target").startswith("#"):
                        target = posixpath.normpath(posixpath.join(folder, each.get("Target")))
                        assert target in self.parts, (name, each.get("Target"))
            elif name.endswith(".xml"):
                root = etree.fromstring(data)
                used = {value for each in root.iter() for key, value in each.items() if key.startswith(f"{{{R}}}")} - {
                    ""
                }
                rels = posixpath.join(posixpath.dirname(name), "_rels", f"{posixpath.basename(name)}.rels")
                defined = (
                    {each.get("Id") for each in etree.fromstring(self.parts[rels])} if rels in self.parts else set()
                )
                assert used <= defined, (name, used - defined)
                for prefix in root.get(f"{{{MC}}}Ignorable", "").split():
                    assert prefix in root.nsmap


def texts(parts: Mapping[str, bytes]) -> list[str]:
    """What is read: of paragraphs, of shapes, of cells, sorted by part."""
    found = []
    for _, data in sorted(parts.items()):
        if data[:1] in (b"<", b"\xef") and not data.startswith(b"<html"):
            root = etree.fromstring(data)
            found += [
                "".join(each.itertext()) for each in root.iter(f"{{{W}}}t", f"{{{A}}}t", f"{{{S}}}t", f"{{{S}}}v")
            ]
    return sorted(found)
