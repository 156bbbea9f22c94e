"""A drawing (DXF) before it is released: read as the pairs of lines that it is, without a library that knows what they mean.

Source: AutoCAD DXF Reference; group codes 0 (what begins), 1 to 9 (texts), 100 (subclasses), 1000 and above (data of applications).
"""

from __future__ import annotations

import re
from typing import IO, Final

_BYTES: Final = 256 << 20
_SECTIONS: Final = frozenset(("HEADER", "CLASSES", "TABLES", "BLOCKS", "ENTITIES", "OBJECTS"))
_ENTITIES: Final = frozenset(
    (
        "LINE", "POINT", "CIRCLE", "ARC", "TEXT", "SOLID", "TRACE", "3DFACE", "POLYLINE", "VERTEX", "SEQEND", "ATTRIB", "ATTDEF",
        "INSERT", "ELLIPSE", "MTEXT", "LWPOLYLINE", "SPLINE", "HATCH", "MESH", "XLINE", "RAY", "DIMENSION", "LEADER", "VIEWPORT",
        "BLOCK", "ENDBLK",
    )
)  # fmt: skip
_OBJECTS: Final = frozenset(
    (
        "DICTIONARY", "ACDBDICTIONARYWDFLT", "ACDBPLACEHOLDER", "LAYOUT", "MATERIAL", "MLINESTYLE", "MLEADERSTYLE", "PLOTSETTINGS",
        "SCALE", "VISUALSTYLE", "TABLESTYLE", "DICTIONARYVAR", "SORTENTSTABLE", "XRECORD", "RASTERVARIABLES", "WIPEOUTVARIABLES",
    )
)  # fmt: skip
_TEXTS: Final = range(1, 10)
_XDATA: Final = range(1000, 1072)
_BINARY: Final = frozenset((310, 1004))
_PATH: Final = re.compile(r"^\s*(?:[A-Za-z]:[\\/]|\\\\|//|file:|https?:|ftp:|smb:)|\.\.[\\/]", re.IGNORECASE)
_FONT_PATH: Final = re.compile(r"\\[fF][^;]*[\\/:]")
_SHOWN: Final = frozenset(("TEXT", "MTEXT", "ATTRIB", "ATTDEF", "DIMENSION"))
"""Whose words are read by people: an address may stand there."""
_XREF: Final = 4 | 8 | 16 | 32


def check(source: IO[bytes]) -> list[str]:
    """See the package."""
    source.seek(0)
    data = source.read(_BYTES + 1)
    if len(data) > _BYTES or b"\0" in data:
        return ["too large, or binary"]
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) % 2 or len(lines) < 4 or [line.strip() for line in lines[-2:]] != [b"0", b"EOF"]:
        return ["not pairs of lines to an end"]
    found: set[str] = set()
    section, kind, opens = "", "", False
    for code_line, value in zip(lines[::2], lines[1::2], strict=True):
        try:
            code = int(code_line)
        except ValueError:
            return ["a group without a number"]
        text = value.decode("cp932", "replace").strip()
        if code == 0:
            kind, opens = text, text == "SECTION"
            found |= _begun(section, kind)
        elif code == 2 and opens:
            section, opens = text, False
            if section not in _SECTIONS:
                found.add(f"section {section[:40]}")
        else:
            found |= _group(section, kind, code, text)
    return sorted(found)


def _begun(section: str, kind: str) -> set[str]:
    allowed = {"ENTITIES": _ENTITIES, "BLOCKS": _ENTITIES, "OBJECTS": _OBJECTS}.get(section)
    if allowed is None or kind in allowed or kind in ("ENDSEC", "SECTION", "EOF"):
        return set()
    return {f"{section}: {kind[:40]}"}


def _group(section: str, kind: str, code: int, text: str) -> set[str]:
    if code in _BINARY:
        return {f"binary data in {kind}"}
    if code in _XDATA and section in ("ENTITIES", "BLOCKS"):
        return {f"data of an application in {kind}"}
    if kind == "BLOCK" and code == 70 and text.lstrip("-").isdigit() and int(text) & _XREF:
        return {"a block of another file"}
    if kind == "BLOCK" and code == 1 and text:
        return {"a block with a path"}
    if code in _TEXTS and kind in _SHOWN and _FONT_PATH.search(text):
        return {f"a font with a path in {kind}"}
    if code in _TEXTS and kind not in _SHOWN and _PATH.search(text):
        return {f"a path in {kind or section}"}
    return set()
