"""JPEG streams (ITU-T T.81), without what is not the picture.

The segments that a decoder needs are written anew, the others (EXIF with places, XMP, comments, thumbnails, whatever follows
the end) are not. The coded picture itself is copied: decoding and encoding anew would cost quality, and more than a second for 50 pages of
photos. It is decoded once, at an eighth, by a library that is also the one of the readers, and in confinement: what breaks that
does not go out.
"""

from __future__ import annotations

import io
import re
from typing import Final

from PIL import Image, ImageFile

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild.pdf_streams import Unreadable

PIXELS: Final = 100_000_000
_KEPT: Final = frozenset((0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD))
"""SOF0 to SOF2, DHT, DQT, DRI. Arithmetic, lossless and hierarchical coding is not read by readers."""
_ADOBE: Final = 0xEE
"""APP14, which says how the colors are meant; its twelve bytes are kept."""
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_MOST_SEGMENTS: Final = 2_000
_MOST_SCANS: Final = 200
"""A progressive picture of thousands of scans costs a decoder hours."""


def rewritten(data: bytes) -> bytes:
    """Raises `Unreadable`, `Refused`."""
    start = data.find(b"\xff\xd8\xff", 0, 1024)
    if start < 0:
        raise Unreadable
    pieces, at, scans = [b"\xff\xd8"], start + 2, 0
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.match(data, at)
        if found is None:
            raise Unreadable
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            break
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            raise Unreadable
        body = data[at : at + length]
        at += length
        if marker == 0xDA:
            scans += 1
            end = _MARKER.search(data, at)
            stop = end.start() if end else len(data)
            pieces.append(b"\xff\xda" + body + data[at:stop])
            at = stop
            if end is None:
                break
        elif marker in _KEPT:
            pieces.append(bytes((0xFF, marker)) + body)
        elif marker == _ADOBE and body[2:7] == b"Adobe" and length >= 14:
            pieces.append(b"\xff\xee\x00\x0e" + body[2:14])
        if scans > _MOST_SCANS:
            raise Unreadable
    else:
        raise Unreadable
    written = b"".join((*pieces, b"\xff\xd9"))
    _decoded(written)
    return written


def _decoded(data: bytes) -> None:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            if picture.width * picture.height > PIXELS:
                raise Refused("too_many_pixels")
            picture.draft(None, (max(picture.width // 8, 1), max(picture.height // 8, 1)))
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Unreadable from None


assert not ImageFile.LOAD_TRUNCATED_IMAGES
