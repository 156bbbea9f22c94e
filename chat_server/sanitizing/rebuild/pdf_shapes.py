"""Which keys of which PDF objects are copied (ISO 32000-1; the clause stands at each shape). What is not here is left behind.

A kind is written

- `number`, `name`, `class` (a name of `CLASSES`), `bool`, `text` (a string), `numbers`, `bools`, `names` (one or an array of them);
- `/shape`: a dictionary or stream of that shape, `/shape[]` an array of such, `/shape*` a dictionary of names to such;
- `color_space`, `function`, `differences`, `font_and_size`, `dash`, `soft_mask`, `encoding`, `cmap`, `mask`: shapes that may also be a name or an
  array; see `pdf_kinds`.

The threat is everything that a reader acts upon, and everything that nobody knows: actions, scripts, files, addresses, streams that
lie outside the file (`/F`), PostScript, pictures for other output devices (`/Alternates`, `/OPI`), private data.
"""

from __future__ import annotations

from typing import Final

from chat_server.sanitizing.report import Object

SHAPES: Final[dict[str, dict[str, str]]] = {
    # 7.8.3; `Properties` is worked into the contents (`pdf_content`), `ProcSet` is obsolete
    "resources": {
        "/ExtGState": "/graphics_state*", "/ColorSpace": "color_space*", "/Pattern": "/pattern*", "/Shading": "/shading*",
        "/XObject": "/xobject*", "/Font": "/font*",
    },
    # 8.4.5; without halftones, black generation and undercolour removal, which are for presses
    "graphics_state": {
        "/LW": "number", "/LC": "number", "/LJ": "number", "/ML": "number", "/D": "dash", "/RI": "name", "/OP": "bool",
        "/op": "bool", "/OPM": "number", "/Font": "font_and_size", "/TR": "function", "/TR2": "function", "/FL": "number",
        "/SM": "number", "/SA": "bool", "/BM": "names", "/SMask": "soft_mask", "/CA": "number", "/ca": "number",
        "/AIS": "bool", "/TK": "bool",
    },
    "soft_mask": {"/S": "class", "/G": "/form", "/BC": "numbers", "/TR": "function"},  # 11.6.5.2
    "group": {"/S": "class", "/CS": "color_space", "/I": "bool", "/K": "bool"},  # 11.6.6
    "form": {"/BBox": "numbers", "/Matrix": "numbers", "/Resources": "/resources", "/Group": "/group"},  # 8.10
    # 8.9.5; the filters and their parameters are written by `pdf_images`
    "image": {
        "/Width": "number", "/Height": "number", "/ColorSpace": "color_space", "/BitsPerComponent": "number",
        "/Intent": "name", "/ImageMask": "bool", "/Mask": "mask", "/Decode": "numbers", "/Interpolate": "bool",
        "/SMask": "/image", "/Matte": "numbers",
    },
    # 8.7.3 and 8.7.4
    "pattern": {
        "/PatternType": "number", "/PaintType": "number", "/TilingType": "number", "/BBox": "numbers", "/XStep": "number",
        "/YStep": "number", "/Resources": "/resources", "/Matrix": "numbers", "/Shading": "/shading",
        "/ExtGState": "/graphics_state",
    },
    # 8.7.4.5
    "shading": {
        "/ShadingType": "number", "/ColorSpace": "color_space", "/Background": "numbers", "/BBox": "numbers",
        "/AntiAlias": "bool", "/Domain": "numbers", "/Matrix": "numbers", "/Function": "function", "/Coords": "numbers",
        "/Extend": "bools", "/BitsPerCoordinate": "number", "/BitsPerComponent": "number", "/BitsPerFlag": "number",
        "/Decode": "numbers", "/VerticesPerRow": "number",
    },
    # 7.10
    "function": {
        "/FunctionType": "number", "/Domain": "numbers", "/Range": "numbers", "/Size": "numbers", "/BitsPerSample": "number",
        "/Order": "number", "/Encode": "numbers", "/Decode": "numbers", "/C0": "numbers", "/C1": "numbers", "/N": "number",
        "/Functions": "/function[]", "/Bounds": "numbers",
    },
    # 9.6 and 9.7
    "font": {
        "/Subtype": "class", "/BaseFont": "name", "/FirstChar": "number", "/LastChar": "number", "/Widths": "numbers",
        "/FontDescriptor": "/font_descriptor", "/Encoding": "encoding", "/ToUnicode": "cmap", "/FontBBox": "numbers",
        "/FontMatrix": "numbers", "/CharProcs": "/glyph*", "/Resources": "/resources", "/DescendantFonts": "/cid_font[]",
    },
    "glyph": {},
    "cid_font": {
        "/Subtype": "class", "/BaseFont": "name", "/CIDSystemInfo": "/system_info", "/FontDescriptor": "/font_descriptor",
        "/DW": "number", "/W": "numbers", "/DW2": "numbers", "/W2": "numbers", "/CIDToGIDMap": "cmap",
    },
    "system_info": {"/Registry": "text", "/Ordering": "text", "/Supplement": "number"},
    # 9.8
    "font_descriptor": {
        "/FontName": "name", "/FontFamily": "text", "/FontStretch": "name", "/FontWeight": "number", "/Flags": "number",
        "/FontBBox": "numbers", "/ItalicAngle": "number", "/Ascent": "number", "/Descent": "number", "/Leading": "number",
        "/CapHeight": "number", "/XHeight": "number", "/StemV": "number", "/StemH": "number", "/AvgWidth": "number",
        "/MaxWidth": "number", "/MissingWidth": "number", "/FontFile": "/font_file", "/FontFile2": "/font_file",
        "/FontFile3": "/font_file", "/CharSet": "text", "/Style": "/font_style", "/Lang": "name",
    },
    "font_style": {"/Panose": "text"},
    "font_file": {"/Subtype": "class", "/Length1": "number", "/Length2": "number", "/Length3": "number"},
    "encoding": {"/BaseEncoding": "name", "/Differences": "differences"},
    "cmap": {"/CMapName": "name", "/CIDSystemInfo": "/system_info", "/WMode": "number", "/UseCMap": "cmap"},  # 9.7.5.3
    # 8.6.5
    "icc_profile": {"/N": "number", "/Alternate": "color_space", "/Range": "numbers"},
    "calibrated": {"/WhitePoint": "numbers", "/BlackPoint": "numbers", "/Gamma": "numbers", "/Matrix": "numbers",
                   "/Range": "numbers"},
    "device_n": {"/Subtype": "class", "/Colorants": "color_space*", "/Process": "/device_n_process"},
    "device_n_process": {"/ColorSpace": "color_space", "/Components": "names"},
    "lookup": {},
}  # fmt: skip

CLASSES: Final = frozenset(
    [
        "/Type0",
        "/Type1",
        "/MMType1",
        "/Type3",
        "/TrueType",
        "/CIDFontType0",
        "/CIDFontType2",
        "/Type1C",
        "/CIDFontType0C",
        "/OpenType",
        "/Transparency",
        "/Alpha",
        "/Luminosity",
        "/DeviceN",
        "/NChannel",
    ]
)
"""Names that say what an object is; any other one might be what a reader acts upon."""

TYPES: Final = {
    "graphics_state": "ExtGState", "soft_mask": "Mask", "group": "Group", "form": "XObject", "image": "XObject",
    "pattern": "Pattern", "font": "Font", "cid_font": "Font", "font_descriptor": "FontDescriptor", "encoding": "Encoding",
    "cmap": "CMap",
}  # fmt: skip
"""`/Type` of a copy."""
SUBTYPES: Final = {"form": "Form", "image": "Image"}

MUST_BE_STREAMS: Final = frozenset(("form", "image", "glyph", "font_file", "cmap", "icc_profile", "lookup"))
MAY_BE_STREAMS: Final = frozenset(("pattern", "shading", "function"))
DRAWING: Final = frozenset(("form", "pattern", "glyph"))
"""Streams of drawing instructions (see `pdf_content`)."""

LEFT_OUT: Final[dict[str, Object]] = {
    "/Metadata": "metadata", "/PieceInfo": "custom_data", "/OPI": "external_data", "/Alternates": "image", "/PS": "script",
    "/LastModified": "metadata", "/AF": "attachment", "/Measure": "custom_data", "/PtData": "custom_data",
}  # fmt: skip
"""Keys inside pages and their resources whose loss is told; a `report.Object` each."""
