"""The maps of docs/protocol.md as types: what the OpenAPI document says, and what tests hold every answer against.

The services build these maps themselves (the same bytes go over the WebSocket); nothing is converted here at run time.
Whatever is `UNSET` may be absent.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from chat_server.domain import limits
from chat_server.services.blocks import AnyBlock, Id
from chat_server.services.commands import Level
from chat_server.services.rooms import Outflow

Time = Annotated[int, msgspec.Meta(description="UTC milliseconds", ge=0)]
Seq = Annotated[int, msgspec.Meta(description="position in a stream", ge=0, le=2**53)]
Color = Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$")]
Cursor = Annotated[str, msgspec.Meta(max_length=200)]
Kind = Literal["member", "guest", "bot"]
RoomKind = Literal["private", "open", "announcement", "direct", "memo"]
MemberRole = Literal["owner", "member", "read_only"]
History = Literal["all", "joined"]


class Fault(msgspec.Struct, frozen=True):
    """A numbered error: the range of `code` says what to do (docs/protocol.md, section 5)."""

    code: int
    name: str
    field: str | None
    params: dict[str, str | int | float | bool | list[dict[str, str | int]] | None]
    ja: str
    en: str


class Refusal(msgspec.Struct, frozen=True):
    """The body of every answer from status 400 on."""

    error: Fault


class Person(msgspec.Struct, frozen=True):
    id: Id
    name: str
    reading: str
    department: str
    post: str
    kind: Kind
    organization: str
    guest_of: str | UnsetType = UNSET


PERSON: Final = Person(
    id="06ed0000000000000000000002",
    name="高橋 健",
    reading="たかはし けん",
    department="道路課 維持係",
    post="主事",
    kind="member",
    organization="みどり野市",
)
"""For examples."""


class Author(msgspec.Struct, frozen=True):
    """As they were when they wrote."""

    id: Id
    name: str
    department: str
    post: str
    kind: Kind


class Quote(msgspec.Struct, frozen=True):
    id: Id
    seq: Seq


class Forward(msgspec.Struct, frozen=True):
    author: str
    department: str
    at: Time


class Attachment(msgspec.Struct, frozen=True):
    """What every member in every zone may see; the bytes come by addresses."""

    id: Id
    kind: str
    name: str
    type: str
    size: int
    state: Literal["pending", "ready", "failed", "withdrawn"]
    width: int | None
    height: int | None
    color: Color | None
    preview: Literal["none", "pending", "ready", "failed"] | UnsetType = UNSET
    pages: int | UnsetType = UNSET


class Reaction(msgspec.Struct, frozen=True):
    key: str
    count: int
    users: Annotated[list[Id], msgspec.Meta(max_length=limits.REACTION_USERS_SHOWN)]


class ToConfirm(msgspec.Struct, frozen=True):
    """Everybody is asked to confirm it by then."""

    by: Time


class Message(msgspec.Struct, frozen=True):
    """A redacted message has `redacted`, and nothing that was said."""

    id: Id
    seq: Seq
    ordinal: Seq
    at: Time
    kind: str
    author: Author
    version: int | UnsetType = UNSET
    text: str | UnsetType = UNSET
    blocks: list[AnyBlock] | UnsetType = UNSET
    mentions: dict[str, str] | UnsetType = UNSET
    quote: Quote | UnsetType = UNSET
    forward: Forward | UnsetType = UNSET
    attachments: list[Attachment] | UnsetType = UNSET
    edited: Time | UnsetType = UNSET
    confirm: ToConfirm | UnsetType = UNSET
    level: Level | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    reactions: list[Reaction] | UnsetType = UNSET
    redacted: Time | UnsetType = UNSET


class MessageInRoom(msgspec.Struct, frozen=True):
    room: Id
    message: Message


class MessagePage(msgspec.Struct, frozen=True):
    """Oldest first; `first`: nothing older is visible; `head`: the last seq of the room."""

    messages: list[Message]
    first: bool
    head: Seq


class Ack(msgspec.Struct, frozen=True):
    """Committed. `replay`: this is the first answer, given again."""

    room: Id | UnsetType = UNSET
    id: Id | UnsetType = UNSET
    seq: Seq | UnsetType = UNSET
    at: Time | UnsetType = UNSET
    upto: Seq | UnsetType = UNSET
    replay: bool | UnsetType = UNSET


class LastMessage(msgspec.Struct, frozen=True):
    at: Time
    author: str
    text: str


class Can(msgspec.Struct, frozen=True):
    """`levels`: of announcements, where one may post them: the highest first."""

    post: bool
    invite: bool
    manage: bool
    levels: list[Level] | UnsetType = UNSET


class Room(msgspec.Struct, frozen=True):
    """A room as one member sees it."""

    id: Id
    kind: RoomKind
    name: str
    reading: str
    topic: str
    history: History
    outflow: Outflow
    archived: bool
    members: int
    outsiders: list[str]
    role: MemberRole
    involvement: Literal["nothing", "mentions", "everything"]
    head: Seq
    first: Seq
    read: Seq
    unread: Annotated[int, msgspec.Meta(ge=0, le=limits.UNREAD_CAP)]
    mentioned: bool
    last: LastMessage | None
    can: Can
    home: str
    with_: Id | UnsetType = msgspec.field(default=UNSET, name="with")


class Member(Person, frozen=True, kw_only=True):
    """A person in a room."""

    role: MemberRole


class ListQuery(msgspec.Struct, frozen=True):
    """`cursor`: the `next` of the page before."""

    cursor: Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
