"""The check of a rebuilt file, by the kind that it is to be released as."""

from __future__ import annotations

from typing import IO, Final

from chat_server.sanitizing.check import drawings, films, images, ooxml, pdf, text, zips
from chat_server.sanitizing.check.telling import told

_LONGEST: Final = 1 << 30
"""Bytes of a file that are read at once."""


def look(source: IO[bytes], kind: str) -> list[str]:
    """What speaks against releasing `source` (seekable) as `kind`; nothing if it may be. A kind without a check is
    never released."""
    size = source.seek(0, 2)
    source.seek(0)
    if not size:
        return ["empty"]
    if size > _LONGEST and kind not in ("zip", "mp4"):
        return ["too long to be checked"]
    match kind:
        case "jpeg" | "png" | "gif" | "webp" | "tiff" | "bmp":
            return told(images.check(source, kind))
        case "pdf":
            return told(pdf.check(source))
        case "docx" | "xlsx" | "pptx":
            return told(ooxml.check(source, kind))
        case "text" | "csv":
            return told(text.check(source, kind))
        case "zip":
            return told(zips.check(source))
        case "dxf":
            return told(drawings.check(source))
        case "mp4":
            return told(films.check(source))
        case _:
            return ["no check for this kind"]
