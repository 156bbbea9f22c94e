"""Time for tests: a clock that stands until it is moved, and a deadline for what must happen soon."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.support.patience import DEADLINE

T = TypeVar("T")


async def soon(awaitable: Awaitable[T]) -> T:
    """`awaitable`'s result; a test that waits longer than the deadline has failed."""
    async with asyncio.timeout(DEADLINE):
        return await awaitable


class FakeClock:
    """Stands still. `advance` moves it, `sleeping` waits until somebody waits."""

    def __init__(self) -> None:
        self._wall = 1_763_770_000_000
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._changed = asyncio.Condition()
        self.slept: list[float] = []
        """every duration that somebody asked to wait"""

    def now(self) -> int:
        return self._wall + int(self._elapsed * 1000)

    def monotonic(self) -> float:
        return self._elapsed

    def set_wall(self, wall: int) -> None:
        """Somebody sets the machine's clock."""
        self._wall = wall - int(self._elapsed * 1000)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        over = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), over))
        self.slept.append(seconds)
        async with self._changed:
            self._changed.notify_all()
        await over

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever's wait is over runs at the next turn of the loop."""
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed + 1e-9:
            over = heapq.heappop(self._sleepers)[2]
            if not over.done():
                over.set_result(None)

    async def sleeping(self, seconds: float) -> None:
        """Until somebody waits for `seconds` more, to the millisecond."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: any(abs(left - seconds) < 0.001 for left in self._waits()))

    def _waits(self) -> list[float]:
        return [due - self._elapsed for due, _, over in self._sleepers if not over.done()]


class FastClock:
    """A hundred times as fast as ours: for tests in which much is waited for and nothing depends on how long."""

    def __init__(self, times: float = 100.0) -> None:
        self._times = times
        self._began = time.monotonic()
        self._base = 1_763_770_000_000

    def now(self) -> int:
        return self._base + int(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._times

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0) / self._times)


class Recorded:
    """A list that can be waited on."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()

    async def changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until `condition` holds; looked at whenever something changed."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(condition)
