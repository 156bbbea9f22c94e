"""What is active in a file, by searching its bytes for it: neither the rebuilders' way nor the check's."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final

import pikepdf

_PACKAGE: Final = re.compile(
    rb"vbaProject|macrosheet|dialogsheet|oleObject|activeX|externalLink|attachedTemplate|altChunk|customXml|printerSettings"
    rb"|<\w*:?ddeLink|instrText[^>]*>[^<]*(?:DDE|INCLUDE|MACROBUTTON|IMPORT|EMBED)|instr=\"[^\"]*(?:DDE|INCLUDE|MACROBUTTON|IMPORT|EMBED)"
    rb"|ppaction://(?:program|macro|hlinkfile)|<!DOCTYPE|<!ENTITY|macroEnabled|Target=\"(?:file:|\\\\|//|javascript:|mhtml:|ms-)"
    rb"|<f[^>]*>[^<]*(?:WEBSERVICE\(|\bCALL\(|\bREGISTER\(|\||\[[0-9]+\])",
    re.IGNORECASE,
)
_PDF: Final = frozenset(
    (
        "/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/EmbeddedFile",
        "/EmbeddedFiles", "/Filespec", "/RichMedia", "/Rendition", "/Movie", "/Sound", "/XFA", "/SetOCGState", "/3D", "/Screen",
    )
)  # fmt: skip
_FORMULA: Final = re.compile(r"(?:^|[,;\t\n])\"?[=@]|(?:^|[,;\t\n])\"?[+-][^0-9.\n]", re.MULTILINE)


def active(path: Path) -> list[str]:
    """What was found, in a few words each."""
    match path.suffix:
        case ".docx" | ".xlsx" | ".pptx":
            return _package(path)
        case ".pdf":
            return _pdf(path)
        case ".csv":
            return ["a formula"] if _FORMULA.search(path.read_text(encoding="utf-8-sig")) else []
        case ".dxf":
            return [word for word in ("OLE2FRAME", "IMAGEDEF", "\\\\", "PE_URL") if word in path.read_text("cp932")]
        case ".jpg" | ".png" | ".gif" | ".webp" | ".tiff":
            return [
                word
                for word in ("GPS", "http://ns.adobe.com", "<?xpacket", "<script")
                if word.encode() in path.read_bytes()
            ]
        case ".zip":
            with zipfile.ZipFile(path) as archive:
                return [
                    name for name in archive.namelist() if ".." in name or name.startswith("/") or name.endswith(".exe")
                ]
    return []


def _package(path: Path) -> list[str]:
    found: set[str] = set()
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            found |= {match.decode() for match in _PACKAGE.findall(name.encode())}
            if name.endswith((".xml", ".rels")):
                found |= {match.decode() for match in _PACKAGE.findall(package.read(name))}
    return sorted(found)


def _pdf(path: Path) -> list[str]:
    found: set[str] = set()
    with pikepdf.open(path) as document:
        for each in document.objects:
            _names(each, found, 0)
    return sorted(found)


def _names(each: object, found: set[str], depth: int) -> None:
    if depth > 60:
        return
    if isinstance(each, pikepdf.Name):
        found |= {str(each)} & _PDF
    elif isinstance(each, pikepdf.Array):
        for item in list(each):
            if not getattr(item, "is_indirect", False):
                _names(item, found, depth + 1)
    elif isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
        for key, value in (each.stream_dict if isinstance(each, pikepdf.Stream) else each).items():
            found |= {key} & _PDF
            if not getattr(value, "is_indirect", False):
                _names(value, found, depth + 1)
