"""One track of a film: its tables read as numbers and written anew (ISO/IEC 14496-12, 8.3 to 8.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild.film_boxes import Box, Fields, box, boxes, full, only
from chat_server.sanitizing.report import Tally

_PICTURES: Final = frozenset(("avc1", "avc3", "hvc1", "hev1", "mp4v", "av01", "vp09", "jpeg"))
_SOUNDS: Final = frozenset(("mp4a", "alac", "Opus", "ac-3", "ec-3", "sowt", "twos"))
_CONFIGURATIONS: Final = frozenset(
    ("avcC", "hvcC", "av1C", "vpcC", "esds", "alac", "dOps", "dac3", "dec3", "colr", "pasp", "btrt", "clap", "fiel")
)
"""What tells a decoder how to decode, and nothing to do."""
_PROTECTED: Final = frozenset(("encv", "enca", "drmi", "drms"))
_PICTURE_HEAD: Final = 78
_SOUND_HEAD: Final = 28
_SAMPLES: Final = 20_000_000
_FOUND_HERE: Final = 1
"""Flag of a data reference: the samples lie in this file."""


@dataclass(frozen=True, slots=True)
class Track:
    """`chunks`: place in the source and size of each. The rest are boxes as they are written; the table of places comes last."""

    chunks: list[tuple[int, int]]
    head: bytes
    edits: bytes
    media: bytes
    information: bytes
    tables: bytes

    def written(self, places: list[int], *, wide: bool) -> bytes:
        """The track with its chunks at `places`."""
        shape, kind = ("Q", "co64") if wide else ("I", "stco")
        table = full(kind, 0, 0, struct.pack(f">I{len(places)}{shape}", len(places), *places))
        stbl = box("stbl", self.tables, table)
        return box("trak", self.head, self.edits, box("mdia", self.media, box("minf", self.information, stbl)))


def read(data: bytes, trak: Box, tally: Tally) -> Track | None:
    """None where it is neither pictures nor sound. Raises `Refused`: "broken", "external", "protected"."""
    media = only(data, trak, "mdia")
    handler = Fields(data, only(data, media, "hdlr")).take("III")
    kind = struct.pack(">I", handler[2]).decode("latin-1")
    if kind not in ("vide", "soun"):
        tally.add("metadata", kind)
        return None
    minf = only(data, media, "minf")
    _lies_here(data, minf)
    stbl = only(data, minf, "stbl")
    tables = {each.kind: each for each in boxes(data, stbl.begin, stbl.end)}
    sizes = _sizes(data, tables)
    for each in boxes(data, trak.begin, trak.end):
        if each.kind not in ("tkhd", "edts", "mdia"):
            tally.add("metadata", each.kind)
    return Track(
        _chunks(data, tables, sizes),
        _track_head(data, only(data, trak, "tkhd")),
        _edits(data, trak),
        _media_head(data, only(data, media, "mdhd")) + _handler(kind),
        _information(kind),
        _described(data, tables, kind) + _timed(data, tables, len(sizes)) + _sized(sizes),
    )


def _lies_here(data: bytes, minf: Box) -> None:
    references = Fields(data, only(data, only(data, minf, "dinf"), "dref"))
    references.head()
    (count,) = references.take("I")
    rest = references.rest()
    found = list(boxes(rest, 0, len(rest)))
    if len(found) != count or any(Fields(rest, each).head()[1] & _FOUND_HERE == 0 for each in found):
        raise Refused("external")


def _sizes(data: bytes, tables: dict[str, Box]) -> list[int]:
    if "stsz" not in tables:
        raise Refused("broken")
    fields = Fields(data, tables["stsz"])
    fields.head()
    each, count = fields.take("II")
    if count > _SAMPLES:
        raise Refused("too_large")
    return [each] * count if each else [size for (size,) in fields.table("I", count)]


def _chunks(data: bytes, tables: dict[str, Box], sizes: list[int]) -> list[tuple[int, int]]:
    """By 8.7.4: from which chunk on how many samples lie in one."""
    wide = "co64" in tables
    if (not wide and "stco" not in tables) or "stsc" not in tables:
        raise Refused("broken")
    fields = Fields(data, tables["co64" if wide else "stco"])
    fields.head()
    places = [place for (place,) in fields.table("Q" if wide else "I", fields.take("I")[0])]
    runs = _runs(data, tables)
    found, sample, run = [], 0, 0
    for number, place in enumerate(places, 1):
        while run + 1 < len(runs) and runs[run + 1][0] <= number:
            run += 1
        count = runs[run][1] if runs else 0
        found.append((place, sum(sizes[sample : sample + count])))
        sample += count
    if sample != len(sizes):
        raise Refused("broken")
    return found


def _runs(data: bytes, tables: dict[str, Box]) -> list[tuple[int, ...]]:
    fields = Fields(data, tables["stsc"])
    fields.head()
    runs = fields.table("III", fields.take("I")[0])
    firsts = [first for first, _, _ in runs]
    if firsts != sorted(set(firsts)) or (firsts and firsts[0] != 1):
        raise Refused("broken")
    return runs


def _described(data: bytes, tables: dict[str, Box], kind: str) -> bytes:
    """How the samples are encoded: each entry's fixed head, and those of its boxes that a decoder needs."""
    if "stsd" not in tables:
        raise Refused("broken")
    fields = Fields(data, tables["stsd"])
    fields.head()
    (count,) = fields.take("I")
    rest = fields.rest()
    allowed, head = (_PICTURES, _PICTURE_HEAD) if kind == "vide" else (_SOUNDS, _SOUND_HEAD)
    entries = []
    for entry in boxes(rest, 0, len(rest)):
        if entry.kind in _PROTECTED:
            raise Refused("protected")
        if entry.kind not in allowed:
            raise Refused("unknown")
        fixed = bytearray(rest[entry.begin : entry.begin + head])
        if len(fixed) != head:
            raise Refused("broken")
        begin = entry.begin + head
        if kind == "vide":
            fixed[42:74] = bytes(32)  # the encoder's name
        else:
            begin += {0: 0, 1: 16, 2: 36}.get(int.from_bytes(fixed[8:10], "big"), 0)
            fixed[8:10] = b"\0\0"  # QuickTime's longer heads become the plain one
        inner = [each for each in _configured(rest, begin, entry.end) if each.kind in _CONFIGURATIONS]
        entries.append(box(entry.kind, bytes(fixed), *(box(each.kind, rest[each.begin : each.end]) for each in inner)))
    if len(entries) != count or not entries:
        raise Refused("broken")
    return full("stsd", 0, 0, struct.pack(">I", count), *entries)


def _configured(data: bytes, begin: int, end: int) -> list[Box]:
    """QuickTime wraps what tells of a sound once more."""
    found = []
    for each in boxes(data, begin, end):
        found += _configured(data, each.begin, each.end) if each.kind == "wave" else [each]
    return found


def _timed(data: bytes, tables: dict[str, Box], samples: int) -> bytes:
    made = []
    for kind, shape in (("stts", "II"), ("ctts", "II"), ("stss", "I"), ("stsc", "III")):
        if kind in tables:
            fields = Fields(data, tables[kind])
            version, _ = fields.head()
            (count,) = fields.take("I")
            rows = fields.table(shape, count)
            if kind in ("stts", "ctts") and sum(row[0] for row in rows) != samples:
                raise Refused("broken")
            flat = [number for row in rows for number in row]
            made.append(full(kind, version if kind == "ctts" else 0, 0, struct.pack(f">I{len(flat)}I", count, *flat)))
        elif kind in ("stts", "stsc"):
            raise Refused("broken")
    return b"".join(made)


def _sized(sizes: list[int]) -> bytes:
    return full("stsz", 0, 0, struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes))


def _track_head(data: bytes, where: Box) -> bytes:
    """Without when it was made."""
    fields = Fields(data, where)
    version, flags = fields.head()
    _, _, number, _, duration = fields.take("QQIIQ" if version == 1 else "IIIII")
    fields.take("II")
    layer, group, volume, _ = fields.take("HHHH")
    placed = fields.take("9III")
    content = struct.pack(">QQIIQ2I4H9III", 0, 0, number, 0, duration, 0, 0, layer, group, volume, 0, *placed)
    return full("tkhd", 1, flags & 0xF, content)


def _media_head(data: bytes, where: Box) -> bytes:
    fields = Fields(data, where)
    version, _ = fields.head()
    _, _, scale, duration = fields.take("QQIQ" if version == 1 else "IIII")
    (language, _) = fields.take("HH")
    return full("mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, scale, duration, language, 0))


def _handler(kind: str) -> bytes:
    return full("hdlr", 0, 0, struct.pack(">I4s3I", 0, kind.encode(), 0, 0, 0), b"\0")


def _information(kind: str) -> bytes:
    media = full("vmhd", 0, 1, bytes(8)) if kind == "vide" else full("smhd", 0, 0, bytes(4))
    return media + box("dinf", full("dref", 0, 0, struct.pack(">I", 1), full("url ", 0, _FOUND_HERE)))


def _edits(data: bytes, trak: Box) -> bytes:
    """Which part of the track is shown when; without it sound and picture part."""
    edts = [each for each in boxes(data, trak.begin, trak.end) if each.kind == "edts"]
    if not edts:
        return b""
    fields = Fields(data, only(data, edts[0], "elst"))
    version, _ = fields.head()
    rows = fields.table("QQI" if version == 1 else "III", fields.take("I")[0])
    shape = "QQI" if version == 1 else "III"
    flat = b"".join(struct.pack(">" + shape, *row) for row in rows)
    return box("edts", full("elst", version, 0, struct.pack(">I", len(rows)), flat))
