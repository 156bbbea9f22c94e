"""Rooms that two organizations open to each other."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from chat_server.domain.actors import Actor
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


class Side(msgspec.Struct, frozen=True):
    """Another organization's side of a room; `at`: since when it is so."""

    id: Id
    name: str
    state: Literal["offered", "open"]
    at: Time


class Sides(msgspec.Struct, frozen=True):
    items: list[Side]
    next: str | None


class OfferedRooms(msgspec.Struct, frozen=True):
    items: list[OfferedRoom]
    next: str | None


async def offer_room(ctx: Ctx[Offer, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: sharing.offer(tx, actor, ctx.path["room"], ctx.body.organization))


async def list_offered_rooms(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: sharing.offers(reader, ctx.actor)), "next": None}


async def open_side(ctx: Ctx[Nothing, Nothing]) -> Any:
    async def open_and_show(tx: Tx, actor: Actor) -> Any:
        await sharing.open_side(tx, actor, ctx.path["room"])
        return await room_list.room_of(tx, actor, ctx.path["room"])

    return await ctx.write(open_and_show)


async def close_side(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: sharing.close_side(tx, actor, ctx.path["room"]))


async def list_sides(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: sharing.sides(reader, ctx.actor, ctx.path["room"])), "next": None}


async def withdraw_room(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.write(lambda tx, actor: sharing.withdraw(tx, actor, ctx.path["room"], ctx.path["organization"]))


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
        note="Nothing passes until the other side opens the room. An offer is good for one opening.",
    ),
    Call(
        "GET",
        _ORGANIZATIONS,
        "The other sides of a room",
        list_sides,
        answer=Sides,
        faults=(ROOM_NOT_FOUND, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS),
        note="For owners of the home organization: to whom the room is offered, with whom it is open.",
    ),
    Call(
        "DELETE",
        _ORGANIZATIONS + "/{organization}",
        "Take a room back from another organization",
        withdraw_room,
        status=204,
        faults=(ROOM_NOT_FOUND, ROOM_NOT_OWNER, ROOM_KIND_FORBIDS, ORGANIZATION_NOT_FOUND),
        note="By owners of the home organization. All people of the other side leave; only another offer lets them in.",
    ),
    Call(
        "PUT",
        _ORGANIZATIONS + "/mine",
        "Open an offered room on one's own side",
        open_side,
        answer=Room,
        access=Access.MEMBER,
        faults=(ROOM_NOT_FOUND, ROOM_FULL, FORBIDDEN),
        note="Whoever opens it comes in as a member, and invites their own people. Home goes on owning the room.",
    ),
    Call(
        "DELETE",
        _ORGANIZATIONS + "/mine",
        "Close a room on one's own side",
        close_side,
        status=204,
        access=Access.MEMBER,
        faults=(ROOM_NOT_FOUND, ROOM_KIND_FORBIDS, FORBIDDEN),
        note="All of one's own people leave, and only another offer lets them in. The home side archives the room instead.",
    ),
)  # fmt: skip
