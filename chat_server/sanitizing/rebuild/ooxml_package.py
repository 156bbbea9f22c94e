"""A stranger's package of parts (ISO/IEC 29500-2), read with suspicion: counted, bounded, no two parts of one name.

Only the ZIP's central directory is believed. Nothing is ever written under a name that stands in it.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from typing import IO, Final
from urllib.parse import unquote

import msgspec
from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild.ooxml_names import CONTENT_TYPES, PACKAGE_RELATIONS, transitional

_ENTRIES: Final = 20_000
_PART_BYTES: Final = 128 << 20
"""Of one part, unpacked."""
_WHOLE_BYTES: Final = 256 << 20
"""Of everything that is read, unpacked."""
_RATIO: Final = 300
_RATIO_FROM: Final = 8 << 20
"""Unpacked bytes from which a part that was packed `_RATIO` times smaller is a bomb: deflate manages 1,032, sheets 50."""
_PIECE: Final = 256 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TYPES: Final = "[content_types].xml"
_DOCTYPES: Final = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


class Relation(msgspec.Struct, frozen=True):
    """`target`: the name of a part in lower case, or of something outside as it was written."""

    id: str
    type: str
    target: str
    external: bool


class Package:
    """An open document. Everything raises `Refused`. Names of parts are compared in lower case, as readers do."""

    def __init__(self, source: IO[bytes]) -> None:
        source.seek(0)
        if source.read(8) == _OLE:
            # a document under a password lies encrypted in a compound file
            source.seek(0)
            hidden = "EncryptedPackage".encode("utf-16-le") in source.read(64 << 20)
            raise Refused("encrypted" if hidden else "broken")
        source.seek(0)
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError):
            raise Refused("broken") from None
        entries = self._zip.infolist()
        if len(entries) > _ENTRIES:
            raise Refused("too_large")
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._take(entry)
        self._left = _WHOLE_BYTES
        self._defaults: dict[str, str] = {}
        self._overrides: dict[str, str] = {}
        self._read_types()

    def _take(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename.replace("\\", "/").lstrip("/").lower()
        if ".." in name.split("/"):
            raise Refused("unsafe_path")
        if entry.flag_bits & 0x1:
            raise Refused("encrypted")
        if name in self._entries:
            # which of the two is read differs from program to program
            raise Refused("ambiguous")
        self._entries[name] = entry

    @property
    def names(self) -> list[str]:
        """Of all entries that are not folders."""
        return [name for name in self._entries if not name.endswith("/")]

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def content_type(self, name: str) -> str:
        found = self._overrides.get(name) or self._defaults.get(posixpath.splitext(name)[1].lstrip("."), "")
        return found.partition(";")[0].strip().lower()

    def read(self, name: str) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise Refused("broken")
        pieces = bytearray()
        try:
            with self._zip.open(entry) as part:
                while piece := part.read(_PIECE):
                    pieces += piece
                    self._left -= len(piece)
                    too_dense = len(pieces) > _RATIO_FROM and len(pieces) > _RATIO * entry.compress_size
                    if len(pieces) > _PART_BYTES or self._left < 0 or too_dense:
                        raise Refused("too_large")
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            NotImplementedError,
            ValueError,
            RuntimeError,
            LookupError,
        ):
            raise Refused("broken") from None
        return bytes(pieces)

    def relations(self, name: str) -> list[Relation]:
        """Of the part `name`, or of the package itself (""). Two of one id are refused."""
        folder, _, file = name.rpartition("/")
        of = posixpath.join(folder, "_rels", f"{file}.rels")
        if of not in self._entries:
            return []
        found: dict[str, Relation] = {}
        for each in parse(self.read(of)).iterchildren(f"{{{PACKAGE_RELATIONS}}}Relationship"):
            external = each.get("TargetMode", "Internal").strip().lower() == "external"
            target = each.get("Target", "")
            id_ = each.get("Id", "")
            if id_ in found:
                raise Refused("ambiguous")
            found[id_] = Relation(
                id_, each.get("Type", ""), target if external else self._resolved(folder, target), external
            )
        return list(found.values())

    def _resolved(self, folder: str, target: str) -> str:
        if target.startswith("#"):
            return target  # a place in the part itself
        path = target.partition("#")[0].replace("\\", "/").lower()
        name = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
        return name if name in self._entries else unquote(name)

    def _read_types(self) -> None:
        if _TYPES not in self._entries:
            raise Refused("broken")
        for each in parse(self.read(_TYPES)).iterchildren(f"{{{CONTENT_TYPES}}}*"):
            if each.tag.endswith("}Default"):
                key, kinds = each.get("Extension", "").lower(), self._defaults
            else:
                key, kinds = each.get("PartName", "").lstrip("/").lower(), self._overrides
            kind = each.get("ContentType", "")
            if kinds.setdefault(key, kind) != kind:
                raise Refused("ambiguous")


def parse(data: bytes) -> etree._Element:
    """The root of a part's XML. Document types are refused: no Office document has one, and entities would come by them."""
    if any(doctype in data for doctype in _DOCTYPES):
        raise Refused("declares")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False,
        huge_tree=False, remove_comments=True, remove_pis=True, recover=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(transitional(data), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        raise Refused("broken") from None
    if root.getroottree().docinfo.internalDTD is not None or root.getroottree().docinfo.doctype:
        raise Refused("declares")
    return root
