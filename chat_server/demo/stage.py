"""Carries out the story through the services: every act is one that a person could do, at the time it happened."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from chat_server.demo import script
from chat_server.demo.story import (
    MENTION,
    Act,
    Archive,
    Enter,
    Hide,
    Involved,
    Keep,
    Moment,
    Open,
    PinIt,
    Reaction,
    ReadTo,
    Rewrite,
    Say,
    people,
)
from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.ports import Row, Tx, Value
from chat_server.services import changing, messages, reading, rooms, sharing
from chat_server.services.blocks import Block, Photos, Text
from chat_server.services.commands import Bookmark, Edit, Involve, Pin, React, Read, Redact, Send
from chat_server.services.drafts import draft
from chat_server.services.photo_upload import Prepared, Trust, add_photo
from chat_server.services.rooms import Invitation, MemberRole, NewRoom, RoomChange

_REF: Final = 1
"""Nobody waits for an answer."""


class Then:
    """A transaction that happens at another time. What it would tell the hub is dropped: nobody is connected yet."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.now = tx.now

    async def one(self, sql: str, *values: Value) -> Row | None:
        return await self._tx.one(sql, *values)

    async def all(self, sql: str, *values: Value) -> Sequence[Row]:
        return await self._tx.all(sql, *values)

    async def run(self, sql: str, *values: Value) -> int:
        return await self._tx.run(sql, *values)

    def emit(self, note: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Troupe:
    """Who takes part, and what they bring.

    `actors` by the story's names (`tanaka`, `kazamihara:takagi`); `staff`: the city's own, for rooms that hold
    everyone; `sections`: public ids of departments by code; `photos` by the story's names.
    """

    actors: Mapping[str, Actor]
    staff: tuple[str, ...]
    sections: Mapping[str, str]
    photos: Mapping[str, Prepared]
    file_names: Mapping[str, str]


@dataclass(slots=True)
class _Said:
    """A message that was sent: what later acts need of it."""

    id: str
    seq: int
    photos: tuple[str, ...]


class Stage:
    """One performance, within one transaction."""

    def __init__(self, tx: Tx, troupe: Troupe, body_key: bytes, trust: Trust) -> None:
        self._tx = Then(tx)
        self._troupe = troupe
        self._body_key = body_key
        self._trust = trust
        self._rooms: dict[int, str] = {}
        self._said: dict[str, _Said] = {}

    async def perform(self, moments: Sequence[Moment]) -> None:
        """Everything, in order. Raises `domain.errors.Problem` where the story asks for what is not allowed."""
        for moment in moments:
            self._tx.now = moment.at
            await self._act(moment.act)

    async def _act(self, act: Act) -> None:
        if isinstance(act, Say):
            return await self._say(act)
        if isinstance(act, Open):
            self._rooms[act.room] = await self._open(act.script)
            return None
        actor = self._troupe.actors[act.by]
        await self._doing(act)(self._tx, actor)
        return None

    def _doing(
        self, act: Enter | Rewrite | Hide | Reaction | PinIt | Keep | ReadTo | Involved | Archive
    ) -> Callable[[Tx, Actor], Awaitable[Any]]:
        if isinstance(act, Enter):
            room, invitation = self._rooms[act.room], Invitation((self._troupe.actors[act.who].id,))
            return lambda tx, actor: rooms.invite(tx, actor, room, invitation)
        if isinstance(act, Archive):
            room = self._rooms[act.room]
            return lambda tx, actor: rooms.change(tx, actor, room, RoomChange(archived=True))
        if isinstance(act, Involved):
            level = cast(Literal["nothing", "mentions"], act.level)
            involve = Involve(ref=_REF, room=self._rooms[act.room], involvement=level)
            return lambda tx, actor: reading.involve(tx, actor, involve)
        said = self._said[act.message]
        if isinstance(act, ReadTo):
            read = Read(ref=_REF, room=self._rooms[act.room], upto=said.seq)
            return lambda tx, actor: reading.read(tx, actor, read)
        if isinstance(act, Rewrite):
            edit = Edit(ref=_REF, message=said.id, version=1, blocks=self._blocks(act.text, said.photos))
            return lambda tx, actor: changing.edit(tx, actor, draft(edit))
        if isinstance(act, Hide):
            redact = Redact(ref=_REF, message=said.id, how=cast(Literal["redacted", "cancelled"], act.how))
            return lambda tx, actor: changing.redact(tx, actor, redact)
        if isinstance(act, Reaction):
            react = React(ref=_REF, message=said.id, key=act.key, on=True)
            return lambda tx, actor: changing.react(tx, actor, react)
        if isinstance(act, PinIt):
            pin = Pin(ref=_REF, message=said.id, on=True)
            return lambda tx, actor: changing.pin(tx, actor, pin)
        bookmark = Bookmark(ref=_REF, message=said.id, on=True)
        return lambda tx, actor: changing.bookmark(tx, actor, bookmark)

    # Messages

    async def _say(self, act: Say) -> None:
        actor = self._troupe.actors[act.by]
        photos = tuple([await self._upload(actor, name) for name in act.photos])
        command = Send(
            ref=_REF,
            room=self._rooms[act.room],
            client_msg_id=f"demo-{len(self._said):06d}",
            blocks=self._blocks(act.text, photos),
            quote=self._said[act.quote].id if act.quote else None,
        )
        ack = await messages.send(self._tx, actor, draft(command), self._body_key)
        assert ack.id is not None
        assert ack.seq is not None
        self._said[act.message] = _Said(ack.id, ack.seq, photos)

    async def _upload(self, actor: Actor, name: str) -> str:
        file_name = self._troupe.file_names[name]
        wire = await add_photo(self._tx, actor, self._troupe.photos[name], file_name, self._trust)
        return str(wire["id"])

    def _blocks(self, text: str, photos: tuple[str, ...]) -> tuple[Block, ...]:
        words: tuple[Block, ...] = (Text(MENTION.sub(self._mention, text)),) if text else ()
        return words + ((Photos(photos),) if photos else ())

    def _mention(self, match: re.Match[str]) -> str:
        is_section, name = match[1], match[2]
        if is_section:
            return f"<@department:{self._troupe.sections[name]}>"
        if name == "everyone":
            return match[0]
        return f"<@user:{self._troupe.actors[name].id}>"

    # Rooms

    async def _open(self, room: script.Room) -> str:
        late = {join.who for day in room.day for join in day.joins}
        logins = [login for login in people(room, self._troupe.staff) if login not in late]
        first = self._troupe.actors[logins[0]]
        if room.kind == "direct":
            return await rooms.direct(self._tx, first, self._troupe.actors[logins[1]].id)
        if room.kind == "memo":
            return await rooms.ensure_memo(self._tx, first)
        new = NewRoom(kind=room.kind, name=room.name, topic=room.topic, reading=room.reading, history=room.history)
        public_id = await rooms.create(self._tx, first, new)
        owners = room.owners.split()
        await self._bring(public_id, first, owners[1:], "owner")
        ours = [login for login in logins if login not in owners and ":" not in login]
        await self._bring(public_id, first, ours, "member")
        if room.shared_with is not None:
            theirs = [login for login in logins if login.startswith(f"{room.shared_with}:")]
            await self._share(public_id, room.shared_with, owners, theirs)
        return public_id

    async def _bring(self, room: str, actor: Actor, logins: Sequence[str], role: MemberRole) -> None:
        for begin in range(0, len(logins), limits.INVITE_AT_ONCE):
            some = tuple(self._troupe.actors[login].id for login in logins[begin : begin + limits.INVITE_AT_ONCE])
            await rooms.invite(self._tx, actor, room, Invitation(some, role))

    async def _share(self, room: str, organization: str, owners: Sequence[str], theirs: Sequence[str]) -> None:
        """Our administrator offers the room, theirs opens it and brings the others in."""
        ours = next(self._troupe.actors[login] for login in owners if self._troupe.actors[login].is_organization_admin)
        opener = next(login for login in theirs if self._troupe.actors[login].is_organization_admin)
        await sharing.offer(self._tx, ours, room, organization)
        await sharing.open_side(self._tx, self._troupe.actors[opener], room)
        await self._bring(room, self._troupe.actors[opener], [who for who in theirs if who != opener], "member")
