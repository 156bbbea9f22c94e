"""What the server describes: people, rooms, messages, attachments (docs/protocol.md, sections 3 and 6).

Every `from_wire` ignores fields it does not know, and raises KeyError, TypeError or ValueError where one that it needs
is missing or of another type. Times are UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from chat_client.fields import Fields, flag, items, maybe_number, maybe_text, number, section, strings, text


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the directory, or a guest. `kind` is member, guest or bot."""

    id: str
    name: str
    reading: str
    department: str
    post: str
    kind: str
    organization: str
    guest_of: str | None = None

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        return cls(
            id=text(raw, "id"),
            name=text(raw, "name"),
            reading=text(raw, "reading", ""),
            department=text(raw, "department", ""),
            post=text(raw, "post", ""),
            kind=text(raw, "kind", "member"),
            organization=text(raw, "organization", ""),
            guest_of=maybe_text(raw, "guest_of"),
        )


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message, with the department and post of that moment."""

    id: str
    name: str
    department: str
    post: str
    kind: str

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        return cls(
            id=text(raw, "id"),
            name=text(raw, "name"),
            department=text(raw, "department", ""),
            post=text(raw, "post", ""),
            kind=text(raw, "kind", "member"),
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    """What every member may see of an attachment. `state` is pending, ready or failed; `size` is in bytes."""

    id: str
    kind: str
    name: str
    type: str
    size: int
    state: str
    width: int | None = None
    height: int | None = None
    color: str | None = None

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        return cls(
            id=text(raw, "id"),
            kind=text(raw, "kind", "photo"),
            name=text(raw, "name", ""),
            type=text(raw, "type", ""),
            size=number(raw, "size", 0),
            state=text(raw, "state", "pending"),
            width=maybe_number(raw, "width"),
            height=maybe_number(raw, "height"),
            color=maybe_text(raw, "color"),
        )


@dataclass(frozen=True, slots=True)
class Reaction:
    """How often a message got `key`, and by whom (the first 50)."""

    key: str
    count: int
    users: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        return cls(text(raw, "key"), number(raw, "count"), strings(raw, "users"))


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that another one answers."""

    id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a forwarded message came from."""

    author: str
    department: str
    at: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a person (kind text) or the server (kind system) wrote. Of a redacted one only who, when and where is left."""

    id: str
    seq: int
    ordinal: int
    at: int
    kind: str
    author: Author
    version: int = 1
    text: str = ""
    blocks: tuple[Mapping[str, Any], ...] = ()
    mentions: Mapping[str, str] = field(default_factory=dict)
    quote: Quote | None = None
    forward: Forward | None = None
    attachments: tuple[Attachment, ...] = ()
    edited: int | None = None
    pinned: bool = False
    reactions: tuple[Reaction, ...] = ()
    redacted: int | None = None

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        quote, forward = raw.get("quote"), raw.get("forward")
        return cls(
            id=text(raw, "id"),
            seq=number(raw, "seq"),
            ordinal=number(raw, "ordinal"),
            at=number(raw, "at"),
            kind=text(raw, "kind"),
            author=Author.from_wire(section(raw, "author")),
            version=number(raw, "version", 1),
            text=text(raw, "text", ""),
            blocks=tuple(dict(block) for block in items(raw, "blocks")),
            mentions={str(key): str(name) for key, name in section(raw, "mentions", {}).items()},
            quote=None if quote is None else Quote(text(quote, "id"), number(quote, "seq")),
            forward=None
            if forward is None
            else Forward(text(forward, "author"), text(forward, "department", ""), number(forward, "at", 0)),
            attachments=tuple(Attachment.from_wire(item) for item in items(raw, "attachments")),
            edited=maybe_number(raw, "edited"),
            pinned=flag(raw, "pinned"),
            reactions=tuple(Reaction.from_wire(item) for item in items(raw, "reactions")),
            redacted=maybe_number(raw, "redacted"),
        )


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """What a `room` event tells of a room."""

    id: str
    kind: str
    name: str
    reading: str
    topic: str
    history: str
    archived: bool

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        return cls(
            text(raw, "id"),
            text(raw, "kind"),
            text(raw, "name"),
            maybe_text(raw, "reading") or "",
            maybe_text(raw, "topic") or "",
            text(raw, "history", "all"),
            flag(raw, "archived"),
        )


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message, as the room list shows it."""

    at: int
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Room:
    """One line of the room list, for the person who asked."""

    id: str
    kind: str
    name: str
    reading: str
    topic: str
    history: str
    archived: bool
    members: int
    outsiders: tuple[str, ...]
    role: str
    involvement: str
    head: int
    first: int
    read: int
    unread: int
    mentioned: bool
    last: LastMessage | None
    can: Mapping[str, bool]
    home: str

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        last = raw.get("last")
        return cls(
            id=text(raw, "id"),
            kind=text(raw, "kind"),
            name=text(raw, "name"),
            reading=maybe_text(raw, "reading") or "",
            topic=maybe_text(raw, "topic") or "",
            history=text(raw, "history", "all"),
            archived=flag(raw, "archived"),
            members=number(raw, "members", 0),
            outsiders=strings(raw, "outsiders"),
            role=text(raw, "role", "member"),
            involvement=text(raw, "involvement", "everything"),
            head=number(raw, "head"),
            first=number(raw, "first", 1),
            read=number(raw, "read", 0),
            unread=number(raw, "unread", 0),
            mentioned=flag(raw, "mentioned"),
            last=None if last is None else LastMessage(number(last, "at"), str(last["author"]), text(last, "text", "")),
            can={str(key): value is True for key, value in section(raw, "can", {}).items()},
            home=maybe_text(raw, "home") or "",
        )


@dataclass(frozen=True, slots=True)
class History:
    """A stretch of messages, oldest first. `first`: nothing older is visible. `head`: the room's newest seq."""

    messages: tuple[Message, ...]
    first: bool
    head: int

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        messages = tuple(Message.from_wire(item) for item in items(raw, "messages"))
        return cls(messages, flag(raw, "first"), number(raw, "head"))


@dataclass(frozen=True, slots=True)
class Hello:
    """The server's first answer on a connection. `limits` are those of docs/protocol.md; unknown ones are kept."""

    epoch: str
    time: int
    expires: int
    zone: str
    device: str
    me: Person
    features: frozenset[str]
    limits: Mapping[str, int]

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        limits = section(raw, "limits", {})
        return cls(
            text(raw, "epoch"),
            number(raw, "time"),
            number(raw, "expires"),
            text(raw, "zone", ""),
            text(raw, "device", ""),
            Person.from_wire(section(raw, "me")),
            frozenset(strings(raw, "features")),
            {str(name): value for name, value in limits.items() if isinstance(value, int)},
        )


@dataclass(frozen=True, slots=True)
class Ack:
    """The change is on the server's disk. No `seq`: it changed nothing. `replay`: an earlier try had succeeded."""

    room: str | None = None
    id: str | None = None
    seq: int | None = None
    at: int | None = None
    replay: bool = False

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        return cls(
            maybe_text(raw, "room"),
            maybe_text(raw, "id"),
            maybe_number(raw, "seq"),
            maybe_number(raw, "at"),
            flag(raw, "replay"),
        )


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where an attachment's renditions can be fetched until `expires`. A path is a permission: never log one.

    `refused` says why there is no address (Japanese, English).
    """

    id: str
    name: str
    expires: int
    paths: Mapping[str, str] = field(repr=False)
    taken_at: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    refused: tuple[str, str] | None = None

    @classmethod
    def from_wire(cls, raw: Fields) -> Self:
        place, refused = raw.get("place"), raw.get("refused")
        return cls(
            id=text(raw, "id"),
            name=text(raw, "name", ""),
            expires=number(raw, "expires", 0),
            paths={str(key): str(path) for key, path in section(raw, "addresses", {}).items()},
            taken_at=maybe_number(raw, "taken_at"),
            latitude=None if place is None else float(place["latitude"]),
            longitude=None if place is None else float(place["longitude"]),
            refused=None if refused is None else (text(refused, "ja", ""), text(refused, "en", "")),
        )


def listed(answer: object) -> Sequence[Fields]:
    """The items of a list answer, whether it comes bare or as one page. Raises TypeError."""
    found = answer.get("items") if isinstance(answer, Mapping) else answer
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found
