"""The same request twice at once: one is carried out, the other waits for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from chat_server.domain.errors import SENDS_IN_PROGRESS, Problem

WAIT_SECONDS: Final = 20


class InFlight:
    """Turns by (user, Idempotency-Key), within this process.

    The transaction that claims the key is what makes an act happen once; this saves the second request the work (a
    photo is not decoded twice) and gives it the first one's answer.
    """

    def __init__(self) -> None:
        self._turns: dict[tuple[int, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, user_id: int, key: str) -> AsyncIterator[None]:
        """Hold the turn. Raises `Problem` 8006 when the one before takes too long."""
        name = (user_id, key)
        lock, waiting = self._turns.get(name, (asyncio.Lock(), 0))
        self._turns[name] = (lock, waiting + 1)
        try:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await lock.acquire()
            except TimeoutError:
                raise Problem(SENDS_IN_PROGRESS, field="Idempotency-Key", retry_after=5) from None
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, waiting = self._turns[name]
            if waiting == 1:
                del self._turns[name]
            else:
                self._turns[name] = (lock, waiting - 1)
