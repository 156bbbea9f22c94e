"""Pictures made of tags: TIFF and what is derived from it (EXIF), BMP, and colour profiles."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

Tag = tuple[int, int, int, bytes, int]
"""Number, type, count, value, place of the value."""

MAX_PIXELS: Final = 100_000_000
_TYPE_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TIME: Final = re.compile(rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d\0?|[+-]\d\d:\d\d\0?|\d{1,9}\0{0,2}")
_EXIF_IFD: Final = 0x8769
_TIMES: Final = frozenset((0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9291))
_EXIF_VERSION: Final = 0x9000
_MOST_TAGS: Final = 200


def pixels(width: int, height: int) -> list[str]:
    """Refuses a picture that a few bytes unfold to gigabytes (CVE-2018-21250), before anything decodes it."""
    return ["more than 100 megapixels"] if width * height > MAX_PIXELS else []


class _Tags:
    """The directories of a TIFF (revision 6.0, section 2). What it read is kept, to find what nothing refers to."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if data[:2] == b"II" else ">"
        self.used: list[tuple[int, int]] = [(0, 8)]

    def number(self, at: int, size: int = 4) -> int:
        found: int = struct.unpack_from(self.order + ("I" if size == 4 else "H"), self.data, at)[0]
        return found

    def directory(self, at: int) -> tuple[list[Tag], int]:
        """Its tags, and the place of the next directory. Raises struct.error, ValueError."""
        count = self.number(at, 2)
        if count > _MOST_TAGS:
            raise ValueError
        tags = []
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, type_, values = self.number(entry, 2), self.number(entry + 2, 2), self.number(entry + 4)
            size = _TYPE_SIZES.get(type_, 1) * values
            place = entry + 8 if size <= 4 else self.number(entry + 8)
            if place + size > len(self.data):
                raise ValueError
            if size > 4:
                self.used.append((place, place + size))
            tags.append((tag, type_, values, self.data[place : place + size], place))
        end = at + 2 + 12 * count + 4
        self.used.append((at, end))
        return tags, self.number(end - 4)

    def numbers(self, tag: Tag) -> list[int]:
        size = 2 if tag[1] == 3 else 4
        return [self.number(tag[4] + size * each, size) for each in range(tag[2])]

    def unused(self) -> int:
        """Bytes that belong to nothing; up to four between two things are the alignment. Between pages lie up to sixteen zeros, and
        the eight bytes with which a file of that page alone would begin."""
        at = unused = 0
        for start, end in [*sorted(self.used), (len(self.data), 0)]:
            gap = self.data[at:start]
            unused += 0 if len(gap) <= 4 or _BETWEEN_PAGES.fullmatch(gap) else len(gap)
            at = max(at, end)
        return unused


def exif(data: bytes) -> list[str]:
    """A block of EXIF (CIPA DC-008) that says when a photo was taken and nothing else: not where, with what, by
    whom, and without a small copy of the picture before it was edited."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return ["EXIF that cannot be read"]
    tags = _Tags(data)
    try:
        found, after = tags.directory(tags.number(4))
        findings = ["EXIF: a second directory (a thumbnail)"] if after else []
        findings += _capture_times(tags, found)
    except (struct.error, ValueError):
        return ["EXIF that cannot be read"]
    return findings + (["EXIF: bytes that belong to nothing"] if tags.unused() else [])


def _capture_times(tags: _Tags, found: list[Tag], inside: bool = False) -> list[str]:
    findings = []
    for tag in found:
        if tag[0] == _EXIF_IFD and not inside:
            more, _ = tags.directory(tags.numbers(tag)[0])
            findings += _capture_times(tags, more, inside=True)
        elif tag[0] in _TIMES:
            if not _TIME.fullmatch(tag[3]):
                findings.append(f"EXIF: a time that is none ({tag[0]:#06x})")
        elif tag[0] != _EXIF_VERSION or len(tag[3]) != 4:
            findings.append(f"EXIF: more than the time of capture ({tag[0]:#06x})")
    return findings


_TIFF_TAGS: Final = frozenset(
    (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 292, 293, 296, 297, 317,
    318, 319,
     320, 322, 323, 324, 325, 332, 338, 339, 347, 529, 530, 531, 532, 34675)
)  # fmt: skip
"""Those that describe pixels: TIFF 6.0, and 34675 for the colour profile. Not 700 (XMP), 33723 (IPTC), 34377
(Photoshop), 330 (more pictures), 270 and others (text), 34853 (place)."""


_PAGES: Final = 1000
_BETWEEN_PAGES: Final = re.compile(rb"\0{0,16}((II\*\0|MM\0\*).{4})?", re.DOTALL)


def tiff(data: bytes) -> list[str]:
    """Pages of pixels; nothing in the file that it does not consist of."""
    tags = _Tags(data)
    findings: list[str] = []
    try:
        at, seen = tags.number(4), set[int]()
        while at:
            if at in seen or len(seen) >= _PAGES:
                return [*findings, "pages that do not end"]
            seen.add(at)
            found, at = tags.directory(at)
            findings += _page(tags, found)
    except (struct.error, ValueError):
        return [*findings, "tags that cannot be read"]
    return findings + (["bytes that belong to nothing"] if tags.unused() else [])


def _page(tags: _Tags, found: list[Tag]) -> list[str]:
    findings: list[str] = []
    places: dict[int, list[int]] = {256: [0], 257: [0]}
    for tag in found:
        if tag[0] in (256, 257, 273, 279, 324, 325):
            places[tag[0]] = tags.numbers(tag)
        elif tag[0] == 34675:
            findings += profile(tag[3])
        elif tag[0] in (306, _EXIF_IFD):
            findings += _capture_times(tags, [tag])
        elif tag[0] not in _TIFF_TAGS:
            findings.append(f"a tag that no picture needs: {tag[0]}")
    for starts, sizes in ((273, 279), (324, 325)):
        pairs = zip(places.get(starts, []), places.get(sizes, []), strict=True)
        tags.used += [(start, start + size) for start, size in pairs]
    return findings + pixels(max(places[256]), max(places[257]))


def bmp(data: bytes) -> list[str]:
    """A head of 40 bytes (a longer one can name a profile in another file), colours, uncompressed rows, the end."""
    if len(data) < 54:
        return ["cut off"]
    size, start, head, width, height, _, bits, packing = struct.unpack_from("<2xI4xIIiiHHI", data)
    if head != 40 or packing:
        return ["a head that is not that of a plain bitmap"]
    (colours,) = struct.unpack_from("<I", data, 46)
    palette = 4 * (colours or 1 << bits) if bits <= 8 else 0
    rows = ((width * bits + 31) // 32 * 4) * abs(height)
    if size != len(data) or start != 54 + palette or start + rows != len(data):
        return ["bytes that belong to nothing, or too few"]
    return pixels(width, abs(height))


def profile(data: bytes) -> list[str]:
    """A colour profile (ISO 15076-1, 7.2): whole, and one."""
    if len(data) < 132 or int.from_bytes(data[:4], "big") != len(data) or data[36:40] != b"acsp":
        return ["a colour profile that is none"]
    count = int.from_bytes(data[128:132], "big")
    if count > 100 or 132 + 12 * count > len(data):
        return ["a colour profile that cannot be read"]
    for at in range(132, 132 + 12 * count, 12):
        start, size = struct.unpack_from(">II", data, at + 4)
        if start + size > len(data):
            return ["a colour profile that cannot be read"]
    return []


WALKS: Final[dict[str, tuple[bytes, Callable[[bytes], list[str]]]]] = {
    "tiff": (rb"II\*\0|MM\0\*", tiff), "bmp": (b"BM", bmp),
}  # fmt: skip
