"""Photos through a pool of decoders: `ports.Photos`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chat_server.decoders.files import TaskFiles
from chat_server.decoders.limits import Limits
from chat_server.decoders.outcome import Busy, Crashed, NoSpace, Refused
from chat_server.decoders.pool import Pool
from chat_server.decoders.task import Decoder
from chat_server.domain.errors import (
    DECODER_BUSY,
    DISK_FULL,
    NOT_A_PHOTO,
    PHOTO_BROKEN,
    PHOTO_TOO_MANY_PIXELS,
    Fault,
    Problem,
)
from chat_server.photos.answer import Done, parse
from chat_server.photos.rules import KINDS, MAX_PIXELS, RENDITION_TYPES, Kind
from chat_server.ports import Derived, Photo

MODULE: Final = "chat_server.photos.decoder"
_REFUSALS: Final[dict[str, Fault]] = {
    "not_a_photo": NOT_A_PHOTO,
    "broken": PHOTO_BROKEN,
    "too_many_pixels": PHOTO_TOO_MANY_PIXELS,
}
_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/webp": ".webp"}
_RETRY_SECONDS: Final = 3


def photo_of(done: Done, files: TaskFiles, most_bytes: int) -> Photo:
    """The photo, after a look at what lies in the files. Raises `BadRendition`."""
    return Photo(
        media_type=done.media_type,
        width=done.width,
        height=done.height,
        color=done.color,
        taken_at=done.taken_at,
        latitude=done.latitude,
        longitude=done.longitude,
        renditions=tuple(_derived(at, kind, done, files, most_bytes) for at, kind in enumerate(KINDS)),
    )


def _derived(at: int, kind: Kind, done: Done, files: TaskFiles, most_bytes: int) -> Derived:
    media_type = RENDITION_TYPES[kind]
    width, height = done.sizes[kind]
    return Derived(kind, files.paths[at], media_type, width, height, files.picture(at, media_type, most_bytes))


PHOTO: Final = Decoder(MODULE, tuple(kind + _SUFFIXES[RENDITION_TYPES[kind]] for kind in KINDS), parse, photo_of)


class PhotosThrough:
    """Implements `ports.Photos`, by a pool that has `MODULE`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def prepare(self, source: Path, out: Path) -> Photo:
        """See `ports.Photos`. Raises also `Problem` 8002 (no room for a rendition)."""
        try:
            return await self._pool.run(PHOTO, source, out)
        except Refused as refused:
            pixels = {"limit": MAX_PIXELS} if refused.reason == "too_many_pixels" else {}
            raise Problem(_REFUSALS[refused.reason], "photo", **pixels) from None
        except Crashed:
            raise Problem(PHOTO_BROKEN, "photo") from None
        except NoSpace:
            raise Problem(DISK_FULL) from None
        except Busy:
            raise Problem(DECODER_BUSY, "photo", retry_after=_RETRY_SECONDS) from None


class PhotoDecoders(Pool):
    """A pool for photos alone; implements `ports.Photos`, too."""

    def __init__(
        self, workers: int = 2, *, limits: Limits | None = None, waiting: int = 64, patience: float = 30.0
    ) -> None:
        """See `Pool`."""
        super().__init__("photos", [MODULE], workers, limits=limits, waiting=waiting, patience=patience)
        self.prepare = PhotosThrough(self).prepare
