"""Sweeping: what has served its time, removed in small steps."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

import structlog

from chat_server.ports import Storage
from chat_server.services import idempotency, nodes, own_stream, sweeping

EVERY: Final = 300.0
log = structlog.get_logger("renraku.sweeper")


class Sweeper:
    """One task."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("sweeping failed")
            await asyncio.sleep(EVERY)

    async def sweep(self) -> None:
        """Everything that is due."""
        while await self._storage.write(idempotency.sweep):
            pass
        while await self._storage.write(sweeping.sweep):
            pass
        await self._storage.write(nodes.forget_silent)
        for user_id in await self._storage.read(own_stream.overgrown):
            while await self._storage.write(partial(own_stream.trim, user_id=user_id)):
                pass
