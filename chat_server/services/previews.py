"""Previews and text of files: expected at the upload, made afterwards, and told to the room.

Nothing here waits for a decoder inside of a transaction: `prepare` makes the files, `deliver` writes the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_server.domain.errors import DECODER_BUSY, DISK_FULL, NOT_A_PHOTO, PHOTO_TOO_MANY_PIXELS, Problem
from chat_server.domain.previews import PHOTOS, RENDITION_TYPES, expected
from chat_server.domain.zones import POLICY_VERSION, PREVIEW, SANITIZED, THUMBNAIL
from chat_server.ports import BlobStore, Derived, Documents, Photos, Reader, Tx
from chat_server.services import attachment_events
from chat_server.services.photo_upload import add_blob, keep_file
from chat_server.services.scratch import scratch_folder
from chat_server.storage.queries import previews as queries
from chat_server.storage.queries.attachments import NewRendition
from chat_server.storage.queries.previews import Finished

TRIES: Final = 4
_LATER: Final = (10_000, 60_000, 600_000, 600_000)
"""Milliseconds until the next try, by the number of those before."""
GIVEN_UP: Final = "given_up"
MISSING: Final = "missing"
_KINDS: Final = (THUMBNAIL, PREVIEW)

Due = queries.Due
Trust = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of some bytes: renditions whose own bytes are safe, and reasons for the others."""

    renditions: tuple[NewRendition, ...]
    failed: Mapping[str, str]
    pages: int | None = None
    color: str | None = None


async def expect(tx: Tx, attachment_id: int, org_id: int, media_type: str) -> None:
    """Rows for all that will be tried with a file of this type. For the transaction that writes its `original`;
    `org_id`: under which that lies."""
    kinds = [(kind, RENDITION_TYPES[kind]) for kind in expected(media_type)]
    await queries.expect(tx, attachment_id, org_id, kinds, POLICY_VERSION)


async def expect_rebuilt(tx: Tx, attachment_id: int, org_id: int, media_type: str) -> None:
    """A row for the copy that more trusted zones may have: see `inward`."""
    await queries.expect(tx, attachment_id, org_id, [(SANITIZED, media_type)], POLICY_VERSION)


async def resume(tx: Tx) -> None:
    """At the start: what was under way or put off is due now; tries that were made stay counted."""
    await queries.hurry(tx)


async def due(reader: Reader, limit: int) -> list[Due]:
    """What may be tried now, in order, organizations in turn."""
    return await queries.due(reader, limit)


async def begin(tx: Tx, job: Due) -> bool:
    """Count a try before it is made: a file that takes the machine down with it is not tried for ever. False where
    nobody waits any more, or it has had its tries."""
    waiting = await queries.pending(tx, job)
    if not waiting:
        return False
    if job.tries >= TRIES:
        await deliver(tx, job, Made((), {}), lambda zone: -1)
        return False
    await queries.postpone(tx, [each.attachment_id for each in waiting], tx.now + _LATER[job.tries])
    return True


async def prepare(photos: Photos, documents: Documents, blobs: BlobStore, scratch: Path, job: Due) -> Made:
    """Decode, and keep what was made. `scratch`: a folder on the same disk as the blobs.

    Raises `Problem` 8002, 8003 and OSError: to be tried again. Then nothing was kept that the sweeper does not remove.
    """
    async with scratch_folder(scratch) as out:
        async with blobs.local(job.org_id, job.sha256) as source:
            if job.media_type in PHOTOS:
                return await _picture(photos, blobs, source, out, job)
            made = await documents.prepare(source, out, job.media_type)
        kept = [await _kept(blobs, job.org_id, each) for each in made.renditions]
        return Made(tuple(kept), made.failed, made.pages, made.color)


async def deliver(tx: Tx, job: Due, made: Made, trust: Trust) -> int:
    """The rows, for every attachment that waits for these bytes, and an event where it was sent; answers how many waited."""
    waiting = await queries.pending(tx, job)
    for attachment in waiting:
        if not attachment.withdrawn:
            for rendition in made.renditions:
                await add_blob(tx, job.org_id, rendition.blob, attachment.origin_zone, trust)
                await queries.finish(tx, attachment.attachment_id, job.org_id, _ready(rendition), POLICY_VERSION)
            for kind, reason in made.failed.items():
                failed = Finished(kind, RENDITION_TYPES[kind], reason=reason)
                await queries.finish(tx, attachment.attachment_id, job.org_id, failed, POLICY_VERSION)
            preview = next((each for each in made.renditions if each.kind == PREVIEW), None)
            size = (preview.width, preview.height) if preview else (None, None)
            await queries.describe(tx, attachment.attachment_id, *size, made.color, made.pages)
        await queries.fail_pending(tx, attachment.attachment_id, GIVEN_UP)
        if not attachment.withdrawn:
            await attachment_events.changed(tx, attachment.attachment_id)
    return len(waiting)


def _ready(made: NewRendition) -> Finished:
    return Finished(made.kind, made.media_type, made.blob, made.width, made.height)


async def _picture(photos: Photos, blobs: BlobStore, source: Path, out: Path, job: Due) -> Made:
    """A picture that was sent as a file: its original stays as it is, and is shown like a photo."""
    try:
        photo = await photos.prepare(source, out)
    except Problem as problem:
        if problem.fault in (DECODER_BUSY, DISK_FULL):
            raise
        reason = {NOT_A_PHOTO: "broken", PHOTO_TOO_MANY_PIXELS: "too_large"}.get(problem.fault, "broken")
        return Made((), dict.fromkeys(_KINDS, reason))
    kept = [await _kept(blobs, job.org_id, each) for each in photo.renditions if each.kind in _KINDS]
    return Made(tuple(kept), {}, None, photo.color)


async def _kept(blobs: BlobStore, org_id: int, made: Derived) -> NewRendition:
    blob = await keep_file(blobs, org_id, made.path)
    return NewRendition(made.kind, blob, made.media_type, made.width or None, made.height or None)
