"""片付け: memo rooms are tidied up as their owners asked, a little at a time."""

from __future__ import annotations

from functools import partial
from typing import Final

from chat_server.ports import Storage
from chat_server.services import tidying
from chat_server.workers.repeating import repeat

BATCH: Final = 20
CHUNK: Final = 50
"""Messages taken back in one transaction: keeps the writer free (20 ms)."""


class TidyingWorker:
    """One task, on the leading node; it looks every `poll` seconds."""

    def __init__(self, storage: Storage, *, poll: float = 5.0) -> None:
        self._storage = storage
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.step, self._poll, "tidying up")

    async def step(self) -> int:
        """Answers how many rooms were due."""
        due = await self._storage.read(lambda reader: tidying.due(reader, BATCH))
        for one in due:
            while await self._storage.write(partial(tidying.step, one=one, limit=CHUNK), org_id=one.org_id):
                pass
        return len(due)
