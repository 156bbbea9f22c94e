"""One page of the new document: what is drawn on it, and what lay on it."""

from __future__ import annotations

from collections import Counter
from typing import Final

from pikepdf import Array, Dictionary, Name, Object, Stream

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_annotations, pdf_kinds
from chat_server.sanitizing.rebuild.pdf_annotations import Looks
from chat_server.sanitizing.rebuild.pdf_layers import Layers
from chat_server.sanitizing.rebuild.pdf_links import Links
from chat_server.sanitizing.rebuild.pdf_objects import Copier
from chat_server.sanitizing.rebuild.pdf_pages import Page
from chat_server.sanitizing.rebuild.pdf_streams import Unreadable, deflated, keys

_BOXES: Final = ("/BleedBox", "/TrimBox", "/ArtBox")
_MOST_PARTS: Final = 10_000
_LETTER: Final = (0, 0, 612, 792)
"""What readers take where a page has no size."""


class PageWriter:
    def __init__(self, copier: Copier, layers: Layers, links: Links, looks: Looks) -> None:
        self._copier = copier
        self._layers = layers
        self._links = links
        self._looks = looks
        self._looks_copier = copier.beside()
        self._contents: dict[tuple[object, ...], Object] = {}
        self._saves: Object | None = None
        self.widgets = 0

    def write(self, at: int, page: Page, made: Object) -> None:
        """Raises `Refused`."""
        copier = self._copier
        box = pdf_kinds.narrowed_numbers(page.inherited.get("/MediaBox"))
        made["/MediaBox"] = box if box is not None and len(box) == 4 else Array(_LETTER)
        crop = pdf_kinds.narrowed_numbers(page.inherited.get("/CropBox"))
        if crop is not None and len(crop) == 4:
            made["/CropBox"] = crop
        turned = page.inherited.get("/Rotate")
        if isinstance(turned, int) and turned % 90 == 0 and turned % 360:
            made["/Rotate"] = turned % 360
        for key in _BOXES:
            numbers = pdf_kinds.narrowed_numbers(page.node.get(key))
            if numbers is not None and len(numbers) == 4:
                made[key] = numbers
        unit = pdf_kinds.scalar(page.node.get("/UserUnit"), "number")
        if unit is not None:
            made["/UserUnit"] = unit
        group = copier.copy(page.node.get("/Group"), "/group")
        if group is not None:
            made["/Group"] = group
        resources = page.inherited.get("/Resources")
        copied = copier.copy(resources, "/resources")
        made["/Resources"] = copied if isinstance(copied, Object) else Dictionary()
        self._draw(page, resources, made)
        self._annotations(at, page, made)

    def _draw(self, page: Page, resources: object, made: Object) -> None:
        contents = page.node.get("/Contents")
        parts = [contents] if isinstance(contents, Stream) else list(contents) if isinstance(contents, Array) else []
        if not parts:
            return
        if len(parts) > _MOST_PARTS:
            raise Refused("too_many")
        streams = [part for part in parts if isinstance(part, Stream)]
        key = (getattr(resources, "objgen", None) or id(page), *(part.objgen for part in streams))
        if key not in self._contents or key[0] == (0, 0):
            try:
                data = b"\n".join(self._copier.streams.read(part) for part in streams)
            except Unreadable:
                raise Refused("broken") from None
            written, draws = self._copier.instructions(data, resources)
            stream = self._copier.target.make_stream(b"")
            stream.write(deflated(written), filter=Name.FlateDecode)
            self._copier.draws[stream.objgen] = draws
            self._contents[key] = stream
        made["/Contents"] = self._contents[key]

    def _annotations(self, at: int, page: Page, made: Object) -> None:
        kept, drawn = Array(), list[tuple[Copier, pdf_annotations.Placed]]()
        for number, annotation in enumerate(pdf_annotations.listed(page.node)):
            kind = pdf_annotations.kind(annotation)
            self.widgets += kind == "/Widget"
            if not pdf_annotations.shown(annotation, self._layers):
                continue
            if kind == "/Link":
                link = self._links.link(annotation)
                if link is not None:
                    kept.append(link)
                else:
                    self._copier.tally.add("link")
            own, anew = pdf_annotations.appearance(annotation), self._looks.get(at, number)
            look = own if anew is None else anew
            place = pdf_annotations.placed(annotation, look) if look is not None and kind != "/Popup" else None
            if place is not None:
                drawn.append((self._copier if anew is None else self._looks_copier, place))
        if len(kept):
            made["/Annots"] = kept
        if drawn:
            self._draw_behind(drawn, made)

    def _draw_behind(self, drawn: list[tuple[Copier, pdf_annotations.Placed]], made: Object) -> None:
        """Behind the contents, which are put between `q` and `Q`: they are balanced (see `pdf_content`)."""
        target = self._copier.target
        pictures = Dictionary()
        resources = Dictionary()
        old = made["/Resources"]
        for key in keys(old):
            resources[key] = old[key]
        before = old.get("/XObject")
        if isinstance(before, Dictionary):
            for key in keys(before):
                pictures[key] = before[key]
        lines, draws, number = list[str](), Counter[str](), 0
        for copier, (look, matrix) in drawn:
            form = copier.copy(look, "/form")
            if not isinstance(form, Object):
                continue
            while f"/Laid{number}" in pictures:
                number += 1
            pictures[f"/Laid{number}"] = form
            draws[f"/Laid{number}"] += 1
            lines.append(f"q {' '.join(f'{each:.5f}' for each in matrix)} cm /Laid{number} Do Q")
        resources["/XObject"] = pictures
        made["/Resources"] = resources
        if self._saves is None:
            self._saves = target.make_stream(b"q")
        last = target.make_stream(b"")
        last.write(deflated(("Q\n" + "\n".join(lines)).encode("ascii")), filter=Name.FlateDecode)
        self._copier.draws[last.objgen] = draws
        contents = made.get("/Contents")
        made["/Contents"] = Array(
            [self._saves, contents, last] if isinstance(contents, Object) else [self._saves, last]
        )
