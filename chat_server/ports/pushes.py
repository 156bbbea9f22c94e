"""What became of pushes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PushEntry:
    """What became of one push to one device. `device_id`: integer key. `kind`: ring, badge, clear. `why`: `domain.push.Why`.
    `state`: waiting, sending, accepted, invalid, refused, given_up, replaced, read, no_device, withdrawn. Times: UTC ms."""

    id: str
    device_id: int
    lane: str
    kind: str
    why: str
    state: str
    tries: int
    answer: str
    receipt: str
    created_at: int
    tried_at: int | None
    due_at: int | None
    done_at: int | None


@dataclass(frozen=True, slots=True)
class PushDecided:
    """What was decided about a message for one person: `why` they were not rung, empty where they were; and for each of their
    devices what became of it. `at`: UTC ms."""

    at: int
    why: str
    entries: Sequence[PushEntry]


class PushRecord(Protocol):
    """The ledger of pushes, as those see it who ask why something did not ring."""

    async def decided(self, message_id: int, user_id: int) -> PushDecided | None:
        """None: the message has not been handed over, or so long ago that it is forgotten. Raises OSError."""
        ...

    async def waiting(self) -> tuple[int, int | None]:
        """How much is still to be carried, and when the oldest of it was handed over (UTC ms). Raises OSError."""
        ...
