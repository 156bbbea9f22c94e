"""Two invented organizations in a running server, and people with a session each, made past the slow sign-in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from chat_server.domain.actors import DEPARTMENT_ADMIN, Actor
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import bots, messages, rooms, sessions
from chat_server.services.actors import load_actor
from chat_server.services.answers import Ack
from chat_server.services.blocks import Block, Text
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.keys import SENDS
from chat_server.services.rooms import Invitation, NewRoom
from chat_server.storage.queries import departments, organizations, people
from chat_server.storage.queries.people import NewUser
from tests.support.server import RunningServer

T = TypeVar("T")
ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Org:
    id: int
    public_id: str
    code: str
    name: str


@dataclass(frozen=True)
class Someone:
    """A signed-in person: who they are, and their access token."""

    actor: Actor
    token: str

    @property
    def id(self) -> str:
        return self.actor.id


@dataclass
class World:
    """Makes organizations, people, rooms and messages by the services, without HTTP.

    Each in a transaction of its own, or all in one that the caller gives as `tx`: a commit waits for the disk.
    """

    server: RunningServer
    made: int = field(default=0)

    async def _do(self, tx: Tx | None, act: Callable[[Tx], Awaitable[T]]) -> T:
        return await (act(tx) if tx is not None else self.server.app.storage.write(act))

    async def organization(self, code: str, name: str, *, tx: Tx | None = None) -> Org:
        async def make(tx: Tx) -> Org:
            public_id = new_id(tx.now)
            org = Org(await organizations.insert(tx, public_id, code, name), public_id, code, name)
            for plugin in self.server.app.plugins:
                # as its worker would a moment later, in the midst of what a test looks at
                await bots.ensure(tx, plugin)
            return org

        return await self._do(tx, make)

    async def person(
        self,
        org: Org,
        name: str = "高橋 健",
        *,
        kind: str = "member",
        role: str | None = None,
        zone: str = "lgwan",
        password: str | None = None,
        ends_at: int | None = None,
        login: str | None = None,
        tx: Tx | None = None,
    ) -> Someone:
        self.made += 1
        login = login or f"user{self.made}"
        hashed = await self.server.app.passwords.hash(password) if password else None

        async def make(tx: Tx) -> Someone:
            public_id = new_id(tx.now)
            user_id = await people.insert(
                tx,
                NewUser(public_id, org.id, kind, login, name, "たかはし けん", password_hash=hashed, ends_at=ends_at),
            )
            if role:
                await people.grant(tx, org.id, user_id, role, 0)
            return await self._sign_in(tx, org, user_id, public_id, zone, ends_at)

        return await self._do(tx, make)

    async def another_device(self, org: Org, someone: Someone, zone: str, *, tx: Tx | None = None) -> Someone:
        """The same person, signed in by another zone."""

        async def make(tx: Tx) -> Someone:
            return await self._sign_in(tx, org, someone.actor.user_id, someone.id, zone, None)

        return await self._do(tx, make)

    async def _sign_in(self, tx: Tx, org: Org, user_id: int, public_id: str, zone: str, ends_at: int | None) -> Someone:
        granted = await sessions.begin(
            tx, user_id=user_id, org_id=org.id, user=public_id, org=org.public_id, ends_at=ends_at,
            device_name="端末", zone=zone, address=ADDRESS,
        )  # fmt: skip
        token = granted.session(self.server.app.tokens).access_token
        claims = self.server.app.tokens.verify_access(token, zone)
        return Someone(await load_actor(tx, claims, ADDRESS, "lgwan"), token)

    async def department(self, org: Org, name: str, above: int | None = None, *, tx: Tx | None = None) -> int:
        """Its integer key; `above`: of the department it belongs to."""
        self.made += 1
        code, position = f"d{self.made}", self.made
        return await self._do(
            tx, lambda tx: departments.insert(tx, new_id(tx.now), org.id, above, code, name, position)
        )

    async def appoint(
        self, someone: Someone, department: int, kind: str = "main", *, starts_at: int = 0, ends_at: int | None = None,
        tx: Tx | None = None,
    ) -> None:  # fmt: skip
        who = someone.actor
        await self._do(
            tx,
            lambda tx: departments.appoint(
                tx, who.org_id, who.user_id, department, kind, "主事", 70, starts_at, ends_at
            ),
        )

    async def put_in_charge(self, someone: Someone, department: int, *, tx: Tx | None = None) -> None:
        """As its department administrator."""
        who = someone.actor
        await self._do(tx, lambda tx: people.grant(tx, who.org_id, who.user_id, DEPARTMENT_ADMIN, department))

    async def room(
        self, owner: Someone, *members: Someone, kind: str = "private", history: str = "all", tx: Tx | None = None
    ) -> str:
        new = msgspec.convert({"kind": kind, "name": "道路課 現場連絡", "history": history}, NewRoom)

        async def make(tx: Tx) -> str:
            room = await rooms.create(tx, owner.actor, new)
            if members:
                await rooms.invite(tx, owner.actor, room, Invitation(tuple(member.id for member in members)))
            return room

        return await self._do(tx, make)

    async def post(self, author: Someone, room: str, *blocks: Block, tx: Tx | None = None) -> Ack:
        self.made += 1
        command = Send(
            ref=1, room=room, client_msg_id=f"world-{self.made:08d}", blocks=blocks or (Text("確認しました。"),)
        )
        key = self.server.app.keys.current(SENDS).secret
        return await self._do(tx, lambda tx: messages.send(tx, author.actor, draft(command), key))

    async def recorded(self, org: Org, act: str) -> list[tuple[str, str, dict[str, Any]]]:
        """(actor, target, detail) of every row of the audit trail about `act`, the oldest first."""
        rows = await self.server.app.storage.read(
            lambda reader: reader.all(
                "SELECT actor, target, detail FROM audit WHERE org_id = ? AND act = ? ORDER BY seq", org.id, act
            )
        )
        return [(str(actor), str(target), json.loads(detail)) for actor, target, detail in rows]
