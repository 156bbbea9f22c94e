"""A new package: its parts, content types and relationships, all under names of our own."""

from __future__ import annotations

import posixpath
import zipfile
from typing import IO, Final

from lxml import etree

from chat_server.sanitizing.rebuild.ooxml_names import CONTENT_TYPES, PACKAGE_RELATIONS

_RELATIONS_TYPE: Final = "application/vnd.openxmlformats-package.relationships+xml"
_BY_SUFFIX: Final = ("image/png", "image/jpeg")
_STORED: Final = (".png", ".jpeg")
"""Already packed."""
_LARGE: Final = 1 << 20
"""Bytes from which packing as tightly as possible is not worth its time."""
_WHEN: Final = (1980, 1, 1, 0, 0, 0)
"""Not the hour of the rebuild: the same input gives the same output."""


class Written:
    """Collects the parts, and writes the package."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[str, bytes]] = {}
        self._relations: dict[str, list[tuple[str, str, str, bool]]] = {}
        self._numbers: dict[str, int] = {}
        self._given: set[str] = set()

    def free(self, pattern: str) -> str:
        """A name that no part has yet; {} in it is a number."""
        self._numbers[pattern] = number = self._numbers.get(pattern, 0) + 1
        name = pattern.format(number) if "{}" in pattern else pattern
        if name in self._given:
            folder, suffix = posixpath.splitext(pattern)
            return self.free(f"{folder}{{}}{suffix}")
        self._given.add(name)
        return name

    def add(self, name: str, content_type: str, data: bytes) -> None:
        self._parts[name] = content_type, data

    def relate(self, source: str, id_: str, type_: str, target: str, *, external: bool = False) -> None:
        """`source`: "" for the package itself. `target`: the name of a part, or an address outside."""
        self._relations.setdefault(source, []).append((id_, type_, target, external))

    def write(self, target: IO[bytes]) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
            _put(package, "[Content_Types].xml", self._types())
            for source in ["", *self._parts]:
                if source:
                    _put(package, source, self._parts[source][1])
                if source in self._relations:
                    folder, _, file = source.rpartition("/")
                    _put(package, posixpath.join(folder, "_rels", f"{file}.rels"), self._relations_of(source, folder))

    def _types(self) -> bytes:
        root = etree.Element(f"{{{CONTENT_TYPES}}}Types", nsmap={None: CONTENT_TYPES})
        defaults = {"rels": _RELATIONS_TYPE}
        for name, (content_type, _) in self._parts.items():
            if content_type in _BY_SUFFIX:
                defaults[name.rpartition(".")[2]] = content_type
        for suffix, content_type in defaults.items():
            etree.SubElement(root, f"{{{CONTENT_TYPES}}}Default", {"Extension": suffix, "ContentType": content_type})
        for name, (content_type, _) in self._parts.items():
            if content_type not in _BY_SUFFIX:
                etree.SubElement(
                    root, f"{{{CONTENT_TYPES}}}Override", {"PartName": f"/{name}", "ContentType": content_type}
                )
        return _xml(root)

    def _relations_of(self, source: str, folder: str) -> bytes:
        root = etree.Element(f"{{{PACKAGE_RELATIONS}}}Relationships", nsmap={None: PACKAGE_RELATIONS})
        for id_, type_, target, external in self._relations[source]:
            path = target if external or not folder or target.startswith("#") else posixpath.relpath(target, folder)
            attributes = {"Id": id_, "Type": type_, "Target": path}
            if external:
                attributes["TargetMode"] = "External"
            etree.SubElement(root, f"{{{PACKAGE_RELATIONS}}}Relationship", attributes)
        return _xml(root)


def _xml(root: etree._Element) -> bytes:
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written


def _put(package: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
    package.writestr(entry, data, compresslevel=9 if len(data) < _LARGE else 6)
