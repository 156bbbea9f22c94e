"""予約送信: what was written for this time is sent now."""

from __future__ import annotations

from functools import partial
from typing import Final

import structlog

from chat_server.domain.errors import Problem
from chat_server.ports import Storage
from chat_server.services import scheduling
from chat_server.services.scheduling import Scheduled
from chat_server.workers.repeating import repeat

BATCH: Final = 20
LATER: Final = 8000
"""From this number on an error says: try again later."""
log = structlog.get_logger("renraku.scheduled")


class ScheduledWorker:
    """One task, on the leading node; it looks every `poll` seconds. `key`: see `messages.send`."""

    def __init__(self, storage: Storage, key: bytes, *, poll: float = 1.0) -> None:
        self._storage = storage
        self._key = key
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.step, self._poll, "sending what was scheduled")

    async def step(self) -> int:
        """Answers how many were due."""
        due = await self._storage.read(lambda reader: scheduling.due(reader, BATCH))
        for one in due:
            await self._send(one)
        return len(due)

    async def _send(self, one: Scheduled) -> None:
        try:
            await self._storage.write(partial(scheduling.send_now, one=one, key=self._key), org_id=one.org_id)
        except Problem as problem:
            if problem.fault.code >= LATER:
                raise
            log.info("a scheduled message cannot be sent", why=problem.fault.name)
            await self._storage.write(partial(scheduling.could_not, one=one, problem=problem), org_id=one.org_id)
