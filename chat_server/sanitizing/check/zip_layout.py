"""A ZIP read byte by byte: entry after entry from the first byte, the directory, the end; both heads of an entry say
the same.

What stands between, before or behind, or is said twice in different ways, is what one reader sees and another does
not: that is how an archive passes a gate with one content and is opened with another.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Final

from chat_server.sanitizing.check.telling import shown

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_MOST_ENTRIES: Final = 20_000
_FLAGS: Final = 0x0806
"""That may be set: how hard it was deflated (bits 1, 2), and that the name is UTF-8 (bit 11). Not: encrypted (0, 6,
13), lengths behind the data (3)."""
_PIECE: Final = 1 << 18
_ZIP64: Final = 0x0001


def archive_end(data: bytes) -> bool:
    """Whether programs that unpack would take `data` for an archive: they read it from its end (APPNOTE 4.3.16),
    which is a record, and a comment up to the end of the file."""
    tail = data[-65_557:]
    at = tail.rfind(b"PK\5\6")
    return 0 <= at <= len(tail) - _END.size and _END.unpack_from(tail, at)[-1] == len(tail) - at - _END.size


class Unreadable(Exception):
    """The archive, or an entry, is none that can be looked through."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`: where its data begin; `mode`: its kind and rights on Unix, 0 where it has none."""

    name: str
    flags: int
    stored: bool
    crc: int
    packed: int
    size: int
    at: int
    mode: int


def entries(source: IO[bytes]) -> tuple[list[Entry], list[str]]:
    """In the order of the directory, and what is wrong with them. Raises `Unreadable`."""
    length = source.seek(0, 2)
    if length < _END.size:
        raise Unreadable("cut off")
    tail = _read(source, max(0, length - 65_557), min(length, 65_557))
    place = tail.rfind(b"PK\5\6")
    if not 0 <= place <= len(tail) - _END.size:
        raise Unreadable("no end of the archive")
    findings = [] if place == len(tail) - _END.size else ["a comment, or bytes behind the end of the archive"]
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(tail, place)
    end = length - len(tail) + place
    if count > _MOST_ENTRIES or disk or first_disk or here != count:
        raise Unreadable("an archive of too many entries, or of several volumes")
    if start + size != end:
        raise Unreadable("bytes before, or behind, the directory of the archive")
    found, spans = [], [(start, end)]
    directory, at = _read(source, start, size), 0
    for _ in range(count):
        entry, offset, at, wrong = _central(directory, at)
        entry, span, more = _local(source, entry, offset)
        found.append(entry)
        spans.append(span)
        findings += wrong + more
    if at != size:
        findings.append("bytes in the directory that belong to no entry")
    before = 0
    for begin, finish in sorted(spans):
        if begin != before:
            findings.append("bytes before or between the entries, or entries that share bytes")
            break
        before = finish
    return found, findings


def _central(directory: bytes, at: int) -> tuple[Entry, int, int, list[str]]:
    """An entry as the directory has it, where its own head lies, where the next one begins."""
    try:
        fields = _CENTRAL.unpack_from(directory, at)
    except struct.error:
        raise Unreadable("the directory is cut off") from None
    magic, _, _, flags, method, _, _, crc, packed, size, name_length, extra, comment, _, _, attributes, offset = fields
    if magic != b"PK\1\2":
        raise Unreadable("the directory cannot be read")
    raw = directory[at + _CENTRAL.size : at + _CENTRAL.size + name_length]
    name, findings = _name(raw, flags)
    if flags & 0x2041:
        findings.append(f"encrypted: {shown(name)}")
    elif flags & ~_FLAGS:
        findings.append(f"unexpected flags ({flags:#x})")
    if method not in (0, 8):
        findings.append(f"packed by method {method}: {shown(name)}")
    if extra or comment:
        findings.append("an extra field or a comment of an entry")
    entry = Entry(name, flags, method == 0, crc, packed, size, 0, attributes >> 16)
    return entry, offset, at + _CENTRAL.size + name_length + extra + comment, findings


def _name(raw: bytes, flags: int) -> tuple[str, list[str]]:
    """APPNOTE, appendix D: UTF-8 where bit 11 says so. Without it every program reads the bytes in its own way."""
    try:
        return raw.decode("utf-8" if flags & 0x800 else "ascii"), []
    except UnicodeDecodeError:
        return raw.decode("latin-1"), [f"a name that is not marked as UTF-8: {shown(raw)}"]


def _local(source: IO[bytes], entry: Entry, offset: int) -> tuple[Entry, tuple[int, int], list[str]]:
    head = _read(source, offset, _LOCAL.size)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
    if magic != b"PK\3\4":
        raise Unreadable(f"no entry where the directory says: {shown(entry.name)}")
    rest = _read(source, offset + _LOCAL.size, name_length + extra_length)
    name, extra, findings = rest[:name_length], rest[name_length:], []
    if extra:  # written before the length was known: the lengths stand here in 64 bits (APPNOTE 4.5.3)
        if len(extra) != 20 or struct.unpack_from("<HH", extra) != (_ZIP64, 16):
            findings.append("an extra field or a comment of an entry")
        else:
            size, packed = struct.unpack_from("<QQ", extra, 4)
    encoding = "utf-8" if flags & 0x800 else "latin-1"
    same = name == entry.name.encode(encoding, "replace") and (flags, method == 0) == (entry.flags, entry.stored)
    if not flags & 8:  # else the lengths stand behind the data, and the flag was told
        same = same and (crc, packed, size) == (entry.crc, entry.packed, entry.size)
    if not same:
        findings.append(f"two heads that differ: {shown(entry.name)}")
    at = offset + _LOCAL.size + name_length + extra_length
    placed = replace(entry, at=at)
    return placed, (offset, at + entry.packed), findings


def _read(source: IO[bytes], at: int, size: int) -> bytes:
    source.seek(at)
    data = source.read(size)
    if len(data) != size:
        raise Unreadable("cut off")
    return data


def content(source: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """The bytes of an entry, piece by piece, never more than its head says. Raises `Unreadable` where they are not
    those that it says, or where something lies behind the packed data."""
    wrong = f"not what its head says: {shown(entry.name)}"
    inflate = None if entry.stored else zlib.decompressobj(-15)
    count, crc, at, end = 0, 0, entry.at, entry.at + entry.packed
    while at < end:
        packed = _read(source, at, min(_PIECE, end - at))
        at += len(packed)
        while packed:
            if inflate is None:
                piece, packed = packed, b""
            else:
                if inflate.eof:
                    raise Unreadable(f"bytes behind the data: {shown(entry.name)}")
                try:
                    piece = inflate.decompress(packed, _PIECE)
                except zlib.error:
                    raise Unreadable(wrong) from None
                packed = inflate.unconsumed_tail or inflate.unused_data
            count, crc = count + len(piece), zlib.crc32(piece, crc)
            if count > entry.size:
                raise Unreadable(wrong)
            yield piece
    if inflate is not None:
        piece = inflate.flush()
        count, crc = count + len(piece), zlib.crc32(piece, crc)
        yield piece
    if count != entry.size or crc != entry.crc or (inflate is not None and not inflate.eof):
        raise Unreadable(wrong)


def names(found: list[Entry]) -> list[str]:
    """Names that lead out of the folder, or that two entries share (on Windows `A` is `a`)."""
    findings = []
    seen: set[str] = set()
    for entry in found:
        parts = entry.name.removesuffix("/").split("/")
        if (
            any(part in ("", ".", "..") for part in parts)
            or "\\" in entry.name
            or ":" in entry.name
            or "\0" in entry.name
        ):
            findings.append(f"an unsafe name: {shown(entry.name)}")
        folded = entry.name.removesuffix("/").casefold()
        if folded in seen:
            findings.append(f"a name that stands twice: {shown(entry.name)}")
        seen.add(folded)
    return findings
