"""Files of kind "file" in a server's database and store, made by the services without an upload."""

from __future__ import annotations

from pathlib import Path

from chat_server.app import App
from chat_server.blobs.filesystem import FileBlobs
from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import BlobStore, Storage, Tx
from chat_server.services import previews
from chat_server.services.photo_upload import add_blob
from chat_server.storage.queries import attachments, messages
from chat_server.storage.queries.attachments import NewAttachment, NewRendition


def path_of(app: App, org_id: int, sha256: str) -> Path:
    """The file of a blob in the data folder."""
    assert isinstance(app.blobs, FileBlobs)
    return app.blobs.path(org_id, sha256)


async def add_file(
    storage: Storage,
    blobs: BlobStore,
    person: Actor,
    content: bytes,
    media_type: str = "application/pdf",
    *,
    org_id: int | None = None,
    zone: str = "lgwan",
) -> tuple[int, str]:
    """An upload that is not sent yet, its previews pending; answers its integer key and its id."""
    org = org_id or person.org_id
    blob = await blobs.keep_bytes(org, content)

    async def add(tx: Tx) -> tuple[int, str]:
        await add_blob(tx, org, blob, zone, lambda zone: 0)
        new = NewAttachment(
            public_id=new_id(tx.now), org_id=org, uploader_id=person.user_id, kind="file", name="図面", size=blob.size,
            media_type=media_type, width=None, height=None, color=None, taken_at=None, latitude=None, longitude=None,
            origin_zone=zone,
        )  # fmt: skip
        key = await attachments.insert(tx, new)
        await attachments.insert_rendition(tx, key, org, NewRendition("original", blob, media_type, None, None), 1)
        await previews.expect(tx, key, org, media_type)
        return key, new.public_id

    return await storage.write(add)


async def attach(storage: Storage, message: str, *keys: int) -> None:
    """Make uploads part of a message that was sent."""

    async def bind(tx: Tx) -> None:
        stored = await messages.by_public_id(tx, message)
        assert stored is not None
        for position, key in enumerate(keys):
            assert await attachments.claim(
                tx, key, org_id=stored.org_id, room_id=stored.room_id, message_id=stored.id, position=position
            )

    await storage.write(bind)
