"""Inert text, as it leaves a decoder: characters to read, nothing to obey, and not more than is kept."""

from __future__ import annotations

import re
from typing import IO, Any, Final

from chat_server.decoders.outcome import Refused
from chat_server.documents.rules import TEXT_BYTES
from chat_server.domain.text import nfc

# Controls but tab and line feed, what makes text read in another order than it stands, surrogates and noncharacters.
_DROPPED: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_EMPTY_LINES: Final = re.compile(r"\n[ \t\u3000]*\n(?:[ \t\u3000]*\n)+")


class Full(Exception):
    """As much as is kept was collected."""


class Collector:
    """Pieces of text up to a bound; raises `Full` beyond."""

    def __init__(self, most: int = TEXT_BYTES) -> None:
        """`most` characters: of as many bytes at least."""
        self._pieces: list[str] = []
        self._left = most

    def add(self, piece: str) -> None:
        self._pieces.append(piece[: self._left])
        self._left -= len(piece)
        if self._left <= 0:
            raise Full

    def text(self) -> str:
        return "".join(self._pieces)


def clean(text: str) -> str:
    """NFC, lines that end in a line feed, no more than one empty line in a row, nothing of `_DROPPED`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\v", "\n")
    return _EMPTY_LINES.sub("\n\n", nfc(_DROPPED.sub("", text))).strip("\n")


def write(text: str, output: IO[bytes], encoding: str | None = None) -> dict[str, Any]:
    """Clean `text`, write what is kept of it. Answers the fields of `answer.Words`. Raises `Refused` if nothing is left."""
    data = clean(text).encode()[:TEXT_BYTES]
    data = data.decode(errors="ignore").encode()  # the cut may have been within a character
    if not data.strip():
        raise Refused("empty")
    output.write(data)
    return {"size": len(data), "encoding": encoding}


def is_clean(data: bytes) -> bool:
    """Whether `data` may be what `write` wrote."""
    try:
        return _DROPPED.search(data.decode()) is None
    except UnicodeDecodeError:
        return False
