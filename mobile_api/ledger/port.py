"""What the queue and ledger of pushes must do, whichever engine keeps it, and the records that go in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from chat_server.ports import PushEntry, PushRecord

Kind = Literal["ring", "badge", "clear"]
RING: Final[Kind] = "ring"
BADGE: Final[Kind] = "badge"
CLEAR: Final[Kind] = "clear"

# States of a parcel. Those below DONE are still to be carried.
WAITING, SENDING = 0, 1
DONE: Final = 10
ACCEPTED, INVALID, REFUSED, GIVEN_UP, REPLACED, READ, NO_DEVICE, WITHDRAWN = range(DONE, DONE + 8)
STATES: Final[Mapping[int, str]] = {
    WAITING: "waiting",
    SENDING: "sending",
    ACCEPTED: "accepted",
    INVALID: "invalid",
    REFUSED: "refused",
    GIVEN_UP: "given_up",
    REPLACED: "replaced",
    READ: "read",
    NO_DEVICE: "no_device",
    WITHDRAWN: "withdrawn",
}
"""As they are told to administrators. withdrawn: the message was taken back, or its reader left the room, or has their quiet hours by now."""


@dataclass(frozen=True, slots=True)
class Order:
    """One parcel to be carried to one device. Integer keys; `public_id` is what the provider sees of it, on every try.
    `lane`: what shares a provider's limits. `expires`: UTC ms."""

    public_id: str
    user_id: int
    device_id: int
    room_id: int
    message_id: int
    seq: int
    lane: str
    kind: Kind
    why: str
    urgent: bool
    expires: int


@dataclass(frozen=True, slots=True)
class Handed:
    """A message whose expansion is handed over. `quiet`: those who are not rung, msgpack of {reason: [user, …]}."""

    message_id: int
    org_id: int
    room_id: int
    seq: int
    quiet: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A parcel that somebody is to carry now. `tries`: which one this is, from 1."""

    id: int
    public_id: str
    user_id: int
    device_id: int
    room_id: int
    message_id: int
    seq: int
    lane: str
    kind: Kind
    urgent: bool
    expires: int
    tries: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a try. `state`: one of the above; WAITING: it is tried again at `due`. `rang`: the device may show it.
    `tries`: of the try that this is about; an answer that comes late, after another one took over, changes nothing."""

    id: int
    tries: int
    state: int
    reason: str = ""
    receipt: str = ""
    due: int = 0
    rang: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """A device that shows something of a room, up to `seq`."""

    device_id: int
    room_id: int
    user_id: int
    message_id: int
    seq: int
    lane: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody has read a room up to `upto`, or has nothing to do with what stands before it. Integer keys."""

    user_id: int
    room_id: int
    upto: int


class Ledger(PushRecord, Protocol):
    """The queue, and the record of what became of everything in it.

    MUST: what a call answered is on the disk. MUST: each call is one step, all of it or nothing; a crash in between leaves
    a parcel either untouched or `SENDING`, never lost. One process carries at a time; several may look things up.
    Raises OSError (also for the database's own failures): nothing was done, and it may be tried again.
    """

    async def belong(self, epoch: str) -> None:
        """Of another generation of the streams, after a restore, nothing stays: there, other messages have these keys."""
        ...

    async def hand_over(self, handed: Handed, orders: Sequence[Order], now: int) -> bool:
        """Keep what was decided for a message, and queue it. False if the message was handed over before; then nothing changes.

        A newer ring takes the place of one of the same device and room that still waits, unless that one is urgent and
        the newer is not. Of a device one `badge` waits at most."""
        ...

    async def recover(self, now: int) -> int:
        """At start: what was being sent when the process ended is to be sent again, as its answer is unknown. How many."""
        ...

    async def hurry(self, reason: str, now: int) -> int:
        """What waits because of that, as the last answer has it, need not wait any longer. How many."""
        ...

    async def lanes(self) -> list[str]:
        """Those in which something waits."""
        ...

    async def take(self, lane: str, limit: int, now: int) -> list[Taken]:
        """What is due, the longest due first; from here on it is `SENDING`. Never two of one device and room at once, and
        of those the older first."""
        ...

    async def next_due(self) -> int | None:
        """When the first of what waits is due (UTC ms)."""
        ...

    async def settle(self, results: Sequence[Settled], now: int) -> None:
        """What became of tries. What has to wait again gives way to a newer ring that came meanwhile, as at `hand_over`."""
        ...

    async def read(self, marks: Sequence[Mark], now: int, expires: int) -> int:
        """What waits to ring for something read does not, and each device that shows some of it is told to clear it. How many
        are told. MUST cost no write where nothing waits and nothing is shown."""
        ...

    async def rung(self, after: tuple[int, int], limit: int) -> list[Rung]:
        """Devices that show something, by (device, room)."""
        ...

    async def prune(self, before: int, limit: int) -> int:
        """Forget some of what is done and older than that (UTC ms). How many rows."""
        ...

    async def close(self) -> None: ...


__all__ = ["Handed", "Kind", "Ledger", "Mark", "Order", "PushEntry", "PushRecord", "Rung", "Settled", "Taken"]
