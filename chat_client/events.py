"""What `Client.events()` yields: plain frozen records, to be told apart with `match`.

Room and own-stream events come exactly once and in the order of their stream; the transient ones may be missed. The
last group does not come from a stream: it tells how the client itself fares. Times are UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat_client.errors import ClientError, RenrakuError
from chat_client.models import Ack, Attachment, Hello, Message, Person, RoomInfo


@dataclass(frozen=True, slots=True)
class Event:
    """Anything that happens."""


@dataclass(frozen=True, slots=True)
class RoomEvent(Event):
    """Position `seq` of `room`. `by`: the user who did it, where there is one."""

    room: str
    seq: int
    at: int
    by: str | None


@dataclass(frozen=True, slots=True)
class MessagePosted(RoomEvent):
    message: Message


@dataclass(frozen=True, slots=True)
class MessageEdited(RoomEvent):
    """The message at seq `target` now is `message`."""

    target: int
    message: Message


@dataclass(frozen=True, slots=True)
class MessageRedacted(RoomEvent):
    """`how` is redacted or cancelled; whatever is held of message `id` has to go."""

    target: int
    id: str
    how: str


@dataclass(frozen=True, slots=True)
class Reacted(RoomEvent):
    target: int
    id: str
    user: str
    key: str
    on: bool


@dataclass(frozen=True, slots=True)
class Pinned(RoomEvent):
    target: int
    id: str
    on: bool


@dataclass(frozen=True, slots=True)
class MembershipChanged(RoomEvent):
    """`change` is joined, left, removed or role."""

    user: Person
    change: str
    role: str | None


@dataclass(frozen=True, slots=True)
class RoomChanged(RoomEvent):
    info: RoomInfo


@dataclass(frozen=True, slots=True)
class AttachmentChanged(RoomEvent):
    target: int
    id: str
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class NoteChanged(RoomEvent):
    """Note `id` as it is now; `what` is created, changed or deleted."""

    id: str
    title: str
    version: int
    what: str


@dataclass(frozen=True, slots=True)
class Stub(RoomEvent):
    """A position whose content this reader may not see, or an edit that a later one of the same page made void."""


@dataclass(frozen=True, slots=True)
class UnknownRoomEvent(RoomEvent):
    """A kind of a later version, or one whose fields could not be read."""

    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MeEvent(Event):
    """Position `seq` of the user's own stream."""

    seq: int
    at: int


@dataclass(frozen=True, slots=True)
class RoomGained(MeEvent):
    room: str


@dataclass(frozen=True, slots=True)
class RoomLost(MeEvent):
    room: str


@dataclass(frozen=True, slots=True)
class ReadElsewhere(MeEvent):
    """Another device read `room` up to seq `upto`."""

    room: str
    upto: int


@dataclass(frozen=True, slots=True)
class InvolvementChanged(MeEvent):
    room: str
    involvement: str


@dataclass(frozen=True, slots=True)
class BookmarkChanged(MeEvent):
    room: str
    message: str
    on: bool


@dataclass(frozen=True, slots=True)
class DevicesChanged(MeEvent):
    pass


@dataclass(frozen=True, slots=True)
class DirectoryChanged(MeEvent):
    version: int


@dataclass(frozen=True, slots=True)
class ProfileChanged(MeEvent):
    pass


@dataclass(frozen=True, slots=True)
class UnknownMeEvent(MeEvent):
    """A kind of a later version, or one whose fields could not be read."""

    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TransientEvent(Event):
    """Never stored by the server, never replayed."""


@dataclass(frozen=True, slots=True)
class Typing(TransientEvent):
    """Show for 6 s."""

    room: str
    user: str
    name: str


@dataclass(frozen=True, slots=True)
class Receipt(TransientEvent):
    """`user` has read up to `upto`: told in direct rooms, and by policy in rooms of up to 50 members."""

    room: str
    user: str
    upto: int


@dataclass(frozen=True, slots=True)
class Receipts(TransientEvent):
    """(seq, how many members have read up to it), where not everybody may know who."""

    room: str
    upto: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Presence(TransientEvent):
    """`state` is online, away or offline."""

    user: str
    state: str


@dataclass(frozen=True, slots=True)
class ClientEvent(Event):
    """How the client itself fares."""


@dataclass(frozen=True, slots=True)
class Connected(ClientEvent):
    """Live again; what was missed follows in order."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Disconnected(ClientEvent):
    """`code` is the close code, None for a lost connection. The next try comes after `retry_in` seconds."""

    code: int | None
    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class EpochChanged(ClientEvent):
    """The server was restored from a backup: what it acknowledged since may be lost. `Resynced` follows for all."""

    epoch: str
    before: str


@dataclass(frozen=True, slots=True)
class Resynced(ClientEvent):
    """Drop what is held of `room` (None: the room list and own markers) and load it anew; events go on after `head`."""

    room: str | None
    head: int


@dataclass(frozen=True, slots=True)
class RoomGone(ClientEvent):
    """Learned on connecting: no longer a member. Drop the room."""

    room: str


@dataclass(frozen=True, slots=True)
class OutboxSent(ClientEvent):
    """A message of the durable outbox was acknowledged."""

    client_msg_id: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class OutboxFailed(ClientEvent):
    """A message of the durable outbox was refused for good, and left it."""

    client_msg_id: str
    error: RenrakuError | ClientError | OSError
