"""Who is in a room, and how they come and go."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain.errors import (
    FORBIDDEN,
    GUEST_NOT_ALLOWED,
    LAST_OWNER,
    MEMBER_NOT_FOUND,
    ORGANIZATION_NOT_OPEN,
    OWNER_IS_HOME,
    PERSON_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_FULL,
    ROOM_KIND_FORBIDS,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
)
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import ListQuery, Member
from chat_server.services import browsing
from chat_server.services import rooms as services
from chat_server.services.rooms import Invitation, MemberRole


class Members(msgspec.Struct, frozen=True):
    """The home organization first; then department order, rank, reading."""

    items: list[Member]
    next: str | None


class MembersQuery(ListQuery, frozen=True):
    """`q`: part of a name or reading, or the beginning of a login."""

    q: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class RoleChange(msgspec.Struct, frozen=True):
    role: MemberRole


async def list_members(ctx: Ctx[Nothing, MembersQuery]) -> Any:
    asked = ctx.query
    items, following = await ctx.read(
        lambda reader: browsing.members(reader, ctx.actor, ctx.path["room"], asked.cursor, asked.limit, asked.q)
    )
    return {"items": items, "next": following}


async def invite_members(ctx: Ctx[Invitation, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: services.invite(tx, actor, ctx.path["room"], ctx.body))


async def change_member(ctx: Ctx[RoleChange, Nothing]) -> Any:
    room, user = ctx.path["room"], ctx.path["user"]
    return await ctx.write(lambda tx, actor: services.give_role(tx, actor, room, user, ctx.body.role))


async def remove_member(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: services.remove(tx, actor, ctx.path["room"], ctx.path["user"]))


async def join_room(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: services.join(tx, actor, ctx.path["room"]))


async def leave_room(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: services.leave(tx, actor, ctx.path["room"]))


_MEMBERS: Final = "/api/rooms/{room}/members"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        _MEMBERS,
        "Who is in the room",
        list_members,
        query=MembersQuery,
        answer=Members,
        faults=(ROOM_NOT_FOUND,),
    ),
    Call(
        "POST",
        _MEMBERS,
        "Invite people",
        invite_members,
        body=Invitation,
        status=204,
        faults=(
            ROOM_NOT_FOUND, ROOM_ARCHIVED, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS, GUEST_NOT_ALLOWED, ROOM_FULL,
            PERSON_NOT_FOUND, FORBIDDEN, ORGANIZATION_NOT_OPEN,
        ),
        example=Invitation(("06ed0000000000000000000002",)),
        note="Up to 50 at once, of one's own organization; those who are members already stay as they are.",
    ),
    Call(
        "PATCH",
        _MEMBERS + "/{user}",
        "Change what a member may do",
        change_member,
        body=RoleChange,
        status=204,
        faults=(
            ROOM_NOT_FOUND, ROOM_ARCHIVED, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS, LAST_OWNER, MEMBER_NOT_FOUND,
            GUEST_NOT_ALLOWED, OWNER_IS_HOME,
        ),
        example=RoleChange("owner"),
    ),
    Call(
        "DELETE",
        _MEMBERS + "/{user}",
        "Remove a member",
        remove_member,
        status=204,
        faults=(ROOM_NOT_FOUND, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS, LAST_OWNER, MEMBER_NOT_FOUND),
        note="By owners; removing oneself is leaving.",
    ),
    Call(
        "POST",
        "/api/rooms/{room}/join",
        "Join an open room",
        join_room,
        status=204,
        faults=(ROOM_NOT_FOUND, ROOM_FULL),
        note="Joining twice is joining once.",
    ),
    Call(
        "POST",
        "/api/rooms/{room}/leave",
        "Leave a room",
        leave_room,
        status=204,
        faults=(ROOM_NOT_FOUND, ROOM_KIND_FORBIDS, LAST_OWNER),
    ),
)  # fmt: skip
