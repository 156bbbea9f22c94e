"""A film (MP4) before it is released: which boxes it has, that every byte belongs to one of them, and that its samples lie in it.

Source: ISO/IEC 14496-12, table 1, for what may stand where.
"""

from __future__ import annotations

import io
import struct
from typing import IO, Final

_WITHIN: Final = {
    "": frozenset(("ftyp", "moov", "mdat")),
    "moov": frozenset(("mvhd", "trak")),
    "trak": frozenset(("tkhd", "edts", "mdia")),
    "edts": frozenset(("elst",)),
    "mdia": frozenset(("mdhd", "hdlr", "minf")),
    "minf": frozenset(("vmhd", "smhd", "dinf", "stbl")),
    "dinf": frozenset(("dref",)),
    "stbl": frozenset(("stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco", "co64")),
}
_ONCE: Final = ("ftyp", "moov", "mdat")
_HERE: Final = b"\0\0\0\x1c" + b"dref" + b"\0\0\0\0\0\0\0\1" + b"\0\0\0\x0curl \0\0\0\1"
_HANDLERS: Final = (b"vide", b"soun")
_READ: Final = 512 << 20
"""Of a box that is not samples."""


class _Film:
    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self.found: set[str] = set()
        self.samples = (0, 0)
        self.places: list[int] = []

    def walk(self, begin: int, end: int, within: str) -> list[str]:
        """Kinds of the boxes there, in order."""
        kinds, at = [], begin
        while at < end:
            self.source.seek(at)
            head = self.source.read(16)
            if len(head) < 8:
                self.found.add(f"a cut-off box in {within or 'the file'}")
                break
            size, kind = struct.unpack(">I4s", head[:8])
            inner = at + 8
            if size == 1 and len(head) == 16:
                (size,) = struct.unpack(">Q", head[8:])
                inner = at + 16
            name = kind.decode("latin-1")
            if size < inner - at or at + size > end:
                self.found.add(f"a box beyond its parent: {name!a}")
                break
            if name not in _WITHIN[within]:
                self.found.add(f"a box that is not expected: {name!a}")
            elif name in _WITHIN:
                self.walk(inner, at + size, name)
            else:
                self.leaf(name, at, inner, at + size)
            kinds.append(name)
            at += size
        return kinds

    def leaf(self, name: str, at: int, begin: int, end: int) -> None:
        if name == "mdat":
            self.samples = (begin, end)
            return
        if end - at > _READ:
            self.found.add("a box of numbers that is too long")
            return
        self.source.seek(at)
        data = self.source.read(end - at)
        if name == "dref" and data != _HERE:
            self.found.add("samples in another file")
        elif name == "hdlr" and data[16:20] not in _HANDLERS:
            self.found.add("a track that is neither pictures nor sound")
        elif name in ("stco", "co64"):
            shape = "I" if name == "stco" else "Q"
            (count,) = struct.unpack_from(">I", data, 12)
            if len(data) != 16 + count * struct.calcsize(shape):
                self.found.add("a table longer than it says")
            else:
                self.places += struct.unpack_from(f">{count}{shape}", data, 16)
        elif name == "stsd" and any(word in data for word in (b"encv", b"enca", b"sinf", b"uuid", b"url ", b"rtp ")):
            self.found.add("samples that are protected or lie elsewhere")


def check(source: IO[bytes]) -> list[str]:
    """See the package."""
    length = source.seek(0, io.SEEK_END)
    film = _Film(source)
    try:
        kinds = film.walk(0, length, "")
    except struct.error:
        return ["a box shorter than its kind"]
    if sorted(kinds) != sorted(_ONCE):
        film.found.add("not one header and one body")
    begin, end = film.samples
    if not film.places or any(not begin <= place <= end for place in film.places):
        film.found.add("samples outside of the body")
    return sorted(film.found)
