"""Rooms that two organizations open to each other. Each side lets in its own people, and either may close.

The room has a home organization, whose retention and hold rule. Nobody sees anything of the other organization but the
members of the room.
"""

from __future__ import annotations

from typing import Any

from chat_server.domain import limits
from chat_server.domain import rooms as rules
from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    FORBIDDEN,
    ORGANIZATION_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_KIND_FORBIDS,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
    Problem,
)
from chat_server.domain.policy import allows
from chat_server.ports import Reader, Tx
from chat_server.services import audit
from chat_server.services.access import in_room
from chat_server.services.membership import Place, Who, enter, go
from chat_server.storage.queries import invitations, organizations, sharing


async def offer(tx: Tx, actor: Actor, room: str, organization: str) -> None:
    """An owner of a private room at home offers it to `organization` (its code); nothing passes until they open it.

    Raises `Problem` 3001, 3002, 3004, 3005, 2008 (policy), 6004.
    """
    standing = await in_room(tx, actor, room)
    if standing.kind != rules.PRIVATE:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    if standing.role != rules.OWNER or standing.org_id != actor.org_id:
        raise Problem(ROOM_NOT_OWNER, field="room")
    await _check_may_share(tx, actor)
    other = await sharing.organization(tx, organization)
    if other is None or other == actor.org_id:
        raise Problem(ORGANIZATION_NOT_FOUND, field="organization", organization=organization)
    if await sharing.state(tx, standing.room_id, other) in ("offered", "open"):
        return
    await sharing.set_state(tx, standing.room_id, other, "offered", actor.user_id)
    await audit.record_by(tx, actor, "room.offer", room, {"organization": organization})


async def offers(tx: Reader, actor: Actor) -> list[dict[str, Any]]:
    """Rooms offered to the actor's organization, for those who may open them. Raises `Problem` 2008."""
    await _check_may_share(tx, actor)
    return [
        {"id": room, "name": name, "topic": topic, "home": home, "at": at}
        for room, name, topic, home, at in await sharing.offered(tx, actor.org_id)
    ]


async def open_side(tx: Tx, actor: Actor, room: str) -> None:
    """Open the room on one's own side, and come in as its first member there; then invite the others.

    Opening twice is opening once. Raises `Problem` 3001 (not offered), 2008.
    """
    await _check_may_share(tx, actor)
    found = await sharing.room(tx, room)
    state = await sharing.state(tx, found[0], actor.org_id) if found else None
    if found is None or state not in ("offered", "open") or found[4] is not None:
        raise Problem(ROOM_NOT_FOUND, field="room")
    room_id, home, history, members, _ = found
    if state == "offered":
        await sharing.set_state(tx, room_id, actor.org_id, "open", actor.user_id)
        await audit.record_by(tx, actor, "room.open_side", room, {})
    if await in_it(tx, actor, room_id) is None:
        place = Place(room_id, room, home, history, members)
        await enter(tx, actor, place, Who(actor.user_id, actor.org_id, actor.id), rules.WRITER)


async def close_side(tx: Tx, actor: Actor, room: str) -> bool:
    """Close the room on one's own side: all of one's own people leave, at most 50 a call; true if some are left.

    Raises `Problem` 3001, 2008, 3005 (the home side archives instead).
    """
    await _check_may_share(tx, actor)
    found = await sharing.room(tx, room)
    state = await sharing.state(tx, found[0], actor.org_id) if found else None
    if found is None or state not in ("offered", "open", "closed", "home"):
        raise Problem(ROOM_NOT_FOUND, field="room")
    if state == "home":
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    room_id, home, history, members, _ = found
    if state != "closed":
        await sharing.set_state(tx, room_id, actor.org_id, "closed", actor.user_id)
        await audit.record_by(tx, actor, "room.close_side", room, {})
    rows = await sharing.members_of(tx, room_id, actor.org_id, limits.INVITE_AT_ONCE + 1)
    place = Place(room_id, room, home, history, members)
    for user_id, user, membership_id, role in rows[: limits.INVITE_AT_ONCE]:
        await go(tx, actor, place, Who(user_id, actor.org_id, user), membership_id, "removed", role)
    return len(rows) > limits.INVITE_AT_ONCE


async def in_it(tx: Reader, actor: Actor, room_id: int) -> int | None:
    """The actor's membership, if there is one."""
    row = await invitations.member(tx, room_id, actor.id)
    return int(row[2]) if row else None


async def _check_may_share(tx: Reader, actor: Actor) -> None:
    if actor.is_guest or not allows(await organizations.policy(tx, actor.org_id), "share_rooms", actor.roles):
        raise Problem(FORBIDDEN)
