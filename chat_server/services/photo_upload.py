"""A photo on its way in: decoded in a limited process, its bytes safe on disk, then one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chat_server.domain.actors import Actor
from chat_server.domain.file_names import display_name
from chat_server.domain.ids import new_id
from chat_server.domain.zones import ORIGINAL, POLICY_VERSION
from chat_server.ports import Blob, BlobStore, Incoming, Photo, Photos, Tx
from chat_server.services import quota
from chat_server.services.scratch import scratch_folder
from chat_server.storage.queries import attachments as queries
from chat_server.storage.queries.attachments import NewAttachment, NewRendition

PHOTO: Final = "photo"
_PIECE: Final = 1 << 20

Trust = Callable[[str], int]
"""Rank of a zone; -1 for one that is not known."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded photo whose bytes, and those of its renditions, cannot be lost any more."""

    photo: Photo
    size: int
    renditions: tuple[NewRendition, ...]


async def prepare_photo(photos: Photos, blobs: BlobStore, scratch: Path, org_id: int, incoming: Incoming) -> Prepared:
    """Decode what was received and keep it all. `scratch`: a folder on the same disk as the blobs.

    Raises `Problem` 5002–5004, 8002, 8003; then nothing was kept that the sweeper does not remove.
    """
    await incoming.flush()
    photo, made = await _decoded(photos, blobs, scratch, org_id, incoming.path)
    return _prepared(photo, made, await blobs.keep(org_id, incoming))


async def prepare_kept_photo(photos: Photos, blobs: BlobStore, scratch: Path, org_id: int, blob: Blob) -> Prepared:
    """The same for a photo that came in parts and is a blob already."""
    async with blobs.local(org_id, blob.sha256) as path:
        photo, made = await _decoded(photos, blobs, scratch, org_id, path)
    return _prepared(photo, made, blob)


async def _decoded(
    photos: Photos, blobs: BlobStore, scratch: Path, org_id: int, path: Path
) -> tuple[Photo, list[NewRendition]]:
    async with scratch_folder(scratch) as out:
        photo = await photos.prepare(path, out)
        return photo, [
            NewRendition(made.kind, await keep_file(blobs, org_id, made.path), made.media_type, made.width, made.height)
            for made in photo.renditions
        ]


def _prepared(photo: Photo, made: list[NewRendition], original: Blob) -> Prepared:
    made.append(NewRendition(ORIGINAL, original, photo.media_type, photo.width, photo.height))
    return Prepared(photo, original.size, tuple(made))


async def add_photo(tx: Tx, actor: Actor, prepared: Prepared, name: str, trust: Trust) -> dict[str, Any]:
    """An uploaded photo, counted; it belongs to its uploader until it is sent. Answers its wire form. Raises `Problem`
    5017, 5018."""
    await quota.take(tx, actor, prepared.size)
    return await insert_photo(tx, actor, prepared, name, trust)


async def insert_photo(tx: Tx, actor: Actor, prepared: Prepared, name: str, trust: Trust) -> dict[str, Any]:
    """Its rows."""
    photo = prepared.photo
    for rendition in prepared.renditions:
        await add_blob(tx, actor.org_id, rendition.blob, actor.zone, trust)
    public_id = new_id(tx.now)
    attachment_id = await queries.insert(
        tx,
        NewAttachment(
            public_id=public_id,
            org_id=actor.org_id,
            uploader_id=actor.user_id,
            kind=PHOTO,
            name=display_name(name),
            media_type=photo.media_type,
            size=prepared.size,
            width=photo.width,
            height=photo.height,
            color=photo.color,
            taken_at=photo.taken_at,
            latitude=photo.latitude,
            longitude=photo.longitude,
            origin_zone=actor.zone,
        ),
    )
    for rendition in prepared.renditions:
        await queries.insert_rendition(tx, attachment_id, actor.org_id, rendition, POLICY_VERSION)
    added = await queries.waiting(tx, actor.user_id, public_id)
    assert added is not None
    return added.wire


async def keep_file(blobs: BlobStore, org_id: int, path: Path) -> Blob:
    """The bytes of a decoder's output, safe. Raises as `BlobStore.keep`."""
    return await blobs.keep_bytes(org_id, await asyncio.to_thread(path.read_bytes))


async def keep_large(blobs: BlobStore, org_id: int, path: Path) -> Blob:
    """The same for a file of any size, in pieces."""
    incoming = blobs.receive()
    try:
        with await asyncio.to_thread(path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await incoming.write(piece)
        return await blobs.keep(org_id, incoming)
    finally:
        await incoming.discard()


async def add_blob(tx: Tx, org_id: int, blob: Blob, zone: str, trust: Trust) -> None:
    """Bytes that came in twice count as having come by the less trusted way."""
    known = await queries.blob_zone(tx, org_id, blob.sha256)
    if known is None:
        await queries.add_blob(tx, org_id, blob, zone)
    elif trust(zone) < trust(known):
        await queries.set_blob_zone(tx, org_id, blob.sha256, zone)
