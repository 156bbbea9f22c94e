"""What a file is, by its first bytes, and for packages by the names of their parts. The name it came under is a claim."""

from __future__ import annotations

import zipfile
from pathlib import PurePath
from typing import IO, Final

import olefile

HEAD: Final = 4096
"""Bytes that are looked at before a file is opened."""

PAGES: Final = 3000
"""Of a document that is turned into pictures."""
REBUILT: Final = frozenset(
    (
        "jpeg", "png", "gif", "webp", "tiff", "bmp", "heic", "pdf", "docx", "xlsx", "pptx", "text", "csv", "html", "mp4",
        "mov",
    )
)  # fmt: skip
"""Kinds that a rebuilder takes; what LibreOffice converts becomes one of them."""
HOLDERS: Final = frozenset(("zip", "eml", "msg"))
"""Kinds that are files in a file; what is released of them comes out as a ZIP."""
DRAWINGS: Final = frozenset(("dxf", "dwg", "jww", "sfc", "p21"))
"""Kinds of drawings; all of them become DXF."""
PAINTED: Final = frozenset(("svg",))
"""Kinds that a painter makes pictures of, which are rebuilt then."""
CLOSED: Final = frozenset(("jtd", "xdw", "xbd"))
"""Kinds that are known, and that nothing here takes apart."""
FLATTENED: Final = frozenset(("pdf", "docx", "xlsx", "pptx", "doc", "xls", "ppt", "rtf", "odt", "ods", "odp"))
"""Kinds with pages, which can become pictures."""

SUFFIXES: Final = {
    "jpeg": ".jpg", "png": ".png", "gif": ".gif", "webp": ".webp", "tiff": ".tiff", "bmp": ".bmp", "heic": ".heic",
    "pdf": ".pdf", "docx": ".docx", "xlsx": ".xlsx", "pptx": ".pptx", "doc": ".doc", "xls": ".xls", "ppt": ".ppt",
    "rtf": ".rtf", "odt": ".odt", "ods": ".ods", "odp": ".odp", "zip": ".zip", "text": ".txt", "csv": ".csv",
    "dxf": ".dxf", "dwg": ".dwg", "jww": ".jww", "sfc": ".sfc", "p21": ".p21", "mp4": ".mp4", "mov": ".mov",
    "eml": ".eml", "msg": ".msg", "html": ".html", "svg": ".svg", "jtd": ".jtd", "xdw": ".xdw", "xbd": ".xbd",
}  # fmt: skip
_ALSO: Final = {
    ".jpeg": "jpeg", ".jpe": "jpeg", ".tif": "tiff", ".heif": "heic", ".docm": "docx", ".dotx": "docx", ".xlsm": "xlsx",
    ".xltx": "xlsx", ".pptm": "pptx", ".ppsx": "pptx", ".potx": "pptx", ".htm": "html", ".log": "text", ".tsv": "csv",
    ".jtt": "jtd", ".md": "text", ".m4v": "mp4", ".qt": "mov",
}  # fmt: skip
_BY_SUFFIX: Final = {suffix: kind for kind, suffix in SUFFIXES.items()} | _ALSO

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: Final = (
    (0, b"\xff\xd8\xff", "jpeg"), (0, b"\x89PNG\r\n\x1a\n", "png"), (0, b"GIF87a", "gif"), (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"), (0, b"II*\0", "tiff"), (0, b"MM\0*", "tiff"), (0, b"{\\rtf", "rtf"),
    (0, b"AC10", "dwg"), (0, b"JwwData.", "jww"), (0, b"\x7fELF", "executable"),
    (0, b"#!", "executable"), (0, b"\xca\xfe\xba\xbe", "executable"), (0, b"\xcf\xfa\xed\xfe", "executable"),
    (0, b"L\0\0\0\x01\x14\x02\0", "executable"), (0, b"\x60\x0e\x82\x03", "xdw"), (0, _OLE, "ole"),
    (0, b"Rar!\x1a\x07", "archive"), (0, b"7z\xbc\xaf\x27\x1c", "archive"), (0, b"\x1f\x8b", "archive"),
    (0, b"MSCF", "archive"), (0, b"BZh", "archive"), (0, b"\xfd7zXZ\0", "archive"),
)  # fmt: skip
_BITMAP_HEADERS: Final = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))
_BRANDS: Final = {b"qt  ": "mov"}
_HEIF: Final = frozenset((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"))
_MAIN_PARTS: Final = {"word/": "docx", "xl/": "xlsx", "ppt/": "pptx"}
_OPEN_DOCUMENT: Final = {"text": "odt", "spreadsheet": "ods", "presentation": "odp"}
_OLE_STREAMS: Final = {
    "encryptedpackage": "encrypted", "encryptedsummary": "encrypted", "worddocument": "doc", "workbook": "xls", "book": "xls",
    "powerpoint document": "ppt", "__properties_version1.0": "msg", "jsrv_segmentinformation": "jtd", "documenttext": "jtd",
}  # fmt: skip
_FILEPASS: Final = b"\x2f\0"
"""The record that follows the first one of a workbook with a password (MS-XLS, 2.4.117)."""
_SCRAMBLED: Final = 0x01
"""Flag of a document with a password (MS-DOC, 2.5.2: fEncrypted)."""


_PACKAGES: Final = frozenset(("docx", "xlsx", "pptx"))
BECOMES: Final = {"heic": "jpeg", "bmp": "png", "html": "text", "mov": "mp4", "svg": "png"}
"""Kinds that nothing here writes: what comes out instead."""


def outcomes(kind: str) -> frozenset[str]:
    """What a file of that kind may be rebuilt to. A child in strange hands could call its output an archive, into whose files no check
    looks any more."""
    if kind in _PACKAGES:
        return _PACKAGES  # which of them it is, its main part says
    return frozenset((BECOMES.get(kind, kind),))


def claimed(name: str) -> str | None:
    """The kind that a file's name promises."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower())


def found(source: IO[bytes], name: str) -> str | None:
    """What `source` (seekable) is; None where that is nothing known. Of text the name decides between the kinds that only a name
    tells apart (txt, csv). Reads the directory of a ZIP: call it confined."""
    source.seek(0)
    head = source.read(HEAD)
    kind = _by_magic(head)
    if kind == "zip":
        return _package(source)
    if kind == "ole":
        return _ole(source)
    return kind or _text(head, name)


def _by_magic(head: bytes) -> str | None:
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return "zip"
    # Readers accept it within the first kilobyte (ISO 32000-1, annex H.3.4.1): so it is looked for there, before all that it
    # might otherwise be taken for.
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head[4:8] == b"ftyp":
        return "heic" if head[8:12] in _HEIF else _BRANDS.get(head[8:12], "mp4")
    # two letters that a text may begin with, too
    if head[:2] == b"MZ" and b"\0" in head:
        return "executable"
    if head[:2] == b"BM" and head[14:18] in _BITMAP_HEADERS:
        return "bmp"
    return next((kind for at, magic, kind in _MAGIC if head[at : at + len(magic)] == magic), None)


def _package(source: IO[bytes]) -> str:
    """A ZIP, or what lies in one. One that cannot be read is a ZIP, whose rebuilder refuses it."""
    try:
        with zipfile.ZipFile(source) as package:
            names = package.namelist()[:20_000]
            if "mimetype" in names:
                with package.open("mimetype") as part:
                    media_type = part.read(200).decode("ascii", "replace").strip()
                return _OPEN_DOCUMENT.get(media_type.rpartition(".")[2], "zip")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, KeyError):
        return "zip"
    if "[Content_Types].xml" in names:
        for folder, kind in _MAIN_PARTS.items():
            if any(each.startswith(folder) for each in names):
                return "xlsb" if f"{folder}workbook.bin" in names else kind
    return "zip"


def _ole(source: IO[bytes]) -> str | None:
    """A compound file (MS-CFB), by the names of its streams; "encrypted" where its document says so."""
    source.seek(0)
    try:
        with olefile.OleFileIO(source) as container:
            streams = {path[0].lower(): path for path in container.listdir() if len(path) == 1}
            found = next((kind for name, kind in _OLE_STREAMS.items() if name in streams), None)
            if found in ("doc", "xls"):
                name = next(name for name, kind in _OLE_STREAMS.items() if kind == found and name in streams)
                head = container.openstream(streams[name]).read(64)
                if _locked(found, head):
                    return "encrypted"
            return found
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError):
        # a container that cannot be read holds nothing that could be
        return None


def _locked(kind: str, head: bytes) -> bool:
    if kind == "doc":
        return len(head) > 11 and bool(head[11] & _SCRAMBLED)
    after = 4 + int.from_bytes(head[2:4], "little")
    return head[after : after + 2] == _FILEPASS


def _text(head: bytes, name: str) -> str | None:
    """Text by what it begins with."""
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "dxf" if head.startswith(b"AutoCAD Binary DXF") else None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1024].lower()
    if start.startswith((b"[internetshortcut]", b"@echo ")):
        return None
    if start.startswith(b"iso-10303-21"):
        return "sfc" if b"feature_mode" in head.lower() else "p21"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in head.lower():
        return "svg"
    lines = head.split(b"\n", 2)
    if len(lines) > 1 and lines[0].strip() in (b"0", b"999") and lines[1].strip():
        return "dxf"
    told = claimed(name)
    if told == "eml":
        return "eml"
    return "csv" if told == "csv" else "text"
