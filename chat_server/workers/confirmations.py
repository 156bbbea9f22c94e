"""要確認, once more: a day before its time whoever has not confirmed a message is asked again, gently and once."""

from __future__ import annotations

from functools import partial
from typing import Final

from chat_server.ports import Storage
from chat_server.services import confirming
from chat_server.services.confirming import Again
from chat_server.workers.repeating import repeat

BATCH: Final = 20
CHUNK: Final = 200
"""People told in one transaction: keeps the writer free (20 ms)."""


class ConfirmationWorker:
    """One task, on the leading node. Nobody waits for it: it looks every `poll` seconds."""

    def __init__(self, storage: Storage, *, poll: float = 15.0) -> None:
        self._storage = storage
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.step, self._poll, "asking again")

    async def step(self) -> int:
        """Answers how many messages were asked about again."""
        due = await self._storage.read(lambda reader: confirming.to_ask_again(reader, BATCH))
        for again in due:
            await self._tell(again)
        return len(due)

    async def _tell(self, again: Again) -> None:
        left: Again | None = again
        while left is not None:
            left = await self._storage.write(
                partial(confirming.ask_again, again=left, limit=CHUNK), org_id=again.org_id
            )
