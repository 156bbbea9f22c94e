"""Reading back, and sending without a socket."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain import limits
from chat_server.domain.errors import (
    ATTACHMENT_NOT_FOUND,
    ATTACHMENT_USED,
    CLIENT_MSG_ID_REUSED,
    LEVEL_NOT_ALLOWED,
    MENTION_UNKNOWN,
    MESSAGE_EMPTY,
    MESSAGE_NOT_FOUND,
    ROOM_ARCHIVED,
    ROOM_NOT_FOUND,
    ROOM_READ_ONLY,
    TEXT_TOO_LONG,
    TOO_MANY_MENTIONS,
)
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.shapes import (
    Ack,
    Attachment,
    Author,
    Cursor,
    Message,
    MessageInRoom,
    MessagePage,
    Person,
    Seq,
    Time,
)
from chat_server.services import attachment_list, history, messages
from chat_server.services.blocks import Blocks, Id, Text
from chat_server.services.commands import ClientMsgId, Level, Send
from chat_server.services.drafts import draft
from chat_server.services.keys import SENDS

_NO_REF: Final = 1
"""Over HTTP the answer belongs to its request; the command's `ref` is not looked at."""


class PageQuery(msgspec.Struct, frozen=True):
    """At most one position; none is the newest page."""

    before: Seq | None = None
    after: Seq | None = None
    around: Seq | None = None
    at: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class NewMessage(msgspec.Struct, frozen=True):
    """As the command `send`: the same `client_msg_id` gives the first answer again, for ever."""

    client_msg_id: ClientMsgId
    blocks: Blocks | None = None
    quote: Id | None = None
    forward: Id | None = None
    confirm: Time | None = None
    level: Level | None = None


class ReadersOfDepartment(msgspec.Struct, frozen=True):
    """Counts for everybody; names for the author and the room's owners, and for others by policy."""

    name: str
    read: int
    total: int
    readers: list[Person] | UnsetType = UNSET
    unread: list[Person] | UnsetType = UNSET


class Readers(msgspec.Struct, frozen=True):
    """By department, in department order; the author is not counted."""

    departments: list[ReadersOfDepartment]


class Pins(msgspec.Struct, frozen=True):
    items: list[Message]
    next: str | None


async def list_messages(ctx: Ctx[Nothing, PageQuery]) -> Any:
    asked = ctx.query
    return await ctx.read(
        lambda reader: history.page(
            reader, ctx.actor, ctx.path["room"],
            before=asked.before, after=asked.after, around=asked.around, at=asked.at,
            limit=asked.limit,
        )
    )  # fmt: skip


async def send_message(ctx: Ctx[NewMessage, Nothing]) -> Any:
    new = ctx.body
    command = Send(
        ref=_NO_REF,
        room=ctx.path["room"],
        client_msg_id=new.client_msg_id,
        blocks=new.blocks,
        quote=new.quote,
        forward=new.forward,
        confirm=new.confirm,
        level=new.level,
    )
    written = draft(command)
    key = ctx.parts.keys.current(SENDS).secret
    return await ctx.write(lambda tx, actor: messages.send(tx, actor, written, key))


async def list_pins(ctx: Ctx[Nothing, Nothing]) -> Any:
    items = await ctx.read(lambda reader: history.pins(reader, ctx.actor, ctx.path["room"]))
    return {"items": items, "next": None}


async def get_message(ctx: Ctx[Nothing, Nothing]) -> Any:
    return await ctx.read(lambda reader: history.message(reader, ctx.actor, ctx.path["message"]))


async def list_readers(ctx: Ctx[Nothing, Nothing]) -> Any:
    return {"departments": await ctx.read(lambda reader: history.readers(reader, ctx.actor, ctx.path["message"]))}


class FilesQuery(msgspec.Struct, frozen=True):
    """`since` ≤ when it was sent < `until`."""

    kind: Literal["photo", "file"] | None = None
    by: Id | None = None
    since: Time | None = None
    until: Time | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class ListedAttachment(msgspec.Struct, frozen=True):
    """An attachment with the message that it is in."""

    attachment: Attachment
    message: Id
    seq: Seq
    at: Time
    author: Author


class AttachmentList(msgspec.Struct, frozen=True):
    items: list[ListedAttachment]
    next: str | None


async def list_attachments(ctx: Ctx[Nothing, FilesQuery]) -> Any:
    asked = ctx.query
    items, following = await ctx.read(
        lambda reader: attachment_list.page(
            reader,
            ctx.actor,
            ctx.path["room"],
            kind=asked.kind,
            by=asked.by,
            since=asked.since,
            until=asked.until,
            cursor=asked.cursor,
            limit=asked.limit,
        )
    )
    return {"items": items, "next": following}


CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/rooms/{room}/messages",
        "A page of messages",
        list_messages,
        query=PageQuery,
        answer=MessagePage,
        faults=(ROOM_NOT_FOUND,),
        note="Oldest first. `first`: nothing older is visible.",
    ),
    Call(
        "POST",
        "/api/rooms/{room}/messages",
        "Send a message",
        send_message,
        body=NewMessage,
        answer=Ack,
        faults=(
            ROOM_NOT_FOUND, ROOM_ARCHIVED, ROOM_READ_ONLY, MESSAGE_EMPTY, TEXT_TOO_LONG, CLIENT_MSG_ID_REUSED,
            MENTION_UNKNOWN, TOO_MANY_MENTIONS, ATTACHMENT_NOT_FOUND, ATTACHMENT_USED, MESSAGE_NOT_FOUND,
            LEVEL_NOT_ALLOWED,
        ),
        example=NewMessage("5f0c2b1e-6a51", (Text("3号線の陥没、確認しました。"),)),
        example_answer=Ack(
            room="06ed0000000000000000000003", id="06ed0000000000000000000004", seq=4721, at=1763770000000
        ),
        note=f"Answered after the message is on disk. A text has at most {limits.TEXT_CHARS} characters.",
    ),
    Call(
        "GET",
        "/api/rooms/{room}/attachments",
        "Files and photos of a room",
        list_attachments,
        query=FilesQuery,
        answer=AttachmentList,
        faults=(ROOM_NOT_FOUND,),
    ),
    Call("GET", "/api/rooms/{room}/pins", "Pinned messages", list_pins, answer=Pins, faults=(ROOM_NOT_FOUND,)),
    Call(
        "GET",
        "/api/messages/{message}",
        "One message",
        get_message,
        answer=MessageInRoom,
        faults=(MESSAGE_NOT_FOUND,),
        note="What a quote or a permalink shows is authorized anew.",
    ),
    Call(
        "GET",
        "/api/messages/{message}/readers",
        "How many have read, and who",
        list_readers,
        answer=Readers,
        faults=(MESSAGE_NOT_FOUND,),
        note="Names only for the author and the room's owners, unless the home organization's `reader_names` says everyone.",
    ),
)  # fmt: skip
