"""How people come into a room and leave it: the interval, the room's event, the person's own stream, the hub's effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import ORGANIZATION_NOT_OPEN, ROOM_FULL, Problem
from chat_server.domain.events import EVERYTHING, Joined, Left, RoomEvent
from chat_server.ports import Tx
from chat_server.services import own_stream
from chat_server.services.people import wire_person
from chat_server.services.rendering import pack
from chat_server.storage.queries import rooms, sharing


@dataclass(frozen=True, slots=True)
class Place:
    """The room, as far as membership needs it. `members` is the number before the act."""

    room_id: int
    room: str
    org_id: int
    history: str
    members: int


@dataclass(frozen=True, slots=True)
class Who:
    """The person who comes or goes."""

    user_id: int
    org_id: int
    id: str


async def enter(tx: Tx, actor: Actor | Who, place: Place, who: Who, role: str) -> int:
    """Begin an interval of membership; answers its seq. Raises `Problem` 3011, 3010.

    Every way in passes here: people of another organization than the room's home come in only while the room is open on
    their side, so that nobody whose side is being closed brings a colleague back.

    The person hears of the room before the room's event reaches them, so that no event belongs to an unknown room.
    `room_seq` in their own stream lets a node that reads both streams later keep that order.
    """
    if place.members >= limits.ROOM_MEMBERS:
        raise Problem(ROOM_FULL, limit=limits.ROOM_MEMBERS)
    if who.org_id != place.org_id and await sharing.state(tx, place.room_id, who.org_id) != "open":
        raise Problem(ORGANIZATION_NOT_OPEN, field="room")
    seq = await rooms.next_seq(tx, place.room_id)
    visible_seq = 1 if place.history == "all" else seq
    await rooms.add_member(tx, who.org_id, place.room_id, who.user_id, role, seq, visible_seq)
    await own_stream.append(tx, who.user_id, who.org_id, "room_gained", {"room": place.room, "room_seq": seq})
    visible = EVERYTHING if place.history == "all" else await rooms.intervals(tx, place.room_id, who.user_id)
    await _record(tx, actor, place, who, seq, "joined", role, Joined(who.user_id, visible))
    return seq


async def go(tx: Tx, actor: Actor | Who, place: Place, who: Who, membership_id: int, change: str, role: str) -> int:
    """End the interval: `change` is left or removed. Its own seq is the last that the person receives."""
    seq = await rooms.next_seq(tx, place.room_id)
    await rooms.end_membership(tx, membership_id, place.room_id, seq)
    await _record(tx, actor, place, who, seq, change, role, Left(who.user_id, who.id))
    await own_stream.append(tx, who.user_id, who.org_id, "room_lost", {"room": place.room, "room_seq": seq})
    return seq


async def change_role(tx: Tx, actor: Actor, place: Place, who: Who, membership_id: int, role: str) -> int:
    """The person stays; what they may do changes."""
    seq = await rooms.next_seq(tx, place.room_id)
    await rooms.set_role(tx, membership_id, role)
    await _record(tx, actor, place, who, seq, "role", role, None)
    return seq


async def _record(
    tx: Tx, actor: Actor | Who, place: Place, who: Who, seq: int, change: str, role: str, effect: Joined | Left | None
) -> None:
    data = {"user": who.id, "change": change, "role": role}
    await rooms.add_event(tx, place.room_id, seq, place.org_id, "membership", actor.user_id, data=pack(data))
    body: dict[str, Any] = {**data, "user": await wire_person(tx, who.user_id)}
    tx.emit(RoomEvent(place.room_id, place.room, seq, "membership", tx.now, actor.id, body, effect=effect))
