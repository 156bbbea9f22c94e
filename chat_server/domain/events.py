"""What a committed transaction tells the hub. Plain records; the wire form is made in `services/wire.py`.

`body` is exactly what every member may see in every zone, and already has the shape of docs/protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

EventKind = Literal["message", "edit", "redaction", "reaction", "pin", "membership", "room", "attachment", "note"]
"""What a room's stream holds; what a reader may not see, or retention took away, arrives as a `stub` instead."""

Stub = Literal["stub"]

OwnKind = Literal[
    "room_gained", "room_lost", "read", "involvement", "bookmark", "devices", "directory", "profile", "confirmed",
    "confirm_again", "scheduled",
]  # fmt: skip
"""What a person's own stream holds."""

Ranges = tuple[tuple[int, int], ...]
"""What somebody may see of a room: (first, last) seq of each stay in it."""

EVERYTHING: Final[Ranges] = ((1, 2**53 - 1),)


def within(ranges: Ranges, seq: int) -> bool:
    """Whether `seq` may be seen."""
    return any(first <= seq <= last for first, last in ranges)


def may_see(ranges: Ranges, seq: int, target: int | None) -> bool:
    """Whether an event at `seq`, which refers to the message at `target`, may be seen whole."""
    return within(ranges, seq) and (target is None or within(ranges, target))


@dataclass(frozen=True, slots=True)
class Joined:
    """Effect of a membership event: from its seq on, the user's connections receive the room."""

    user_id: int
    visible: Ranges


@dataclass(frozen=True, slots=True)
class Left:
    """Effect of a membership event: its own seq is the last that the user's connections receive. `user`: public id."""

    user_id: int
    user: str


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """One event of a room's stream.

    `target` is the seq of the message it refers to: a member who may not see that seq gets a stub instead
    (an edit must not carry history to a newcomer; CVE-2022-31017).
    """

    room_id: int
    room: str
    seq: int
    kind: EventKind | Stub
    at: int
    by: str
    body: dict[str, Any]
    target: int | None = None
    effect: Joined | Left | None = None


@dataclass(frozen=True, slots=True)
class UserEvent:
    """One event of a user's own stream. `revoked_device`, `barred_device` (which may still ask how it stands) and
    `disabled` close sockets as well; no socket of theirs outlives `not_after` (UTC milliseconds)."""

    user_id: int
    seq: int
    kind: OwnKind
    at: int
    body: dict[str, Any]
    revoked_device: int | None = None
    disabled: bool = False
    not_after: int | None = None
    barred_device: int | None = None


@dataclass(frozen=True, slots=True)
class ReadMoved:
    """Somebody's read marker moved. Never stored as an event; only those who look at the room hear of it, and of whose
    it is only where everybody may know (`named`)."""

    room_id: int
    room: str
    user: str
    upto: int
    members: int
    named: bool


@dataclass(frozen=True, slots=True)
class ConfirmedIn:
    """Somebody confirmed a message. Never stored as an event; those who look at the room hear how many have. `room`, `message`:
    public ids."""

    room_id: int
    room: str
    message: str


@dataclass(frozen=True, slots=True)
class EpochChanged:
    """The data was restored: every connection has to begin anew."""

    epoch: str


Note = RoomEvent | UserEvent | ReadMoved | ConfirmedIn | EpochChanged
