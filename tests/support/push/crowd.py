"""Rooms full of people with a phone each, straight into the tables: thousands of memberships in a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chat_server.app import App
from chat_server.domain.actors import Actor
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import messages
from chat_server.services.blocks import Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.keys import SENDS
from chat_server.storage.queries import organizations, push_tokens
from chat_server.storage.queries.push_tokens import NewToken
from tests.support.push.phones import Phone


@dataclass
class Crowd:
    """`rooms`: public id → integer key. Everybody is in each of them; `author` posts. Person n's token is `token-n`."""

    app: App
    author: Actor
    rooms: dict[str, int]
    phone: Phone
    posted: int = 0

    async def post(self, room: str) -> None:
        """Everybody is called."""
        self.posted += 1
        command = Send(ref=1, room=room, client_msg_id=f"crowd-{self.posted:08d}", blocks=(Text("<@everyone> 集合"),))
        key = self.app.keys.current(SENDS).secret
        await self.app.storage.write(lambda tx: messages.send(tx, self.author, draft(command), key))


async def crowd(
    app: App,
    people: int,
    rooms: int,
    code: str = "midorino",
    token: Callable[[int], NewToken] | None = None,
) -> Crowd:
    """`token`: of person n, in place of `token-n`."""
    phone = Phone("")

    async def make(tx: Tx) -> tuple[Actor, dict[str, int]]:
        public_id = new_id(tx.now)
        org_id = await organizations.insert(tx, public_id, code, "みどり野市")
        author, author_id, _ = await _person(tx, org_id, "author")
        everybody = [author_id]
        for number in range(people):
            _, user_id, device_id = await _person(tx, org_id, f"user{number}")
            phone.token = f"token-{number}"
            new = phone.new_token() if token is None else token(number)
            await push_tokens.put(tx, new_id(tx.now), org_id, user_id, device_id, new)
            everybody.append(user_id)
        made = {}
        for number in range(rooms):
            room = new_id(tx.now)
            made[room] = room_id = await _one(
                tx, "INSERT INTO rooms (public_id, org_id, kind, name, members, created_at) VALUES (?, ?, 'private', ?, ?, ?) RETURNING id",
                room, org_id, f"部屋{number}", len(everybody), tx.now,
            )  # fmt: skip
            for user_id in everybody:
                await tx.run(
                    "INSERT INTO memberships (org_id, room_id, user_id, role, outsider, from_seq, visible_seq,"
                    " visible_ordinal, joined_at) VALUES (?, ?, ?, 'member', 0, 1, 1, 0, ?)",
                    org_id, room_id, user_id, tx.now,
                )  # fmt: skip
        actor = Actor(
            user_id=author_id, org_id=org_id, device_id=1, id=author, device=new_id(tx.now), kind="member", name="担当",
            zone="lgwan", address="127.0.0.1",
        )  # fmt: skip
        return actor, made

    author, made = await app.storage.write(make)
    return Crowd(app, author, made, phone)


async def _person(tx: Tx, org_id: int, login: str) -> tuple[str, int, int]:
    public_id = new_id(tx.now)
    user_id = await _one(
        tx, "INSERT INTO users (public_id, org_id, kind, login, name, created_at) VALUES (?, ?, 'member', ?, ?, ?) RETURNING id",
        public_id, org_id, login, login, tx.now,
    )  # fmt: skip
    device_id = await _one(
        tx, "INSERT INTO devices (public_id, org_id, user_id, name, zone, address, created_at, seen_at, approved_at)"
        " VALUES (?, ?, ?, '端末', 'internet', '', ?, ?, ?) RETURNING id",
        new_id(tx.now), org_id, user_id, tx.now, tx.now, tx.now,
    )  # fmt: skip
    return public_id, user_id, device_id


async def _one(tx: Tx, sql: str, *values: str | int) -> int:
    row = await tx.one(sql, *values)
    assert row is not None
    return int(row[0])
