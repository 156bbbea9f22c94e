"""片付け: memo rooms are tidied up as their owners asked, a little at a time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

import structlog

from chat_server.ports import Storage
from chat_server.services import tidying

BATCH: Final = 20
CHUNK: Final = 50
"""Messages taken back in one transaction: keeps the writer free (20 ms)."""
log = structlog.get_logger("renraku.tidying")


class TidyingWorker:
    """One task, on the leading node; it looks every `poll` seconds."""

    def __init__(self, storage: Storage, *, poll: float = 5.0) -> None:
        self._storage = storage
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                worked = await self.step()
            except Exception:
                log.exception("tidying up failed")
                worked = 0
            if not worked:
                await asyncio.sleep(self._poll)

    async def step(self) -> int:
        """Answers how many rooms were due."""
        due = await self._storage.read(lambda reader: tidying.due(reader, BATCH))
        for one in due:
            while await self._storage.write(partial(tidying.step, one=one, limit=CHUNK), org_id=one.org_id):
                pass
        return len(due)
