"""Files of any size on their way in: begun, continued in parts (tus), whole, and then an attachment like any other.

How far an upload has come is told by its bytes (`ports.Part.size`), never by a row: a row could say more than the disk
has. Its row says whose it is, what it is to become, and what it became.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import FILE_TOO_LARGE, TOO_MANY_UPLOADS, UPLOAD_NOT_FOUND, Problem
from chat_server.domain.file_names import display_name
from chat_server.domain.ids import is_id, new_id
from chat_server.domain.media import media_type
from chat_server.domain.zones import ORIGINAL, POLICY_VERSION
from chat_server.ports import Blob, BlobStore, Reader, Tx
from chat_server.services import previews, quota
from chat_server.services.photo_upload import (
    PHOTO,
    Prepared,
    Trust,
    add_blob,
    insert_photo,
)
from chat_server.storage.queries import attachments, handed_files
from chat_server.storage.queries import uploads as queries
from chat_server.storage.queries.attachments import NewAttachment, NewRendition
from chat_server.storage.queries.uploads import Upload as Upload

FILE: Final = "file"
NAMELESS: Final = "名称未設定"
HEAD_BYTES: Final = 8 * 1024
"""Of a file, from which its type is told."""
STEP: Final = 20
"""Uploads that one transaction forgets."""


async def begin(tx: Tx, actor: Actor, kind: str, name: str, size: int) -> Upload:
    """Announce an upload of `size` bytes, which count from now on. Raises `Problem` 5011 (larger than allowed), 5012 (too
    many under way), 5017, 5018 (more than may be kept)."""
    limit = min(limits.PHOTO_BYTES if kind == PHOTO else limits.FILE_BYTES, await quota.largest(tx, actor.org_id))
    if size > limit:
        raise Problem(FILE_TOO_LARGE, field="Upload-Length", limit=limit)
    if await queries.unfinished(tx, actor.user_id) >= limits.UPLOADS:
        raise Problem(TOO_MANY_UPLOADS, limit=limits.UPLOADS)
    await quota.take(tx, actor, size)
    return await queries.insert(
        tx,
        new_id(tx.now),
        actor.org_id,
        actor.user_id,
        kind,
        display_name(name, NAMELESS),
        size,
        actor.zone,
        tx.now + limits.UPLOAD_LIVES,
    )


async def find(reader: Reader, actor: Actor, public_id: str) -> Upload:
    """One's own upload, in the zone where it was begun: what came in by two networks would have two origins.

    Raises `Problem` 5008.
    """
    upload = await queries.find(reader, actor.user_id, public_id) if is_id(public_id) else None
    if upload is None or upload.zone != actor.zone or upload.expires_at <= reader.now:
        raise Problem(UPLOAD_NOT_FOUND)
    return upload


async def went_on(tx: Tx, actor: Actor, public_id: str) -> int:
    """More of it is safe: it lives longer. Answers until when."""
    upload = await find(tx, actor, public_id)
    expires_at = tx.now + limits.UPLOAD_LIVES
    await queries.extend(tx, upload.id, expires_at)
    return expires_at


async def cancel(tx: Tx, actor: Actor, public_id: str) -> None:
    """It is not wanted any more. What it became, if it did, is an attachment now and stays. Raises `Problem` 5008."""
    await _drop(tx, await find(tx, actor, public_id))


async def _drop(tx: Tx, upload: Upload) -> None:
    await queries.remove(tx, upload.id)
    if upload.attachment is None:
        await quota.give_back(tx, upload.org_id, upload.uploader_id, upload.size)


async def outcome(reader: Reader, actor: Actor, upload: Upload) -> dict[str, Any] | None:
    """The attachment's wire form, None while there is none (any more)."""
    if upload.attachment is None:
        return None
    found = await attachments.waiting(reader, actor.user_id, upload.attachment)
    return None if found is None else found.wire


async def type_of(blobs: BlobStore, org_id: int, blob: Blob, name: str) -> str:
    """By the content; the name only tells apart what looks the same."""
    head = b""
    async with blobs.open(org_id, blob.sha256) as opened:
        async for piece in opened.pieces(0, min(HEAD_BYTES, blob.size)):
            head += piece
    return media_type(head, name)


async def finish_photo(tx: Tx, actor: Actor, public_id: str, prepared: Prepared, trust: Trust) -> dict[str, Any]:
    """The upload is whole and has become a photo. Once: whoever asks again gets what it became."""
    upload = await find(tx, actor, public_id)
    done = await outcome(tx, actor, upload)
    if done is not None:
        return done
    wire = await insert_photo(tx, actor, prepared, upload.name, trust)
    await queries.finish(tx, upload.id, wire["id"])
    return wire


async def finish_file(
    tx: Tx, actor: Actor, public_id: str, blob: Blob, type_: str, trust: Trust, *, inward: bool = False
) -> dict[str, Any]:
    """The upload is whole and has become a file; its previews are to be made, and, where there are more trusted zones than the one
    it came by (`inward`), a rebuilt copy for those. Once, like `finish_photo`."""
    upload = await find(tx, actor, public_id)
    done = await outcome(tx, actor, upload)
    if done is not None:
        return done
    wire = await _insert_file(tx, actor, upload.name, blob, type_, trust, inward=inward)
    await queries.finish(tx, upload.id, wire["id"])
    return wire


async def add_file(tx: Tx, actor: Actor, name: str, blob: Blob, type_: str, trust: Trust) -> dict[str, Any]:
    """A file that came in one piece, counted; it belongs to the actor until it is sent. Answers its wire form. Raises `Problem`
    5017, 5018."""
    await quota.take(tx, actor, blob.size)
    return await _insert_file(tx, actor, display_name(name, NAMELESS), blob, type_, trust)


async def _insert_file(
    tx: Tx, actor: Actor, name: str, blob: Blob, type_: str, trust: Trust, *, inward: bool = False
) -> dict[str, Any]:
    """Its rows; its previews are to be made."""
    await add_blob(tx, actor.org_id, blob, actor.zone, trust)
    public_id = new_id(tx.now)
    attachment_id = await attachments.insert(
        tx,
        NewAttachment(
            public_id=public_id,
            org_id=actor.org_id,
            uploader_id=actor.user_id,
            kind=FILE,
            name=name,
            media_type=type_,
            size=blob.size,
            width=None,
            height=None,
            color=None,
            taken_at=None,
            latitude=None,
            longitude=None,
            origin_zone=actor.zone,
        ),
    )
    original = NewRendition(ORIGINAL, blob, type_, None, None)
    await attachments.insert_rendition(tx, attachment_id, actor.org_id, original, POLICY_VERSION)
    await previews.expect(tx, attachment_id, actor.org_id, type_)
    if inward:
        await previews.expect_rebuilt(tx, attachment_id, actor.org_id, type_)
    added = await attachments.waiting(tx, actor.user_id, public_id)
    assert added is not None
    return added.wire


# Sweeping


async def expired(reader: Reader) -> list[Upload]:
    """The next whose time is over; none if that was all."""
    return await queries.expired(reader, STEP)


async def forget(tx: Tx, public_ids: Sequence[str]) -> int:
    """Remove those of them whose time is still over; answers how many."""
    going = [upload for upload in await queries.expired(tx, STEP) if upload.public_id in set(public_ids)]
    for upload in going:
        await _drop(tx, upload)
    return len(going)


async def unknown(reader: Reader, public_ids: Sequence[str]) -> list[str]:
    """Those whose bytes nobody waits for: cancelled, or an attachment already."""
    known = await queries.known(reader, public_ids) | await handed_files.known(reader, public_ids)
    return [public_id for public_id in public_ids if public_id not in known]
