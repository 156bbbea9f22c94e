"""Streams of a PDF that are programs of a kind: fonts, and functions in the calculator language (ISO 32000-1, 7.10.5).

A font's own program is kept as it is: without it a Japanese page loses its words. The threat that stays, a flaw in the font
machine of the reader, is met by flattening (`pdf_flatten`). What is not a font by its first bytes is not kept: no program
rides in that place.
"""

from __future__ import annotations

import re
from typing import Final

from chat_server.decoders.outcome import Refused

_FONTS: Final = (b"\0\1\0\0", b"true", b"OTTO", b"ttcf", b"typ1", b"%!", b"\x80\x01", b"\x01\x00", b"\x01\x01")
"""TrueType, OpenType, collections, Type 1 with and without the heads of its segments, bare CFF."""
_WORD: Final = re.compile(rb"[{}]|[^\s{}]++")
_NUMBER: Final = re.compile(rb"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)")
_CALCULATES: Final = frozenset(
    b"{ } abs add atan ceiling cos cvi cvr div exp floor idiv ln log mod mul neg round sin sqrt sub truncate and bitshift eq false "
    b"ge gt le lt ne not or true xor if ifelse copy dup exch index pop roll".split()
)


def is_font(data: bytes) -> bool:
    return data.lstrip(b"\r\n\t ").startswith(_FONTS) or data.startswith(_FONTS)


def calculator(data: bytes) -> bytes:
    """Written anew. Raises `Refused` where it is another PostScript than that of the clause."""
    words = _WORD.findall(data)
    if len(words) > 20_000 or any(word not in _CALCULATES and not _NUMBER.fullmatch(word) for word in words):
        raise Refused("broken")
    return b" ".join(words)
