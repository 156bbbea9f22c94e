"""The decoder of photos, as a confined process knows it: a `decoders.worker.Work`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final

from PIL import Image

from chat_server.photos.decode import decode, prepare_libraries
from chat_server.photos.rules import KINDS, Reason

MEMORY_BYTES: Final = None
BROKEN: Final[Reason] = "broken"


def prepare() -> None:
    """Load the libraries, and one tiny photo of every kind: Pillow imports some parts at first use."""
    prepare_libraries()
    for container, mode in (("JPEG", "CMYK"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("GIF", "P")):
        sample = io.BytesIO()
        Image.new(mode, (8, 8)).save(sample, container)
        sample.seek(0)
        decode(sample, {kind: io.BytesIO() for kind in KINDS}, datetime.now(UTC))


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    """Outputs in the order of `KINDS`. Raises as `decode`."""
    found = decode(source, dict(zip(KINDS, outputs, strict=True)), now)
    latitude, longitude = found.place or (None, None)
    return {
        "media_type": found.media_type,
        "width": found.width,
        "height": found.height,
        "color": found.color,
        "taken_at": found.taken_at,
        "latitude": latitude,
        "longitude": longitude,
        "sizes": found.sizes,
    }
