"""A 12-megapixel photo from the last byte of its upload to its thumbnail on the disk, on a server at rest."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Final

from bench import servers
from bench.plan import Plan
from bench.report import Figure, figure, spread
from chat_server.blobs.filesystem import FileBlobs
from chat_server.photos.workers import PhotoDecoders
from chat_server.services.photo_upload import prepare_photo
from tests.unit.photo_samples import field_photo

PHOTOS: Final = 20
PAUSE: Final = 0.1
"""Seconds between two: nobody photographs faster."""


def run(plan: Plan) -> list[Figure]:
    """`photos.*`"""
    with servers.work_folder() as folder:
        decoded, kept = asyncio.run(_measure(folder, field_photo()))
    how = (
        f"JPEG of 12 megapixels and 2.5 MB, one at a time, {PHOTOS} times: through the pool of two decoders to the full-size"
        f" copy, the preview and the thumbnail {spread(decoded, 0)} ms; with all of them and the original synced to the"
        f" disk, which is the figure, {spread(kept, 0)} ms."
    )
    return [figure("photos.thumbnail_ms", statistics.median(kept), "ms", how)]


async def _measure(folder: Path, photo: bytes) -> tuple[list[float], list[float]]:
    """Milliseconds of the decoding alone, and of all that an upload waits for before its row is written."""
    blobs, scratch = FileBlobs(folder / "blobs"), folder / "scratch"
    scratch.mkdir()
    timed = _Timed()
    await timed.start()
    kept = []
    for number in range(PHOTOS + 2):
        incoming = blobs.receive()
        # a byte behind the picture: each photo is new to the store
        await incoming.write(photo + bytes([number]))
        begun = time.perf_counter()
        await prepare_photo(timed, blobs, scratch, 1, incoming)
        kept.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(PAUSE)
    await timed.close()
    await blobs.close()
    return timed.times[2:], kept[2:]


class _Timed(PhotoDecoders):
    """The pool as the server has it, with a watch."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        decode = self.prepare

        async def prepare(source: Path, out: Path) -> object:
            begun = time.perf_counter()
            photo = await decode(source, out)
            self.times.append((time.perf_counter() - begun) * 1000)
            return photo

        self.prepare = prepare  # type: ignore[assignment]
