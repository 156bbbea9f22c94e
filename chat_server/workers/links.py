"""Upload links: rooms hear of deadlines that passed, files that nobody adds to any more are forgotten, visits
that ended without a word count as delivered, and what nobody approved of in
time is refused."""

from __future__ import annotations

from typing import Final

from chat_server.ports import Storage
from chat_server.services import approvals, handed_files, link_news
from chat_server.workers.repeating import repeat

POLL: Final = 20.0


class LinkWorker:
    """One task, on the leading node; it looks every `poll` seconds."""

    def __init__(self, storage: Storage, *, poll: float = POLL) -> None:
        self._storage = storage
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        await repeat(self.step, self._poll, "upload links")

    async def step(self) -> int:
        """Answers how many things were done. Nothing is written where nothing is due."""
        done = 0
        if await self._storage.read(link_news.overdue):
            done += await self._storage.write(link_news.remind)
        if await self._storage.read(handed_files.abandoned):
            done += await self._storage.write(handed_files.forget)
        if await self._storage.read(handed_files.over):
            done += await self._storage.write(handed_files.end_silent)
        if await self._storage.read(approvals.lapsed):
            done += await self._storage.write(approvals.lapse)
        return done
