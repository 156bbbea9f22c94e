"""Photos and documents, decoded and made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

SCRATCH: Final = "photo-"
"""How the name begins of every folder in which something is decoded or made, whatever it is: by it a killed server's leftovers
are known (`scratch.clear_scratch`)."""


@dataclass(frozen=True, slots=True)
class Derived:
    """One rendition made from a photo or a document: its bytes lie in `path` until they are kept."""

    kind: str
    """sanitized, preview (preview-2 and so on: further pages), thumbnail or text"""
    path: Path
    media_type: str
    width: int
    height: int
    """0 each for what is no picture"""
    size: int


@dataclass(frozen=True, slots=True)
class Photo:
    """What a decoder found in a photo, and what it made of it."""

    media_type: str
    """of the received bytes, decided by their content"""
    width: int
    height: int
    """upright: after the orientation is baked in"""
    color: str
    """average colour, #rrggbb, shown while the thumbnail loads"""
    taken_at: int | None
    """UTC milliseconds; a capture time without an offset is taken as Asia/Tokyo"""
    latitude: float | None
    longitude: float | None
    renditions: tuple[Derived, ...]


class Photos(Protocol):
    """Decoding, in limited processes off the event loop."""

    async def prepare(self, source: Path, out: Path) -> Photo:
        """Decode `source`, write the renditions into the existing folder `out`.

        Raises `domain.errors.Problem` 5002 (not a photo of an allowed format, by content), 5003 (broken or
        truncated), 5004 (over the pixel limit), 8003 (decoders busy or died; try again).
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """What was made of a document."""

    renditions: tuple[Derived, ...]
    failed: Mapping[str, str]
    """Why there is no rendition of a kind. broken, encrypted, not_text, too_large, empty: the file's own fault; crashed:
    it broke its decoder; no_helper: nothing here can read its format."""
    pages: int | None
    """how many it has, where that is known"""
    color: str | None
    """average colour of the first page, #rrggbb"""


class Documents(Protocol):
    """Pictures and text of documents, made in limited processes off the event loop."""

    async def prepare(self, source: Path, out: Path, media_type: str) -> Document:
        """Write what can be made of `source` into the existing folder `out`; every kind of
        `domain.previews.expected(media_type)` is then among the renditions or among the failed.

        Raises `domain.errors.Problem` 8002 (disk full), 8003 (decoders busy or died; try again).
        """
        ...
