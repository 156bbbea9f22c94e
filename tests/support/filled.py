"""A data folder with messages and photos in it, and the pieces of a backup of it, without a command line."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from chat_server.backup.checking import Snapshot
from chat_server.backup.database import SqliteSource
from chat_server.backup.folder import BackupFolder
from chat_server.backup.listing import Line
from chat_server.backup.polite import Pace
from chat_server.backup.restoring import DataTarget, Done, Restoring
from chat_server.backup.sealing import Identity, Seal
from chat_server.backup.sources import BlobFolder
from chat_server.backup.taking import Taken, Taking
from chat_server.blobs.filesystem import FileBlobs
from chat_server.clock import SystemClock
from chat_server.domain.actors import Actor
from chat_server.domain.devices import renewal_hash
from chat_server.ports import Photo, Tx
from chat_server.services import bots, epoch, keys, messages, outside_bots, rooms, scheduling, upload_links
from chat_server.services.blocks import Photos, Text
from chat_server.services.bots import Plugin
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.keys import Keys
from chat_server.services.photo_upload import Prepared, add_photo
from chat_server.storage.queries import handed_files, hooks, link_visits, nodes, push_renewals, push_tokens, uploads
from chat_server.storage.queries.attachments import NewRendition
from chat_server.storage.queries.push_tokens import NewToken
from chat_server.storage.sqlite.storage import SqliteStorage
from tests.support import engines, postgresql
from tests.support.people import add_people

PHOTO = Photo("image/jpeg", 40, 30, "#8899aa", None, None, None, ())
SECRET = "橋の下の合言葉"
"""Stands in every message."""


@dataclass
class Filled:
    """A data folder that nobody serves."""

    folder: Path
    person: Actor
    room: str
    photos: list[bytes] = field(default_factory=list)
    sent: int = 0
    repeat: int = 5000
    """what a photo's bytes are made of, so often"""

    def add(self, count: int, *, photos: int = 0) -> None:
        """More messages; the first `photos` of them with one."""
        asyncio.run(self._add(count, photos))

    async def _add(self, count: int, photos: int) -> None:
        storage, blobs = await SqliteStorage.open(self.folder, SystemClock()), FileBlobs(self.folder / "blobs")
        try:
            for n in range(count):
                block = Photos((await self._photo(storage, blobs),)) if n < photos else Text(f"{SECRET} {self.sent}")
                command = Send(ref=1, room=self.room, client_msg_id=f"filled-{self.sent:06d}", blocks=(block,))
                await storage.write(lambda tx, c=command: messages.send(tx, self.person, draft(c), b"k" * 32))  # type: ignore[misc]
                self.sent += 1
        finally:
            await storage.close()
            await blobs.close()

    async def _photo(self, storage: SqliteStorage, blobs: FileBlobs) -> str:
        self.photos.append(f"{SECRET} {len(self.photos)}".encode() * self.repeat)
        kept = [await blobs.keep_bytes(self.person.org_id, data) for data in (self.photos[-1], self.photos[-1][:100])]
        made = tuple(
            NewRendition(kind, blob, "image/jpeg", 40, 30)
            for kind, blob in zip(("original", "preview"), kept, strict=True)
        )
        prepared = Prepared(PHOTO, kept[0].size, made)
        return str(
            (await storage.write(lambda tx: add_photo(tx, self.person, prepared, "a.jpg", lambda zone: 0)))["id"]
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return rows(self.folder, sql)

    def blobs(self) -> dict[str, bytes]:
        """By organization and name."""
        return blobs_of(self.folder)


async def _link(tx: Tx, person: Actor, room: str) -> None:
    """One file of it is whole, the other one comes."""
    wanted = upload_links.Wanted("青葉 一郎", SECRET, tx.now + 86_400_000)
    link = await upload_links.ask(tx, person, room, wanted)
    await upload_links.give_address(tx, person, link["id"], upload_links.digest("link"))
    for visit in ("one", "two"):
        ends = tx.now + 86_400_000
        await link_visits.insert(tx, visit, person.org_id, 1, upload_links.digest(visit), "internet", ends)
    for number, name in enumerate(("whole.jpg", "coming.jpg"), 1):
        file = handed_files.NewFile(name, person.org_id, 1, 1, 1, name, 9, "internet", tx.now + 86_400_000)
        await handed_files.insert(tx, file)
        if number == 1:
            await handed_files.finish(tx, 1, "0" * 64, "0" * 64, tx.now + 86_400_000)


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """Of the database that belongs to the data folder."""
    if address := engines.database_of(folder):
        with ThreadPoolExecutor(1) as thread:  # whether or not a loop runs in this one
            return thread.submit(lambda: asyncio.run(_fetched(address, sql))).result()
    with closing(sqlite3.connect(f"file:{folder}/renraku.db?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


async def _fetched(address: str, sql: str) -> list[tuple[object, ...]]:
    connection = await postgresql.connect(address)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def blobs_of(folder: Path) -> dict[str, bytes]:
    root = folder / "blobs"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.glob("[0-9]*/*/*")}


def filled(folder: Path, *, messages: int = 20, photos: int = 3) -> Filled:
    """An organization with one person, signed in, and a sign-in under way; messages with and without photos; a job in the outbox; a message that
    should have been sent a moment ago; a bot that runs elsewhere; a webhook; an upload link with two visits, one of which brings files."""

    async def begin() -> Filled:
        storage = await SqliteStorage.open(folder, SystemClock())
        try:
            [person] = await add_people(storage, 1)
            await keys.prepare(storage, Keys())
            await epoch.stream_epoch(storage)
            new = rooms.NewRoom(kind="private", name="道路")

            async def make(tx: Tx) -> str:
                await tx.run("DELETE FROM outbox")
                room = await rooms.create(tx, person, new)
                ends = tx.now + 86_400_000
                for name in ("one.dwg", "two.dwg"):
                    await uploads.insert(tx, name, person.org_id, person.user_id, "file", name, 9, "lgwan", ends)
                await uploads.finish(tx, 1, "a" * 26)
                later = draft(Send(ref=1, room=room, client_msg_id="scheduled", blocks=(Text(SECRET),)))
                await scheduling.schedule(tx, person, later, tx.now + 3_600_000)
                await tx.run("UPDATE scheduled SET send_at = ?", tx.now - 1)
                bot, _ = await bots.add(tx, person.org_id, Plugin("weather", "天気係", "てんきがかり", ""))
                await outside_bots.give_token(tx, bot, "lgwan")
                key = await tx.one("SELECT id FROM rooms WHERE public_id = ?", room)
                assert key is not None
                await _link(tx, person, room)
                await hooks.insert(tx, "h" * 26, person.org_id, key[0], bot, person.user_id, "", b"salt")
                await tx.run(
                    "INSERT INTO refresh_tokens (token_hash, org_id, user_id, device_id, issued_at, expires_at)"
                    " VALUES ('r', ?, ?, ?, ?, ?)",
                    person.org_id, person.user_id, person.device_id, tx.now, ends,
                )  # fmt: skip
                await push_tokens.put(
                    tx, "p" * 26, person.org_id, person.user_id, person.device_id, NewToken("fcm", "abc")
                )
                await push_renewals.keep(tx, person.device_id, renewal_hash("of a worker"))
                await tx.run(
                    "INSERT INTO sign_ins (token_hash, account, device_name, zone, expires_at) VALUES ('s', 'a', 'd', 'lgwan', ?)",
                    ends,
                )
                await nodes.put(tx, "n1", "machine", "test", tx.now, 1)
                return room

            return Filled(folder, person, await storage.write(make))
        finally:
            await storage.close()

    made = asyncio.run(begin())
    made.add(messages, photos=photos)
    return made


class Silent:
    """`backup.sources.Progress` for nobody."""

    def begin(self, ja: str, en: str, size: int = 0) -> None:
        return

    def bytes(self, count: int) -> None:
        return


def back_up(data: Path, target: Path, seal: Seal | None = None, *, reread: bool = False) -> Taken:
    """As the command does, at full speed."""
    work = target.parent / "work"
    work.mkdir(exist_ok=True)
    return Taking(
        SqliteSource(data), BlobFolder(data / "blobs"), BackupFolder(target), seal or Seal(), Pace(), Silent(), "test",
        work, reread,
    ).run()  # fmt: skip


def restore(snapshot: Path, data: Path, identity: Identity | None = None) -> Done:
    """As the command does; faults are an AssertionError."""
    target = DataTarget(data)
    with target.locked():
        return restoring(snapshot, data, identity).run(found_whole(snapshot, data, identity))


def restoring(snapshot: Path, data: Path, identity: Identity | None = None) -> Restoring:
    return Restoring(Snapshot(snapshot, identity), DataTarget(data), Silent(), SystemClock(), Pace())


def found_whole(snapshot: Path, data: Path, identity: Identity | None = None) -> tuple[Line, ...]:
    """The check before a restore, which touches nothing."""
    checked = restoring(snapshot, data, identity).check()
    assert not checked.faults, checked.faults
    return tuple(checked.lost)
