"""What stands in drawing instructions and is not plain: strings in strings, dictionaries in dictionaries, pictures (ISO 32000-1, 8.9.7).

The bytes of a picture within the contents have no length, so that two readers may see its end in two places; where the
data says itself where it ends (Flate), that is the end.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

_SPACES: Final = b"\0\t\n\x0c\r "
_END: Final = re.compile(rb"[\x00\t\n\x0c\r ]EI(?=[\x00\t\n\x0c\r ]|$)")
_KEYS: Final = {
    b"W": b"W", b"Width": b"W", b"H": b"H", b"Height": b"H", b"BPC": b"BPC", b"BitsPerComponent": b"BPC", b"CS": b"CS",
    b"ColorSpace": b"CS", b"IM": b"IM", b"ImageMask": b"IM", b"D": b"D", b"Decode": b"D", b"I": b"I",
    b"Interpolate": b"I", b"F": b"F", b"Filter": b"F", b"DP": b"DP", b"DecodeParms": b"DP", b"Intent": b"Intent",
}  # fmt: skip
_FILTERS: Final = frozenset((b"Fl", b"FlateDecode", b"LZW", b"LZWDecode", b"A85", b"ASCII85Decode", b"AHx", b"ASCIIHexDecode",
                             b"RL", b"RunLengthDecode", b"CCF", b"CCITTFaxDecode"))  # fmt: skip
_TOKEN: Final = re.compile(
    rb"/[^\x00\t\n\x0c\r ()<>\[\]{}/%]*+|[-+.\d]++|\[[^\[\]()]*+\]|<<[^<>()]*+>>|<[0-9A-Fa-f\s]*+>|true|false|\((?:[^()\\]|\\.)*+\)|ID",
    re.DOTALL,
)
_MOST_KEYS: Final = 24
_MOST_NESTED: Final = 40
_LARGEST: Final = 4 << 20
_PIECES: Final = 4096


def picture(data: bytes, at: int) -> tuple[bytes, int] | None:
    """From behind `BI`: the picture written anew (empty where it has a filter that is not kept here), and where it ends. None where
    this is no picture."""
    entries: dict[bytes, bytes] = {}
    key: bytes | None = None
    while True:
        while data[at : at + 1] and data[at] in _SPACES:
            at += 1
        found = _TOKEN.match(data, at)
        if found is None or len(entries) > _MOST_KEYS:
            return None
        at = found.end()
        token = found[0]
        if token == b"ID" and key is None:
            break
        if key is None:
            if not token.startswith(b"/"):
                return None
            key = token[1:]
        else:
            short = _KEYS.get(key)
            if short is not None:
                entries[short] = token
            key = None
    if data[at : at + 1] and data[at] in _SPACES:
        at += 1
    return _with_data(entries, data, at)


def _with_data(entries: dict[bytes, bytes], data: bytes, at: int) -> tuple[bytes, int] | None:
    filters = re.findall(rb"/([^\s/\[\]]+)", entries.get(b"F", b""))
    length = _length(entries, filters, data, at)
    end = _END.search(data, max(at + length - 1, 0))
    if end is None:
        # readers take all the rest for the picture; looking for the end again from every `BI` would take for ever
        return b"", len(data)
    body = data[at : at + length] if length else data[at : end.start()]
    if any(each not in _FILTERS for each in filters) or len(body) > _LARGEST:
        return b"", end.end()
    head = b" ".join(b"/" + name + b" " + value for name, value in entries.items())
    return b"BI " + head + b" ID " + body + b"\nEI", end.end()


def _length(entries: dict[bytes, bytes], filters: list[bytes], data: bytes, at: int) -> int:
    """Of the data, where that can be told; 0 where only the end mark tells it."""
    if filters and filters[0] in (b"Fl", b"FlateDecode"):
        return _flate_length(data, at)
    if filters:
        return 0
    components = {b"/G": 1, b"/DeviceGray": 1, b"/RGB": 3, b"/DeviceRGB": 3, b"/CMYK": 4, b"/DeviceCMYK": 4}
    masks = entries.get(b"IM") == b"true"
    count = 1 if masks else components.get(entries.get(b"CS", b""), 0)
    try:
        bits = 1 if masks else int(entries.get(b"BPC", b"8"))
        length = (int(entries[b"W"]) * count * bits + 7) // 8 * int(entries[b"H"])
    except (KeyError, ValueError):
        return 0
    return length if 0 < length < len(data) - at else 0


def _flate_length(data: bytes, at: int) -> int:
    unpacking = zlib.decompressobj()
    place, left = at, _LARGEST
    try:
        while not unpacking.eof and place < len(data) and left > 0 and place - at < _LARGEST:
            left -= len(unpacking.decompress(unpacking.unconsumed_tail or data[place : place + _PIECES], 1 << 20))
            place += 0 if unpacking.unconsumed_tail else _PIECES
    except zlib.error:
        return 0
    return min(place, len(data)) - at - len(unpacking.unused_data) if unpacking.eof else 0


def odd(data: bytes, at: int) -> tuple[bytes, int]:
    """One operand that nests, or one byte that means nothing: the operand (empty for nothing) and where it ends."""
    start = data[at : at + 1]
    if start == b"(":
        return _string(data, at)
    if start in (b"[", b"<"):
        return _nested(data, at)
    return b"", at + 1


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    depth, place = 0, at
    for found in re.compile(rb"\\.|[()]", re.DOTALL).finditer(data, at):
        if found[0] == b"(":
            depth += 1
        elif found[0] == b")":
            depth -= 1
        place = found.end()
        if not depth:
            return data[at:place], place
    return b"", len(data)


_PIECE: Final = re.compile(
    rb"[\x00\t\n\x0c\r ]++|%[^\r\n]*+|<<|>>|\[|\]|<[0-9A-Fa-f\s]*+>|/[^\x00\t\n\x0c\r ()<>\[\]{}/%]*+|[-+.\d]++|true|false|null"
)
_CLOSES: Final = {b"]": b"[", b">>": b"<<"}


def _nested(data: bytes, at: int) -> tuple[bytes, int]:
    """An array or dictionary with arrays, dictionaries, strings in it. What is not well formed is left out."""
    start, pieces, open_ = at, [], list[bytes]()
    while at < len(data):
        if data[at : at + 1] == b"(":
            piece, at = _string(data, at)
        else:
            found = _PIECE.match(data, at)
            if found is None:
                return b"", max(at, start + 1)
            piece, at = found[0], found.end()
        if piece in (b"[", b"<<"):
            open_.append(piece)
            if len(open_) > _MOST_NESTED:
                return b"", at
        elif piece in _CLOSES and (not open_ or open_.pop() != _CLOSES[piece]):
            return b"", at
        if not piece.startswith(b"%"):
            pieces.append(piece)
        if not open_:
            return b"".join(pieces), at
    return b"", len(data)
