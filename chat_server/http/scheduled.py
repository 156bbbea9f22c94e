"""予約送信: messages that are sent at a time to come. Nobody but their author sees them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from chat_server.domain.errors import (
    ATTACHMENT_NOT_FOUND,
    ATTACHMENT_USED,
    INVALID_FIELD,
    LEVEL_NOT_ALLOWED,
    MESSAGE_EMPTY,
    MESSAGE_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_NOT_FOUND,
    ROOM_READ_ONLY,
    SCHEDULED_NOT_FOUND,
    TEXT_TOO_LONG,
    TOO_MANY_MENTIONS,
    TOO_MANY_SCHEDULED,
    VERSION_CONFLICT,
)
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import Fault, Time
from chat_server.services import scheduling
from chat_server.services.blocks import AnyBlock, Blocks, Id, Text
from chat_server.services.commands import Edit, Level, Send
from chat_server.services.drafts import draft

_NO_REF: Final = 1
_NO_KEY: Final = "scheduled-message"
"""The message's own `client_msg_id` is made when it is sent."""


class NewScheduled(msgspec.Struct, frozen=True):
    """`at`: when. `confirm`: until when everybody is asked to confirm it, after that."""

    at: Time
    blocks: Blocks
    quote: Id | None = None
    confirm: Time | None = None
    level: Level | None = None


class ScheduledChange(msgspec.Struct, frozen=True):
    """`version`: which one is changed. What is absent stays. `now`: it is sent now, whatever its time was."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    at: Time | None = None
    blocks: Blocks | None = None
    now: bool = False


class ScheduledMessage(msgspec.Struct, frozen=True):
    """`mentions`: the names of those whom it will call, as a message has them. `failed`: why it could not be sent; then it waits to
    be changed or taken back."""

    id: Id
    room: Id
    at: Time
    blocks: list[AnyBlock]
    mentions: dict[str, str]
    quote: Id | None
    confirm: Time | None
    level: Level | None
    version: int
    failed: Fault | None


class ScheduledList(msgspec.Struct, frozen=True):
    items: list[ScheduledMessage]
    next: str | None


async def schedule_message(ctx: Ctx[NewScheduled, Nothing]) -> Any:
    new = ctx.body
    command = Send(
        ref=_NO_REF,
        room=ctx.path["room"],
        client_msg_id=_NO_KEY,
        blocks=new.blocks,
        quote=new.quote,
        confirm=new.confirm,
        level=new.level,
    )
    written = draft(command)
    return await ctx.write(lambda tx, actor: scheduling.schedule(tx, actor, written, new.at))


async def change_scheduled(ctx: Ctx[ScheduledChange, Nothing]) -> Any:
    scheduled, asked = ctx.path["scheduled"], ctx.body
    written = None
    if asked.blocks is not None:
        written = draft(Edit(ref=_NO_REF, message=scheduled, version=asked.version, blocks=asked.blocks))
    return await ctx.write(
        lambda tx, actor: scheduling.change(tx, actor, scheduled, asked.version, asked.at, written, now=asked.now)
    )


async def take_back_scheduled(ctx: Ctx[Nothing, Nothing]) -> Any:
    scheduled = ctx.path["scheduled"]
    return await ctx.write(lambda tx, actor: scheduling.take_back(tx, actor, scheduled))


async def list_scheduled(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"items": await ctx.read(lambda reader: scheduling.own(reader, ctx.actor)), "next": None}


_WRITING: Final = (ROOM_ARCHIVED, ROOM_READ_ONLY, INVALID_FIELD, MESSAGE_EMPTY, TEXT_TOO_LONG, TOO_MANY_MENTIONS)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "POST",
        "/api/rooms/{room}/scheduled",
        "Send a message at a time to come",
        schedule_message,
        body=NewScheduled,
        answer=ScheduledMessage,
        faults=(
            ROOM_NOT_FOUND, *_WRITING, LEVEL_NOT_ALLOWED, TOO_MANY_SCHEDULED, ATTACHMENT_NOT_FOUND, ATTACHMENT_USED, MESSAGE_NOT_FOUND,
        ),
        example=NewScheduled(1764000000000, (Text("本日17時から3号線を通行止めにします。"),)),
        note="It is sent with the rights that its author has then.",
    ),
    Call(
        "PATCH",
        "/api/scheduled/{scheduled}",
        "Change what is to be sent, or when",
        change_scheduled,
        body=ScheduledChange,
        example=ScheduledChange(1, 1764003600000),
        answer=ScheduledMessage,
        faults=(SCHEDULED_NOT_FOUND, ROOM_NOT_FOUND, *_WRITING, VERSION_CONFLICT, ATTACHMENT_NOT_FOUND, ATTACHMENT_USED),
    ),
    Call(
        "DELETE",
        "/api/scheduled/{scheduled}",
        "Take back what is to be sent",
        take_back_scheduled,
        status=204,
        faults=(SCHEDULED_NOT_FOUND,),
    ),
    Call("GET", "/api/me/scheduled", "What one has yet to send", list_scheduled, answer=ScheduledList),
)  # fmt: skip
