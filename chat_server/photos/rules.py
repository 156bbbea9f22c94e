"""What counts as a photo here and what is made of one. Shared by the server and its decoders; no image library."""

from __future__ import annotations

from typing import Final, Literal

MAX_PIXELS: Final = 100_000_000
LONGEST_EDGE: Final = 65_500
"""what JPEG can hold; a longer picture is made smaller"""
PREVIEW_EDGE: Final = 1600
THUMBNAIL_EDGE: Final = 320

Kind = Literal["sanitized", "preview", "thumbnail"]
KINDS: Final[tuple[Kind, ...]] = ("sanitized", "preview", "thumbnail")
RENDITION_TYPES: Final[dict[Kind, str]] = {
    "sanitized": "image/jpeg",
    "preview": "image/jpeg",
    "thumbnail": "image/webp",
}

Reason = Literal["not_a_photo", "broken", "too_many_pixels"]
MediaType = Literal["image/jpeg", "image/png", "image/gif", "image/webp", "image/heic"]
