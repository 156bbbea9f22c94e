"""Rooms that two organizations open to each other."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain.errors import (
    FORBIDDEN,
    ORGANIZATION_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_FULL,
    ROOM_KIND_FORBIDS,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Room, Time
from chat_server.ports import Tx
from chat_server.services import room_list, sharing
from chat_server.services.blocks import Id


class Offer(msgspec.Struct, frozen=True):
    """`organization`: the code that its people sign in with."""

    organization: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OfferedRoom(msgspec.Struct, frozen=True):
    """What the other side sees before it opens: nothing that was said."""

    id: Id
    name: str
    topic: str
    home: str
    at: Time


class OfferedRooms(msgspec.Struct, frozen=True):
    items: list[OfferedRoom]
    next: str | None


async def offer_room(ctx: Ctx[Offer, Nothing]) -> Any:
    return await ctx.write(lambda tx: sharing.offer(tx, ctx.actor, ctx.path["room"], ctx.body.organization))


async def list_offered_rooms(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: sharing.offers(reader, ctx.actor)), "next": None}


async def open_side(ctx: Ctx[Nothing, Nothing]) -> Any:
    async def open_and_show(tx: Tx) -> Any:
        await sharing.open_side(tx, ctx.actor, ctx.path["room"])
        return await room_list.room_of(tx, ctx.actor, ctx.path["room"])

    return await ctx.write(open_and_show)


async def close_side(ctx: Ctx[Nothing, Nothing]) -> Any:
    """People leave fifty a transaction, so that the writer stays free; the last one keeps the answer."""
    actor, room = ctx.actor, ctx.path["room"]
    while await ctx.parts.storage.write(lambda tx: sharing.close_side(tx, actor, room), org_id=actor.org_id):
        pass
    return await ctx.write(lambda tx: sharing.close_side(tx, actor, room))


_ORGANIZATIONS: Final = "/api/rooms/{room}/organizations"

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/rooms/offered",
        "Rooms that other organizations offer",
        list_offered_rooms,
        answer=OfferedRooms,
        access=Access.MEMBER,
        faults=(FORBIDDEN,),
        note="For those who may open them: by policy, organization administrators.",
    ),
    Call(
        "POST",
        _ORGANIZATIONS,
        "Offer a room to another organization",
        offer_room,
        body=Offer,
        status=204,
        faults=(
            ROOM_NOT_FOUND, ROOM_ARCHIVED, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS, FORBIDDEN, ORGANIZATION_NOT_FOUND,
        ),
        example=Offer("kazamihara"),
        note="Nothing passes until the other side opens the room.",
    ),
    Call(
        "PUT",
        _ORGANIZATIONS + "/mine",
        "Open an offered room on one's own side",
        open_side,
        answer=Room,
        access=Access.MEMBER,
        faults=(ROOM_NOT_FOUND, ROOM_FULL, FORBIDDEN),
        note="Whoever opens it comes in as an owner, and invites their own people.",
    ),
    Call(
        "DELETE",
        _ORGANIZATIONS + "/mine",
        "Close a room on one's own side",
        close_side,
        status=204,
        access=Access.MEMBER,
        faults=(ROOM_NOT_FOUND, ROOM_KIND_FORBIDS, FORBIDDEN),
        note="All of one's own people leave. The home side archives the room instead.",
    ),
)  # fmt: skip
