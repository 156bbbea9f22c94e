"""An SVG cut down to what is drawn: known elements, references within itself, pictures that it carries. All else is told.

The painter would follow none of it, and the wall would hold it back; but what a file tried, its reader is to know.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.report import Object, Tally
from chat_server.sanitizing.svg.pictures import Pictures

SVG: Final = "http://www.w3.org/2000/svg"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_XLINK: Final = "{http://www.w3.org/1999/xlink}href"
_KEPT: Final = frozenset(
    (
        "svg", "g", "defs", "symbol", "use", "a", "switch", "path", "rect", "circle", "ellipse", "line", "polyline",
        "polygon", "text", "tspan", "textPath", "tref", "image", "style", "linearGradient", "radialGradient", "stop",
        "pattern", "clipPath", "mask", "marker", "filter", "feBlend", "feColorMatrix", "feComponentTransfer",
        "feComposite", "feConvolveMatrix", "feDiffuseLighting", "feDisplacementMap", "feDistantLight", "feDropShadow",
        "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur", "feImage", "feMerge", "feMergeNode",
        "feMorphology", "feOffset", "fePointLight", "feSpecularLighting", "feSpotLight", "feTile", "feTurbulence",
    )
)  # fmt: skip
_TOLD: Final[dict[str, Object]] = {
    "script": "script", "handler": "script", "listener": "script", "foreignObject": "embedded", "iframe": "embedded",
    "audio": "multimedia", "video": "multimedia", "animate": "action", "animateMotion": "action", "animateTransform": "action",
    "animateColor": "action", "set": "action", "metadata": "metadata", "title": "metadata", "desc": "metadata",
    "font": "font", "font-face": "font", "cursor": "link",
}  # fmt: skip
_BYTES: Final = 64 << 20
_ELEMENTS: Final = 300_000
_UNSEEN: Final = re.compile("[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DOCTYPES: Final = tuple("<!DOCTYPE".encode(each) for each in ("utf-8", "utf-16-le", "utf-16-be"))
_BARE: Final = re.compile(rb"""<!DOCTYPE\s+svg(?:\s+(?:PUBLIC\s+"[^"<>]{0,200}"|SYSTEM)\s+"[^"<>]{0,200}")?\s*>""")
"""One that declares nothing: drawing programs write it out of habit."""
_IMPORT: Final = re.compile(r"@(?:import|font-face|charset|namespace)\b[^;{}]*(?:;|\{[^}]*\}|$)", re.IGNORECASE)
_URL: Final = re.compile(r"url\s*\(\s*(?!\s*[\"']?\s*#)[^)]*\)?", re.IGNORECASE)


def plain(data: bytes, tally: Tally) -> etree._Element:
    """The root. Raises `Refused`: "declares", "broken", "too_large", "too_many_pixels"."""
    if len(data) > _BYTES:
        raise Refused("too_large")
    root = _parse(data)
    if root.tag != f"{{{SVG}}}svg":
        raise Refused("broken")
    for node in root.getroottree().xpath("/processing-instruction()"):
        tally.add("link" if node.target == "xml-stylesheet" else "metadata", node.target)
    pictures = Pictures()
    made = etree.Element(root.tag, nsmap={None: SVG, "xlink": "http://www.w3.org/1999/xlink"})
    waiting = [(root, made)]
    count = 0
    while waiting:
        source, target = waiting.pop()
        count += 1
        if count > _ELEMENTS:
            raise Refused("too_large")
        _attributes(source, target, pictures, tally)
        target.text = _words(source, source.text, tally)
        for child in source:
            if _drawn(child, pictures, tally):
                copy = etree.SubElement(target, child.tag)
                copy.tail = _words(source, child.tail, tally)
                waiting.append((child, copy))
            elif child.tail and child.tail.strip():
                _append(target, _words(source, child.tail, tally))
    return made


def _parse(data: bytes) -> etree._Element:
    """Document types are refused: entities come by them, and pictures need none. One that declares nothing is cut out first, so that
    nobody fetches what it names."""
    data = _BARE.sub(b"", data, count=1)
    if any(doctype in data for doctype in _DOCTYPES):
        raise Refused("declares")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False, huge_tree=False,
        remove_comments=False, remove_pis=False, recover=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        raise Refused("broken") from None
    if root.getroottree().docinfo.internalDTD is not None or root.getroottree().docinfo.doctype:
        raise Refused("declares")
    return root


def _drawn(node: etree._Element, pictures: Pictures, tally: Tally) -> bool:
    if not isinstance(node.tag, str):
        tally.add("comment" if node.tag is etree.Comment else "metadata")
        return False
    name = etree.QName(node)
    if name.namespace != SVG:
        tally.add("metadata" if name.namespace else "element", name.localname)  # what the editor keeps for itself
        return False
    if name.localname not in _KEPT:
        tally.add(_TOLD.get(name.localname, "element"), name.localname)
        return False
    if name.localname in ("image", "feImage") and not _target(node).startswith("#"):
        refused = pictures.refused(_target(node))
        if refused is not None:
            tally.add(refused, name.localname)
            return False
    return True


def _target(node: etree._Element) -> str:
    return str(node.get("href") or node.get(_XLINK) or "").strip()


def _attributes(source: etree._Element, target: etree._Element, pictures: Pictures, tally: Tally) -> None:
    name = etree.QName(source).localname
    for key, value in source.items():
        if key.lower().startswith("on"):
            tally.add("script", key)
        elif (key.startswith("{") and key != _SPACE) or key in ("href", "ping", "target"):
            continue  # addresses: below; the rest is the editor's own
        else:
            target.set(key, _local(value, name, tally))
    address = _target(source)
    if address.startswith("#") and name != "a":
        target.set(_XLINK, address)
    elif address and name in ("image", "feImage"):
        target.set(_XLINK, pictures.carried(address))
    elif address:
        tally.add("link", name)


def _words(parent: etree._Element, text: str | None, tally: Tally) -> str | None:
    if text is None or not text.strip():
        return text
    shown, count = _UNSEEN.subn("", text)
    tally.add("characters", "", count)
    return _local(shown, "style", tally) if etree.QName(parent).localname == "style" else shown


def _local(value: str, name: str, tally: Tally) -> str:
    """Of style sheets and values, nothing that lies elsewhere."""
    value, imports = _IMPORT.subn("", value) if name == "style" else (value, 0)
    value, addresses = _URL.subn("none", value)
    tally.add("link", name, imports + addresses)
    return value


def _append(target: etree._Element, words: str | None) -> None:
    if len(target):
        target[-1].tail = (target[-1].tail or "") + (words or "")
    else:
        target.text = (target.text or "") + (words or "")
