"""Where a picture ends, to tell what was hung onto it: a second file that other programs would find there."""

from __future__ import annotations

import struct
from typing import IO

_MOST = 64 << 20


def after(source: IO[bytes], kind: str) -> bytes:
    """What stands after the end of the picture; empty where there is nothing, or where the kind does not say where it ends."""
    source.seek(0)
    data = source.read(_MOST)
    if kind == "png":
        end = data.rfind(b"IEND")
        return data[end + 8 :] if end >= 0 else b""
    if kind == "gif":
        return data[data.rfind(b";") + 1 :] if b";" in data else b""
    if kind == "webp" and len(data) >= 12:
        return data[8 + struct.unpack("<I", data[4:8])[0] + (data[4] & 1) :]
    if kind == "jpeg":
        return data[_end_of_jpeg(data) :]
    return b""


def _end_of_jpeg(data: bytes) -> int:
    """After the end marker of the first picture (ITU-T T.81, B.1.1): segments by their lengths, then the scans."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
        if marker == 0xDA:
            at = _after_scan(data, at)
    return len(data)


def _after_scan(data: bytes, at: int) -> int:
    """At the marker that ends entropy-coded data: not a stuffed zero, not a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7 and data[at + 1] != 0xFF:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
