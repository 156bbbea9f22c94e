"""The room list of a person: unread counts, last message, mention flag, and what may be done there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat_server.domain import limits
from chat_server.domain import rooms as rules
from chat_server.domain.actors import Actor
from chat_server.domain.errors import ROOM_NOT_FOUND, Problem
from chat_server.ports import Reader
from chat_server.services.access import is_away
from chat_server.services.announcing import levels
from chat_server.storage.queries import room_list as queries
from chat_server.storage.queries.room_list import Listed

Wire = dict[str, Any]


async def rooms_of(tx: Reader, actor: Actor) -> list[Wire]:
    """docs/protocol.md, Room; the most recently written first."""
    listed = [
        room for room in await queries.of_person(tx, actor.user_id, limits.UNREAD_CAP) if not is_away(actor, room.kind)
    ]
    outsiders, may = await _outsiders(tx, listed), await _levels(tx, actor, listed)
    return [_wire(actor, room, outsiders.get(room.room_id, []), may.get(room.room_id)) for room in listed]


async def room_of(tx: Reader, actor: Actor, room: str) -> Wire:
    """One of them. Raises `Problem` 3001."""
    listed = await queries.one(tx, actor.user_id, room, limits.UNREAD_CAP)
    if listed is None or is_away(actor, listed.kind):
        raise Problem(ROOM_NOT_FOUND, field="room")
    outsiders, may = await _outsiders(tx, [listed]), await _levels(tx, actor, [listed])
    return _wire(actor, listed, outsiders.get(listed.room_id, []), may.get(listed.room_id))


async def _outsiders(tx: Reader, listed: Sequence[Listed]) -> dict[int, list[str]]:
    """Named in the header and at the composer: a post in the wrong room is what people fear most."""
    found: dict[int, list[str]] = {}
    shared = [room.room_id for room in listed if room.kind != rules.MEMO]
    for room_id, name in await queries.outsiders(tx, shared):
        found.setdefault(room_id, []).append(name)
    return found


async def _levels(tx: Reader, actor: Actor, listed: Sequence[Listed]) -> dict[int, list[str]]:
    """By room_id, of those where the actor may announce: few, whoever one is."""
    return {
        room.room_id: await levels(tx, actor, room.org_id)
        for room in listed
        if room.kind == rules.ANNOUNCEMENT
        and rules.can_post(room.kind, room.role, archived=room.archived_at is not None)
    }


def _wire(actor: Actor, room: Listed, outsiders: list[str], may: list[str] | None) -> Wire:
    kind, role, archived = room.kind, room.role, room.archived_at is not None
    can: Wire = {
        "post": rules.can_post(kind, role, archived=archived),
        "invite": rules.can_invite(kind, role, archived=archived) and not actor.is_guest,
        "manage": rules.can_manage(kind, role, archived=archived),
    }
    if may is not None:
        can["levels"] = may
    wire = {
        "id": room.room,
        "kind": kind,
        "name": room.other or room.name,
        "reading": room.reading,
        "topic": room.topic,
        "history": room.history,
        "outflow": room.outflow,
        "archived": archived,
        "members": room.members,
        "outsiders": outsiders,
        "role": role,
        "involvement": room.involvement,
        "head": room.head,
        "first": room.first,
        "read": room.read,
        "unread": room.unread,
        "mentioned": bool(room.mentioned) and room.involvement != "nothing",
        "last": _last(room),
        "can": can,
        "home": room.home,
    }
    if room.other_id is not None:
        wire["with"] = room.other_id
    return wire


def _last(room: Listed) -> Wire | None:
    """What stands under the room's name; nothing of what was redacted or may not be seen."""
    if room.last_seq is None or room.last_redacted_at is not None or room.last_seq < max(room.visible, room.first):
        return None
    return {"at": room.last_at, "author": room.last_author, "text": room.last_text}
