"""What the bots of a room understand, for a menu beside where one writes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from chat_server.domain.errors import ROOM_NOT_FOUND
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.services import bots
from chat_server.services.blocks import Id


class Offered(msgspec.Struct, frozen=True):
    """`text` begins a message to the bot, and is the whole of it where `whole`; `example` shows how it goes on."""

    label: str
    text: str
    example: str
    whole: bool


class RoomBot(msgspec.Struct, frozen=True):
    """`offers` is empty of a bot that tells nothing of itself."""

    user: Id
    name: str
    offers: list[Offered]


class RoomBots(msgspec.Struct, frozen=True):
    items: list[RoomBot]
    next: str | None


async def list_room_bots(ctx: Ctx[Nothing, Nothing]) -> Any:
    there = await ctx.read(lambda reader: bots.in_room(reader, ctx.actor, ctx.path["room"]))
    items = [
        RoomBot(
            user,
            name,
            [Offered(one.label, one.text, one.example, one.whole) for one in ctx.parts.offers.get(plugin, ())],
        )
        for user, name, plugin in there
    ]
    return RoomBots(items, None)


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/rooms/{room}/bots",
        "What the bots of a room understand",
        list_room_bots,
        answer=RoomBots,
        faults=(ROOM_NOT_FOUND,),
        note="Of a bot that runs elsewhere and has no folder at the server, `offers` is empty.",
    ),
)
