"""What a file is, told by its content: a name is what somebody wrote, and a disguise costs nothing (security.md, 32).

Nothing is decoded here. Files are always sent as downloads, so a wrong answer can cost a preview and never more.
"""

from __future__ import annotations

import re
from typing import Final

UNKNOWN: Final = "application/octet-stream"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = b"mimetypeapplication/vnd.oasis.opendocument."

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"AC10", "image/vnd.dwg"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "application/ogg"),
    (0, b"fLaC", "audio/flac"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (257, b"ustar", "application/x-tar"),
    (0, b"ISO-10303-21;", "model/step"),
)
"""(offset, bytes, type)"""

_BRANDS: Final = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"hevc": "image/heic",
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
"""Of an ISO base media file; any other is a video."""

_RUNS: Final = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""Programs: they are called what they are nowhere, so that nothing opens them by their type."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENDINGS: Final = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
    "jtd": "application/x-js-taro",
    "jww": "application/x-jww",
}
_PACKAGE_ENDINGS: Final = {
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "pptx": f"{_OFFICE}presentationml.presentation",
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
}
_FOLDERS: Final = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))
_TEXT_ENDINGS: Final = {"csv": "text/csv", "md": "text/markdown", "dxf": "image/vnd.dxf", "sfc": "application/x-sfc"}
_MARKUP: Final = re.compile(rb"<(!doctype\s+html|html|head|body|script|svg|\?xml)\b", re.IGNORECASE)
_CONTROL: Final = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


def media_type(head: bytes, name: str) -> str:
    """The type of a file that begins with `head` (some kilobytes); `name` only tells apart what looks the same."""
    ending = name.rpartition(".")[2].lower()
    if head.lstrip()[:5] == b"%PDF-":
        return "application/pdf"
    for offset, magic, found in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return found
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"PK\x03\x04"):
        return _package(head, ending)
    if head.startswith(_OLE):
        return _OLE_ENDINGS.get(ending, UNKNOWN)
    if head.startswith(b"BM") and len(head) > 18 and head[14] in (12, 40, 108, 124) and head[15:18] == b"\0\0\0":
        return "image/bmp"
    if head.startswith(_RUNS) or not head:
        return UNKNOWN
    return _text(head, ending)


def _package(head: bytes, ending: str) -> str:
    """An archive, or what is packed in one: OpenDocument says so first, Office by its folders."""
    at = head.find(_ODF, 30, 120)
    if at >= 0:
        kind = re.match(rb"[a-z]+", head[at + len(_ODF) :])
        if kind is not None:
            return f"application/vnd.oasis.opendocument.{kind[0].decode()}"
    office = b"[Content_Types].xml" in head or b"_rels/.rels" in head
    if not office:
        return "application/zip"
    for folder, usual in _FOLDERS:
        if folder in head:
            # With macros it looks the same here: the name tells, and whoever opens it looks inside.
            macros = usual[:3] + "m"
            return _PACKAGE_ENDINGS[macros if ending == macros else usual]
    return _PACKAGE_ENDINGS.get(ending, "application/zip")


def _text(head: bytes, ending: str) -> str:
    """Words in whatever encoding; markup is called what it is."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _TEXT_ENDINGS.get(ending, "text/plain")
    if _CONTROL.search(head):
        return UNKNOWN
    found = _MARKUP.search(head[:1024])
    if found is not None:
        word = found[1].lower()
        if word == b"svg" or b"<svg" in head[:1024].lower():
            return "image/svg+xml"
        return "text/xml" if word == b"?xml" else "text/html"
    if head.startswith(b"#!"):
        return UNKNOWN
    return _TEXT_ENDINGS.get(ending, "text/plain")


_ENDINGS: Final = {
    "image/jpeg": ("jpg", "jpeg"), "image/png": ("png",), "image/gif": ("gif",), "image/webp": ("webp",),
    "image/tiff": ("tiff", "tif"), "application/pdf": ("pdf",), "application/zip": ("zip",), "video/mp4": ("mp4", "m4v"),
    "image/vnd.dxf": ("dxf",), "text/csv": ("csv",), "text/plain": ("txt",),
    **{type_: (ending,) for ending, type_ in _PACKAGE_ENDINGS.items()},
}  # fmt: skip


def ending_in(name: str, type_: str) -> str:
    """`name` with an ending of that type: a document without its macros is called .xlsx. Of other types it stays as it is."""
    endings = _ENDINGS.get(type_)
    stem, dot, ending = name.rpartition(".")
    if endings is None or ending.lower() in endings:
        return name
    return f"{stem if dot and stem and len(ending) <= _ENDING_CHARS else name}.{endings[0]}"


_ENDING_CHARS: Final = 5
