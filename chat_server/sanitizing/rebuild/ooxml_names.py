"""The namespaces of Office documents (ISO/IEC 29500) that are written, each under the one prefix it is written with."""

from __future__ import annotations

import re
from typing import Final

_OPEN: Final = "http://schemas.openxmlformats.org/"
_MS: Final = "http://schemas.microsoft.com/office/"

RELATIONS: Final = f"{_OPEN}officeDocument/2006/relationships"
PACKAGE_RELATIONS: Final = f"{_OPEN}package/2006/relationships"
CONTENT_TYPES: Final = f"{_OPEN}package/2006/content-types"
WORD: Final = f"{_OPEN}wordprocessingml/2006/main"
SHEET: Final = f"{_OPEN}spreadsheetml/2006/main"
SLIDE: Final = f"{_OPEN}presentationml/2006/main"
DRAWING: Final = f"{_OPEN}drawingml/2006/main"
ON_SHEET: Final = f"{_OPEN}drawingml/2006/spreadsheetDrawing"
IN_WORD: Final = f"{_OPEN}drawingml/2006/wordprocessingDrawing"
CHART: Final = f"{_OPEN}drawingml/2006/chart"
DIAGRAM: Final = f"{_OPEN}drawingml/2006/diagram"
COMPATIBILITY: Final = f"{_OPEN}markup-compatibility/2006"
CHART_EX: Final = f"{_MS}drawing/2014/chartex"
DRAWN_DIAGRAM: Final = f"{_MS}drawing/2008/diagram"
EXCEL_FORMULAS: Final = f"{_MS}excel/2006/main"
VML: Final = "urn:schemas-microsoft-com:vml"
VML_OFFICE: Final = "urn:schemas-microsoft-com:office:office"
VML_WORD: Final = "urn:schemas-microsoft-com:office:word"
XML: Final = "http://www.w3.org/XML/1998/namespace"

PREFIXES: Final = {
    RELATIONS: "r", WORD: "w", SHEET: "s", SLIDE: "p", DRAWING: "a", ON_SHEET: "xdr", IN_WORD: "wp", CHART: "c", DIAGRAM: "dgm",
    COMPATIBILITY: "mc", VML: "v", VML_OFFICE: "o", VML_WORD: "w10",
    f"{_OPEN}drawingml/2006/picture": "pic", f"{_OPEN}drawingml/2006/chartDrawing": "cdr",
    f"{_OPEN}drawingml/2006/lockedCanvas": "lc", f"{_OPEN}officeDocument/2006/math": "m",
}  # fmt: skip
"""Of the standard: every reader knows them."""

LATER: Final = {
    f"{_MS}word/2010/wordml": "w14", f"{_MS}word/2012/wordml": "w15", f"{_MS}word/2010/wordprocessingDrawing": "wp14",
    f"{_MS}word/2010/wordprocessingShape": "wps", f"{_MS}word/2010/wordprocessingGroup": "wpg",
    f"{_MS}word/2010/wordprocessingCanvas": "wpc", f"{_MS}drawing/2010/main": "a14",
    f"{_MS}spreadsheetml/2009/9/main": "x14", f"{_MS}spreadsheetml/2009/9/ac": "x14ac", EXCEL_FORMULAS: "xm",
    f"{_MS}spreadsheetml/2017/dynamicarray": "xda", f"{_MS}powerpoint/2010/main": "p14",
    DRAWN_DIAGRAM: "dsp", CHART_EX: "cx", f"{_MS}drawing/2015/9/8/chartex": "cx1",
    f"{_MS}drawing/2015/10/21/chartex": "cx2", f"{_MS}drawing/2016/5/9/chartex": "cx3",
    f"{_MS}drawing/2016/5/10/chartex": "cx4", f"{_MS}drawing/2016/5/11/chartex": "cx5",
    f"{_MS}drawing/2016/5/12/chartex": "cx6", f"{_MS}drawing/2016/5/13/chartex": "cx7",
    f"{_MS}drawing/2016/5/14/chartex": "cx8",
}  # fmt: skip
"""Of later versions: a reader that does not know one passes over it (mc:Ignorable), or takes the alternative."""

KNOWN: Final = PREFIXES | LATER
HOMES: Final = {
    **dict.fromkeys((WORD, IN_WORD, VML, VML_OFFICE, VML_WORD), WORD),
    **{uri: WORD for uri, prefix in LATER.items() if prefix in ("w14", "w15", "wp14", "wps", "wpg", "wpc")},
    SHEET: SHEET, **{uri: SHEET for uri, prefix in LATER.items() if prefix in ("x14", "x14ac", "xm", "xda")},
    SLIDE: SLIDE, **{uri: SLIDE for uri, prefix in LATER.items() if prefix == "p14"},
    ON_SHEET: ON_SHEET,
}  # fmt: skip
"""Vocabularies that stand only in parts whose root is of that one: a field in a sheet is judged by nobody."""
_CHOSEN: Final = frozenset(("wps", "wpg", "wpc", "wp14", "w14", "w15", "a14", *(f"cx{n}" for n in range(1, 9)), "cx"))
CHOSEN: Final = frozenset(uri for uri, prefix in LATER.items() if prefix in _CHOSEN)
"""An mc:Choice that requires no more than these is taken; otherwise its mc:Fallback."""
BY_PREFIX: Final = {prefix: uri for uri, prefix in KNOWN.items()}

_STRICT: Final = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
"""The namespaces of the strict variant: the same vocabulary under other names."""


def tag(name: str) -> str:
    """`w:p` as lxml spells it."""
    prefix, _, local = name.partition(":")
    return f"{{{BY_PREFIX[prefix]}}}{local}"


def tags(prefix: str, names: str) -> frozenset[str]:
    """Several names of one namespace."""
    return frozenset(tag(f"{prefix}:{name}") for name in names.split())


def words(text: str) -> frozenset[str]:
    """A list of names, as it is best read."""
    return frozenset(text.split())


def transitional(data: bytes) -> bytes:
    """A part of the strict variant under the names that everybody reads and that the lists here know."""
    if b"purl.oclc.org/ooxml/" not in data:
        return data
    return _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", data)


def local(name: str) -> str:
    return name.rpartition("}")[2]


def space(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""
