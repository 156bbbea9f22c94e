"""Which parts a rebuilt document may have: pairs of a relationship's type and a content type. What is on no list stays behind."""

from __future__ import annotations

from typing import Final

import msgspec

from chat_server.sanitizing.rebuild.ooxml_names import tags, words
from chat_server.sanitizing.report import Object

_OPEN: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_MS: Final = "http://schemas.microsoft.com/office/"
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_SLIDE: Final = "application/vnd.openxmlformats-officedocument.presentationml."
_DRAWING: Final = "application/vnd.openxmlformats-officedocument.drawingml."
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."

MAIN: Final = f"{_OPEN}officeDocument"
HYPERLINK: Final = f"{_OPEN}hyperlink"
CHUNK: Final = f"{_OPEN}aFChunk"
IMAGE: Final = f"{_OPEN}image"
VML: Final = f"{_OPEN}vmlDrawing"
VML_TYPE: Final = f"{_OFFICE}vmlDrawing"
SIGNATURE: Final = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/"
XLSB: Final = "application/vnd.ms-excel.sheet.binary.macroenabled.main"


class Part(msgspec.Struct, frozen=True):
    """A kind of part. `name`: under which it is written, {} stands for its number; `roots`: what its XML may be;
    `implied`: it is there by its relationship alone, otherwise only where an element names it."""

    relation: str
    content_type: str
    name: str
    roots: frozenset[str] = frozenset()
    implied: bool = False
    also: tuple[str, ...] = ()
    """Content types that are taken too, and written as `content_type`."""


_THEME: Final = Part(f"{_OPEN}theme", f"{_OFFICE}theme+xml", "theme/theme{}.xml", tags("a", "theme"), True)
_CHARTS: Final = (
    Part(f"{_OPEN}chart", f"{_DRAWING}chart+xml", "charts/chart{}.xml", tags("c", "chartSpace")),
    Part(f"{_MS}2014/relationships/chartEx", "application/vnd.ms-office.chartex+xml", "charts/chartEx{}.xml", tags("cx", "chartSpace")),
    Part(f"{_OPEN}chartUserShapes", f"{_DRAWING}chartshapes+xml", "drawings/shapes{}.xml", tags("c", "userShapes")),
    Part(f"{_OPEN}themeOverride", f"{_OFFICE}themeOverride+xml", "theme/override{}.xml", tags("a", "themeOverride"), True),
    Part(f"{_OPEN}diagramData", f"{_DRAWING}diagramData+xml", "diagrams/data{}.xml", tags("dgm", "dataModel")),
    Part(f"{_OPEN}diagramLayout", f"{_DRAWING}diagramLayout+xml", "diagrams/layout{}.xml", tags("dgm", "layoutDef")),
    Part(f"{_OPEN}diagramQuickStyle", f"{_DRAWING}diagramStyle+xml", "diagrams/style{}.xml", tags("dgm", "styleDef")),
    Part(f"{_OPEN}diagramColors", f"{_DRAWING}diagramColors+xml", "diagrams/colors{}.xml", tags("dgm", "colorsDef")),
    Part(
        f"{_MS}2007/relationships/diagramDrawing", "application/vnd.ms-office.drawingml.diagramDrawing+xml",
        "diagrams/drawing{}.xml", tags("dsp", "drawing"), True,
    ),
    _THEME,
)  # fmt: skip
_IN_WORD: Final = (
    Part(
        MAIN, f"{_WORD}document.main+xml", "document.xml", tags("w", "document"),
        also=(f"{_WORD}template.main+xml", "application/vnd.ms-word.document.macroEnabled.main+xml",
              "application/vnd.ms-word.template.macroEnabledTemplate.main+xml"),
    ),
    Part(f"{_OPEN}styles", f"{_WORD}styles+xml", "styles.xml", tags("w", "styles"), True),
    Part(f"{_OPEN}numbering", f"{_WORD}numbering+xml", "numbering.xml", tags("w", "numbering"), True),
    Part(f"{_OPEN}settings", f"{_WORD}settings+xml", "settings.xml", tags("w", "settings"), True),
    Part(f"{_OPEN}fontTable", f"{_WORD}fontTable+xml", "fontTable.xml", tags("w", "fonts"), True),
    Part(f"{_OPEN}footnotes", f"{_WORD}footnotes+xml", "footnotes.xml", tags("w", "footnotes"), True),
    Part(f"{_OPEN}endnotes", f"{_WORD}endnotes+xml", "endnotes.xml", tags("w", "endnotes"), True),
    Part(f"{_OPEN}comments", f"{_WORD}comments+xml", "comments.xml", tags("w", "comments"), True),
    Part(f"{_OPEN}header", f"{_WORD}header+xml", "header{}.xml", tags("w", "hdr")),
    Part(f"{_OPEN}footer", f"{_WORD}footer+xml", "footer{}.xml", tags("w", "ftr")),
    *_CHARTS,
)  # fmt: skip
_IN_SHEETS: Final = (
    Part(
        MAIN, f"{_SHEET}sheet.main+xml", "workbook.xml", tags("s", "workbook"),
        also=(f"{_SHEET}template.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
              "application/vnd.ms-excel.template.macroEnabled.main+xml"),
    ),
    Part(f"{_OPEN}worksheet", f"{_SHEET}worksheet+xml", "worksheets/sheet{}.xml", tags("s", "worksheet")),
    Part(f"{_OPEN}chartsheet", f"{_SHEET}chartsheet+xml", "chartsheets/sheet{}.xml", tags("s", "chartsheet")),
    Part(f"{_OPEN}sharedStrings", f"{_SHEET}sharedStrings+xml", "sharedStrings.xml", tags("s", "sst"), True),
    Part(f"{_OPEN}styles", f"{_SHEET}styles+xml", "styles.xml", tags("s", "styleSheet"), True),
    Part(f"{_OPEN}sheetMetadata", f"{_SHEET}sheetMetadata+xml", "metadata.xml", tags("s", "metadata"), True),
    Part(f"{_OPEN}comments", f"{_SHEET}comments+xml", "comments{}.xml", tags("s", "comments"), True),
    Part(f"{_OPEN}table", f"{_SHEET}table+xml", "tables/table{}.xml", tags("s", "table")),
    Part(f"{_OPEN}drawing", f"{_OFFICE}drawing+xml", "drawings/drawing{}.xml", tags("xdr", "wsDr")),
    *_CHARTS,
)  # fmt: skip
_IN_SLIDES: Final = (
    Part(
        MAIN, f"{_SLIDE}presentation.main+xml", "presentation.xml", tags("p", "presentation"),
        also=(f"{_SLIDE}slideshow.main+xml", f"{_SLIDE}template.main+xml",
              "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
              "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
              "application/vnd.ms-powerpoint.template.macroEnabled.main+xml"),
    ),
    Part(f"{_OPEN}slide", f"{_SLIDE}slide+xml", "slides/slide{}.xml", tags("p", "sld")),
    Part(f"{_OPEN}slideLayout", f"{_SLIDE}slideLayout+xml", "slideLayouts/slideLayout{}.xml", tags("p", "sldLayout"), True),
    Part(f"{_OPEN}slideMaster", f"{_SLIDE}slideMaster+xml", "slideMasters/slideMaster{}.xml", tags("p", "sldMaster"), True),
    Part(f"{_OPEN}notesSlide", f"{_SLIDE}notesSlide+xml", "notesSlides/notesSlide{}.xml", tags("p", "notes"), True),
    Part(f"{_OPEN}notesMaster", f"{_SLIDE}notesMaster+xml", "notesMasters/notesMaster{}.xml", tags("p", "notesMaster"), True),
    Part(f"{_OPEN}handoutMaster", f"{_SLIDE}handoutMaster+xml", "handoutMasters/handoutMaster{}.xml",
         tags("p", "handoutMaster")),
    Part(f"{_OPEN}presProps", f"{_SLIDE}presProps+xml", "presProps.xml", tags("p", "presentationPr"), True),
    Part(f"{_OPEN}tableStyles", f"{_SLIDE}tableStyles+xml", "tableStyles.xml", tags("a", "tblStyleLst"), True),
    Part(f"{_OPEN}comments", f"{_SLIDE}comments+xml", "comments/comment{}.xml", tags("p", "cmLst"), True),
    Part(f"{_OPEN}commentAuthors", f"{_SLIDE}commentAuthors+xml", "commentAuthors.xml", tags("p", "cmAuthorLst"), True),
    *_CHARTS,
)  # fmt: skip
FOLDERS: Final = {"docx": "word", "xlsx": "xl", "pptx": "ppt"}
PARTS: Final[dict[str, dict[str, Part]]] = {
    kind: {part.relation: part for part in parts}
    for kind, parts in (("docx", _IN_WORD), ("xlsx", _IN_SHEETS), ("pptx", _IN_SLIDES))
}

_LEFT: Final[dict[Object, str]] = {
    "macro": "vbaProject wordVbaData xlMacrosheet xlIntlMacrosheet keyMapCustomizations attachedToolbars userCustomization extensibility "
    "vbaProjectSignature vbaProjectSignatureAgile vbaProjectSignatureV3",
    "embedded": "oleObject package aFChunk",
    "control": "control activeXControlBinary ctrlProp dialogsheet",
    "link": "attachedTemplate frame subDocument externalLink externalLinkPath externalLinkLongPath slideUpdateUrl slideUpdateInfo "
    "hyperlink transform hdphoto",
    "external_data": "connections queryTable pivotTable pivotCacheDefinition pivotCacheRecords volatileDependencies mailMergeSource "
    "mailMergeHeaderSource recipientData slicer slicerCache timeline timelineCache model powerPivotData",
    "multimedia": "audio video media",
    "custom_data": "customXml customXmlProps customProperty xmlMaps tags glossaryDocument customXmlDataProps",
    "printer_settings": "printerSettings",
    "font": "font",
    "metadata": "core-properties extended-properties custom-properties metadata/core-properties person people classificationlabels",
    "thumbnail": "thumbnail metadata/thumbnail",
    "signature": "digital-signature/origin signature",
    "comment": "comments authors",
    "history": "revisionHeaders revisionLog usernames changesInfo revisionInfo",
}  # fmt: skip
LEFT: Final[dict[str, Object]] = {name: object_ for object_, names in _LEFT.items() for name in names.split()}
"""How what stays behind is told, by the last word of its relationship's type."""
UNTOLD: Final = words(
    "calcChain webSettings viewProps stylesWithEffects chartStyle chartColorStyle legacyDocTextInfo legacyDiagramText vmlDrawing "
    "commentsExtended commentsIds commentsExtensible threadedComment "
    "rdRichValue rdRichValueStructure rdRichValueTypes FeaturePropertyBag"
)
"""What readers make anew, or what says nothing that is not said elsewhere."""


def left(relation_type: str) -> Object | None:
    """What a relationship that is not followed is told as; None: not at all."""
    last = relation_type.rpartition("/")[2]
    return None if last in UNTOLD else LEFT.get(last, "part")
