"""Pages in another format within a text (w:altChunk): programs that write documents for others put whole letters there.

Readers hand them to whatever reads that format, script and all. Of web pages and plain text the words stay, as paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from lxml import etree

from chat_server.sanitizing.rebuild.ooxml_names import RELATIONS, XML, tag, words

_PAGES: Final = frozenset(("text/html", "application/xhtml+xml"))
_PLAIN: Final = "text/plain"
_ENCODINGS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp", "utf-16": "utf-16", "windows-1252": "cp1252", "iso-8859-1": "cp1252",
    "us-ascii": "utf-8",
}  # fmt: skip
_TOLD: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_BREAKS: Final = words(
    "p div h1 h2 h3 h4 h5 h6 li tr br ul ol dl dt dd table blockquote pre section article header footer hr body form address"
)
_CELLS: Final = words("td th")
_UNSEEN: Final = words("script style head template object iframe applet noscript svg math textarea select option")
_BLANK: Final = re.compile(r"[ \t\r\n\f]+")
"""What pages show as one space; not the wide one of Japanese."""
_MOST: Final = 20_000
"""Paragraphs."""
_CHUNK: Final = tag("w:altChunk")

Fetch = Callable[[str], tuple[str, bytes] | None]
"""The identity of a relationship: the content type and the bytes of the part it leads to, if it is such a page."""


def unfold(root: etree._Element, fetch: Fetch) -> None:
    """Puts their words where such pages stand. What is in a format that is not read here leaves nothing."""
    for chunk in list(root.iter(_CHUNK)):
        found = fetch(chunk.get(f"{{{RELATIONS}}}id", ""))
        parent = chunk.getparent()
        if found is None or parent is None:
            continue
        at = parent.index(chunk)
        parent[at : at + 1] = [_paragraph(text) for text in paragraphs(*found)]


def paragraphs(content_type: str, data: bytes) -> list[str]:
    """The words of a page; none of one in an unknown format."""
    if content_type == _PLAIN:
        lines = _decoded(data).splitlines()
    elif content_type in _PAGES:
        lines = _of_page(_decoded(data))
    else:
        return []
    shown = (_BLANK.sub(" ", _writable(line)).strip(" ") for line in lines)
    return [line for line in shown if line][:_MOST]


def _decoded(data: bytes) -> str:
    told = _TOLD.search(data[:2_048])
    named = _ENCODINGS.get(told[1].decode("ascii", "replace").lower()) if told else None
    for encoding in (*([named] if named else []), "utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return data.decode("cp1252", "replace")


def _of_page(text: str) -> list[str]:
    text = re.sub(r"^\s*(?:<\?xml[^>]*>)?", "", text.removeprefix("\ufeff"))
    if not text.strip():
        return []
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []  # nothing in it that could be read; the page itself is left out in any case
    if root is None:
        return []
    pieces: list[str] = []
    unseen = 0
    for event, each in etree.iterwalk(root, events=("start", "end")):
        name = each.tag if isinstance(each.tag, str) else ""
        if event == "end":
            unseen -= name in _UNSEEN
        mark = "\n" if name in _BREAKS else " " if name in _CELLS else ""
        pieces.append(mark)
        if event == "start":
            unseen += name in _UNSEEN
        said = each.text if event == "start" else each.tail
        if said and not unseen:
            pieces.append(_BLANK.sub(" ", said))
    return "".join(pieces).split("\n")


def _writable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c in "\t\u3000")


def _paragraph(text: str) -> etree._Element:
    paragraph = etree.Element(tag("w:p"))
    shown = etree.SubElement(etree.SubElement(paragraph, tag("w:r")), tag("w:t"))
    shown.text = text
    shown.set(f"{{{XML}}}space", "preserve")
    return paragraph
