"""Rooms that two organizations open to each other. Each side lets in its own people, and either may close.

The room has a home organization, whose retention and hold rule; only its people own the room. The other side comes in
by an offer, which is good for one opening: once either side has closed, or nobody of theirs is left, only another offer
lets them in again. Nobody sees anything of the other organization but the members of the room.
"""

from __future__ import annotations

from typing import Any, Final

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
from chat_server.domain.rooms import Standing
from chat_server.ports import Reader, Tx
from chat_server.services import audit
from chat_server.services.access import in_room
from chat_server.services.membership import Place, Who, enter, go
from chat_server.storage.queries import invitations, organizations, outbox, sharing
from chat_server.storage.queries.sharing import Shared

CLOSED_SIDE: Final = "closed_side"
"""The job of an outbox row: a room has people left whose side is closed."""


async def offer(tx: Tx, actor: Actor, room: str, organization: str) -> None:
    """An owner of a private room at home offers it to `organization` (its code); nothing passes until they open it.

    Raises `Problem` 3001, 3002, 3004, 3005, 2008 (policy), 6004.
    """
    standing = await _at_home(tx, actor, room)
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    await _check_may_share(tx, actor)
    other = await sharing.organization(tx, organization)
    if other is None or other == actor.org_id:
        raise Problem(ORGANIZATION_NOT_FOUND, field="organization", organization=organization)
    state = await sharing.state(tx, standing.room_id, other)
    if state == "offered" or (state == "open" and await sharing.anybody_of(tx, standing.room_id, other)):
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


async def sides(tx: Reader, actor: Actor, room: str) -> list[dict[str, Any]]:
    """The other organizations, for the owners at home: what they offered and what is open. Raises `Problem` 3001,
    3004, 3005."""
    standing = await _at_home(tx, actor, room)
    return [
        {"id": organization, "name": name, "state": state, "at": at}
        for organization, name, state, at in await sharing.sides(tx, standing.room_id)
    ]


async def open_side(tx: Tx, actor: Actor, room: str) -> None:
    """Take the offer, and come in as the first member of one's own side; then invite the others.

    Asked again by whoever is in the room it changes nothing. For everybody else an open room is like any private one:
    a member brings them in, and whom the home side removed does not come back by this. Raises `Problem` 3001, 2008,
    3011.
    """
    await _check_may_share(tx, actor)
    found = await sharing.room(tx, room)
    state = await sharing.state(tx, found.room_id, actor.org_id) if found else None
    if found is None or found.archived_at is not None or state not in ("offered", "open"):
        raise Problem(ROOM_NOT_FOUND, field="room")
    if state == "open":
        await in_room(tx, actor, room)
        return
    await sharing.set_state(tx, found.room_id, actor.org_id, "open", actor.user_id)
    await audit.record_by(tx, actor, "room.open_side", room, {})
    if await invitations.member(tx, found.room_id, actor.id) is None:
        await enter(tx, actor, _place(found), Who(actor.user_id, actor.org_id, actor.id), rules.WRITER)


async def close_side(tx: Tx, actor: Actor, room: str) -> None:
    """Close the room on one's own side, or decline the offer: all of one's own people leave.

    Raises `Problem` 3001, 2008, 3005 (the home side archives instead).
    """
    await _check_may_share(tx, actor)
    found = await sharing.room(tx, room)
    state = await sharing.state(tx, found.room_id, actor.org_id) if found else None
    if found is None or state is None:
        raise Problem(ROOM_NOT_FOUND, field="room")
    if state == "home":
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if state != "closed":
        await audit.record_by(tx, actor, "room.close_side", room, {})
        await _close(tx, actor, found.room_id, actor.org_id)


async def withdraw(tx: Tx, actor: Actor, room: str, organization: str) -> None:
    """An owner at home takes the offer back, or closes the room to `organization` (public id): its people leave.

    No policy is asked for, and an archived room can be taken back too: ending is not sharing. Raises `Problem` 3001,
    3004, 3005, 6004 (never offered to them).
    """
    standing = await _at_home(tx, actor, room)
    found = await sharing.other_side(tx, standing.room_id, organization)
    if found is None:
        raise Problem(ORGANIZATION_NOT_FOUND, field="organization", organization=organization)
    other, code, state = found
    if state != "closed":
        await audit.record_by(tx, actor, "room.withdraw", room, {"organization": code})
        await _close(tx, actor, standing.room_id, other)


async def empty_closed(tx: Tx, room_id: int) -> bool:
    """Take out people whose side is closed, 50 at once so that the writer stays free; true if some are left."""
    found = await sharing.leftovers(tx, room_id, limits.INVITE_AT_ONCE + 1)
    place = _place(await sharing.room_by_id(tx, room_id))
    for left in found[: limits.INVITE_AT_ONCE]:
        by, who = Who(left.by_id, left.by_org, left.by), Who(left.user_id, left.org_id, left.user)
        await go(tx, by, place, who, left.membership_id, "removed", left.role)
    return len(found) > limits.INVITE_AT_ONCE


async def _close(tx: Tx, actor: Actor, room_id: int, org_id: int) -> None:
    """From here on nobody of theirs comes in (`membership.enter`); whoever is still in after fifty follows by a job,
    which a crash does not lose."""
    await sharing.set_state(tx, room_id, org_id, "closed", actor.user_id)
    if await empty_closed(tx, room_id):
        await outbox.put(tx, actor.org_id, CLOSED_SIDE, room_id)


async def _at_home(tx: Reader, actor: Actor, room: str) -> Standing:
    """An owner of a private room, of its home organization. Raises `Problem` 3001, 3004, 3005."""
    standing = await in_room(tx, actor, room)
    if standing.kind != rules.PRIVATE:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if standing.role != rules.OWNER or standing.org_id != actor.org_id:
        raise Problem(ROOM_NOT_OWNER, field="room")
    return standing


def _place(shared: Shared) -> Place:
    return Place(shared.room_id, shared.room, shared.org_id, shared.history, shared.members)


async def _check_may_share(tx: Reader, actor: Actor) -> None:
    if actor.is_guest or not allows(await organizations.policy(tx, actor.org_id), "share_rooms", actor.roles):
        raise Problem(FORBIDDEN)
