"""A rebuilt Office document: every part is of a known kind, is reached from the first one, and is what it says it
is."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import IO, Final
from urllib.parse import unquote
from xml.parsers import expat

from chat_server.sanitizing.check.images import structure
from chat_server.sanitizing.check.ooxml_formulas import link
from chat_server.sanitizing.check.ooxml_types import (
    HYPERLINK,
    IMAGES,
    MAIN,
    OFFICE_DOCUMENT,
    RELATIONSHIPS_TYPE,
    ROOTS,
    reference,
)
from chat_server.sanitizing.check.ooxml_xml import Part
from chat_server.sanitizing.check.telling import shown
from chat_server.sanitizing.check.zip_layout import Entry, Unreadable, content, entries, names

_TYPES: Final = "[Content_Types].xml"
_MOST: Final = 1 << 30
_MOST_SMALL: Final = 16 << 20
_EXTERNAL: Final = "External"


def check(source: IO[bytes], kind: str) -> list[str]:
    """See `looking.look`."""
    try:
        found, findings = entries(source)
    except Unreadable as why:
        return [str(why)]
    findings += names(found)
    if sum(entry.size for entry in found) > _MOST:
        return [*findings, "unpacks to more than 1 GB"]
    parts = {entry.name: entry for entry in found}
    if _TYPES not in parts:
        return [*findings, "not a package"]
    try:
        types, wrong = _content_types(_whole(source, parts[_TYPES]))
        return wrong + _parts(source, parts, types) + _references(source, parts, types, kind) + findings
    except Unreadable as why:
        return [*findings, str(why)]


def _whole(source: IO[bytes], entry: Entry) -> bytes:
    if entry.size > _MOST_SMALL:
        raise Unreadable(f"too large: {shown(entry.name)}")
    return b"".join(content(source, entry))


def _elements(data: bytes, what: str) -> list[tuple[str, dict[str, str]]]:
    """Every element of a small part. Raises `Unreadable`. (Declarations are found where all parts are read.)"""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(" ")[2], attributes))

    def refuse(*_: object) -> None:
        raise Unreadable(f"a document type declaration, in {shown(what)}")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise Unreadable(f"XML that cannot be read: {shown(what)}") from None
    return found


class _Types:
    """ECMA-376 part 2, 10.1.2: by name, else by suffix, both regardless of case."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}
        self.by_suffix: dict[str, str] = {}

    def of(self, part: str) -> str:
        return self.by_name.get(f"/{part}".lower()) or self.by_suffix.get(part.rpartition(".")[2].lower(), "")


def _content_types(data: bytes) -> tuple[_Types, list[str]]:
    types, findings = _Types(), []
    for name, attributes in _elements(data, _TYPES):
        told = attributes.get("ContentType", "")
        if name == "Types":
            continue
        if name not in ("Default", "Override"):
            findings.append(f"an unknown declaration of content: {shown(name)}")
        elif told not in ROOTS and told not in IMAGES and told != "application/xml":
            findings.append(f"a content type that may not stand: {shown(told.rpartition('/')[2])}")
        chosen, key = (types.by_suffix, "Extension") if name == "Default" else (types.by_name, "PartName")
        where = attributes.get(key, "").lower()
        if where in chosen:
            findings.append(f"a content type that is told twice: {shown(where)}")
        chosen[where] = told
    return types, findings


def _parts(source: IO[bytes], parts: Mapping[str, Entry], types: _Types) -> list[str]:
    """The content of each."""
    findings = []
    for name, entry in parts.items():
        told = types.of(name)
        if told in IMAGES:
            data = b"".join(content(source, entry))
            findings += [f"{what}, in {shown(name)}" for what in structure(data, IMAGES[told])]
        elif name == _TYPES or told in ROOTS:
            part = Part(name)
            findings += part.read(content(source, entry))
            if name != _TYPES and part.root != ROOTS[told]:
                findings.append(f"not what its content type says: {shown(name)}")
        else:
            findings.append(f"a part of a kind that may not stand: {shown(name)}")
            if name.endswith(".xml"):
                findings += Part(name).read(content(source, entry))  # the reason should be the worst one
        if name.endswith(".rels") != (told == RELATIONSHIPS_TYPE):
            findings.append(f"not what its content type says: {shown(name)}")
    return findings


def _references(source: IO[bytes], parts: Mapping[str, Entry], types: _Types, kind: str) -> list[str]:
    """Follows them from the package: what is not reached is baggage, what leads out is found."""
    reached, waiting = {_TYPES}, [""]
    mains: list[str] = []
    findings: list[str] = []
    folded = {name.lower(): name for name in parts}
    while waiting:
        part = waiting.pop()
        folder, base = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{base}.rels")
        if relations not in parts:
            continue
        reached.add(relations)
        for name, attributes in _elements(_whole(source, parts[relations]), relations):
            if name != "Relationship":
                continue
            short, target = reference(attributes.get("Type", "")), attributes.get("Target", "")
            if short is None:
                findings.append(f"a reference that may not stand: {shown(attributes.get('Type', '')[-55:])}")
            if attributes.get("TargetMode", "Internal") != "Internal":
                findings += _external(attributes, short)
                continue
            place = posixpath.normpath(posixpath.join(f"/{folder}", target.partition("#")[0]))[1:].lower()
            found = folded.get(place) or folded.get(unquote(place))
            if short == HYPERLINK and (not target or target.startswith("#")):
                continue
            if found is None or "\\" in target or ":" in target:
                findings.append(f"a reference that leads nowhere: {shown(target)}")
                continue
            if short == OFFICE_DOCUMENT:
                mains.append(types.of(found))
            if found not in reached:
                reached.add(found)
                waiting.append(found)
    if mains != [MAIN[kind]]:
        findings.append(f"not {kind}")
    return findings + [f"a part that nothing refers to: {shown(name)}" for name in parts if name not in reached]


def _external(attributes: Mapping[str, str], short: str | None) -> list[str]:
    """Only links that a reader clicks may lead out: a picture, a template, a frame would be fetched on opening."""
    target = attributes.get("Target", "")
    if attributes["TargetMode"] != _EXTERNAL or short != HYPERLINK:
        return [f"something that is fetched from elsewhere: {shown(target)}"]
    return [] if link(target) else [f"a link that leads elsewhere than to the web: {shown(target)}"]
