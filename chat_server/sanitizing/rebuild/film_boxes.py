"""Boxes of a film (ISO/IEC 14496-12, 4.2): read with their bounds, written anew."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from chat_server.decoders.outcome import Refused


@dataclass(frozen=True, slots=True)
class Box:
    """`kind`: four letters; `begin`, `end`: of what is in it."""

    kind: str
    begin: int
    end: int


def boxes(data: bytes, begin: int, end: int) -> Iterator[Box]:
    """Those that lie from `begin` to `end`, each within it. Raises `Refused` ("broken")."""
    at = begin
    while at < end:
        if end - at < 8:
            if any(data[at:end]):
                raise Refused("broken")
            return  # QuickTime ends some lists with four zeros
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            if end - at < 16:
                raise Refused("broken")
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            raise Refused("broken")
        yield Box(kind.decode("latin-1"), at + head, at + size)
        at += size


def only(data: bytes, parent: Box, kind: str) -> Box:
    """The one box of that kind. Raises `Refused` where there is none, or are two."""
    found = [box for box in boxes(data, parent.begin, parent.end) if box.kind == kind]
    if len(found) != 1:
        raise Refused("broken")
    return found[0]


def box(kind: str, *content: bytes) -> bytes:
    """A box of these."""
    size = 8 + sum(map(len, content))
    return struct.pack(">I4s", size, kind.encode("latin-1")) + b"".join(content)


def full(kind: str, version: int, flags: int, *content: bytes) -> bytes:
    """A box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


class Fields:
    """Numbers, one after another; raises `Refused` where they end."""

    def __init__(self, data: bytes, where: Box) -> None:
        self._data = data[where.begin : where.end]
        self._at = 0

    def take(self, shape: str) -> tuple[int, ...]:
        """Of struct's `shape`, big-endian."""
        try:
            found = struct.unpack_from(">" + shape, self._data, self._at)
        except struct.error:
            raise Refused("broken") from None
        self._at += struct.calcsize(">" + shape)
        return found

    def head(self) -> tuple[int, int]:
        """Version and flags."""
        (word,) = self.take("I")
        return word >> 24, word & 0xFFFFFF

    def table(self, shape: str, count: int) -> list[tuple[int, ...]]:
        """`count` rows of `shape`; the count is believed no further than there are bytes for it."""
        if count * struct.calcsize(">" + shape) > len(self._data) - self._at:
            raise Refused("broken")
        return [self.take(shape) for _ in range(count)]

    def rest(self) -> bytes:
        return self._data[self._at :]
