"""What a package of Office Open XML may consist of: content types, and how its parts may refer to each other
(ECMA-376 part 1, clauses 11 to 15, part 2 for packages). Lists of what is known to be harmless; what is not on them
is found."""

from __future__ import annotations

from typing import Final

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_WORD: Final = _OFFICE + "wordprocessingml."
_SHEET: Final = _OFFICE + "spreadsheetml."
_SLIDE: Final = _OFFICE + "presentationml."
_DRAWING: Final = _OFFICE + "drawingml."

RELATIONSHIPS_TYPE: Final = "application/vnd.openxmlformats-package.relationships+xml"
MAIN: Final = {
    "docx": _WORD + "document.main+xml",
    "xlsx": _SHEET + "sheet.main+xml",
    "pptx": _SLIDE + "presentation.main+xml",
}  # fmt: skip
ROOTS: Final[dict[str, str]] = {
    RELATIONSHIPS_TYPE: "Relationships",
    "application/vnd.openxmlformats-package.core-properties+xml": "coreProperties",
    _OFFICE + "extended-properties+xml": "Properties",
    _OFFICE + "custom-properties+xml": "Properties",
    _OFFICE + "theme+xml": "theme", _OFFICE + "themeOverride+xml": "themeOverride",
    _OFFICE + "vmlDrawing": "xml", _OFFICE + "drawing+xml": "wsDr",

    _WORD + "document.main+xml": "document", _WORD + "styles+xml": "styles", _WORD + "stylesWithEffects+xml": "styles",
    "application/vnd.ms-word.stylesWithEffects+xml": "styles",
    _WORD + "settings+xml": "settings", _WORD + "webSettings+xml": "webSettings", _WORD + "fontTable+xml": "fonts",
    _WORD + "numbering+xml": "numbering", _WORD + "header+xml": "hdr", _WORD + "footer+xml": "ftr",
    _WORD + "footnotes+xml": "footnotes", _WORD + "endnotes+xml": "endnotes", _WORD + "comments+xml": "comments",
    _WORD + "commentsExtended+xml": "commentsEx", _WORD + "commentsIds+xml": "commentsIds",
    _WORD + "people+xml": "people",
    _WORD + "document.glossary+xml": "glossaryDocument",

    _SHEET + "sheet.main+xml": "workbook", _SHEET + "worksheet+xml": "worksheet",
    _SHEET + "chartsheet+xml": "chartsheet",
    _SHEET + "styles+xml": "styleSheet", _SHEET + "sharedStrings+xml": "sst", _SHEET + "calcChain+xml": "calcChain",
    _SHEET + "table+xml": "table", _SHEET + "comments+xml": "comments", _SHEET + "sheetMetadata+xml": "metadata",
    _SHEET + "pivotTable+xml": "pivotTableDefinition", _SHEET + "pivotCacheDefinition+xml": "pivotCacheDefinition",
    _SHEET + "pivotCacheRecords+xml": "pivotCacheRecords",
    "application/vnd.ms-excel.threadedcomments+xml": "ThreadedComments",
    "application/vnd.ms-excel.person+xml": "personList",
    "application/vnd.ms-excel.slicer+xml": "slicers",
    "application/vnd.ms-excel.slicerCache+xml": "slicerCacheDefinition",

    _SLIDE + "presentation.main+xml": "presentation", _SLIDE + "slide+xml": "sld",
    _SLIDE + "slideLayout+xml": "sldLayout",
    _SLIDE + "slideMaster+xml": "sldMaster", _SLIDE + "notesSlide+xml": "notes",
    _SLIDE + "notesMaster+xml": "notesMaster",
    _SLIDE + "handoutMaster+xml": "handoutMaster", _SLIDE + "presProps+xml": "presentationPr",
    _SLIDE + "viewProps+xml": "viewPr",
    _SLIDE + "tableStyles+xml": "tblStyleLst", _SLIDE + "comments+xml": "cmLst",
    _SLIDE + "commentAuthors+xml": "cmAuthorLst",

    _DRAWING + "chart+xml": "chartSpace", _DRAWING + "chartshapes+xml": "userShapes",
    "application/vnd.ms-office.chartstyle+xml": "chartStyle",
    "application/vnd.ms-office.chartcolorstyle+xml": "colorStyle",
    "application/vnd.ms-office.chartex+xml": "chartSpace",
    _DRAWING + "diagramData+xml": "dataModel", _DRAWING + "diagramLayout+xml": "layoutDef",
    _DRAWING + "diagramStyle+xml": "styleDef", _DRAWING + "diagramColors+xml": "colorsDef",
    "application/vnd.ms-office.drawingml.diagramDrawing+xml": "drawing",
}  # fmt: skip
"""The XML parts, and the local name of the element that each consists of."""

IMAGES: Final = {
    "image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/bmp": "bmp",
    "image/tiff": "tiff",
}  # fmt: skip
"""Of pictures. Not EMF and WMF (programs of drawing orders: CVE-2005-4560 and many since), not SVG (scripts)."""

HYPERLINK: Final = "hyperlink"
OFFICE_DOCUMENT: Final = "officeDocument"
_FAMILIES: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/",
    "http://schemas.openxmlformats.org/package/2006/relationships/metadata/",
    "http://schemas.openxmlformats.org/officedocument/2006/relationships/metadata/",
    "http://schemas.microsoft.com/office/2006/relationships/",
    "http://schemas.microsoft.com/office/2007/relationships/",
    "http://schemas.microsoft.com/office/2007/relationships/stylesWithEffects/",
    "http://schemas.microsoft.com/office/2011/relationships/",
    "http://schemas.microsoft.com/office/2014/relationships/",
    "http://schemas.microsoft.com/office/2016/09/relationships/",
    "http://schemas.microsoft.com/office/2017/10/relationships/",
)
_REFERENCES: Final = frozenset(
    (
        OFFICE_DOCUMENT, HYPERLINK, "core-properties", "extended-properties", "extendedProperties", "custom-properties",
        "customProperties", "theme", "themeOverride", "image", "styles", "stylesWithEffects", "settings",
        "webSettings", "fontTable",
        "numbering", "header", "footer", "footnotes", "endnotes", "comments", "commentsExtended", "commentsIds",
        "people",
        "glossaryDocument", "vmlDrawing", "drawing", "worksheet", "chartsheet", "sharedStrings", "calcChain", "table",
        "sheetMetadata",
        "pivotTable", "pivotCacheDefinition", "pivotCacheRecords", "threadedComment", "person", "slicer", "slicerCache",
        "slide", "slideLayout", "slideMaster", "notesSlide", "notesMaster", "handoutMaster", "presProps", "viewProps",
        "tableStyles",
        "commentAuthors", "chart", "chartEx", "chartUserShapes", "chartStyle", "chartColorStyle",
        "diagramData", "diagramLayout", "diagramQuickStyle", "diagramColors", "diagramDrawing",
    )
)  # fmt: skip
"""Not, among others: vbaProject, wordVbaData, control, activeXControl…, oleObject, package, aFChunk,
attachedTemplate, frame, subDocument, mailMerge…, externalLink…, xlMacrosheet, xlIntlMacrosheet, dialogsheet,
connections, queryTable, xmlMaps, customXml, customXmlProps, printerSettings, font, audio, video, media, tags,
ui/extensibility, webextension…, thumbnail, digital-signature/…"""


def reference(url: str) -> str | None:
    """What a relationship of that type is called in short; None where it may not stand."""
    family = next((each for each in sorted(_FAMILIES, key=len, reverse=True) if url.startswith(each)), None)
    short = url.removeprefix(family) if family else ""
    return short if short in _REFERENCES else None
