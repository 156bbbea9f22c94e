"""What a client may ask over the WebSocket: one struct a command, validated before anything looks at it.

Unknown fields are ignored (a newer client), unknown commands are refused by name.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chat_server.domain import limits
from chat_server.services.blocks import Blocks, Id

Ref = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""UTC milliseconds."""
ClientMsgId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{8,64}$")]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Level = Literal["urgent", "important", "notice"]
"""緊急, 重要, お知らせ: of posts in announcement rooms."""
Involvement = Literal["nothing", "mentions", "everything"]


class _Command(msgspec.Struct, tag_field="op", kw_only=True, frozen=True):
    """Everything that is answered carries `ref`."""

    ref: Ref


class Auth(_Command, tag="auth", frozen=True):
    token: Token


class Renew(_Command, tag="renew", frozen=True):
    token: Token


class Ping(_Command, tag="ping", frozen=True):
    pass


class Resume(_Command, tag="resume", frozen=True):
    epoch: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    me: Seq = 0
    rooms: Annotated[dict[Id, Seq], msgspec.Meta(max_length=2000)] = {}


class Pull(_Command, tag="pull", frozen=True):
    after: Seq
    room: Id | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGE_EVENTS_MAX)] = limits.PAGE_EVENTS


class Send(_Command, tag="send", frozen=True):
    room: Id
    client_msg_id: ClientMsgId
    blocks: Blocks | None = None
    quote: Id | None = None
    forward: Id | None = None
    confirm: Time | None = None
    level: Level | None = None


class Edit(_Command, tag="edit", frozen=True):
    message: Id
    version: Annotated[int, msgspec.Meta(ge=1)]
    blocks: Blocks


class Redact(_Command, tag="redact", frozen=True):
    message: Id
    how: Literal["redacted", "cancelled"] = "redacted"


class React(_Command, tag="react", frozen=True):
    message: Id
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.REACTION_CHARS)]
    on: bool


class Pin(_Command, tag="pin", frozen=True):
    message: Id
    on: bool


class Bookmark(_Command, tag="bookmark", frozen=True):
    message: Id
    on: bool


class Read(_Command, tag="read", frozen=True):
    room: Id
    upto: Seq


class Involve(_Command, tag="involve", frozen=True):
    room: Id
    involvement: Involvement


class Look(_Command, tag="look", frozen=True):
    room: Id | None = None


class Typing(msgspec.Struct, tag_field="op", tag="typing", frozen=True):
    """Never answered: losing one costs nothing."""

    room: Id


class Watch(_Command, tag="watch", frozen=True):
    users: Annotated[tuple[Id, ...], msgspec.Meta(max_length=limits.WATCHED_USERS)]


Command = (
    Auth
    | Renew
    | Ping
    | Resume
    | Pull
    | Send
    | Edit
    | Redact
    | React
    | Pin
    | Bookmark
    | Read
    | Involve
    | Look
    | Typing
    | Watch
)
COMMANDS: tuple[type[msgspec.Struct], ...] = (
    Auth,
    Renew,
    Ping,
    Resume,
    Pull,
    Send,
    Edit,
    Redact,
    React,
    Pin,
    Bookmark,
    Read,
    Involve,
    Look,
    Typing,
    Watch,
)
