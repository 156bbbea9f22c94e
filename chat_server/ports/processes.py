"""What the processes of one installation share: who leads, what they tell each other, and the time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol


class Leadership(Protocol):
    """What must run once, though several processes serve one database."""

    leads: bool
    """whether this process does it at the moment"""

    async def hold(self, work: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: run `work` whenever this process leads. MUST cancel it as soon as it cannot be sure to lead
        any more, and wait for its end before another process may begin; `work` is safe to do twice all the same."""
        ...


class Bus(Protocol):
    """Short items between the processes of one server: hints to look, and what is never stored (typing, presence).

    An item may be lost, doubled, late; it is never the truth. MUST: `publish` neither waits nor raises because of the
    other side, and a bus that is cut loses items rather than hold anybody up. MUST: a cut line is made again by itself,
    and `joined` tells of it, because what was said meanwhile is lost. MUST: one's own items do not come back.
    """

    heard: Callable[[bytes], None]
    """called on the event loop with each item of the other processes, in each one's order"""
    joined: Callable[[], None]
    """called on the event loop whenever the line stands (again)"""

    @property
    def state(self) -> str:
        """connected, or cut"""
        ...

    async def start(self) -> None:
        """Begin; does not wait for the other side."""
        ...

    def publish(self, item: bytes) -> None:
        """Tell every other process; `item` is one line of at most `ITEM_BYTES`. Raises `ValueError` for another."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


ITEM_BYTES: Final = 7_000
"""Of an item for the bus: with its envelope it fits into one notification of PostgreSQL (8 kB)."""


class Clock(Protocol):
    """Time, so that tests may own it."""

    def now(self) -> int:
        """UTC milliseconds."""
        ...
