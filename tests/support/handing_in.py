"""Files that were handed in by a link, written straight into the tables, sealed as in earnest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from chat_server.app import App
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import bots, quarantine, rooms
from chat_server.services.bots import Plugin
from chat_server.services.photo_upload import add_blob

PLUGIN = Plugin("sanitizing_upload", "受け取り係", "うけとりがかり", "")


@dataclass
class Link:
    """One of a room of its own. `id`: its integer key."""

    app: App
    asker: Actor
    room: str
    room_id: int
    id: int
    public_id: str
    visit: int

    async def hand_in(self, content: bytes, name: str, zone: str = "internet") -> int:
        """A whole file that waits; answers its integer key."""
        app, public_id = self.app, new_id(self.app.clock.now())
        async with app.blobs.unfinished(public_id) as part:
            await part.write(content)
            await part.flush()
            sealed = await quarantine.seal(app.blobs, app.seals, app.keys, self.asker.org_id, part)
            await part.discard()
        assert sealed.received.sha256 == hashlib.sha256(content).hexdigest()

        async def add(tx: Tx) -> int:
            ends = await quarantine.ends(tx, self.asker.org_id)
            await add_blob(tx, self.asker.org_id, sealed.blob, zone, app.settings.trust)
            row = await tx.one(
                "INSERT INTO handed_files (public_id, org_id, link_id, visit_id, room_id, name, size, zone, state, sha256,"
                " sealed_sha256, due_at, created_at, expires_at, received_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ?) RETURNING id",
                public_id, self.asker.org_id, self.id, self.visit, self.room_id, name, len(content), zone,
                sealed.received.sha256, sealed.blob.sha256, tx.now, tx.now, ends, tx.now,
            )  # fmt: skip
            assert row is not None
            return int(row[0])

        return await app.storage.write(add)


async def add_link(app: App, asker: Actor, kinds: str = "") -> Link:
    """In a room of its own, with the account of the bot that tells of it."""
    new = rooms.NewRoom(kind="private", name="橋りょう点検")
    room = await app.storage.write(lambda tx: rooms.create(tx, asker, new))

    async def add(tx: Tx) -> Link:
        await bots.ensure(tx, PLUGIN)
        row = await tx.one("SELECT id FROM rooms WHERE public_id = ?", room)
        assert row is not None
        public_id, room_id = new_id(tx.now), int(row[0])
        link = await tx.one(
            "INSERT INTO upload_links (public_id, org_id, room_id, asker_id, recipient, company, purpose, most_files,"
            " most_bytes, kinds, is_once, created_at, ends_at) VALUES (?, ?, ?, ?, '山田 太郎', '山田建設', '点検写真', 10, ?, ?, 1,"
            " ?, ?) RETURNING id",
            public_id, asker.org_id, room_id, asker.user_id, 1 << 30, kinds, tx.now, tx.now + limits.DAY,
        )  # fmt: skip
        assert link is not None
        visit = await tx.one(
            "INSERT INTO link_visits (public_id, org_id, link_id, token_hash, zone, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, 'internet', ?, ?) RETURNING id",
            new_id(tx.now), asker.org_id, link[0], public_id.encode(), tx.now, tx.now + limits.DAY,
        )  # fmt: skip
        assert visit is not None
        return Link(app, asker, room, room_id, link[0], public_id, visit[0])

    return await app.storage.write(add)
