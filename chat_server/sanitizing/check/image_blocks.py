"""The blocks of JPEG, PNG, GIF and WebP files: only those that a picture is made of, nothing between them and nothing
behind.

Comments, private segments and what lies behind the end carry programs past filters (a JPEG that is a ZIP, a PNG with
PHP in its text), coordinates, and the rows that a crop left behind (CVE-2023-21036).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import Final

from chat_server.sanitizing.check.image_tags import exif, pixels, profile
from chat_server.sanitizing.check.telling import shown

_MOST_PROFILE: Final = 4 << 20
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_TABLES: Final = frozenset((0xDB, 0xC4, 0xDD))  # DQT, DHT, DRI
_JPEG_FRAMES: Final = frozenset((0xC0, 0xC1, 0xC2))  # baseline, extended, progressive
_JPEG_STANDALONE: Final = frozenset((0x01, *range(0xD0, 0xD9)))


def jpeg(data: bytes) -> list[str]:
    """ITU-T T.81, annex B; JFIF (ITU-T T.871)."""
    findings: list[str] = []
    icc: list[bytes] = []
    frames = scans = 0
    at = 2
    while at + 1 < len(data):
        if data[at] != 0xFF:
            return [*findings, "bytes between the segments"]
        marker, at = data[at + 1], at + 2
        if marker == 0xFF:  # a fill byte
            at -= 1
            continue
        if marker == 0xD9:
            break
        if marker in _JPEG_STANDALONE:
            findings.append("a marker out of its place")
            continue
        end = at + _big(data[at : at + 2])
        body = data[at + 2 : end]
        if end > len(data) or end < at + 2:
            return [*findings, "cut off"]
        at = end
        if marker in _JPEG_FRAMES:
            frames += 1
            findings += pixels(_big(body[3:5]), _big(body[1:3]))
        elif marker == 0xDA:
            scans += 1
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                return [*findings, "no end of the picture"]
            at = found.start()
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            icc.append(body[14:])
        elif marker not in _JPEG_TABLES:
            findings += _jpeg_application(marker, body)
    else:
        findings.append("no end of the picture")
    if icc:
        findings += profile(b"".join(icc))
    if frames != 1 or not scans:
        findings.append("not exactly one picture")
    return findings + (["bytes behind the end"] if at < len(data) else [])


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")


def _jpeg_application(marker: int, body: bytes) -> list[str]:
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) == 14 and body[12:] == b"\0\0":
        return []
    if marker == 0xE1 and body.startswith(b"Exif\0\0"):
        return exif(body[6:])
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12:  # how CMYK and YCCK are told apart
        return []
    return [f"a segment that no picture needs: {marker:#x} {shown(body[:12])}"]


_PNG_CHUNKS: Final = frozenset(
    (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"iCCP", b"sBIT", b"eXIf")
)
_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(data: bytes) -> list[str]:
    """ISO/IEC 15948. Of animations (acTL, fcTL, fdAT), text (tEXt, zTXt, iTXt) and private chunks none may stand."""
    findings = pixels(_big(data[16:20]), _big(data[20:24]))
    seen: list[bytes] = []
    rows = _Rows(data[16:29])
    at = 8
    while at < len(data):
        length, name = _big(data[at : at + 4]), data[at + 4 : at + 8]
        body, end = data[at + 8 : at + 8 + length], at + 12 + length
        if end > len(data):
            return [*findings, "cut off"]
        if zlib.crc32(body, zlib.crc32(name)) != _big(data[end - 4 : end]):
            findings.append("a chunk whose checksum is wrong")
        if name not in _PNG_CHUNKS:
            findings.append(f"a chunk that no picture needs: {shown(name)}")
        elif name in seen and (name != b"IDAT" or seen[-1] != b"IDAT"):
            findings.append(f"a chunk that stands twice: {shown(name)}")
        elif name == b"IDAT":
            rows.take(body)
        elif name == b"eXIf":
            findings += exif(body)
        elif name == b"iCCP":
            findings += _compressed_profile(body)
        seen.append(name)
        at = end
        if name == b"IEND":
            break
    if seen[:1] != [b"IHDR"] or seen[-1:] != [b"IEND"]:
        findings.append("no beginning or no end of the picture")
    return findings + rows.findings() + (["bytes behind the end"] if at < len(data) else [])


class _Rows:
    """The rows of a PNG, counted: what the compressed data holds beyond them is not shown, and stays."""

    def __init__(self, header: bytes) -> None:
        width, height = _big(header[:4]), _big(header[4:8])
        bits = header[8] * _PNG_CHANNELS.get(header[9], 0) if len(header) == 13 else 0
        passes = _ADAM7 if header[12:] == b"\1" else ((0, 0, 1, 1),)
        sizes = (((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in passes)
        self._expected = sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns and rows)
        self._count = 0
        self._more = False
        self._inflate = zlib.decompressobj()

    def take(self, body: bytes) -> None:
        while body and not self._more:
            if self._inflate.eof:
                self._more = True
                return
            try:
                self._count += len(self._inflate.decompress(body, 1 << 20))
            except zlib.error:
                self._more = True
                return
            body = self._inflate.unconsumed_tail or self._inflate.unused_data
            self._more = self._count > self._expected

    def findings(self) -> list[str]:
        complete = self._inflate.eof and self._count == self._expected
        return [] if complete and not self._more else ["pixel data that are not those of the rows"]


def _compressed_profile(body: bytes) -> list[str]:
    name, _, packed = body.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        icc = inflate.decompress(packed[1:], _MOST_PROFILE)
    except zlib.error:
        return ["a colour profile that cannot be read"]
    if not inflate.eof or inflate.unused_data or len(name) > 79:
        return ["a colour profile with something behind it"]
    return profile(icc)


def gif(data: bytes) -> list[str]:
    """The specification of GIF89a. No comments, no extensions of programs (XMP lies in one), one picture."""
    findings = pixels(_little(data[6:8]), _little(data[8:10]))
    pictures = 0
    at = 13 + _palette(data[10])
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0x2C:
            pictures += 1
            left, top, width, height = struct.unpack_from("<4H", data, at + 1)
            too_many = pixels(left + width, top + height)
            if too_many:
                return findings + too_many
            at = _sub_blocks(data, at + 11 + _palette(data[at + 9]))
        elif data[at] == 0x21:
            if data[at + 1] != 0xF9:
                findings.append(f"an extension that no picture needs: {data[at + 1]:#x}")
            at = _sub_blocks(data, at + 2)
        else:
            return [*findings, "bytes between the blocks"]
    if pictures != 1:
        findings.append("not exactly one picture")
    return findings + (["no end of the picture, or bytes behind it"] if at + 1 != len(data) else [])


def _palette(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


_WEBP_CHUNKS: Final = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"EXIF"))


def webp(data: bytes) -> list[str]:
    """RFC 9649. No animation, no XMP, nothing unknown, and the length that the head says."""
    findings: list[str] = []
    seen: list[bytes] = []
    if _little(data[4:8]) + 8 != len(data):
        findings.append("not as long as its head says")
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], _little(data[at + 4 : at + 8])
        body = data[at + 8 : at + 8 + length]
        if name not in _WEBP_CHUNKS or name in seen:
            findings.append(f"a chunk that no picture needs: {shown(name)}")
        elif name == b"VP8X":
            findings += pixels(_little(body[4:7]) + 1, _little(body[7:10]) + 1)
        elif name == b"VP8 ":
            findings += pixels(_little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF)
        elif name == b"VP8L":
            size = _little(body[1:5])
            findings += pixels((size & 0x3FFF) + 1, (size >> 14 & 0x3FFF) + 1)
        elif name == b"EXIF":
            findings += exif(body.removeprefix(b"Exif\0\0"))
        elif name == b"ICCP":
            findings += profile(body)
        seen.append(name)
        at += 8 + length + length % 2
    if at != len(data):
        findings.append("cut off, or bytes behind the end")
    return findings + ([] if (b"VP8 " in seen) != (b"VP8L" in seen) else ["not exactly one picture"])


WALKS: Final[dict[str, tuple[bytes, Callable[[bytes], list[str]]]]] = {
    "jpeg": (rb"\xff\xd8\xff", jpeg), "png": (rb"\x89PNG\r\n\x1a\n", png), "gif": (rb"GIF8[79]a", gif),
    "webp": (rb"RIFF[\s\S]{4}WEBP", webp),
}  # fmt: skip
