"""Films (MP4, MOV): pictures and sound as they are encoded, in a file that is composed here.

Of the source are taken the samples of its tracks of pictures and of sound, and the numbers that say when each is shown. Everything else stays
behind: places and makers of cameras, tracks of data and of text, boxes that nobody knows, bytes between the samples. Nothing is decoded
and encoded again, so a film looks the same; what a decoder makes of hostile samples is the business of the one who plays it.
"""

from __future__ import annotations

import struct
from typing import IO, Final

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild.film_boxes import Box, Fields, box, boxes, full
from chat_server.sanitizing.rebuild.film_tracks import Track, read
from chat_server.sanitizing.report import Rebuilt, Tally

_HEADER_BYTES: Final = 256 << 20
_PIECE: Final = 1 << 20
_TRACKS: Final = 32
_KNOWN: Final = frozenset(("ftyp", "moov", "mdat", "free", "skip", "wide"))
_BRANDS: Final = b"isom\0\0\2\0isomiso2mp41mp42"


def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """See the package. Raises `Refused`: "broken", "external", "protected", "unknown", "too_large", "empty"."""
    tally = Tally()
    length = source.seek(0, 2)
    moov = _header(source, length, tally)
    whole = Box("moov", 0, len(moov))
    tracks = []
    time = b""
    for each in boxes(moov, 0, len(moov)):
        if each.kind == "trak":
            track = read(moov, each, tally)
            tracks += [track] if track is not None else []
        elif each.kind == "mvhd":
            time = _movie_head(moov, each)
        elif each.kind == "mvex":
            raise Refused("unknown")  # in fragments: for streams, not for files
        else:
            tally.add("metadata", each.kind)
    if not time or len(tracks) > _TRACKS or whole.end == 0:
        raise Refused("broken")
    if not tracks or not any(track.chunks for track in tracks):
        raise Refused("empty")
    _write(source, target, length, time, tracks)
    return Rebuilt("mp4", tally.removed)


def _header(source: IO[bytes], length: int, tally: Tally) -> bytes:
    """What is in `moov`. The samples are not read for it."""
    at, found = 0, b""
    while at < length:
        source.seek(at)
        head = source.read(16)
        if len(head) < 8:
            raise Refused("broken")
        size, kind = struct.unpack(">I4s", head[:8])
        skipped = 8
        if size == 1:
            if len(head) < 16:
                raise Refused("broken")
            (size,) = struct.unpack(">Q", head[8:])
            skipped = 16
        elif size == 0:
            size = length - at
        if size < skipped or at + size > length:
            raise Refused("broken")
        name = kind.decode("latin-1")
        if name == "moov":
            if found:
                raise Refused("ambiguous")
            if size > _HEADER_BYTES:
                raise Refused("too_large")
            source.seek(at + skipped)
            found = source.read(size - skipped)
        elif name == "moof":
            raise Refused("unknown")
        elif name not in _KNOWN:
            tally.add("metadata", name)
        at += size
    if not found:
        raise Refused("broken")
    return found


def _movie_head(moov: bytes, where: Box) -> bytes:
    fields = Fields(moov, where)
    version, _ = fields.head()
    _, _, scale, duration = fields.take("QQIQ" if version == 1 else "IIII")
    rate, volume, _ = fields.take("IHH")
    fields.take("II")
    matrix = fields.take("9I")
    fields.take("6I")
    (following,) = fields.take("I")
    content = struct.pack(
        ">QQIQIHH2I9I6II", 0, 0, scale, duration, rate, volume, 0, 0, 0, *matrix, *(0,) * 6, following
    )
    return full("mvhd", 1, 0, content)


def _write(source: IO[bytes], target: IO[bytes], length: int, time: bytes, tracks: list[Track]) -> None:
    """The header first, so that it can be played before all of it is there; then the chunks in the order of the source."""
    chunks = sorted(
        (place, size, which, number)
        for which, track in enumerate(tracks)
        for number, (place, size) in enumerate(track.chunks)
    )
    if any(place + size > length for place, size, _, _ in chunks) or sum(size for _, size, _, _ in chunks) > length:
        raise Refused("broken")  # beyond the file, or the same bytes over and over
    content = sum(size for _, size, _, _ in chunks)
    wide = content >= 1 << 31
    ftyp = box("ftyp", _BRANDS)
    places = [[0] * len(track.chunks) for track in tracks]
    header = _moov(time, tracks, places, wide=wide)
    at = len(ftyp) + len(header) + 16
    for _, size, which, number in chunks:
        places[which][number] = at
        at += size
    target.write(ftyp + _moov(time, tracks, places, wide=wide) + struct.pack(">I4sQ", 1, b"mdat", content + 16))
    for place, size, _, _ in chunks:
        source.seek(place)
        while size > 0:
            piece = source.read(min(size, _PIECE))
            if not piece:
                raise Refused("broken")
            target.write(piece)
            size -= len(piece)


def _moov(time: bytes, tracks: list[Track], places: list[list[int]], *, wide: bool) -> bytes:
    return box("moov", time, *(track.written(at, wide=wide) for track, at in zip(tracks, places, strict=True)))
