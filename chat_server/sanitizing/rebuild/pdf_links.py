"""Links, destinations and the outline, made from nothing (ISO 32000-1, 12.3 and 12.5.6.5).

What a click may do here: go to a page of the same document, or ask the browser for an address of the web or of mail. Threats: other
actions under a link (programs, scripts, other files, forms that are sent), other schemes (`file:`, `javascript:`), addresses that
show one host and lead to another (`https://city.example@other.example`), addresses relative to a base that the document sets itself,
mail with a file attached.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote_from_bytes

from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from chat_server.sanitizing.rebuild import pdf_content, pdf_kinds
from chat_server.sanitizing.rebuild.pdf_streams import entry, keys, said

LONGEST: Final = 2_000
_WEB: Final = re.compile(rb"https?://[^/?#@\\]+(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_MAIL: Final = re.compile(rb"mailto:[^?#/\\:]*(?:\?(?:(?:subject|body|cc|bcc)=[^&#]*(?:&|$))*)?", re.IGNORECASE)
_SAFE: Final = "!#$%&'()*+,-./:;=?@[]_~"
_VIEWS: Final = {"/XYZ": 3, "/Fit": 0, "/FitH": 1, "/FitV": 1, "/FitR": 4, "/FitB": 0, "/FitBH": 1, "/FitBV": 1}
"""Ways to show a page, and how many numbers each takes."""
_NAMES: Final = 50_000
_ITEMS: Final = 10_000
_DEEPEST: Final = 24


def address(written: bytes) -> str | None:
    """An address that may stay, in ASCII; None for all others."""
    if len(written) > LONGEST or any(byte <= 0x20 or byte == 0x7F for byte in written.strip()):
        return None
    stripped = written.strip()
    if _WEB.fullmatch(stripped) or _MAIL.fullmatch(stripped):
        return quote_from_bytes(stripped, safe=_SAFE)
    return None


class Links:
    """`pages`: the new page for each old one, by its number."""

    def __init__(self, source: Pdf, target: Pdf, pages: Mapping[tuple[int, int], Object]) -> None:
        self._source = source
        self._target = target
        self._pages = pages
        self._named: dict[bytes, object] | None = None

    def destination(self, value: object) -> Object | None:
        """The same place in the new document; None where there is none."""
        for _ in range(4):
            if isinstance(value, Dictionary):
                value = value.get("/D")
            elif isinstance(value, (Name, String)):
                value = self._names().get(_key(value))
        if not isinstance(value, Array) or not 1 <= len(value) <= 12:
            return None
        page, view = value[0], said(value[1]) if len(value) > 1 else ""
        if not isinstance(page, Dictionary) or page.objgen not in self._pages:
            return None
        made = Array([self._pages[page.objgen]])
        if view not in _VIEWS:
            made.append(Name.Fit)
            return made
        made.append(Name(view))
        for at in range(_VIEWS[view]):
            number = pdf_kinds.scalar(value[at + 2], "number") if at + 2 < len(value) else None
            made.append(number)
        return made

    def target_of(self, holder: Object) -> Object | None:
        """Of a link or an item of the outline: its destination, or an action that asks for an address. A copy, of nothing else."""
        action = holder.get("/A")
        if not isinstance(action, Dictionary):
            place = self.destination(holder.get("/Dest"))
            return None if place is None else Dictionary(Dest=place)
        kind = said(action.get("/S"))
        if kind == "/GoTo":
            place = self.destination(action.get("/D"))
            return None if place is None else Dictionary(Dest=place)
        written = action.get("/URI")
        if kind != "/URI" or not isinstance(written, String):
            return None
        kept = address(bytes(written))
        return None if kept is None else Dictionary(A=Dictionary(S=Name.URI, URI=String(kept)))

    def link(self, annotation: Object) -> Object | None:
        """A clickable area; None where what it does may not be done."""
        made = self.target_of(annotation)
        area = pdf_kinds.narrowed_numbers(annotation.get("/Rect"))
        if made is None or area is None:
            return None
        made["/Type"], made["/Subtype"], made["/Rect"], made["/F"] = Name.Annot, Name.Link, area, 4
        for key in ("/Border", "/C", "/QuadPoints"):
            numbers = pdf_kinds.narrowed_numbers(annotation.get(key))
            if numbers is not None:
                made[key] = numbers
        style = annotation.get("/BS")
        if isinstance(style, Dictionary):
            width = pdf_kinds.scalar(style.get("/W"), "number")
            made["/BS"] = Dictionary(W=1 if width is None else width)
        return self._target.make_indirect(made)

    def outline(self, root: Object) -> tuple[Object | None, int]:
        """The outline anew, with titles and places only; and how many of its items did something else."""
        top = root.get("/Outlines")
        if not isinstance(top, Dictionary):
            return None, 0
        made = self._target.make_indirect(Dictionary(Type=Name.Outlines))
        seen: set[tuple[int, int]] = set()
        dropped = self._items(top, made, seen, 0)
        return (made if "/First" in made else None), dropped

    def _items(self, above: Object, made: Object, seen: set[tuple[int, int]], depth: int) -> int:
        item, before, count, dropped = above.get("/First"), None, 0, 0
        while isinstance(item, Dictionary) and item.objgen not in seen and len(seen) < _ITEMS and depth < _DEEPEST:
            seen.add(item.objgen)
            title = item.get("/Title")
            place = self.target_of(item)
            dropped += place is None and "/A" in item
            new = self._target.make_indirect(Dictionary() if place is None or "/A" in place else place)
            dropped += place is not None and "/A" in place
            new["/Title"] = String("".join(c for c in _words(title) if c.isprintable())[:500])
            new["/Parent"] = made
            if before is None:
                made["/First"] = new
            else:
                before["/Next"], new["/Prev"] = new, before
            dropped += self._items(item, new, seen, depth + 1)
            before, count, item = new, count + 1, item.get("/Next")
        if before is not None:
            made["/Last"] = before
            made["/Count"] = count if depth == 0 else -count
        return dropped

    def _names(self) -> dict[bytes, object]:
        if self._named is None:
            self._named = {}
            old = self._source.Root.get("/Dests")
            if isinstance(old, Dictionary):
                for named in keys(old)[:_NAMES]:
                    self._named[named.encode("utf-8", "surrogateescape")] = entry(old, named)
            names = self._source.Root.get("/Names")
            waiting = [names.get("/Dests")] if isinstance(names, Dictionary) else []
            for _ in range(_NAMES):
                if not waiting or len(self._named) > _NAMES:
                    break
                node = waiting.pop()
                if isinstance(node, Dictionary):
                    kids, pairs = node.get("/Kids"), node.get("/Names")
                    waiting.extend(list(kids)[:_NAMES] if isinstance(kids, Array) else [])
                    if isinstance(pairs, Array):
                        listed = list(pairs)[: 2 * _NAMES]
                        for key, value in zip(listed[::2], listed[1::2], strict=False):
                            if isinstance(key, String):
                                self._named[bytes(key)] = value
        return self._named


def _key(value: Object) -> bytes:
    return (
        bytes(value)
        if isinstance(value, String)
        else pdf_content.name(value.unparse(resolved=True)).encode("utf-8", "surrogateescape")
    )


def _words(value: object) -> str:
    return str(value) if isinstance(value, String) else ""
