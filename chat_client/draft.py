"""A message on its way out, and the photos that go with it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from chat_client.http import Body
from chat_client.models import Attachment

_READ: Final = 256 * 1024
_CHUNK: Final = 16 * 1024
"""Bytes written at once: on the weakest signal a second's worth or a few, never so much that it looks like a stall."""


def new_key() -> str:
    """22 characters for `client_msg_id` and `Idempotency-Key`: 128 random bits, so that no two clients ever meet."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that is to be sent. `key` makes its upload repeatable; `attachment` is its id once it is up."""

    source: Path | bytes | None
    name: str
    key: str
    attachment: str | None = None

    @classmethod
    def of(cls, given: Path | bytes | Attachment | Photo, name: str | None = None) -> Photo:
        """From a file, from bytes, or from something uploaded before."""
        if isinstance(given, Photo):
            return given
        if isinstance(given, Attachment):
            return cls(None, given.name, new_key(), given.id)
        fallback = given.name if isinstance(given, Path) else "photo"
        return cls(given, name or fallback, new_key())

    def body(self) -> Body:
        """Its bytes, from the beginning for every try. Raises OSError."""
        source = self.source
        if source is None:
            raise ValueError("this photo has no bytes here: it was uploaded before")
        if isinstance(source, bytes):
            return Body(len(source), lambda: _slices(source))
        size = source.stat().st_size
        return Body(size, lambda: _file(source, size))


@dataclass(frozen=True, slots=True)
class Draft:
    """What the person wrote, before the server knows it. The same `client_msg_id` goes with every try."""

    client_msg_id: str
    room: str
    text: str | None = None
    blocks: Sequence[Mapping[str, Any]] | None = None
    photos: tuple[Photo, ...] = ()
    quote: str | None = None
    forward: str | None = None

    def uploaded(self, index: int, attachment: str) -> Draft:
        """The same with photo `index` known to the server as `attachment`."""
        photos = list(self.photos)
        photos[index] = replace(photos[index], attachment=attachment)
        return replace(self, photos=tuple(photos))

    def anew(self) -> Draft:
        """The same with every photo to be uploaded again whose bytes are here."""
        photos = tuple(replace(photo, attachment=None) if photo.source else photo for photo in self.photos)
        return replace(self, photos=photos)

    def fields(self) -> dict[str, Any]:
        """The fields of the `send` command but `room`. All photos have to be up."""
        blocks = [dict(block) for block in self.blocks or ()]
        if self.text:
            blocks.append({"type": "text", "text": self.text})
        if self.photos:
            blocks.append({"type": "photos", "ids": [photo.attachment for photo in self.photos]})
        fields: dict[str, Any] = {"client_msg_id": self.client_msg_id, "blocks": blocks}
        if self.quote is not None:
            fields["quote"] = self.quote
        if self.forward is not None:
            fields["forward"] = self.forward
        return fields


async def _slices(data: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


async def _file(path: Path, size: int) -> AsyncGenerator[bytes, None]:
    source = await asyncio.to_thread(path.open, "rb")
    try:
        left = size
        # Not past the size that was announced, should the file be growing.
        while left > 0 and (data := await asyncio.to_thread(source.read, min(_READ, left))):
            left -= len(data)
            async for chunk in _slices(data):
                yield chunk
    finally:
        source.close()
