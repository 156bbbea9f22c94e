"""Which elements and attributes are copied. Whole vocabularies of the standard, less what acts, fetches, binds or embeds; of VML,
which has no boundaries of its own, only what is named here."""

from __future__ import annotations

from typing import Final

from chat_server.sanitizing.rebuild.ooxml_names import (
    COMPATIBILITY,
    KNOWN,
    RELATIONS,
    VML,
    VML_OFFICE,
    VML_WORD,
    WORD,
    XML,
    local,
    space,
    tag,
    tags,
)
from chat_server.sanitizing.report import Object

_DROPPED: Final[dict[str, dict[str, Object | None]]] = {
    "w": {
        # Told by their relationships: None.
        "altChunk object objectEmbed objectLink control movie subDoc attachedTemplate frameset embedRegular embedBold embedItalic "
        "embedBoldItalic contentPart src": None,
        "mailMerge": "external_data",
        "saveThroughXslt updateFields": "action",
        "entryMacro exitMacro": "macro",
        "dataBinding docVars attachedSchema": "custom_data",
        "binData fldData": None,
        # What only the writing program needs, or what says who wrote when.
        "rsids rsid placeholder linkStyles smartTagPr customXmlPr activeWritingStyle proofErr embedTrueTypeFonts saveSubsetFonts "
        "embedSystemFonts docPart docPartList saveXmlDataOnly useXSLTWhenSaving doNotEmbedSmartTags": None,
    },
    "w14": {"contentPart docId defaultImageDpi": None},
    "w15": {"dataBinding": "custom_data", "docId chartTrackingRefBased webExtensionLinked webExtensionCreated footnoteColumns": None},
    "s": {
        "oleObjects oleObject controls control externalReferences pivotCaches externalLink mdxMetadata metadataStrings "
        "valueMetadata queryTableRefresh": None,
        "legacyDrawingHF drawingHF": "element",
        "xmlColumnPr customPr customProperties": "custom_data",
        "webPublishItems webPublishing webPublishObjects dataConsolidate": "external_data",
        "fileSharing fileRecoveryPr functionGroups oleSize customWorkbookViews customSheetViews smartTagPr smartTagTypes "
        "cellSmartTags smartTags fileVersion": None,
    },
    "a": {"audioFile videoFile wavAudioFile quickTimeFile audioCd snd": None},
    "xdr": {"contentPart": None},
    "p": {
        "oleObj controls control custDataLst custData tags embeddedFontLst sndAc snd stSnd endSnd contentPart externalLst": None,
        "cmd audio video media cMediaNode sndTgt": None,
        "htmlPubPr webPr smartTags": None,
    },
    "c": {"externalData printSettings pivotSource pivotFmts extLst": None},
    "cx": {"externalData printSettings geography": None},
    "wpg": {"contentPart": None},
    "wpc": {"contentPart": None},
    "a14": {"contentPart compatExt legacySpreadsheetColorIndex imgProps imgLayer media cameraTool": None},
    "p14": {"media": None},
}  # fmt: skip
DROPPED: Final[dict[str, Object | None]] = {
    tag(f"{prefix}:{name}"): object_
    for prefix, lists in _DROPPED.items()
    for names, object_ in lists.items()
    for name in names.split()
}
"""By element: what its loss is told as."""

_VML: Final = (
    tags("v", "shapetype shape group rect roundrect oval line polyline arc curve background fill stroke formulas f path textbox "
         "textpath imagedata shadow handles h")
    | tags("o", "lock extrusion callout shapedefaults shapelayout idmap regrouptable entry colormru colormenu top left right bottom "
           "column complex skew")
    | tags("w10", "wrap anchorlock bordertop borderbottom borderleft borderright")
)  # fmt: skip
_VML_SPACES: Final = frozenset((VML, VML_OFFICE, VML_WORD))
_VML_ATTRIBUTES: Final = frozenset(
    ("ole", "oleicon", "href", "althref", "gfxdata", "master", "script", "button", "hrefa", "dgmlayout")
)
UNWRAPPED: Final = tags("w", "smartTag customXml")
"""Elements that go, and whose content stays."""
HOLLOW: Final = (
    tags("a", "graphicData graphic") | tags("wp", "inline anchor") | tags("p", "graphicFrame timing")
    | tags("xdr", "graphicFrame twoCellAnchor oneCellAnchor absoluteAnchor") | tags("w", "drawing pict")
    | tags("s", "conditionalFormatting dataValidations hyperlinks tableParts definedNames extLst")
    | tags("a", "extLst") | tags("dgm", "extLst") | tags("p", "extLst")
    | tags("x14", "conditionalFormatting conditionalFormattings dataValidations sparklineGroup sparklineGroups sparklines")
)  # fmt: skip
"""Elements that mean nothing, and that readers take for damage, once what they are for is gone."""
_OBJECTS: Final = tags("xdr", "sp grpSp graphicFrame cxnSp pic") | tags("mc", "AlternateContent")
NEEDED: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(tags("xdr", "twoCellAnchor oneCellAnchor absoluteAnchor"), _OBJECTS),
    **dict.fromkeys(tags("wp", "inline anchor") | tags("p", "graphicFrame") | tags("xdr", "graphicFrame"), tags("a", "graphic")),
    tag("s:conditionalFormatting"): tags("s", "cfRule"), tag("x14:conditionalFormatting"): tags("x14", "cfRule"),
    tag("x14:sparklineGroup"): tags("x14", "sparklines"),
}  # fmt: skip
"""Of hollow ones: any of which they need; the others need any child."""
SEEN: Final = (
    tags("p", "graphicFrame") | tags("wp", "inline anchor") | tags("xdr", "twoCellAnchor oneCellAnchor absoluteAnchor")
)
"""Hollow ones whose loss a reader sees, so that it is told."""
EXTENSIONS: Final = frozenset(
    (
        "{78C0D931-6437-407D-A8EE-F0AAD7539E65}",  # conditional formats
        "{B025F937-C7B1-47D3-B67F-A62EFF666E3E}",  # what joins them to the older ones
        "{CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF}",  # data validations
        "{05C60535-1F16-4FD2-B633-F4F36F0B64E0}",  # sparklines
        "{BDBB8CDC-FA1E-496E-A857-3C3F30C029C3}",  # formulas that spill
        "HTTP://SCHEMAS.MICROSOFT.COM/OFFICE/DRAWING/2008/DIAGRAM",  # which drawing shows a diagram
        "{521415D9-36F7-43E2-AB2F-B90AF26B5E84}",  # sections of a presentation
    )
)
"""The extensions that are kept, by their names in upper case."""

_ATTRIBUTES: Final[dict[str, frozenset[str]]] = {
    tag("w:hyperlink"): frozenset(("docLocation", "tgtFrame", "history")),
    tag("xdr:sp"): frozenset(("macro",)), tag("xdr:graphicFrame"): frozenset(("macro",)), tag("xdr:pic"): frozenset(("macro",)),
    tag("xdr:cxnSp"): frozenset(("macro",)),
    **dict.fromkeys(tags("cdr", "sp grpSp graphicFrame cxnSp pic"), frozenset(("macro", "textlink"))), tag("s:table"): frozenset(("connectionId", "tableType")),
    tag("s:tableColumn"): frozenset(("queryTableFieldId", "uniqueName")), tag("s:c"): frozenset(("vm",)),
    tag("s:sheetPr"): frozenset(("codeName", "published")), tag("s:workbookPr"): frozenset(("codeName", "publishItems")),
    tag("s:definedName"): frozenset(("xlm", "function", "vbProcedure", "shortcutKey", "functionGroupId", "publishToServer")),
    tag("w:document"): frozenset(("conformance",)), tag("s:workbook"): frozenset(("conformance",)),
    tag("p:presentation"): frozenset(("conformance",)), tag("s:hyperlink"): frozenset(("display",)),
    **dict.fromkeys(tags("a", "hlinkClick hlinkHover hlinkMouseOver"), frozenset(("invalidUrl", "tgtFrame", "endSnd"))),
}  # fmt: skip
"""Attributes that are left out, by their local names."""
_WRITTEN_WHEN: Final = ("rsid", "paraId", "textId")
_WORDED: Final = tags("w", "t delText instrText delInstrText")
_NAMING: Final = frozenset(("id", "embed", "pict", "dm", "lo", "qs", "cs", "relid"))


def copied(name: str) -> bool:
    """Whether elements of that name are copied at all, as far as the name alone says."""
    uri = space(name)
    if uri in _VML_SPACES:
        return name in _VML
    return uri in KNOWN and uri != COMPATIBILITY and name not in DROPPED


def worded(name: str) -> bool:
    """Whether an element of that name may hold words itself. In texts that are four, and no reader looks for them elsewhere."""
    return space(name) != WORD or name in _WORDED


def attribute_kept(element: str, name: str) -> bool:
    """Whether that attribute is copied as it is. Those that name a relationship are not: see `relational`."""
    uri, word = space(name), local(name)
    if uri == XML:
        return word in ("space", "lang")
    if (uri and uri not in KNOWN) or uri == COMPATIBILITY:
        return False
    if not uri and space(element) == WORD:
        return False  # all of that vocabulary have its namespace
    if uri == RELATIONS or word in _ATTRIBUTES.get(element, ()):
        return False
    if space(element) in _VML_SPACES:
        return (
            word not in _VML_ATTRIBUTES
            and word not in ("src", "title", "target", "relid")
            and (word == "on" or not word.startswith("on"))
        )
    return not word.startswith(_WRITTEN_WHEN)


def relational(element: str, name: str) -> bool:
    """Whether an attribute names a relationship that may be followed: never r:link and r:href, which fetch."""
    uri, word = space(name), local(name)
    if uri == RELATIONS:
        return word in _NAMING
    return uri == VML_OFFICE and word == "relid"
