"""Filling a data folder before a server starts on it: `python -m bench.seed FOLDER SCENARIO COUNT [DATABASE]`.

People, rooms and messages come by the server's own services, and everybody gets a session and an access token as a
sign-in gives them; only the password is left out, because a thousand argon2 hashes take minutes and prove nothing.
Writes FOLDER/clients.txt for the load generator: a line a client, "TOKEN ROOM".
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.settings import settings, unhurried
from chat_server.app import App
from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import Blob, Tx
from chat_server.services import messages, rooms, sessions
from chat_server.services.actors import load_actor
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.epoch import stream_epoch
from chat_server.services.keys import SENDS
from chat_server.services.rooms import Invitation, NewRoom
from chat_server.storage.queries import departments, organizations, people, sign_in
from chat_server.storage.queries.people import NewUser

ZONE: Final = "lgwan"
_ADDRESS: Final = "127.0.0.1"
_INVITED_AT_ONCE: Final = 49
ROOM_MEMBERS: Final = 300
"""Of the rooms in somebody's list: what the list costs must not depend on them."""

BLOB_SIZES: Final = (4_000_000, 900_000, 300_000, 60_000, 12_000)
BLOB_BYTES_EACH: Final = 10_000
"""Bytes of files for each message of the archive: a million messages have 10 GB."""
POSTED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Someone:
    """A signed-in person."""

    actor: Actor
    token: str


class Seed:
    """One organization with a department, and what a scenario asks for."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._write = app.storage.write
        self._count = itertools.count(1)
        self.senders: list[Someone] = []

    async def begin(self) -> None:
        async def make(tx: Tx) -> tuple[int, str, int]:
            public_id = new_id(tx.now)
            org_id = await organizations.insert(tx, public_id, "bench", "計測市")
            division = await departments.insert(tx, new_id(tx.now), org_id, None, "10", "建設部", 1)
            section = await departments.insert(tx, new_id(tx.now), org_id, division, "1010", "道路課", 2)
            return org_id, public_id, section

        self._org_id, self._org, self._section = await self._write(make)

    async def password(self, someone: Someone, password: str) -> None:
        """Who signs in through the page needs one."""
        hashed = await self._app.passwords.hash(password)
        await self._write(lambda tx: sign_in.set_password(tx, someone.actor.org_id, someone.actor.user_id, hashed))

    async def people(self, count: int) -> list[Someone]:
        return list(await asyncio.gather(*(self._person(next(self._count)) for _ in range(count))))

    async def _person(self, number: int) -> Someone:
        async def make(tx: Tx) -> sessions.Granted:
            public_id = new_id(tx.now)
            new = NewUser(public_id, self._org_id, "member", f"user{number}", "計測 太郎", "けいそく たろう")
            user_id = await people.insert(tx, new)
            await departments.appoint(tx, self._org_id, user_id, self._section, "main", "主事", 50, 0, None)
            return await sessions.begin(
                tx, user_id=user_id, org_id=self._org_id, user=public_id, org=self._org, ends_at=None,
                device_name="計測用端末", zone=ZONE, address=_ADDRESS,
            )  # fmt: skip

        token = (await self._write(make)).session(self._app.tokens).access_token
        claims = self._app.tokens.verify_access(token, ZONE)
        return Someone(await self._app.storage.read(lambda tx: load_actor(tx, claims, _ADDRESS, "lgwan")), token)

    async def room(self, members: Sequence[Someone]) -> str:
        """A private room; the first member owns it."""
        owner = members[0].actor
        room = await self._write(lambda tx: rooms.create(tx, owner, NewRoom("private", "道路課 現場連絡")))
        for begin in range(1, len(members), _INVITED_AT_ONCE):
            invited = Invitation(tuple(member.actor.id for member in members[begin : begin + _INVITED_AT_ONCE]))
            await self._write(self._invite(owner, room, invited))
        return room

    def _invite(self, owner: Actor, room: str, invited: Invitation) -> Callable[[Tx], Awaitable[object]]:
        return lambda tx: rooms.invite(tx, owner, room, invited)

    async def post(self, author: Someone, room: str) -> None:
        command = Send(
            ref=1, room=room, client_msg_id=f"seed-{next(self._count):08d}",
            blocks=(Text("橋の点検が終わりました。写真は午後に送ります。"),),
        )  # fmt: skip
        key = self._app.keys.current(SENDS).secret
        await self._write(lambda tx: messages.send(tx, author.actor, draft(command), key))

    async def blobs(self, size: int) -> None:
        """Files of `size` bytes altogether, as photos and drawings with their renditions have them."""

        async def row(tx: Tx, blob: Blob) -> None:
            await tx.run(
                "INSERT INTO blobs (org_id, sha256, size, origin_zone, created_at) VALUES (?, ?, ?, ?, ?)",
                self._org_id, blob.sha256, blob.size, ZONE, tx.now,
            )  # fmt: skip

        sizes = itertools.cycle(BLOB_SIZES)
        while size > 0:
            blob = await self._app.blobs.keep_bytes(self._org_id, os.urandom(min(size, next(sizes))))
            await self._write(partial(row, blob=blob))
            size -= blob.size

    async def workers_done(self) -> None:
        """Nothing is left of what workers do about messages: a server that begins on it is at rest."""
        while await self._app.outbox.expand():
            pass
        await self._app.index.belong(await stream_epoch(self._app.storage))
        while await self._app.indexer.step():
            pass


Lines = list[tuple[str, str]]
"""(token, room) a client."""


async def one_room(seed: Seed, count: int) -> Lines:
    """Everybody in one room."""
    everybody = await seed.people(count)
    room = await seed.room(everybody)
    return [(someone.token, room) for someone in everybody]


async def senders(seed: Seed, count: int) -> Lines:
    """`count` senders, each in a room of three; the other two are not connected."""
    everybody = await seed.people(count * 3)
    groups = [everybody[begin : begin + 3] for begin in range(0, len(everybody), 3)]
    found = await asyncio.gather(*map(seed.room, groups))
    seed.senders += [group[0] for group in groups]
    return [(group[0].token, room) for group, room in zip(groups, found, strict=True)]


async def _mixed(seed: Seed, everybody: list[Someone], rooms_each: int, size: int) -> None:
    """Every person in `rooms_each` rooms of `size`, each time with other people."""
    groups = []
    for _ in range(rooms_each):
        everybody = everybody[::2] + everybody[1::2]
        groups += [everybody[begin : begin + size] for begin in range(0, len(everybody), size)]
    await asyncio.gather(*map(seed.room, groups))


async def idle(seed: Seed, count: int) -> Lines:
    """`count` people in 20 rooms each."""
    everybody = await seed.people(count)
    await _mixed(seed, everybody, 20, 50)
    return [(someone.token, "-") for someone in everybody]


async def storm(seed: Seed, count: int) -> Lines:
    """A bystander in a room of three, then `count` people in five rooms each."""
    bystander, *others = await seed.people(3)
    room = await seed.room([bystander, *others])
    everybody = await seed.people(count)
    await _mixed(seed, everybody, 5, 50)
    return [(bystander.token, room), *((someone.token, "-") for someone in everybody)]


async def archive(seed: Seed, count: int) -> Lines:
    """`count` messages of 50 people, each in a room of three, and 10 kB of files for each message."""
    lines = await senders(seed, 50)
    groups = list(zip(seed.senders, (room for _, room in lines), strict=True))
    for begin in range(0, count, POSTED_AT_ONCE):
        some = [groups[number % len(groups)] for number in range(begin, min(count, begin + POSTED_AT_ONCE))]
        await asyncio.gather(*(seed.post(author, room) for author, room in some))
    await seed.blobs(count * BLOB_BYTES_EACH)
    await seed.workers_done()
    return lines


READER_PASSWORD: Final = "keisoku-no-tame-0923"


async def page(seed: Seed, count: int) -> Lines:
    """A reader with a password, `user1`, in `count` rooms with ten others and 120 messages each, all of them read but
    for the last; the others write. A line a room, its owner's."""
    reader, *others = await seed.people(11)
    await seed.password(reader, READER_PASSWORD)
    found = [await seed.room([owner, reader, *_but(others, owner)]) for owner in (others * count)[:count]]
    for room in found:
        for number in range(120):
            await seed.post(others[number // 2 % len(others)], room)
    return [(owner.token, room) for owner, room in zip(others * count, found, strict=False)]


def _but(people: Sequence[Someone], one: Someone) -> list[Someone]:
    return [someone for someone in people if someone is not one]


async def room_list(seed: Seed, count: int) -> Lines:
    """One person in `count` rooms of ROOM_MEMBERS, 30 messages in each, none of them read."""
    reader, *others = await seed.people(ROOM_MEMBERS)
    found = await asyncio.gather(*(seed.room([owner, reader, *_but(others, owner)]) for owner in others[:count]))
    for _ in range(30):
        await asyncio.gather(*(seed.post(owner, room) for owner, room in zip(others, found, strict=False)))
    return [(reader.token, "-")]


SCENARIOS: Final[dict[str, Callable[[Seed, int], Awaitable[Lines]]]] = {
    "one_room": one_room,
    "senders": senders,
    "idle": idle,
    "storm": storm,
    "room_list": room_list,
    "archive": archive,
    "page": page,
}


async def fill(folder: Path, scenario: str, count: int, database: str = "") -> None:
    """Seed `folder` and write its clients.txt."""
    app = await App.open(settings(folder, database), workers=False)
    try:
        seed = Seed(app)
        await seed.begin()
        lines = await SCENARIOS[scenario](seed, count)
    finally:
        await app.close()
    (folder / "clients.txt").write_text("".join(f"{token} {room}\n" for token, room in lines))


if __name__ == "__main__":
    unhurried()
    asyncio.run(fill(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
