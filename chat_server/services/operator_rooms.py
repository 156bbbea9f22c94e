"""The operator's acts on rooms: who is in them and whether they take messages. Never what is said in them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    MEMBER_NOT_FOUND,
    ORGANIZATION_NOT_FOUND,
    PERSON_NOT_FOUND,
    ROOM_NOT_FOUND,
    Problem,
)
from chat_server.ports import Reader, Tx
from chat_server.services import audit, rooms
from chat_server.services.authority import LOCAL_ZONE, Operator
from chat_server.services.operation import Deps, Operation, Wire, operation
from chat_server.services.rooms import Invitation, NewRoom, Outflow, RoomChange
from chat_server.storage.queries import operator_rooms as queries
from chat_server.storage.queries import organizations

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class AddRoom(msgspec.Struct, frozen=True):
    """`owner` and `members` are logins."""

    organization: str
    name: Name
    owner: str
    kind: Literal["private", "open", "announcement"] = "private"
    topic: Annotated[str, msgspec.Meta(max_length=500)] = ""
    reading: Annotated[str, msgspec.Meta(max_length=80)] = ""
    history: Literal["all", "joined"] = "all"
    members: tuple[str, ...] = ()


class WhichRoom(msgspec.Struct, frozen=True):
    organization: str
    room: str


class ArchiveRoom(msgspec.Struct, frozen=True):
    organization: str
    room: str
    archived: bool = True


class RoomOutflow(msgspec.Struct, frozen=True):
    """`outflow` absent: only show it."""

    organization: str
    room: str
    outflow: Outflow | None = None


class RoomMember(msgspec.Struct, frozen=True):
    """`login` of the person. `role` empty: take the person out."""

    organization: str
    room: str
    login: str
    role: Literal["owner", "member", "read_only", ""] = "member"


class WhichOrganization(msgspec.Struct, frozen=True):
    organization: str


async def add_room(deps: Deps, asked: AddRoom) -> Wire:
    """A room for `owner`, who is recorded as its maker; the audit trail says that the operator did it."""

    async def use_case(tx: Tx) -> Wire:
        org_id = await _organization(tx, asked.organization)
        owner = await _as(tx, org_id, asked.owner)
        members = [(await _as(tx, org_id, login)).id for login in asked.members]
        new = NewRoom(kind=asked.kind, name=asked.name, topic=asked.topic, reading=asked.reading, history=asked.history)
        room = await rooms.create(tx, owner, new)
        for first in range(0, len(members), 50):
            chunk = tuple(user for user in members[first : first + 50] if user != owner.id)
            if chunk:
                await rooms.invite(tx, owner, room, Invitation(chunk))
        await audit.record_by(tx, Operator(org_id), "operator.room_add", room, {"owner": owner.id})
        return {"id": room}

    return await deps.storage.write(use_case)


async def list_rooms(deps: Deps, asked: WhichOrganization) -> Wire:
    """Names, kinds and sizes; no words of anybody."""

    async def use_case(tx: Reader) -> Wire:
        rows = await queries.of_organization(tx, await _organization(tx, asked.organization))
        return {
            "rooms": [
                {"id": room, "kind": kind, "name": name, "members": members, "messages": messages, "archived": bool(at)}
                for room, kind, name, members, messages, at in rows
            ]
        }

    return await deps.storage.read(use_case)


async def show_room(deps: Deps, asked: WhichRoom) -> Wire:
    """Who is in it."""

    async def use_case(tx: Reader) -> Wire:
        room_id = await _room(tx, await _organization(tx, asked.organization), asked.room)
        return {
            "members": [
                {"login": login, "name": name, "role": role, "organization": organization}
                for login, name, role, organization in await queries.members(tx, room_id)
            ]
        }

    return await deps.storage.read(use_case)


async def archive_room(deps: Deps, asked: ArchiveRoom) -> Wire:
    """Archive or bring back, in the name of one of its owners."""

    async def use_case(tx: Tx) -> Wire:
        org_id = await _organization(tx, asked.organization)
        owner = await _an_owner(tx, org_id, await _room(tx, org_id, asked.room))
        await rooms.change(tx, owner, asked.room, RoomChange(archived=asked.archived))
        await audit.record_by(tx, Operator(org_id), "operator.room_archive", asked.room, {"archived": asked.archived})
        return {}

    return await deps.storage.write(use_case)


async def room_outflow(deps: Deps, asked: RoomOutflow) -> Wire:
    """`{outflow}` as it is then: what of the room's files leaves for less trusted zones."""

    async def show(tx: Reader) -> Wire:
        room_id = await _room(tx, await _organization(tx, asked.organization), asked.room)
        return {"outflow": (await rooms.room_info(tx, room_id))["outflow"]}

    async def change(tx: Tx) -> Wire:
        org_id = await _organization(tx, asked.organization)
        owner = await _an_owner(tx, org_id, await _room(tx, org_id, asked.room))
        await rooms.change(tx, owner, asked.room, RoomChange(outflow=asked.outflow), inside=True)
        await audit.record_by(tx, Operator(org_id), "operator.room_outflow", asked.room, {"outflow": asked.outflow})
        return await show(tx)

    return await (deps.storage.read(show) if asked.outflow is None else deps.storage.write(change))


async def set_member(deps: Deps, asked: RoomMember) -> Wire:
    """Bring somebody in, change a role, or take somebody out, in the name of one of the room's owners."""

    async def use_case(tx: Tx) -> Wire:
        org_id = await _organization(tx, asked.organization)
        owner = await _an_owner(tx, org_id, await _room(tx, org_id, asked.room))
        person = await _as(tx, org_id, asked.login)
        if not asked.role:
            await rooms.remove(tx, owner, asked.room, person.id)
        else:
            await rooms.invite(tx, owner, asked.room, Invitation((person.id,), asked.role))
            await rooms.give_role(tx, owner, asked.room, person.id, asked.role)
        detail = {"user": person.id, "role": asked.role}
        await audit.record_by(tx, Operator(org_id), "operator.room_member", asked.room, detail)
        return {}

    return await deps.storage.write(use_case)


async def _organization(tx: Reader, code: str) -> int:
    found = await organizations.by_code(tx, code)
    if found is None:
        raise Problem(ORGANIZATION_NOT_FOUND, field="organization", organization=code)
    return found.id


async def _room(tx: Reader, org_id: int, room: str) -> int:
    room_id = await queries.room_id(tx, org_id, room)
    if room_id is None:
        raise Problem(ROOM_NOT_FOUND, field="room")
    return room_id


async def _an_owner(tx: Reader, org_id: int, room_id: int) -> Actor:
    login = await queries.an_owner(tx, room_id)
    if login is None:
        raise Problem(MEMBER_NOT_FOUND, field="room")
    return await _as(tx, org_id, login)


async def _as(tx: Reader, org_id: int, login: str) -> Actor:
    """The person with this login, acting from the server itself."""
    row = await queries.person(tx, org_id, login)
    if row is None:
        raise Problem(PERSON_NOT_FOUND, field="login")
    user_id, user, kind, name = row
    # The operator stands behind it and may make every kind of room; nobody's session is used.
    roles = frozenset({"organization_admin"})
    return Actor(user_id, org_id, 0, user, "", kind, name, LOCAL_ZONE, "", roles)


OPERATIONS: Final[dict[str, Operation]] = {
    "room.add": operation(AddRoom, add_room),
    "room.list": operation(WhichOrganization, list_rooms),
    "room.show": operation(WhichRoom, show_room),
    "room.archive": operation(ArchiveRoom, archive_room),
    "room.outflow": operation(RoomOutflow, room_outflow),
    "room.member": operation(RoomMember, set_member),
}
