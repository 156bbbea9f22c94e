"""Rooms: making, joining, inviting, leaving, changing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from chat_server.domain import limits
from chat_server.domain import rooms as rules
from chat_server.domain.actors import GUEST, MEMBER, Actor
from chat_server.domain.errors import (
    FORBIDDEN,
    GUEST_NOT_ALLOWED,
    INVALID_FIELD,
    LAST_OWNER,
    MEMBER_NOT_FOUND,
    OUTFLOW_OUTSIDE,
    OWNER_IS_HOME,
    PERSON_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_KIND_FORBIDS,
    ROOM_KIND_NOT_ALLOWED,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
    Problem,
)
from chat_server.domain.events import RoomEvent
from chat_server.domain.ids import new_id
from chat_server.domain.policy import allows
from chat_server.domain.rooms import Standing
from chat_server.domain.zones import widens
from chat_server.ports import Reader, Tx
from chat_server.services import audit, kana
from chat_server.services.access import check_can_manage, in_room
from chat_server.services.blocks import Id, clean_text
from chat_server.services.membership import Place, Who, change_role, enter, go
from chat_server.storage.queries import invitations, organizations, rooms

Users = Annotated[tuple[Id, ...], msgspec.Meta(max_length=limits.INVITE_AT_ONCE)]
MemberRole = Literal["owner", "member", "read_only"]
Outflow = Literal["text", "view", "approve", "download"]
"""See `domain.zones.OUTFLOWS`."""


class NewRoom(msgspec.Struct, frozen=True):
    """A room to make: up to 50 members at once, more by inviting."""

    kind: Literal["private", "open", "announcement"]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)]
    topic: Annotated[str, msgspec.Meta(max_length=limits.TOPIC_CHARS)] = ""
    reading: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS)] = ""
    history: Literal["all", "joined"] = "all"
    members: Users = ()


class RoomChange(msgspec.Struct, frozen=True):
    """What is absent stays."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARS)] | None = None
    topic: Annotated[str, msgspec.Meta(max_length=limits.TOPIC_CHARS)] | None = None
    reading: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS)] | None = None
    history: Literal["all", "joined"] | None = None
    outflow: Outflow | None = None
    archived: bool | None = None


class Invitation(msgspec.Struct, frozen=True):
    users: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=limits.INVITE_AT_ONCE)]
    role: MemberRole = "member"


async def create(tx: Tx, actor: Actor, new: NewRoom) -> str:
    """Make a room and bring its first members in; answers its public id.

    Raises `Problem` 3009 (guest), 3008 (kind not allowed by policy), 2001 (reading), 6001 (a member who is not there).
    """
    if actor.is_guest:
        raise Problem(GUEST_NOT_ALLOWED)
    if not allows(await organizations.policy(tx, actor.org_id), f"create_{new.kind}", actor.roles):
        raise Problem(ROOM_KIND_NOT_ALLOWED, field="kind")
    name, reading = _name(new.name), kana.room_reading(new.reading)
    public_id = new_id(tx.now)
    room_id = await rooms.create(
        tx, public_id, actor.org_id, new.kind, name, clean_text(new.topic), new.history, None, actor.user_id, reading
    )
    members = 0
    place = Place(room_id, public_id, actor.org_id, new.history, members)
    await enter(tx, actor, place, Who(actor.user_id, actor.org_id, actor.id), rules.OWNER)
    standing = await in_room(tx, actor, public_id)
    for user in dict.fromkeys(new.members):
        if user != actor.id:
            await _bring_in(tx, actor, standing, user, rules.WRITER)
    await audit.record_by(tx, actor, "room.create", public_id, {"kind": new.kind})
    return public_id


async def direct(tx: Tx, actor: Actor, user: str) -> str:
    """The direct room with `user` of one's own organization, made if need be. Raises `Problem` 3009, 6001."""
    other = await invitations.colleague(tx, actor.org_id, user)
    if other is None or other.user_id == actor.user_id:
        raise Problem(PERSON_NOT_FOUND, field="user")
    key = rules.direct_key(actor.user_id, other.user_id)
    existing = await rooms.by_key(tx, key)
    if existing is not None:
        return existing
    if actor.is_guest:
        raise Problem(GUEST_NOT_ALLOWED)
    public_id = new_id(tx.now)
    room_id = await rooms.create(tx, public_id, actor.org_id, rules.DIRECT, "", "", "all", key, actor.user_id)
    place = Place(room_id, public_id, actor.org_id, "all", 0)
    await enter(tx, actor, place, Who(actor.user_id, actor.org_id, actor.id), rules.WRITER)
    await enter(tx, actor, place, Who(other.user_id, actor.org_id, user), rules.WRITER)
    return public_id


async def welcome(tx: Tx, who: Who) -> None:
    """What a member has from the first sign-in on; guests and bots have the rooms that they are named in."""
    if await invitations.kind_of(tx, who.user_id) == MEMBER:
        await ensure_memo(tx, who)


async def ensure_memo(tx: Tx, owner: Actor | Who) -> str:
    """Somebody's own room, made once; answers its public id."""
    key = rules.memo_key(owner.user_id)
    existing = await rooms.by_key(tx, key)
    if existing is not None:
        return existing
    public_id = new_id(tx.now)
    room_id = await rooms.create(tx, public_id, owner.org_id, rules.MEMO, "メモ帳", "", "all", key, owner.user_id)
    place = Place(room_id, public_id, owner.org_id, "all", 0)
    await enter(tx, owner, place, Who(owner.user_id, owner.org_id, owner.id), rules.OWNER)
    return public_id


async def join(tx: Tx, actor: Actor, room: str) -> None:
    """Anyone of the organization but guests joins an open room. Joining twice is joining once. Raises `Problem` 3001."""
    if actor.is_guest:
        raise Problem(ROOM_NOT_FOUND, field="room")
    if await rooms.standing(tx, actor.user_id, room) is not None:
        return
    found = await rooms.open_room(tx, actor.org_id, room)
    if found is None:
        raise Problem(ROOM_NOT_FOUND, field="room")
    room_id, history, members = found
    place = Place(room_id, room, actor.org_id, history, members)
    await enter(tx, actor, place, Who(actor.user_id, actor.org_id, actor.id), rules.WRITER)


async def invite(tx: Tx, actor: Actor, room: str, invitation: Invitation) -> None:
    """Bring people in; those who are members already stay as they are.

    Raises `Problem` 3001, 3002, 3004 (only owners give a role above one's own, or invite to announcements), 3005
    (direct, memo), 3009, 6001, 3010 (closed on one's own side), 3011.
    """
    standing = await in_room(tx, actor, room)
    _check_can_invite(actor, standing, invitation.role)
    for user in dict.fromkeys(invitation.users):
        await _bring_in(tx, actor, await in_room(tx, actor, room), user, invitation.role)


async def leave(tx: Tx, actor: Actor, room: str) -> None:
    """Raises `Problem` 3001, 3005 (direct, memo), 3006 (last owner of a room with others in it)."""
    standing = await in_room(tx, actor, room)
    if standing.kind in rules.FIXED:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    await _keep_an_owner(tx, standing, standing.role)
    who = Who(actor.user_id, actor.org_id, actor.id)
    await go(tx, actor, _place(standing), who, standing.membership_id, "left", standing.role)


async def remove(tx: Tx, actor: Actor, room: str, user: str) -> None:
    """An owner removes somebody; oneself is `leave`. Raises `Problem` 3001, 3004, 3005, 3006, 3007."""
    standing = await in_room(tx, actor, room)
    if standing.kind in rules.FIXED:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if user == actor.id:
        await leave(tx, actor, room)
        return
    if standing.role != rules.OWNER:
        raise Problem(ROOM_NOT_OWNER, field="room")
    who, membership_id, role = await _member(tx, standing, user)
    await _keep_an_owner(tx, standing, role)
    await go(tx, actor, _place(standing), who, membership_id, "removed", role)
    await audit.record_by(tx, actor, "room.remove_member", standing.room, {"user": user})


async def give_role(tx: Tx, actor: Actor, room: str, user: str, role: str) -> None:
    """An owner changes what a member may do.

    Raises `Problem` 3001, 3002, 3004–3007, 3009 (guests own nothing), 3012 (nor does the other side of a shared room:
    it may close at any time, and a room must not be left without an owner).
    """
    standing = await in_room(tx, actor, room)
    if standing.kind in rules.FIXED:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    check_can_manage(standing)
    who, membership_id, before = await _member(tx, standing, user)
    if before == role:
        return
    if role == rules.OWNER and await invitations.kind_of(tx, who.user_id) == GUEST:
        raise Problem(GUEST_NOT_ALLOWED, field="role")
    if role == rules.OWNER and who.org_id != standing.org_id:
        raise Problem(OWNER_IS_HOME, field="role")
    await _keep_an_owner(tx, standing, before)
    await change_role(tx, actor, _place(standing), who, membership_id, role)
    await audit.record_by(tx, actor, "room.role", standing.room, {"user": user, "role": role})


async def change(tx: Tx, actor: Actor, room: str, wanted: RoomChange, *, inside: bool = False) -> None:
    """Name, reading, topic, history, outflow, archive, by owners. What is archived can only be brought back. `inside`: whether the actor
    is in the most trusted zone, where alone more is let out of a room than before: whoever has a phone has no border by that.

    Raises `Problem` 3001, 3002, 3004, 3005, 2001, 2008 (outflow, by policy), 5027 (outflow, from outside).
    """
    standing = await in_room(tx, actor, room)
    if standing.kind in rules.FIXED:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if standing.role != rules.OWNER:
        raise Problem(ROOM_NOT_OWNER, field="room")
    if standing.archived and wanted.archived is not False:
        raise Problem(ROOM_ARCHIVED, field="room")
    _, _, name, reading, topic, history, outflow, archived_at = await rooms.facts(tx, standing.room_id)
    new_outflow = wanted.outflow or outflow
    if new_outflow != outflow:
        await _check_may_change_outflow(tx, actor, standing)
        if not inside and widens(outflow, new_outflow):
            raise Problem(OUTFLOW_OUTSIDE, field="outflow")
    new_archived = archived_at
    if wanted.archived is not None:
        new_archived = (archived_at or tx.now) if wanted.archived else None
    new = (
        _name(wanted.name) if wanted.name is not None else name,
        kana.room_reading(wanted.reading) if wanted.reading is not None else reading,
        clean_text(wanted.topic) if wanted.topic is not None else topic,
        wanted.history or history,
        new_outflow,
        new_archived,
    )
    if new == (name, reading, topic, history, outflow, archived_at):
        return
    await rooms.update(tx, standing.room_id, *new)
    seq = await rooms.next_seq(tx, standing.room_id)
    await rooms.add_event(tx, standing.room_id, seq, standing.org_id, "room", actor.user_id)
    body = {"room_info": await room_info(tx, standing.room_id)}
    tx.emit(RoomEvent(standing.room_id, standing.room, seq, "room", tx.now, actor.id, body))
    if new_outflow != outflow:
        await audit.record_by(tx, actor, "room.outflow", standing.room, {"from": outflow, "to": new_outflow})
    if new_archived != archived_at:
        act = "room.archive" if new_archived else "room.unarchive"
        await audit.record_by(tx, actor, act, standing.room, {})


async def room_info(tx: Reader, room_id: int) -> dict[str, Any]:
    """RoomInfo of docs/protocol.md: what every member may see."""
    public_id, kind, name, reading, topic, history, outflow, archived_at = await rooms.facts(tx, room_id)
    return {
        "id": public_id,
        "kind": kind,
        "name": name,
        "reading": reading,
        "topic": topic,
        "history": history,
        "outflow": outflow,
        "archived": archived_at is not None,
    }


def _place(standing: Standing) -> Place:
    return Place(standing.room_id, standing.room, standing.org_id, standing.history, standing.members)


def _name(text: str) -> str:
    name = " ".join(clean_text(text).split())
    if not name:
        raise Problem(INVALID_FIELD, field="name", reason="must not be empty")
    return name


async def _check_may_change_outflow(tx: Reader, actor: Actor, standing: Standing) -> None:
    """What of a room's files leaves for less trusted zones is its home's to say: only its people own the room (3012)."""
    policy = await organizations.policy(tx, standing.org_id)
    if not allows(policy, "change_outflow", actor.roles):
        raise Problem(FORBIDDEN, field="outflow")


def _check_can_invite(actor: Actor, standing: Standing, role: str) -> None:
    if standing.kind in rules.FIXED:
        raise Problem(ROOM_KIND_FORBIDS, field="room")
    if standing.archived:
        raise Problem(ROOM_ARCHIVED, field="room")
    if actor.is_guest:
        raise Problem(GUEST_NOT_ALLOWED)
    if not standing.can_invite or (role == rules.OWNER and standing.role != rules.OWNER):
        raise Problem(ROOM_NOT_OWNER, field="role" if standing.can_invite else "room")


async def _bring_in(tx: Tx, actor: Actor, standing: Standing, user: str, role: str) -> None:
    """One invitation. One invites people of one's own organization; the other side invites its own."""
    person = await invitations.colleague(tx, actor.org_id, user)
    if person is None or person.kind not in ("member", GUEST, "bot"):
        raise Problem(PERSON_NOT_FOUND, field="users")
    if person.kind == GUEST:
        if not allows(await organizations.policy(tx, actor.org_id), "invite_guests", actor.roles):
            raise Problem(FORBIDDEN, field="users")
        if role == rules.OWNER:
            raise Problem(GUEST_NOT_ALLOWED, field="role")
    if await rooms.member_ids(tx, standing.room_id, [person.user_id]):
        return
    await enter(tx, actor, _place(standing), Who(person.user_id, actor.org_id, user), role)
    if person.kind == GUEST:
        await audit.record_by(tx, actor, "room.invite_guest", standing.room, {"user": user})


async def _member(tx: Tx, standing: Standing, user: str) -> tuple[Who, int, str]:
    row = await invitations.member(tx, standing.room_id, user)
    if row is None:
        raise Problem(MEMBER_NOT_FOUND, field="user")
    user_id, org_id, membership_id, role = row
    return Who(user_id, org_id, user), membership_id, role


async def _keep_an_owner(tx: Tx, standing: Standing, role: str) -> None:
    """A room with people in it keeps an owner; the last person may go."""
    if role == rules.OWNER and standing.members > 1 and await rooms.owners(tx, standing.room_id) <= 1:
        raise Problem(LAST_OWNER, field="user")
