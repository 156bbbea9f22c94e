"""Objects of a stranger's PDF, copied by the allow-list in `pdf_shapes` into a new document.

Each indirect object is copied once for each shape it is used in, so pages go on sharing fonts and pictures. What refers to another
object is not followed on the stack but noted and done later: cycles and chains of any length cost no depth. Numbers in bulk (the widths of
Japanese fonts) are checked by one expression and parsed anew.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_content, pdf_images, pdf_kinds, pdf_programs
from chat_server.sanitizing.rebuild.pdf_kinds import Value
from chat_server.sanitizing.rebuild.pdf_layers import Layers
from chat_server.sanitizing.rebuild.pdf_shapes import DRAWING, LEFT_OUT, SHAPES, SUBTYPES, TYPES
from chat_server.sanitizing.rebuild.pdf_streams import Streams, Unreadable, deflated, entry, keys, said
from chat_server.sanitizing.report import Tally

OBJECTS: Final = 400_000
"""Copied ones, of a document."""
CONTENTS: Final = 128 << 20
"""Bytes of drawing instructions, of a document."""
_DEEPEST: Final = 40
"""Of direct objects in each other."""


class Copier:
    """`tally` hears of what was left out."""

    def __init__(self, target: Pdf, layers: Layers, streams: Streams, tally: Tally) -> None:
        self.target = target
        self.streams = streams
        self.tally = tally
        self.draws: dict[tuple[int, int], Counter[str]] = {}
        """Of each copied stream of instructions by its number: how often it asks for each XObject."""
        self.fonts_lost = False
        self._fonts: dict[bytes, Object] = {}
        self._layers = layers
        self._copies: dict[tuple[tuple[int, int], str], Object] = {}
        self._waiting: list[tuple[Object, str, Object]] = []
        self._contents = CONTENTS

    def beside(self) -> Copier:
        """Another one into the same document, for objects of another source: numbers of objects mean something in one source only."""
        other = Copier(self.target, self._layers, self.streams, self.tally)
        other.draws, other._fonts = self.draws, self._fonts
        return other

    def copy(self, value: object, kind: str) -> Value:
        """Of a value and all it refers to. None: left out. Raises `Refused`."""
        copied = self._value(value, kind, 0)
        while self._waiting:
            source, shape, made = self._waiting.pop()
            self._fill(source, shape, made, 0)
        return copied

    def instructions(self, data: bytes, resources: object) -> tuple[bytes, Counter[str]]:
        """Drawing instructions, written anew. Raises `Refused`."""
        self._contents -= len(data)
        if self._contents < 0:
            raise Refused("too_large")
        drawn = pdf_content.rewritten(data, lambda name: self._layers.property(resources, name))
        self.tally.add("element", "", drawn.unknown)
        return drawn.data, drawn.draws

    def _value(self, value: object, kind: str, depth: int) -> Value:
        if depth > _DEEPEST:
            raise Refused("broken")
        if isinstance(value, (Array, Dictionary, Stream)):
            return self._container(value, kind, depth)
        return pdf_kinds.scalar(value, kind)

    def _container(self, value: Object, kind: str, depth: int) -> Value:
        if kind == "/xobject":
            kind = self._drawable(value)
        kind = pdf_kinds.narrowed(value, kind)
        if not kind:
            return None
        key = (value.objgen, kind)
        if value.is_indirect and key in self._copies:
            return self._copies[key]
        numbers = pdf_kinds.bulk(value) if kind in ("numbers", "dash") else None
        if not value.is_indirect:
            made = numbers
            if made is None:
                made = Array() if isinstance(value, Array) else Dictionary()
                self._fill(value, kind, made, depth)
            return made
        if len(self._copies) >= OBJECTS:
            raise Refused("too_many")
        if kind == "/font_file":
            made = self._copies[key] = self._font_program(value)
            return made
        made = self._blank(value) if numbers is None else self.target.make_indirect(numbers)
        self._copies[key] = made
        if numbers is None:
            self._waiting.append((value, kind, made))
        return made

    def _blank(self, value: Object) -> Object:
        if isinstance(value, Stream):
            return self.target.make_stream(b"")
        return self.target.make_indirect(Array() if isinstance(value, Array) else Dictionary())

    def _drawable(self, value: Object) -> str:
        """8.8: pictures and forms; PostScript is neither."""
        subtype = said(value.get("/Subtype")) if isinstance(value, Stream) else ""
        if subtype == "/Form" and said(value.get("/Subtype2")) != "/PS":
            return "/form" if self._layers.shows(value.get("/OC")) else "/hidden"
        if subtype == "/Image":
            return "/image" if self._layers.shows(value.get("/OC")) else "/hidden"
        self.tally.add(
            "script" if "/PS" in (subtype, said(value.get("/Subtype2")) if subtype else "") else "part", subtype
        )
        return ""

    def _fill(self, value: Object, kind: str, made: Object, depth: int) -> None:
        if isinstance(value, Array):
            for item, each in zip(value, pdf_kinds.of_items(value, kind), strict=False):
                # a place in an array means something: what cannot stay leaves its place
                made.append(self._value(item, each, depth + 1))
        elif kind.endswith("*"):
            for key in keys(value):
                self._put(made, key, entry(value, key), kind[:-1], depth)
        elif kind == "/hidden":
            made.write(b"")
            made["/Type"], made["/Subtype"], made["/BBox"] = Name.XObject, Name.Form, Array([0, 0, 0, 0])
        else:
            self._fill_shape(value, kind[1:], made, depth)

    def _put(self, made: Object, key: str, value: object, kind: str, depth: int) -> None:
        copied = self._value(value, kind, depth + 1)
        if copied is not None:
            made[key] = copied

    def _fill_shape(self, value: Object, shape: str, made: Object, depth: int) -> None:
        self._fill_keys(value, shape, made, depth)
        if isinstance(value, Stream):
            self._fill_stream(value, shape, made)

    def _fill_keys(self, value: Object, shape: str, made: Object, depth: int) -> None:
        allowed = SHAPES[shape]
        for key in keys(value):
            if key in allowed:
                self._put(made, key, entry(value, key), allowed[key], depth)
            elif key in LEFT_OUT:
                self.tally.add(LEFT_OUT[key])
        if shape in TYPES:
            made["/Type"] = Name("/" + TYPES[shape])
        if shape in SUBTYPES:
            made["/Subtype"] = Name("/" + SUBTYPES[shape])

    def _fill_stream(self, value: Object, shape: str, made: Object) -> None:
        """Raises `Refused`: without an instruction, a profile or a function a page would look otherwise than it did."""
        if shape == "image":
            pdf_images.write(value, made, self.streams, self.tally)
            return
        try:
            data = self.streams.read(value)
        except Unreadable:
            raise Refused("broken") from None
        if shape in DRAWING:
            data, draws = self.instructions(data, value.get("/Resources"))
            self.draws[made.objgen] = draws
        elif shape == "function" and entry(value, "/FunctionType") == 4:
            data = pdf_programs.calculator(data)
        made.write(deflated(data), filter=Name.FlateDecode)

    def _font_program(self, value: Object) -> Object:
        """The same program is one object, however often the document has it: documents put together from others have dozens."""
        try:
            data = self.streams.read(value)
        except Unreadable:
            data = b""
        if not pdf_programs.is_font(data):
            self.fonts_lost = True
            self.tally.add("font")
            data = b""
        described = Dictionary()
        self._fill_keys(value, "font_file", described, 0)
        key = hashlib.sha256(data + described.unparse()).digest()
        if key not in self._fonts:
            made = self.target.make_stream(deflated(data), described)
            made["/Filter"] = Name.FlateDecode
            self._fonts[key] = made
        return self._fonts[key]
