"""Files that were in rooms before the server had a more trusted zone: they get rebuilt copies, too, piece by piece, the newest first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat_server.domain.ids import new_id
from chat_server.domain.zones import ORIGINAL, POLICY_VERSION
from chat_server.ports import Reader, Tx
from chat_server.services import inward, messages, rooms
from chat_server.services.blocks import Files
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.keys import SENDS
from chat_server.services.photo_upload import add_blob
from chat_server.storage.queries import attachments
from chat_server.storage.queries.attachments import NewAttachment, NewRendition
from chat_server.workers.inward import InwardWorker
from tests.unit.document_samples import pages, words
from tests.unit.test_disarming import House, house, programs

__all__ = ["house", "programs"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def in_a_room(house: House, content: bytes, zone: str, *, sent: bool = True) -> int:
    """A file as it was before there were rebuilt copies; answers its integer key."""
    incoming = house.app.blobs.receive()
    await incoming.write(content)
    blob = await house.app.blobs.keep(house.person.org_id, incoming)
    new = rooms.NewRoom(kind="private", name="前から")

    async def add(tx: Tx) -> int:
        public_id = new_id(tx.now)
        await add_blob(tx, house.person.org_id, blob, zone, house.app.settings.trust)
        key = await attachments.insert(
            tx,
            NewAttachment(
                public_id=public_id, org_id=house.person.org_id, uploader_id=house.person.user_id, kind="file", name="図面.pdf",
                media_type="application/pdf", size=blob.size, width=None, height=None, color=None, taken_at=None, latitude=None,
                longitude=None, origin_zone=zone,
            ),
        )  # fmt: skip
        original = NewRendition(ORIGINAL, blob, "application/pdf", None, None)
        await attachments.insert_rendition(tx, key, house.person.org_id, original, POLICY_VERSION)
        if sent:
            room = await rooms.create(tx, house.person, new)
            command = Send(ref=1, room=room, client_msg_id=f"before-{key:08d}", blocks=(Files((public_id,)),))
            await messages.send(tx, house.person, draft(command), house.app.keys.current(SENDS).secret)
        return key

    return await house.app.storage.write(add)


async def copies(house: House) -> dict[int, str]:
    async def read(reader: Reader) -> dict[int, str]:
        rows = await reader.all("SELECT attachment_id, state FROM renditions WHERE kind = 'sanitized'")
        return {int(row[0]): str(row[1]) for row in rows}

    return await house.app.storage.read(read)


async def test_what_was_there_before_is_rebuilt_once_in_pieces(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inward, "PIECE", 2)
    old, new, inside, unsent = (
        await in_a_room(house, pages(words("old")), "internet"),
        await in_a_room(house, pages(words("new")), "internet"),
        await in_a_room(house, pages(words("inside")), "lgwan"),
        await in_a_room(house, pages(words("unsent")), "internet", sent=False),
    )
    alone = replace(house.tools(), zones=("internet",))
    assert not await InwardWorker(house.app.storage, alone, house.app.settings.trust).work(), "one zone has no inside"
    worker = InwardWorker(house.app.storage, house.tools(), house.app.settings.trust)
    seen: list[dict[int, str]] = []
    while await worker.work():
        if not seen or seen[-1] != await copies(house):
            seen.append(await copies(house))
    assert seen[-1] == {old: "ready", new: "ready"}
    assert {old: "pending", new: "ready"} in seen, "the newest first"
    assert not {inside, unsent} & set(seen[-1])
    assert not await worker.work()
    assert await house.app.storage.read(lambda reader: inward.behind(reader, house.tools().zones)) is None
