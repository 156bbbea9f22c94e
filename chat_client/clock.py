"""Time, so that tests may own it: back-off, heartbeat and renewal never look at a clock of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Wall time, elapsed time and waiting."""

    def now(self) -> int:
        """UTC milliseconds by the local clock, which may be wrong."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever increase."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait. Zero or less gives other tasks a turn."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))


class ServerTime:
    """What the server's clock says now.

    Expiry times are the server's; a desk whose clock is a day off must not think that its token has expired. Counted
    on from the last time heard by elapsed time, so that setting the local clock changes nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: tuple[int, float] | None = None

    def heard(self, server_now: int) -> None:
        """The server said that it is `server_now` (UTC milliseconds)."""
        self._heard = (server_now, self._clock.monotonic())

    def now(self) -> int:
        """UTC milliseconds by the server's clock; by the local one until the server was heard."""
        if self._heard is None:
            return self._clock.now()
        base, at = self._heard
        return base + int((self._clock.monotonic() - at) * 1000)


async def within(clock: Clock, seconds: float, awaitable: Awaitable[T]) -> T:
    """`awaitable`'s result, or TimeoutError after `seconds` of `clock`; what did not finish is cancelled."""
    task = asyncio.ensure_future(awaitable)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
