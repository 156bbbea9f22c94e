"""The room list, and rooms themselves."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.actors import Actor
from chat_server.domain.errors import (
    FORBIDDEN,
    GUEST_NOT_ALLOWED,
    OUTFLOW_OUTSIDE,
    PERSON_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_KIND_FORBIDS,
    ROOM_KIND_NOT_ALLOWED,
    ROOM_NOT_FOUND,
    ROOM_NOT_OWNER,
)
from chat_server.http.calls import Access, AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Can, History, LastMessage, ListQuery, Room
from chat_server.ports import Tx
from chat_server.services import browsing, room_list
from chat_server.services import rooms as services
from chat_server.services.blocks import Id
from chat_server.services.rooms import NewRoom, RoomChange


class DirectWith(msgspec.Struct, frozen=True):
    """Whom to talk to."""

    user: Id


class OpenRoom(msgspec.Struct, frozen=True):
    """A room that one may join."""

    id: Id
    name: str
    reading: str
    topic: str
    history: History
    members: int


class OpenRooms(msgspec.Struct, frozen=True):
    items: list[OpenRoom]
    next: str | None


async def list_rooms(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: room_list.rooms_of(reader, ctx.actor))


async def list_open_rooms(ctx: Ctx[Nothing, ListQuery]) -> Any:
    items, following = await ctx.read(
        lambda reader: browsing.open_rooms(reader, ctx.actor, ctx.query.cursor, ctx.query.limit)
    )
    return {"items": items, "next": following}


async def get_room(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: room_list.room_of(reader, ctx.actor, ctx.path["room"]))


async def create_room(ctx: Ctx[NewRoom, Nothing]) -> Any:
    async def create(tx: Tx, actor: Actor) -> Any:
        return await room_list.room_of(tx, actor, await services.create(tx, actor, ctx.body))

    return await ctx.write(create)


async def open_direct_room(ctx: Ctx[DirectWith, Nothing]) -> Any:
    async def direct(tx: Tx, actor: Actor) -> Any:
        return await room_list.room_of(tx, actor, await services.direct(tx, actor, ctx.body.user))

    return await ctx.write(direct)


async def change_room(ctx: Ctx[RoomChange, Nothing]) -> Any:
    inside = ctx.zone == ctx.parts.most_trusted

    async def change(tx: Tx, actor: Actor) -> Any:
        await services.change(tx, actor, ctx.path["room"], ctx.body, inside=inside)
        return await room_list.room_of(tx, actor, ctx.path["room"])

    return await ctx.write(change)


_ROOM: Final = Room(
    id="06ed0000000000000000000003",
    kind="private",
    name="道路課 現場連絡",
    reading="どうろか げんばれんらく",
    topic="市道の点検",
    history="all",
    outflow="view",
    archived=False,
    members=12,
    outsiders=["株式会社みほん工務店"],
    role="member",
    involvement="everything",
    head=4720,
    first=1,
    read=4712,
    unread=3,
    mentioned=False,
    last=LastMessage(1763770000000, "高橋 健", "写真 3枚"),
    can=Can(post=True, invite=True, manage=False),
    home="みどり野市",
)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/rooms",
        "The room list",
        list_rooms,
        answer=list[Room],
        example_answer=[_ROOM],
        note="The most recently written room first.",
    ),
    Call(
        "POST",
        "/api/rooms",
        "Make a room",
        create_room,
        body=NewRoom,
        answer=Room,
        access=Access.MEMBER,
        faults=(ROOM_KIND_NOT_ALLOWED, PERSON_NOT_FOUND),
        example=NewRoom(
            "private", "道路課 現場連絡", "市道の点検", history="all", members=("06ed0000000000000000000002",)
        ),
        example_answer=_ROOM,
        note="Up to 50 first members; more by inviting. Who may create which kind is the organization's policy.",
    ),
    Call(
        "POST",
        "/api/rooms/direct",
        "The direct room with a person, made if need be",
        open_direct_room,
        body=DirectWith,
        answer=Room,
        faults=(PERSON_NOT_FOUND, GUEST_NOT_ALLOWED),
        example=DirectWith("06ed0000000000000000000002"),
        note="A guest may open a direct room that exists, and make none.",
    ),
    Call(
        "GET",
        "/api/rooms/open",
        "Open rooms that one may join",
        list_open_rooms,
        query=ListQuery,
        answer=OpenRooms,
        note="By name, without those one is in. A guest has none to choose from.",
    ),
    Call("GET", "/api/rooms/{room}", "One room", get_room, answer=Room, faults=(ROOM_NOT_FOUND,)),
    Call(
        "PATCH",
        "/api/rooms/{room}",
        "Name, reading, topic, history, outflow, archive",
        change_room,
        body=RoomChange,
        answer=Room,
        faults=(ROOM_NOT_FOUND, ROOM_NOT_OWNER, ROOM_ARCHIVED, ROOM_KIND_FORBIDS, FORBIDDEN, OUTFLOW_OUTSIDE),
        example=RoomChange(topic="市道と橋の点検"),
        note="By owners. What is absent stays. An archived room can only be brought back. `outflow` is for those owners "
        "whom the home organization's policy lets: by default, its administrators; it is widened in the most trusted zone alone.",
    ),
)
